package story

import (
	"strings"
	"testing"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// granted is what Okta writes when an agent is granted a token, asked for from an address.
func granted(clientID, ip string) oktasim.LogBatch {
	return oktasim.LogBatch{
		Type: "app.oauth2.as.token.grant.access_token", IP: ip,
		Actor: oktasim.LogParty{ID: clientID, Type: "PublicClientApp", AlternateID: clientID, DisplayName: "bot"},
	}
}

// turnedAway is what it writes when somebody who has only a client id asks.
func turnedAway(clientID, ip string) oktasim.LogBatch {
	b := granted(clientID, ip)
	b.Type, b.Result, b.Reason = "app.oauth2.invalid_client_credentials", "FAILURE", "invalid_client"
	return b
}

// TestDetections: a credential that is used while no pod has it suspends the agent; one whose
// client id only is used does not, however often. What is done is told, with the events that
// it was done for, and by dry run nothing is.
func TestDetections(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.bindRole("audit_role.yaml")
	w.bindRole("incident_role.yaml")
	w.start(impatient, listening, w.atHome)
	c := newCollector(t)
	most := int32(5)
	sink := w.sinkTo(c, w.namespace, "security")
	sink.Spec.Detections = []v1alpha1.Detection{
		{Name: "ghost", Rule: v1alpha1.RuleGhostUse, Response: v1alpha1.ResponseSuspend, Mode: v1alpha1.ModeAct, MaxActionsPerHour: &most},
		{Name: "ghost-dry", Rule: v1alpha1.RuleGhostUse, Response: v1alpha1.ResponseRotate, MaxActionsPerHour: &most},
		{
			Name: "any-refusal", Expression: `event.outcome.result == "FAILURE" && has(agent.name)`, Response: v1alpha1.ResponseSuspend,
			Mode: v1alpha1.ModeAct, MaxActionsPerHour: &most,
		},
		{Name: "read", Rule: v1alpha1.RuleSecretRead, Response: v1alpha1.ResponseRotate, Mode: v1alpha1.ModeAct, MaxActionsPerHour: &most},
	}
	w.create(sink, w.role("chat", "a"))
	for _, name := range []string{"thief", "flooded", "seen"} {
		w.create(w.key(name, "chat", v1alpha1.DeliveryClientSecret))
	}
	w.waitReason("security", sink, v1alpha1.ReasonReady)
	clients := map[string]string{}
	before := map[string]string{}
	for _, name := range []string{"thief", "flooded", "seen"} {
		key := readyKey(w, name)
		clients[name], before[name] = key.Status.ClientID, key.Status.KeyID
	}
	found := func(detection, done, agent string) func() bool {
		return func() bool {
			for _, e := range c.all() {
				data := e.Event.DebugContext.DebugData
				if e.Type == "agentidentity.detection.finding" && data["detection"] == detection && data["done"] == done &&
					e.Agent != nil && e.Agent.Name == agent && data["events"] != "" {
					return true
				}
			}
			return false
		}
	}
	happen := func(n int, b oktasim.LogBatch) { w.must(nil, w.org.AddLogEvents(n, b)) }

	happen(2000, turnedAway(clients["flooded"], "203.0.113.9"))
	w.eventually("the flood is told", found("any-refusal", "Withheld", "flooded"))
	// The operator's own requests leave from 127.0.0.1; it has been seen to by now.
	happen(1, granted(clients["thief"], "203.0.113.9"))
	w.eventually("the second use while no pod has the Secret is found", func() bool {
		happen(1, granted(clients["thief"], "203.0.113.9"))
		return found("ghost", "Suspended", "thief")()
	})
	w.waitReason("thief", &v1alpha1.AgentAPIKey{}, v1alpha1.ReasonQuarantined)
	w.eventually("the dry run is told", found("ghost-dry", "DryRun", "thief"))

	happen(1, oktasim.LogBatch{
		Type: "app.oauth2.client.read_client_secret", IP: "203.0.113.9",
		Targets: []oktasim.LogParty{{ID: readyKey(w, "seen").Status.AppID, Type: "AppInstance"}},
	})
	w.eventually("the secret that somebody read is replaced", found("read", "Rotated", "seen"))
	w.waitFor("seen", &v1alpha1.AgentAPIKey{}, "rotated", func() bool {
		key := readyKey(w, "seen")
		return key.Status.KeyID != before["seen"] && strings.HasPrefix(key.Status.RotateRequest, "detection-")
	})
	if key := readyKey(w, "flooded"); key.Status.KeyID != before["flooded"] {
		t.Error("a flood by somebody who has only a client id replaced the credential")
	}
	for _, e := range c.all() {
		if data := e.Event.DebugContext.DebugData; data["done"] == "Suspended" && e.Agent != nil && e.Agent.Name != "thief" {
			t.Errorf("%s was suspended: %v", e.Agent.Name, data)
		}
	}
}
