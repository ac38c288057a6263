package okta

import (
	"cmp"
	"errors"
	"sync"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// adminCall is what was asked for the admin role of an owner.
type adminCall struct {
	of   orgPolicy
	verb adminVerb
}

type adminVerb int

const (
	narrowing adminVerb = iota
	putting
	deleting
)

// adminOutcome is what came of it, for what was wanted then.
type adminOutcome struct {
	want  string
	err   error
	until time.Time
}

// adminLook is what was there a moment ago.
type adminLook struct {
	seen adminSeen
	at   time.Time
}

// adminMemory remembers what became of admin roles. Owners of roles decide how often these are
// looked at, and to look at an admin role takes five calls: the same once more takes none.
type adminMemory struct {
	mu       sync.Mutex
	outcomes map[adminCall]adminOutcome
	looks    map[orgPolicy]adminLook
	// odd are wishes whose resources Okta shows as something else.
	odd map[orgPolicy]adminOutcome
}

// outcome is what came of the same call a while ago.
func (m *adminMemory) outcome(call adminCall, want string, now time.Time) (is bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if o, is := m.odd[call.of]; is && o.want == want && call.verb == putting {
		return true, o.err
	}
	o, is := m.outcomes[call]
	if !is || o.want != want || !now.Before(o.until) {
		return false, nil
	}
	return true, o.err
}

// keep remembers what came of a call: what was done for as long as a policy is believed, a
// refusal until it may have been mended. What passes by itself is tried again, and so is what
// the operator was forbidden: one call shows it, and who mends it wants to see that.
func (m *adminMemory) keep(call adminCall, want string, err error, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for other, o := range m.outcomes {
		if !now.Before(o.until) {
			delete(m.outcomes, other)
		}
	}
	delete(m.outcomes, call)
	e, refused := errors.AsType[*identity.Error](err)
	switch {
	case err == nil && call.verb != putting: // of that madePolicies know
		m.outcomes[call] = adminOutcome{want: want, until: now.Add(verifiedFor)}
	case refused && lasting(e):
		m.outcomes[call] = adminOutcome{want, err, now.Add(min(cmp.Or(e.RetryAfter, revisit), revisit))}
	}
	return err
}

// lasting tells a refusal that stays until a person changes something else than what the
// operator may do.
func lasting(e *identity.Error) bool {
	if e.Reason == identity.ReasonPermissionDenied || e.Reason == identity.ReasonAuthenticationFailed {
		return false
	}
	return e.Kind == identity.Conflict || e.Kind == identity.Rejected
}

// misread remembers, for the life of the process, that a wish is not written again: Okta shows
// it as something else, and would each time.
func (m *adminMemory) misread(of orgPolicy, want string, err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.odd[of] = adminOutcome{want: want, err: err}
	return err
}

// looked keeps what a look has shown for whoever comes next.
func (m *adminMemory) looked(of orgPolicy, seen adminSeen, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for other, l := range m.looks {
		if now.Sub(l.at) >= lagging {
			delete(m.looks, other)
		}
	}
	m.looks[of] = adminLook{seen, now}
}

// take hands the look out, once, while it is new.
func (m *adminMemory) take(of orgPolicy, now time.Time) (adminSeen, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l, is := m.looks[of]
	delete(m.looks, of)
	return l.seen, is && now.Sub(l.at) < lagging
}

// changing forgets what came of other calls than this one, but of those for the same wish.
func (m *adminMemory) changing(call adminCall, want string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for other, o := range m.outcomes {
		if other.of == call.of && other.verb != call.verb && o.want != want {
			delete(m.outcomes, other)
		}
	}
}
