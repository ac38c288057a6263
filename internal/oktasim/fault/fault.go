// Package fault is a script of what goes wrong: faults that are matched by method,
// path and count, and say what to do with the request. It refuses to know how that
// is done.
package fault

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Phase says when a fault strikes.
type Phase string

const (
	// Before strikes instead of the request, which is then never carried out (a
	// Slow fault only delays it).
	Before Phase = "before"
	// AfterCommit strikes after the request has been carried out: the answer is
	// replaced or lost.
	AfterCommit Phase = "after-commit"
	// Body strikes while the answer is being sent.
	Body Phase = "body"
)

// Kind names an action.
type Kind string

// The actions.
const (
	KindStatus             Kind = "status"
	KindDrop               Kind = "drop"
	KindSlow               Kind = "slow"
	KindRateLimited        Kind = "rate-limited"
	KindConcurrencyLimited Kind = "concurrency-limited"
	KindHTML502            Kind = "html-502"
	KindTruncatedBody      Kind = "truncated-body"
	KindEchoSecrets        Kind = "echo-secrets"
)

// Action is what a fault does.
type Action struct {
	Kind Kind `json:"kind"`
	// Status and ErrorCode are the answer of KindStatus and KindEchoSecrets.
	Status    int    `json:"status,omitempty"`
	ErrorCode string `json:"errorCode,omitempty"`
	// Delay is how long KindSlow waits, and when KindRateLimited says that the
	// limit resets.
	Delay time.Duration `json:"delay,omitempty"`
}

// Fault is one thing that goes wrong.
type Fault struct {
	// Method is matched exactly; empty is every method.
	Method string `json:"method,omitempty"`
	// Path is a regular expression for the path; empty is every path.
	Path string `json:"path,omitempty"`
	// Nth is the match that is struck first: 1 is the next one, 0 is every one.
	Nth int `json:"nth,omitempty"`
	// Times is how many matches are struck from then on; 0 is one, or without end
	// when Nth is 0.
	Times  int    `json:"times,omitempty"`
	Phase  Phase  `json:"phase,omitempty"`
	Action Action `json:"action"`
}

// Script is the faults that are waiting. It is not safe for concurrent use.
type Script struct {
	armed []*armed
}

type armed struct {
	Fault
	path *regexp.Regexp
	seen int
	hits int
}

// Add arms a fault. Faults are matched in the order they were added.
func (s *Script) Add(f Fault) error {
	path, err := regexp.Compile(f.Path)
	if err != nil {
		return fmt.Errorf("compiling the path of a fault: %w", err)
	}
	if f.Phase == "" {
		f.Phase = Before
	}
	if f.Phase != Before && f.Phase != AfterCommit && f.Phase != Body {
		return fmt.Errorf("arming a fault: there is no phase %q", f.Phase)
	}
	if !known(f.Action.Kind) {
		return fmt.Errorf("arming a fault: there is no action %q", f.Action.Kind)
	}
	if f.Action.Kind == KindTruncatedBody {
		f.Phase = Body
	}
	s.armed = append(s.armed, &armed{Fault: f, path: path})
	return nil
}

func known(kind Kind) bool {
	switch kind {
	case KindStatus, KindDrop, KindSlow, KindRateLimited, KindConcurrencyLimited,
		KindHTML502, KindTruncatedBody, KindEchoSecrets:
		return true
	}
	return false
}

// Clear disarms all faults.
func (s *Script) Clear() { s.armed = nil }

// Match counts a request and gives the faults that strike it, at most one a phase.
func (s *Script) Match(method, path string) map[Phase]Action {
	struck := map[Phase]Action{}
	for _, a := range s.armed {
		if a.Method != "" && !strings.EqualFold(a.Method, method) || !a.path.MatchString(path) {
			continue
		}
		a.seen++
		if _, taken := struck[a.Phase]; taken || !a.due() {
			continue
		}
		a.hits++
		struck[a.Phase] = a.Action
	}
	return struck
}

func (a *armed) due() bool {
	if a.Nth == 0 {
		return a.Times == 0 || a.hits < a.Times
	}
	return a.seen >= a.Nth && a.hits < max(a.Times, 1)
}
