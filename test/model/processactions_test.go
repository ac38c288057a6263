package model

import (
	"fmt"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

func processActions() []action {
	return []action{
		{"Restart", 8, func(w *world, _ args) string { w.restart(time.Second); return "the operator is restarted" }},
		{"Crash", 16, crash},
		{"Wait", 8, wait},
		{"Jump", 3, jump},
		{"Idle", 3, idle},
		{"Resync", 6, func(w *world, _ args) string {
			w.resyncTwice()
			return "the operator lists all there is in Okta, twice"
		}},
		{"Fault", 24, inject},
	}
}

// crash lets the process die of one of its next calls.
func crash(w *world, a args) string {
	s := w.process.seam
	s.countdown, s.after = 1+a[0]+a[1]/4, a[2]%2 == 1
	when := "before it is carried out"
	if s.after {
		when = "before its answer arrives"
	}
	return fmt.Sprintf("the operator will be killed at call %d from now, %s", s.countdown, when)
}

func wait(w *world, a args) string {
	d := time.Duration(1+a[0]) * time.Minute
	w.pass(d)
	return fmt.Sprintf("%v pass", d)
}

// jump moves the clock, as when a machine was asleep.
func jump(w *world, a args) string {
	d := []time.Duration{time.Hour, 13 * time.Hour, 3 * 24 * time.Hour, 21 * 24 * time.Hour}[a.of(0, 4)]
	w.clock.Step(d)
	return fmt.Sprintf("the machine sleeps for %v", d)
}

func idle(w *world, a args) string {
	d := time.Duration(1+a.of(0, 6)) * 24 * time.Hour
	w.pass(d)
	return fmt.Sprintf("%v pass", d)
}

// inject arms a fault in Okta, which strikes some of the operator's next calls.
func inject(w *world, a args) string {
	kinds := []oktasim.Fault{
		{Phase: oktasim.AfterCommit, Action: oktasim.Drop()},
		{Phase: oktasim.Before, Action: oktasim.Drop()},
		{Action: oktasim.TruncatedBody()},
		{Phase: oktasim.AfterCommit, Action: oktasim.Status(500, "E0000009")},
		{Phase: oktasim.Before, Action: oktasim.Status(500, "E0000009")},
		{Phase: oktasim.AfterCommit, Action: oktasim.HTML502()},
		{Phase: oktasim.Before, Action: oktasim.RateLimited(20 * time.Second)},
		{Phase: oktasim.Before, Action: oktasim.ConcurrencyLimited()},
		{Phase: oktasim.Before, Action: oktasim.Status(503, "E0000010")},
		{Phase: oktasim.AfterCommit, Action: oktasim.EchoSecrets(500)},
		{Phase: oktasim.Before, Action: oktasim.Status(401, "E0000011")},
		{Phase: oktasim.Before, Action: oktasim.Status(403, "E0000006")},
	}
	fault := kinds[a.of(0, len(kinds))]
	fault.Method = []string{"POST", "", "PUT", "DELETE", "POST", "GET"}[a.of(1, 6)]
	fault.Path = []string{"", "", `^/api/v1/apps`, `/policies`, `/groups`, `/v1/token$`}[a.of(2, 6)]
	fault.Nth, fault.Times = 1+a[3]/4, 1+a[3]%4
	w.must(w.faults.Add(fault))
	return fmt.Sprintf("Okta will answer %s %s, %s, from the %d. such call on %d times with %s %d",
		orAny(fault.Method), orAny(fault.Path), fault.Phase, fault.Nth, fault.Times, fault.Action.Kind, fault.Action.Status)
}

func orAny(text string) string {
	if text == "" {
		return "anything"
	}
	return text
}
