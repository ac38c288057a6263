package okta_test

import (
	"testing"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/identity/directorytest"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestTriedByAnotherProcess: a process that has heard nothing of a client, which
// another registered before it died, must not take that for proof while Okta's
// lists lag.
func TestTriedByAnotherProcess(t *testing.T) {
	h := newWorld(t, oktasim.Options{}).harness()
	r := identity.Registration{
		Mark:     identity.Mark{Cluster: h.Cluster, Kind: "AgentAPIKey", Namespace: "team-a", Name: "bot", UID: "u1"},
		ClientID: "aik-bot-of-team-a", Label: "k8s/" + h.Cluster + "/team-a/bot", Note: "n",
		Credential: h.Credential(identity.PrivateKeyJWT),
	}
	for name, id := range map[string]string{"no id is remembered": "", "the id of another app is remembered": "0oagone"} {
		h.Lag(30 * time.Second)
		h.Lose(directorytest.AfterCommit, 1)
		if err := h.Directory.RegisterClient(t.Context(), r); err == nil {
			t.Fatalf("%s: the answer is not lost", name)
		}
		fresh := h.Reopen()
		by := identity.ClientHint{Label: r.Label, ID: id, Tried: true}
		if seen, err := fresh.ObserveClient(t.Context(), r.ClientID, by); err != nil || seen != nil {
			t.Fatalf("%s: it is seen in spite of the lag: %v %v", name, seen, err)
		}
		if err := fresh.ConfirmNoClient(t.Context(), r.ClientID, by); identity.KindOf(err) != identity.Waiting || err == nil {
			t.Fatalf("%s: got %v, want to wait until it must show", name, err)
		}
		h.Step(time.Minute + time.Second)
		if err := fresh.ConfirmNoClient(t.Context(), r.ClientID, by); err == nil {
			t.Fatalf("%s: the client is there, and its absence is confirmed", name)
		}
		seen, err := fresh.ObserveClient(t.Context(), r.ClientID, by)
		if err != nil || seen == nil {
			t.Fatalf("%s: got %v %v, want the client", name, seen, err)
		}
		must(t, fresh.DeactivateClient(t.Context(), *seen), fresh.DeleteClient(t.Context(), *seen))
		must(t, fresh.ConfirmNoClient(t.Context(), r.ClientID, by))
	}
}
