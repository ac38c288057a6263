package story

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestDriftIsHeardOf: where the System Log is read, what a person changes in Okta is looked at and
// put back when its event comes, and not at the next regular look, hours later; and what it takes
// is one call for what was changed, beside the one that puts it back.
func TestDriftIsHeardOf(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.signInWithKey(append(okta.RequiredScopes(), okta.LogScopes()...)...)
	w.bindRole("audit_role.yaml")
	c := newCollector(t)
	w.create(w.sinkTo(c, w.namespace, "security"))
	w.start(impatient, w.atHome, listening)
	w.create(w.role("chat", "a"), w.key("bot", "chat", v1alpha1.DeliveryClientSecret), w.key("bystander", "chat", ""))
	key := readyKey(w, "bot")
	readyKey(w, "bystander")
	w.eventually("the log has been read to its end", func() bool { return len(c.all()) > 5 })
	w.reads(5)
	app := key.Status.AppID
	group := w.ours().Groups[0]
	policy := w.ours().Policies[0]

	for name, harm := range map[string]struct {
		do   func()
		look func() any
		// calls are those that the operator makes, and how many, beside reading the log.
		calls map[string]int
	}{
		"an app": {
			func() { w.editApp(app, "label", "renamed by a person") }, func() any { return w.appBody(app) },
			// The second read is that of the write, which replaces the whole app.
			map[string]int{"GET /api/v1/apps/{appId}": 2, "PUT /api/v1/apps/{appId}": 1},
		},
		"a group": {
			func() {
				w.must(nil, w.org.AdminUpdateGroup(group.ID, func(g *oktasim.Group) { g.Description = strings.Replace(g.Description, "chat", "changed", 1) }))
			},
			func() any { return w.ours().Groups[0] },
			map[string]int{"GET /api/v1/groups": 1, "PUT /api/v1/groups/{groupId}": 1},
		},
		"an access policy": {
			func() {
				w.must(nil, w.org.AdminUpdatePolicy(policy.ID, func(p *oktasim.Policy) { p.Clients = nil }))
			},
			func() any { return w.ours().Policies[0].Clients },
			map[string]int{
				"GET /api/v1/authorizationServers/{authServerId}/policies":                  1,
				"GET /api/v1/authorizationServers/{authServerId}/policies/{policyId}/rules": 1,
				"PUT /api/v1/authorizationServers/{authServerId}/policies/{policyId}":       1,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := harm.look()
			harm.do()
			since := len(w.org.Operations())
			w.eventually("it is as it was", func() bool { return cmp.Diff(before, harm.look()) == "" })
			w.reads(5)
			calls := map[string]int{}
			for _, op := range w.org.Operations()[since:] {
				if op.Management && op.Template != "/api/v1/logs" && !strings.HasPrefix(op.Principal, "SSWS/") {
					calls[op.Method+" "+op.Template]++
				}
			}
			if diff := cmp.Diff(harm.calls, calls); diff != "" {
				t.Errorf("the calls (-want +got):\n%s", diff)
			}
		})
	}
	w.mustWork(w.agent("bot-okta"), []string{"a"}, "b")
}

// reads waits until the log has been read so often with nothing else asked for in between.
func (w *world) reads(times int) {
	w.Helper()
	w.eventually("the operator does nothing but read the log", func() bool {
		n := 0
		for _, op := range slices.Backward(w.org.Operations()) {
			if op.Template != "/api/v1/logs" {
				break
			}
			n++
		}
		return n >= times
	})
}
