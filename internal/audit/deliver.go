package audit

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const (
	// tries is how often a single event is sent that the receiver refuses.
	tries = 3
	// suspicious is how many events in a row a receiver may refuse. If it refuses more and takes
	// no other, none is set aside: it is not the events that it refuses.
	suspicious = 3
	// samples is how many others of a page it is then sent to find that out, about.
	samples = 10
)

// deliver sends the events, and gives those that were set aside because the receiver
// refuses what they say. All others have been acknowledged when there is no error.
func (f *Follower) deliver(ctx context.Context, events []*event.Event) (aside []*event.Event, err error) {
	p := parcel{f: f, taken: map[int]bool{}, refused: map[int]bool{}}
	var all []int
	for i, e := range events {
		record, err := f.sink.Format(e)
		if err != nil {
			return nil, err
		}
		p.records, all = append(p.records, record), append(all, i)
	}
	for part := range slices.Chunk(all, cmp.Or(f.sink.Batch, identity.LogPageSize)) {
		if err := p.send(ctx, part); err != nil {
			return nil, err
		}
	}
	f.Metrics.count(resultSetAside, len(p.refused))
	for place, e := range events {
		if p.refused[place] {
			aside = append(aside, e)
		}
	}
	return aside, nil
}

// parcel is a batch on its way. Places are places in it.
type parcel struct {
	f       *Follower
	records []output.Record
	// taken and refused are those of which the receiver has said so.
	taken   map[int]bool
	refused map[int]bool
}

// send sends the records at the places that the receiver has not taken yet.
func (p *parcel) send(ctx context.Context, places []int) error {
	places = slices.DeleteFunc(slices.Clone(places), func(place int) bool { return p.taken[place] })
	if len(places) == 0 {
		return nil
	}
	refusal, err := p.try(ctx, places)
	switch {
	case refusal == nil || err != nil:
		return err
	case len(refusal.Rejected) > 0 && len(refusal.Rejected) < len(places):
		return p.some(ctx, places, refusal)
	case len(places) == 1:
		return p.insist(ctx, places)
	}
	// Which of them it refuses it does not say, or says that it is all: half by half.
	half := len(places) / 2
	if err := p.send(ctx, places[:half]); err != nil {
		return err
	}
	return p.send(ctx, places[half:])
}

// some sends those once more that were refused while the others were taken.
func (p *parcel) some(ctx context.Context, places []int, refusal *output.Error) error {
	refused := map[int]bool{}
	for _, i := range refusal.Rejected {
		if i < 0 || i >= len(places) {
			return &output.Error{Kind: output.Unreachable, Message: "the receiver refuses an event that it was not sent"}
		}
		refused[places[i]] = true
	}
	for _, place := range places {
		if !refused[place] {
			p.took(place)
		}
	}
	for _, place := range places {
		if err := p.send(ctx, []int{place}); err != nil {
			return err
		}
	}
	return nil
}

// insist sends one that was refused again, and gives it up in the end.
func (p *parcel) insist(ctx context.Context, one []int) error {
	var refusal *output.Error
	for range tries - 1 {
		var err error
		if refusal, err = p.try(ctx, one); refusal == nil || err != nil {
			return err
		}
	}
	p.refused[one[0]] = true
	if p.f.barren++; p.f.barren <= suspicious {
		return nil
	}
	return p.sample(ctx, refusal)
}

// sample finds out whether the receiver takes anything, when it has refused several in a row:
// by others of the batch, or else by one that it took before, which has the same id again.
func (p *parcel) sample(ctx context.Context, refusal *output.Error) error {
	step := max(1, len(p.records)/samples)
	for place := len(p.records) - 1; place >= 0 && p.f.barren > 0; place -= step {
		if p.refused[place] || p.taken[place] {
			continue
		}
		if _, err := p.try(ctx, []int{place}); err != nil {
			return err
		}
	}
	if p.f.barren == 0 {
		return nil
	}
	if p.f.taken == nil {
		return refusal
	}
	again, err := p.put(ctx, []output.Record{*p.f.taken})
	if err != nil {
		return err
	}
	if again != nil {
		return again
	}
	p.f.barren = 0
	return nil
}

// try sends once. refusal is the error when the receiver refuses what the records say.
func (p *parcel) try(ctx context.Context, places []int) (refusal *output.Error, err error) {
	batch := make([]output.Record, len(places))
	for i, place := range places {
		batch[i] = p.records[place]
	}
	refusal, err = p.put(ctx, batch)
	if refusal == nil && err == nil {
		p.took(places...)
	}
	return refusal, err
}

func (p *parcel) put(ctx context.Context, batch []output.Record) (refusal *output.Error, err error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(p.f.sink.Deadline, deadline))
	defer cancel()
	err = p.f.sink.Output.Deliver(ctx, batch)
	if refused, ok := errors.AsType[*output.Error](err); ok && refused.Kind == output.Rejected {
		return refused, nil
	}
	return nil, err
}

// took notes what the receiver has, so that it is not sent again when the rest has to be.
func (p *parcel) took(places ...int) {
	for _, place := range places {
		p.taken[place] = true
		p.f.sent.Add(short(p.records[place].ID))
		// A copy: a place in the batch would keep all of it.
		p.f.barren, p.f.taken = 0, new(p.records[place])
	}
	p.f.Metrics.count(resultDelivered, len(places))
}
