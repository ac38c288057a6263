package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// The kinds that own something in the directory.
const (
	keyKind  = "AgentAPIKey"
	roleKind = "AIAgentRole"
)

// finding is what is known of one orphan.
type finding struct {
	mark      identity.Mark
	client    *identity.ClientSeen // nil for a role
	tombstone *identity.Tombstone  // nil when none stands for it
	namesake  bool
	history   OrphanHistory
	rules     OrphanRules
	now       time.Time
}

// orphanCheck gives its verdict, or "" when the next check is to give one.
type orphanCheck func(f finding) (OrphanVerb, string)

// clientChecks are the specification, in order.
func clientChecks() []orphanCheck {
	return []orphanCheck{
		leftToNamesake, abandoned, onlyReported,
		activatedAgain, inactiveOtherwise, withinGrace, stillActive, deactivatedIsEnough, withinSecondGrace, longEnough,
	}
}

// roleChecks are the specification, in order.
func roleChecks() []orphanCheck {
	return []orphanCheck{leftToNamesake, onlyReported, rolesAreOnlyDeleted, withinGrace, longEnough}
}

// leftToNamesake: the new owner succeeds the old one, and takes over or tells why not.
// Even one that cannot succeed, because it is not younger, is proof that the name is in use.
func leftToNamesake(f finding) (OrphanVerb, string) {
	if !f.namesake {
		return "", ""
	}
	return ReportOrphan, f.mark.Kind + " " + f.mark.Namespace + "/" + f.mark.Name +
		" exists with another uid; it is left to that object, which takes it over or says why it cannot"
}

func abandoned(f finding) (OrphanVerb, string) {
	if f.tombstone == nil {
		return "", ""
	}
	switch {
	case !f.tombstone.Keep:
		return DeleteOrphan, "its key was abandoned, and the tombstone allows to delete exactly this client"
	case f.client.Active:
		return DeactivateOrphan, "its key, with deletionPolicy Deactivate, was abandoned, and the tombstone allows this"
	}
	return ForgetTombstone, "its key, with deletionPolicy Deactivate, was abandoned, and its client is inactive"
}

func onlyReported(f finding) (OrphanVerb, string) {
	if f.rules.Policy == OrphanDeactivate || f.rules.Policy == OrphanDelete {
		return "", ""
	}
	return ReportOrphan, "its owner does not exist; orphans.policy is Report, so nothing is done: delete it in Okta if nobody needs it"
}

// activatedAgain respects a person's deed, as the deactivation of a living key's client is.
func activatedAgain(f finding) (OrphanVerb, string) {
	if !f.client.Active || f.history.Deactivated.IsZero() {
		return "", ""
	}
	return ReportOrphan, "a sweep deactivated it and somebody activated it again; it is left to them: " +
		"delete it in Okta if nobody needs it"
}

// inactiveOtherwise keeps what keys with the deletionPolicy Deactivate leave behind for
// whoever looks into what they did: the sweeper deletes only what it has deactivated.
func inactiveOtherwise(f finding) (OrphanVerb, string) {
	if f.client.Active || !f.deactivated().IsZero() {
		return "", ""
	}
	return ReportOrphan, "it is inactive, and not by a sweep: a key with deletionPolicy Deactivate leaves its client so, " +
		"or a person did it; no policy deletes it: delete it in Okta if nobody needs it"
}

func withinGrace(f finding) (OrphanVerb, string) {
	if f.past(f.history.FirstSeen) {
		return "", ""
	}
	deed := "deleted"
	if f.client != nil {
		deed = "deactivated"
	}
	return ReportOrphan, "its owner does not exist; if that stays so, it is " + deed + " by the first sweep after " +
		f.due(f.history.FirstSeen)
}

func stillActive(f finding) (OrphanVerb, string) {
	if !f.client.Active {
		return "", ""
	}
	return DeactivateOrphan, "its owner does not exist, and did not when it was first seen " + f.history.FirstSeen.Format(time.RFC3339)
}

func deactivatedIsEnough(f finding) (OrphanVerb, string) {
	if f.rules.Policy != OrphanDeactivate {
		return "", ""
	}
	return ReportOrphan, "a sweep deactivated it, and orphans.policy Deactivate does no more: delete it in Okta if nobody needs it"
}

func withinSecondGrace(f finding) (OrphanVerb, string) {
	if f.past(f.deactivated()) {
		return "", ""
	}
	return ReportOrphan, "a sweep deactivated it; if its owner does not come back, it is deleted by the first sweep after " +
		f.due(f.deactivated())
}

func longEnough(f finding) (OrphanVerb, string) {
	return DeleteOrphan, "its owner does not exist, and did not when it was first seen " + f.history.FirstSeen.Format(time.RFC3339)
}

func rolesAreOnlyDeleted(f finding) (OrphanVerb, string) {
	if f.rules.Policy == OrphanDelete {
		return "", ""
	}
	return ReportOrphan, "its owner does not exist; orphans.policy Deactivate does nothing about roles: " +
		"delete its group and access policy in Okta if nobody needs them"
}

// deactivated is when a sweep deactivated the client, or set out to and may have died.
func (f finding) deactivated() time.Time {
	if f.history.Deactivated.IsZero() {
		return f.history.Deactivating
	}
	return f.history.Deactivated
}

func (f finding) past(since time.Time) bool { return f.now.Sub(since) > f.rules.Grace }

func (f finding) due(since time.Time) string {
	return since.Add(f.rules.Grace).UTC().Format(time.RFC3339)
}

