package plan

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// OrphanPolicy says what is done about what belongs to nobody any more.
type OrphanPolicy string

// The policies.
const (
	// OrphanReport changes nothing.
	OrphanReport OrphanPolicy = "Report"
	// OrphanDeactivate deactivates clients. Of a role nothing can be switched off; it
	// is reported.
	OrphanDeactivate OrphanPolicy = "Deactivate"
	// OrphanDelete deactivates clients and deletes them a grace later; it deletes the
	// grants and groups of roles.
	OrphanDelete OrphanPolicy = "Delete"
)

// OrphanVerb names what a step does.
type OrphanVerb string

// The verbs.
const (
	// ReportOrphan changes nothing.
	ReportOrphan     OrphanVerb = "Report"
	DeactivateOrphan OrphanVerb = "Deactivate"
	// DeleteOrphan deactivates a client first if it is active.
	DeleteOrphan OrphanVerb = "Delete"
	// ForgetTombstone removes a tombstone whose client has another owner, or is to stay.
	ForgetTombstone OrphanVerb = "ForgetTombstone"
	// ConfirmGone removes a tombstone when it is certain that its client is gone.
	ConfirmGone OrphanVerb = "ConfirmGone"
)

// OrphanState is what an orphan is like, for people and for metrics.
type OrphanState string

// The states.
const (
	// OrphanActive: tokens are issued for the client; a role's grant or group stands.
	OrphanActive OrphanState = "Active"
	// OrphanInactive: no token is issued for the client.
	OrphanInactive OrphanState = "Inactive"
	// OrphanLeft: an object of the owner's name lives, and may take it over.
	OrphanLeft OrphanState = "LeftToNamesake"
	// OrphanAbandoned: a tombstone stands for it.
	OrphanAbandoned OrphanState = "Abandoned"
)

// OrphanID tells one orphan from another: the mark it carries, and the client id;
// a role has none.
type OrphanID struct {
	Mark     identity.Mark
	ClientID string
}

// OrphanHistory is what earlier sweeps have written down about an orphan. It ends
// with the first sweep that finds an owner, or a namesake of it.
type OrphanHistory struct {
	// FirstSeen is when a sweep first saw that it belongs to nobody.
	FirstSeen time.Time
	// Deactivating is when a sweep last set out to deactivate it.
	Deactivating time.Time
	// Deactivated is when that succeeded.
	Deactivated time.Time
}

// OrphanSeen is what one sweep has seen. All of it must be complete: a list that lacks
// an object makes an orphan.
type OrphanSeen struct {
	// Clients and Roles are what carries a mark of the cluster.
	Clients []identity.ClientSeen
	Roles   []identity.Mark
	// Living are the marks of the objects that exist, those being deleted among them,
	// as the API server itself lists them after Clients and Roles were listed.
	Living     []identity.Mark
	Tombstones []identity.Tombstone
	History    map[OrphanID]OrphanHistory
}

// OrphanRules are the configuration.
type OrphanRules struct {
	Cluster string
	// Namespaces are those the operator serves; all when empty.
	Namespaces []string
	Policy     OrphanPolicy
	// Grace is how long something must be orphaned before a policy does anything, and
	// how long a client must be deactivated before it is deleted.
	Grace time.Duration
}

// OrphanStep is one small repeatable step, with the reason for it.
type OrphanStep struct {
	Verb   OrphanVerb
	Reason string
	// OrphanID and State are those of the orphan, zero in a step about a tombstone alone.
	OrphanID
	State OrphanState
	// Client is nil for a role.
	Client *identity.ClientSeen
	// Tombstone is what allows the step, or what it is about.
	Tombstone *identity.Tombstone
	// History is to be written down before the step is taken.
	History OrphanHistory
}

// OrphanPlan is what to do in one sweep.
type OrphanPlan struct {
	// Steps has one step for every orphan, and one for every tombstone whose client is
	// not among these.
	Steps []OrphanStep
	// Held says why the policy does nothing in this sweep; empty when it may.
	Held string
}

// Orphans plans a sweep.
func Orphans(seen OrphanSeen, rules OrphanRules, now time.Time) OrphanPlan {
	s := newSweep(seen, rules, now)
	var result OrphanPlan
	for i := range seen.Clients {
		if step, ok := s.client(&seen.Clients[i]); ok {
			result.Steps = append(result.Steps, step)
		}
	}
	for _, mark := range seen.Roles {
		if step, ok := s.role(mark); ok {
			result.Steps = append(result.Steps, step)
		}
	}
	slices.SortStableFunc(result.Steps, func(a, b OrphanStep) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.Mark.String(), b.Mark.String()), cmp.Compare(a.ClientID, b.ClientID))
	})
	if result.Held = s.tooMany(result.Steps); result.Held != "" {
		result.hold()
	}
	for i := range result.Steps {
		// What a tombstone has deactivated is to be kept, and no policy's to delete.
		if step := &result.Steps[i]; step.Verb == DeactivateOrphan && step.Tombstone == nil {
			step.History.Deactivating = now
		}
	}
	for i := range seen.Tombstones {
		if step, ok := s.tombstone(&seen.Tombstones[i]); ok {
			result.Steps = append(result.Steps, step)
		}
	}
	return result
}

// rank puts first what ends access, and what a person asked for before all, so that a
// rate limit that is used up leaves only the rest for later.
func (s OrphanStep) rank() int {
	if s.Tombstone != nil {
		return 0
	}
	return 1 + slices.Index([]OrphanVerb{DeactivateOrphan, DeleteOrphan, ReportOrphan}, s.Verb)
}

// hold turns what a policy would do into reports. What tombstones allow goes on: each
// was put there by a deed of a person.
func (p *OrphanPlan) hold() {
	for i := range p.Steps {
		step := &p.Steps[i]
		if step.Verb != ReportOrphan && step.Tombstone == nil {
			step.Verb, step.Reason = ReportOrphan, "held: "+p.Held
		}
	}
}

// massSteps is how many steps of one kind a sweep may take however few there are of
// what they are about.
const massSteps = 10

// tooMany is the brake: when most of what there is seems to belong to nobody, it is
// more likely that the objects are lost, or that this is another cluster. Clients that
// are inactive do not water down the count of those that agents use.
func (s *sweep) tooMany(steps []OrphanStep) string {
	var deactivate, remove, removeRoles int
	for _, step := range steps {
		switch {
		case step.Tombstone != nil:
		case step.Verb == DeactivateOrphan:
			deactivate++
		case step.Verb == DeleteOrphan && step.Client != nil:
			remove++
		case step.Verb == DeleteOrphan:
			removeRoles++
		}
	}
	for _, c := range []struct {
		doing, of int
		what      string
	}{
		{deactivate, s.active, "active clients would be deactivated"},
		{remove, s.clients, "clients would be deleted"},
		{removeRoles, s.roles, "roles' groups and policies would be deleted"},
	} {
		if c.doing > massSteps && 2*c.doing > c.of {
			return fmt.Sprintf("%d of %d %s in one sweep, which looks like lost objects or another cluster; nothing is done "+
				"by policy while it is more than half: restore the objects, or delete in Okta what is not needed", c.doing, c.of, c.what)
		}
	}
	return ""
}
