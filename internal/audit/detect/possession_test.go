package detect

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

func TestProvesPossession(t *testing.T) {
	for kind, want := range map[string]bool{
		granted: true, "app.oauth2.token.grant.access_token": true, "app.oauth2.credentials.lifecycle.create": true,
		"app.oauth2.client.read_client_secret": true, "app.oauth2.as.token.grant": false, "app.oauth2.token.grant": false,
		"app.oauth2.as.token.revoke": false, "app.oauth2.invalid_client_credentials": false, "app.oauth2.as.authorize.scope_denied": false,
		"app.oauth2.client.privilege.grant": false, "app.oauth2.credentials.lifecycle.activate": false, "invented.tomorrow": false,
		"security.request.blocked": false, "system.org.rate_limit.violation": false,
	} {
		for result, succeeded := range map[string]bool{"SUCCESS": true, "FAILURE": false, "DENY": false, "": false} {
			if got, reason := provesPossession(happened(kind, result, 0)); got != (want && succeeded) || reason == "" {
				t.Errorf("%s %s: got %v (%s)", kind, result, got, reason)
			}
		}
	}
}

// TestLookalikes holds that who makes an app or a person with a name of the agent's proves nothing.
func TestLookalikes(t *testing.T) {
	grant := func(actor event.Party) *event.Event {
		e := happened(granted, "SUCCESS", 0)
		e.Actor = actor
		return e
	}
	created := func(targets ...event.Party) *event.Event {
		e := happened("app.oauth2.credentials.lifecycle.create", "SUCCESS", 0)
		e.Targets = targets
		return e
	}
	unknown := grant(event.Party{ID: "0oa1"})
	unknown.Agent = &event.Agent{Object: unknown.Agent.Object}
	for name, tc := range map[string]struct {
		event *event.Event
		want  bool
	}{
		"the client id":             {grant(event.Party{ID: "client"}), true},
		"the app's id":              {grant(event.Party{ID: "0oa1", Type: "PublicClientApp", AlternateID: "client"}), true},
		"as an app of the org":      {grant(event.Party{ID: "0oaX", Type: "PublicClientApp", AlternateID: "client"}), true},
		"somebody":                  {grant(event.Party{ID: "somebody"}), false},
		"a login like the client":   {grant(event.Party{ID: "00u1", Type: "User", AlternateID: "client"}), false},
		"a name like the client":    {grant(event.Party{ID: "0oaX", Type: "PublicClientApp", AlternateID: "x", DisplayName: "client"}), false},
		"no id at all":              {grant(event.Party{}), false},
		"an agent of unknown ids":   {unknown, false},
		"a secret of the app":       {created(event.Party{ID: "ocs1"}, event.Party{ID: "0oa1", Type: "AppInstance"}), true},
		"of an app of its label":    {created(event.Party{ID: "ocs1"}, event.Party{ID: "0oaX", Type: "AppInstance", DisplayName: "bot"}), false},
		"of an app like its client": {created(event.Party{ID: "0oaX", Type: "AppInstance", AlternateID: "client"}), false},
		"of nothing":                {created(), false},
	} {
		if got, reason := provesPossession(tc.event); got != tc.want || reason == "" {
			t.Errorf("%s: got %t (%s), want %t", name, got, reason, tc.want)
		}
	}
}

// Events in the shape in which the org writes them, for what it cannot be made to do here.
func TestScriptedEventsOfTheOrg(t *testing.T) {
	agent := &event.Agent{Object: event.Object{UID: "u1"}, ClientID: "client"}
	client := oktasim.LogParty{ID: "0oa1", Type: "PublicClientApp", AlternateID: "client"}
	known := facts{cutOff: noon().AddDate(-1, 0, 0), inside: No, held: No, own: No, fromHere: No}
	operator := facts{own: Yes, fromHere: No}
	for rule, tc := range map[v1alpha1.DetectionRule]struct {
		facts facts
		batch oktasim.LogBatch
	}{
		v1alpha1.RuleUseAfterSuspension:          {known, oktasim.LogBatch{Type: granted, Actor: client}},
		v1alpha1.RuleUseOutsideZone:              {known, oktasim.LogBatch{Type: granted, Actor: client}},
		v1alpha1.RuleGhostUse:                    {known, oktasim.LogBatch{Type: granted, Actor: client}},
		v1alpha1.RuleScopeProbing:                {known, oktasim.LogBatch{Type: "app.oauth2.as.token.grant", Actor: client, Result: "FAILURE", Reason: "access_denied"}},
		v1alpha1.RulePrivilegeGranted:            {known, oktasim.LogBatch{Type: "app.oauth2.client.privilege.grant"}},
		v1alpha1.RuleConfigurationTampered:       {known, oktasim.LogBatch{Type: "policy.rule.update", Targets: []oktasim.LogParty{{ID: "kept"}}}},
		v1alpha1.RuleAuditBlinded:                {known, oktasim.LogBatch{Type: "system.log_stream.lifecycle.delete"}},
		v1alpha1.RuleOperatorCredentialElsewhere: {operator, oktasim.LogBatch{Type: "group.lifecycle.create"}},
	} {
		o := org{T: t, Org: oktasim.New(oktasim.Options{BaseURL: "https://org.test"})}
		o.token = o.AddAPIToken()
		if err := o.AddLogEvents(3, tc.batch); err != nil {
			t.Fatal(err)
		}
		if got := examine(t, tc.facts, suspends(rule), o.log(agent)...); len(got) != 1 {
			t.Errorf("%s: got %+v, want one finding", rule, got)
		}
	}
}

func TestThresholdIsOfEventTime(t *testing.T) {
	d := suspends(v1alpha1.RuleSecretRead)
	d.Threshold = &v1alpha1.Threshold{Count: 3, Within: metav1.Duration{Duration: 10 * time.Millisecond}}
	read := func(at int) *event.Event { return happened("app.oauth2.client.read_client_secret", "SUCCESS", at) }
	known := facts{own: No, fromHere: No}
	if got := examine(t, known, d, read(0), read(6), read(11), read(6)); len(got) != 0 {
		t.Errorf("three in eleven, one told twice: got %+v", got)
	}
	if got := examine(t, known, d, read(10), read(30), read(0), read(5)); len(got) != 1 || len(got[0].Events) != 3 {
		t.Errorf("the third of ten came late: got %+v", got)
	}
}

func TestActionsAreCapped(t *testing.T) {
	d, most := suspends(v1alpha1.RuleSecretRead), int32(1)
	d.MaxActionsPerHour = &most
	second := happened("app.oauth2.client.read_client_secret", "SUCCESS", 1)
	second.Agent.UID = "u2"
	got := examine(t, facts{own: No, fromHere: No}, d, happened(second.Type, "SUCCESS", 0), second)
	if len(got) != 2 || got[0].Response != v1alpha1.ResponseSuspend || got[1].Response != v1alpha1.ResponseNotify {
		t.Errorf("got %+v, want one suspended and one told", got)
	}
}
