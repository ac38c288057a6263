package splunk

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output/post"
)

const (
	// firstWait is doubled up to longestWait between two questions.
	firstWait   = time.Second
	longestWait = 10 * time.Second
	// giveUp is how long an indexer is waited for, whatever the caller's context says:
	// one that was restarted has forgotten, and never will.
	giveUp = 5 * time.Minute
	// lostAnswers in a row are a fault that does not pass.
	lostAnswers = 3
)

// probe asks for an acknowledgement before anything is sent. A token without them says so;
// else each try would leave its events in Splunk once more. What is not there to ask leads
// nowhere either. Only that the channel is new is no reason not to send.
func (o Output) probe(ctx context.Context) error {
	d := &delivery{Output: o, channel: newChannel(), pending: map[ackID]bool{0: true}}
	err := d.ask(ctx)
	if fault, ok := errors.AsType[*output.Error](err); ok && fault.Message == noChannel().Message {
		err = nil
	}
	*o.probed = err == nil
	return err
}

// ask crosses off those of the acknowledgements that are there.
func (d *delivery) ask(ctx context.Context) error {
	body, err := json.Marshal(map[string][]ackID{"acks": slices.Sorted(maps.Keys(d.pending))})
	if err != nil {
		return &output.Error{Kind: output.Refused, Message: "asking for acknowledgements", Err: err}
	}
	header, err := d.header()
	if err != nil {
		return err
	}
	answer, err := d.acks.Post(ctx, post.Request{Query: "?channel=" + d.channel, Header: header, Body: body, Read: true})
	if err != nil {
		return err
	}
	said, fault := judge(d.acks, answer)
	if fault != nil {
		return fault
	}
	for id := range d.pending {
		if said.Acks[strconv.FormatInt(int64(id), 10)] {
			delete(d.pending, id)
		}
	}
	return nil
}

// await returns nil when each acknowledgement is there. What is said once is not said
// again, so each is crossed off when it comes; a lost answer is made good by sending anew.
func (d *delivery) await(ctx context.Context) error {
	end := d.config.Clock.Now().Add(giveUp)
	lost := 0
	for wait := firstWait; len(d.pending) > 0; wait = min(2*wait, longestWait) {
		err := d.ask(ctx)
		switch {
		case len(d.pending) == 0:
			return nil
		case ctx.Err() != nil:
			return ended(ctx)
		case err == nil:
			lost = 0
		case !passes(err) || lost+1 == lostAnswers:
			return err
		default:
			lost++
		}
		if !d.config.Clock.Now().Before(end) {
			return notInTime(nil)
		}
		if err := d.sleep(ctx, wait); err != nil {
			return err
		}
	}
	return nil
}

// sleep waits by the output's clock, unless the context ends.
func (o Output) sleep(ctx context.Context, wait time.Duration) error {
	timer := o.config.Clock.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ended(ctx)
	case <-timer.C():
		return nil
	}
}

// passes tells faults after which asking again may help.
func passes(err error) bool {
	fault, ok := errors.AsType[*output.Error](err)
	return ok && (fault.Kind == output.Unreachable || fault.Kind == output.Busy)
}

// ended is why a context has. A deadline that passes is the indexer's fault and is told so;
// who ends the operator hears of that.
func ended(ctx context.Context) error {
	if err := ctx.Err(); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return notInTime(ctx.Err())
}

func notInTime(cause error) error {
	return &output.Error{Kind: output.Unreachable, Err: cause, Message: "Splunk took the events, but the indexer did not acknowledge them " +
		"in time; they are sent again: look at the indexer, and let a balancer lead one client to one collector"}
}

// unique keeps the first of each: every answer may set the same cookie.
func unique(cookies []string) []string {
	slices.Sort(cookies)
	return slices.Compact(cookies)
}