func (f finding) step(checks []orphanCheck) OrphanStep {
	s := OrphanStep{OrphanID: OrphanID{Mark: f.mark}, State: f.state(), Client: f.client, Tombstone: f.tombstone, History: f.history}
	if f.client != nil {
		s.ClientID = f.client.ClientID
	}
	for _, check := range checks {
		if s.Verb, s.Reason = check(f); s.Verb != "" {
			break
		}
	}
	return s
}

func (f finding) state() OrphanState {
	switch {
	case f.namesake:
		return OrphanLeft
	case f.tombstone != nil:
		return OrphanAbandoned
	case f.client != nil && !f.client.Active:
		return OrphanInactive
	}
	return OrphanActive
}

// sweep finds the orphans in what was seen.
type sweep struct {
	seen  OrphanSeen
	rules OrphanRules
	now   time.Time
	// uids are those of the objects that exist, names their names.
	uids  map[string]bool
	names map[string]bool
	// byClient are the clients by client id.
	byClient map[string]*identity.ClientSeen
	// clients, active and roles count what is there of the operator's own.
	clients, active, roles int
}

func newSweep(seen OrphanSeen, rules OrphanRules, now time.Time) *sweep {
	s := &sweep{
		seen: seen, rules: rules, now: now,
		uids: map[string]bool{}, names: map[string]bool{}, byClient: map[string]*identity.ClientSeen{},
	}
	for _, mark := range seen.Living {
		s.uids[mark.Kind+"/"+mark.UID] = true
		s.names[mark.Ref()] = true
	}
	for i := range seen.Clients {
		c := &seen.Clients[i]
		s.byClient[c.ClientID] = c
		if s.business(c.Mark) && c.Mark.Kind == keyKind {
			s.clients++
			if c.Active {
				s.active++
			}
		}
	}
	for _, mark := range seen.Roles {
		if s.business(mark) && mark.Kind == roleKind {
			s.roles++
		}
	}
	return s
}

// business tells that the owner is one of those this operator answers for. In the
// namespaces of another operator nothing is known to be an orphan.
func (s *sweep) business(mark identity.Mark) bool {
	return mark.Cluster == s.rules.Cluster &&
		(len(s.rules.Namespaces) == 0 || slices.Contains(s.rules.Namespaces, mark.Namespace))
}

// lives tells that the owner itself exists.
func (s *sweep) lives(mark identity.Mark) bool { return s.uids[mark.Kind+"/"+mark.UID] }

// namesake tells that an object of the owner's name exists. A mark whose name was cut
// to fit, which a tilde tells, may be that of any object that begins so.
func (s *sweep) namesake(mark identity.Mark) bool {
	begin, _, cut := strings.Cut(mark.Ref(), "~")
	if !cut {
		return s.names[begin]
	}
	for name := range s.names {
		if strings.HasPrefix(name, begin) {
			return true
		}
	}
	return false
}

func (s *sweep) client(c *identity.ClientSeen) (OrphanStep, bool) {
	if !s.business(c.Mark) || c.Mark.Kind != keyKind || s.lives(c.Mark) {
		return OrphanStep{}, false
	}
	f := s.find(OrphanID{Mark: c.Mark, ClientID: c.ClientID})
	f.client = c
	for i := range s.seen.Tombstones {
		if s.seen.Tombstones[i].Of(*c) {
			f.tombstone = &s.seen.Tombstones[i]
		}
	}
	return f.step(clientChecks()), true
}

func (s *sweep) role(mark identity.Mark) (OrphanStep, bool) {
	if !s.business(mark) || mark.Kind != roleKind || s.lives(mark) {
		return OrphanStep{}, false
	}
	return s.find(OrphanID{Mark: mark}).step(roleChecks()), true
}

// find gives what is known of the orphan. The time in which a namesake lives does not
// count: nobody could have missed an owner then.
func (s *sweep) find(id OrphanID) finding {
	f := finding{mark: id.Mark, namesake: s.namesake(id.Mark), rules: s.rules, now: s.now}
	if f.namesake {
		return f
	}
	f.history = s.seen.History[id]
	if f.history.FirstSeen.IsZero() {
		f.history.FirstSeen = s.now
	}
	return f
}

// tombstone says what becomes of a tombstone whose client is no orphan, or not seen.
func (s *sweep) tombstone(t *identity.Tombstone) (OrphanStep, bool) {
	step := OrphanStep{Tombstone: t}
	client, found := s.byClient[t.ClientID]
	switch {
	case t.Mark.Cluster != s.rules.Cluster:
		step.Verb, step.Reason = ReportOrphan, fmt.Sprintf("it is one of cluster %s, and the clusterID is %s: "+
			"delete the client in Okta and remove the tombstone", t.Mark.Cluster, s.rules.Cluster)
	case !s.business(t.Mark):
		step.Verb, step.Reason = ReportOrphan, "the operator does not serve the namespace any more: "+
			"delete the client in Okta and remove the tombstone"
	case s.lives(t.Mark):
		step.Verb, step.Reason = ReportOrphan, "its key exists, or exists again: nothing is done while it does"
	case found && t.Of(*client):
		return OrphanStep{}, false
	case found:
		step.Verb, step.Reason = ForgetTombstone, "the client belongs to "+client.Mark.Ref()+", uid "+client.Mark.UID
	default:
		step.Verb, step.Reason = ConfirmGone, "no client of that id is seen any more"
	}
	return step, true
}
