package audit

import (
	"context"
	"errors"

	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
)

const (
	// tries is how often a single event is sent that the receiver refuses.
	tries = 3
	// suspicious is how many events a receiver may refuse that takes no other. If it
	// refuses more, none is set aside: it is not the events that it refuses.
	suspicious = 3
	// samples is how many others of a page it is then sent to find that out.
	samples = 10
)

// deliver sends the events, and gives those that were set aside because the receiver
// refuses what they say. All others have been acknowledged when there is no error.
func (f *Follower) deliver(ctx context.Context, events []*event.Event) (aside []*event.Event, err error) {
	p := parcel{f: f, refused: map[int]*output.Error{}}
	for _, e := range events {
		record, err := f.sink.Format(e)
		if err != nil {
			return nil, err
		}
		p.records = append(p.records, record)
	}
	if err := p.send(ctx, 0, len(p.records)); err != nil {
		return nil, err
	}
	if p.accepted {
		f.barren = 0
	}
	f.barren += len(p.refused)
	for place, e := range events {
		if p.refused[place] != nil {
			aside = append(aside, e)
		}
	}
	return aside, nil
}

// parcel is a batch on its way.
type parcel struct {
	f       *Follower
	records []output.Record
	// refused are the places of single records that the receiver refuses.
	refused map[int]*output.Error
	// accepted tells that it took something, sampled that others were tried.
	accepted, sampled bool
}

// send sends the records from one place to another.
func (p *parcel) send(ctx context.Context, from, to int) error {
	if from == to {
		return nil
	}
	refusal, err := p.try(ctx, from, to)
	switch {
	case refusal == nil || err != nil:
		return err
	case len(refusal.Rejected) > 0 && len(refusal.Rejected) < to-from:
		return p.some(ctx, from, to, refusal)
	case to-from == 1:
		return p.insist(ctx, from)
	}
	// Which of them it refuses it does not say, or says that it is all: half by half.
	half := (from + to) / 2
	if err := p.send(ctx, from, half); err != nil {
		return err
	}
	return p.send(ctx, half, to)
}

// some sends those once more that were refused while the others were taken.
func (p *parcel) some(ctx context.Context, from, to int, refusal *output.Error) error {
	refused := map[int]bool{}
	for _, place := range refusal.Rejected {
		if place < 0 || place >= to-from {
			return &output.Error{Kind: output.Unreachable, Message: "the receiver refuses an event that it was not sent"}
		}
		refused[from+place] = true
	}
	for place := from; place < to; place++ {
		if !refused[place] {
			p.took(place, place+1)
		}
	}
	for place := from; place < to; place++ {
		if refused[place] {
			if err := p.send(ctx, place, place+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// insist sends one that was refused again, and gives it up in the end.
func (p *parcel) insist(ctx context.Context, place int) error {
	var refusal *output.Error
	for range tries - 1 {
		var err error
		if refusal, err = p.try(ctx, place, place+1); refusal == nil || err != nil {
			return err
		}
	}
	p.refused[place] = refusal
	if p.accepted || p.f.barren+len(p.refused) <= suspicious {
		return nil
	}
	return p.sample(ctx, refusal)
}

// sample tries others of the batch, when the receiver has refused some and taken none.
func (p *parcel) sample(ctx context.Context, refusal *output.Error) error {
	step := max(1, len(p.records)/samples)
	for place := len(p.records) - 1; place >= 0 && !p.accepted && !p.sampled; place -= step {
		if p.refused[place] != nil {
			continue
		}
		if _, err := p.try(ctx, place, place+1); err != nil {
			return err
		}
	}
	p.sampled = true
	if !p.accepted {
		return refusal
	}
	return nil
}

// try sends once. refusal is the error when the receiver refuses what the records say.
func (p *parcel) try(ctx context.Context, from, to int) (refusal *output.Error, err error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	err = p.f.sink.Output.Deliver(ctx, p.records[from:to])
	if err == nil {
		p.took(from, to)
		return nil, nil
	}
	if refused, ok := errors.AsType[*output.Error](err); ok && refused.Kind == output.Rejected {
		return refused, nil
	}
	return nil, err
}

// took notes what the receiver has, so that it is not sent again when the rest has to be.
func (p *parcel) took(from, to int) {
	p.accepted = true
	for _, record := range p.records[from:to] {
		p.f.sent.add(record.ID)
	}
}
