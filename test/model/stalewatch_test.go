package model

import (
	"maps"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// telling is how a watch tells a change.
type telling int

const (
	// atOnce: before the operator reconciles anything more.
	atOnce telling = iota
	// delayed: a minute later, and after it what happened to the object meanwhile.
	delayed
	// dropped: never; after a minute the objects are listed anew.
	dropped
	// replayed: at once; then the object goes back in time, and forth again.
	replayed
)

const (
	// frozenFor is how long a watch tells nothing of an object.
	frozenFor = time.Minute
	// backFor is how soon an object goes back in time, and how long it stays there.
	backFor = 5 * time.Second
)

// telling gives the name that failures are found by.
func (t telling) String() string {
	return map[telling]string{atOnce: "at once", delayed: "delayed", dropped: "dropped until a list", replayed: "replayed"}[t]
}

// frozen is an object of which a watch does not tell what is so.
type frozen struct {
	how telling
	// untold are the changes since.
	untold []change
}

// tell lets the watches tell one change, or not yet.
func (p *process) tell(c change) {
	if !watched(c) {
		return
	}
	w := p.world
	how := atOnce
	if w.tellings != nil {
		how = w.tellings(w.toldOf)
	}
	w.toldOf++
	if f := p.frozen[c.ref]; f != nil {
		f.untold = append(f.untold, c)
		return
	}
	switch how {
	case atOnce:
		p.show(c)
	case delayed, dropped:
		p.freeze(c.ref, frozen{how: how, untold: []change{c}}, frozenFor)
	case replayed:
		p.show(c)
		p.freeze(c.ref, frozen{how: how, untold: []change{{ref: c.ref, old: c.new, new: c.old}, c}}, backFor)
	}
}

// watched tells a change that the operator's cache hears of.
func watched(c change) bool {
	for _, obj := range []client.Object{c.old, c.new} {
		if obj != nil && len(cached(objects{c.ref: obj})) > 0 {
			return true
		}
	}
	return false
}

// freeze lets the object stay as the cache has it for a while.
func (p *process) freeze(r ref, f frozen, d time.Duration) {
	p.frozen[r] = &f
	p.turns++
	p.queue[ref{watchTurn, r.namespace, r.kind + " " + r.name}] = &turn{due: p.world.clock.Now().Add(d), order: p.turns}
}

// watchTurn is the kind of a turn that is not a reconciliation: a watch goes on.
const watchTurn = "watch of"

// thaw lets the watch of an object go on.
func (p *process) thaw() {
	now := p.world.clock.Now()
	for _, r := range slices.SortedFunc(maps.Keys(p.frozen), func(a, b ref) int { return strings.Compare(a.String(), b.String()) }) {
		f := p.frozen[r]
		name := ref{watchTurn, r.namespace, r.kind + " " + r.name}
		if t := p.queue[name]; t == nil || t.due.After(now) {
			continue
		}
		delete(p.queue, name)
		delete(p.frozen, r)
		switch f.how {
		case delayed:
			for _, c := range f.untold {
				p.show(c)
			}
		case dropped:
			p.show(change{ref: r, old: p.cache[r], new: p.world.kube.objects[r]})
		case replayed:
			p.show(f.untold[0])
			p.freeze(r, frozen{how: delayed, untold: f.untold[1:]}, backFor)
		case atOnce:
		}
	}
}

// show puts a change into the cache, and wakes whom it concerns.
func (p *process) show(c change) {
	shown := objects{}
	if c.new != nil {
		shown = cached(objects{c.ref: c.new})
	}
	if obj := shown[c.ref]; obj != nil {
		p.cache[c.ref] = obj
	} else {
		delete(p.cache, c.ref)
	}
	if c.old == nil && c.new == nil {
		return
	}
	for _, r := range p.wakes(c) {
		p.wake(r, p.world.clock.Now())
	}
}
