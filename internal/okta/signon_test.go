package okta_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

func signOn(group string) identity.SignOn {
	return identity.SignOn{
		Mark: identity.Mark{Cluster: cluster, Kind: "AccessPolicy", Namespace: "a", Name: "p", UID: "u", Since: 1},
		Name: "k8s/test/a/p", Groups: []string{group},
		Rules: []identity.SignOnRule{{Name: "office", TwoFactors: true, Lifetime: 2 * time.Hour}},
	}
}

// TestSignOnIsWhole holds that a sign-on policy lets nobody in or out before all of its
// rules are there, that the last of them refuses, and what its rules say.
func TestSignOnIsWhole(t *testing.T) {
	w := newWorld(t, oktasim.Options{Classic: true})
	group := w.post("/api/v1/groups", map[string]any{"profile": map[string]any{"name": "g"}})["id"].(string)
	_, _, err := w.open().PutSignOn(t.Context(), signOn(group))
	must(t, err)
	var calls []string
	for _, op := range w.org.Operations() {
		if op.Write && strings.HasPrefix(op.Path, "/api/v1/policies") {
			calls = append(calls, op.Method+" "+strings.TrimPrefix(op.Template, "/api/v1/policies"))
		}
	}
	want := []string{"POST ", "POST /{policyId}/rules", "POST /{policyId}/rules", "POST /{policyId}/lifecycle/activate", "PUT /{policyId}"}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("the order of calls (-want +got):\n%s", diff)
	}
	rules := w.signOnRules()
	if len(rules) != 2 || rules[0].Name != "office" || rules[1].Name != "Nobody else" {
		t.Fatalf("the rules are %+v", rules)
	}
	session := map[string]any{"usePersistentCookie": false, "maxSessionIdleMinutes": 120.0, "maxSessionLifetimeMinutes": 120.0}
	allowing := map[string]any{"signon": map[string]any{
		"access": "ALLOW", "requireFactor": true, "factorPromptMode": "ALWAYS", "rememberDeviceByDefault": false, "session": session,
	}}
	if diff := cmp.Diff(allowing, rules[0].Actions); diff != "" {
		t.Errorf("the rule that lets in (-want +got):\n%s", diff)
	}
	if access := rules[1].Actions["signon"].(map[string]any)["access"]; access != "DENY" {
		t.Errorf("the last rule says %v", access)
	}
}

// TestSignOnMended holds that what a person changes of the policy is put back within an hour,
// and that a second look writes nothing.
func TestSignOnMended(t *testing.T) {
	for name, meddle := range map[string]func(w *world, policy string, rules []oktasim.OrgRule){
		"the refusal deleted": func(w *world, policy string, rules []oktasim.OrgRule) {
			w.send(http.MethodDelete, policy+"/rules/"+rules[1].ID)
		},
		"a rule switched off": func(w *world, policy string, rules []oktasim.OrgRule) {
			w.send(http.MethodPost, policy+"/rules/"+rules[0].ID+"/lifecycle/deactivate")
		},
		"somebody excepted from the refusal": func(w *world, policy string, rules []oktasim.OrgRule) {
			user := w.org.AddUser("ada@example.com")
			w.put(policy+"/rules/"+rules[1].ID, map[string]any{
				"type": "SIGN_ON", "name": rules[1].Name, "priority": 2, "actions": rules[1].Actions,
				"conditions": map[string]any{"people": map[string]any{"users": map[string]any{"exclude": []string{user}}}},
			})
		},
		"the refusal for those of one provider": func(w *world, policy string, rules []oktasim.OrgRule) {
			w.put(policy+"/rules/"+rules[1].ID, map[string]any{
				"type": "SIGN_ON", "name": rules[1].Name, "priority": 2, "actions": rules[1].Actions,
				"conditions": map[string]any{"identityProvider": map[string]any{"provider": "OKTA"}},
			})
		},
		"no factor": func(w *world, policy string, rules []oktasim.OrgRule) {
			w.put(policy+"/rules/"+rules[0].ID, map[string]any{
				"type": "SIGN_ON", "name": rules[0].Name, "priority": 1,
				"actions": map[string]any{"signon": map[string]any{"access": "ALLOW", "requireFactor": false}},
			})
		},
		"another rule first": func(w *world, policy string, _ []oktasim.OrgRule) {
			w.post(policy+"/rules", map[string]any{
				"type": "SIGN_ON", "name": "mine", "priority": 1,
				"actions": map[string]any{"signon": map[string]any{"access": "ALLOW"}},
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, oktasim.Options{Classic: true})
			group := w.post("/api/v1/groups", map[string]any{"profile": map[string]any{"name": "g"}})["id"].(string)
			d := w.open()
			id, _, err := d.PutSignOn(t.Context(), signOn(group))
			must(t, err)
			want := w.state()
			meddle(w, "/api/v1/policies/"+id, w.signOnRules())
			if cmp.Diff(want, w.state()) == "" {
				t.Fatal("nothing was changed")
			}
			w.clock.Step(time.Hour)
			_, _, err = d.PutSignOn(t.Context(), signOn(group))
			must(t, err)
			if diff := cmp.Diff(want, w.state()); diff != "" {
				t.Errorf("it is not put back (-want +got):\n%s", diff)
			}
			mustCall(t, w, "afterwards", func() {
				_, _, err = d.PutSignOn(t.Context(), signOn(group))
				must(t, err)
			})
		})
	}
}

// signOnRules are the rules of the policies that somebody made.
func (w *world) signOnRules() []oktasim.OrgRule {
	made := map[string]bool{}
	var rules []oktasim.OrgRule
	s := w.org.Snapshot()
	for _, p := range s.OrgPolicies {
		made[p.ID] = !p.System
	}
	for _, r := range s.OrgRules {
		if made[r.PolicyID] {
			rules = append(rules, r)
		}
	}
	return rules
}

// state is all about the policies, but for the ids of rules.
func (w *world) state() []any {
	var all []any
	for _, p := range w.org.Snapshot().OrgPolicies {
		all = append(all, p)
	}
	for _, r := range w.signOnRules() {
		r.ID = ""
		all = append(all, r)
	}
	return all
}
