package story

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/plugin"
)

// agentid runs kubectl agentid as a person with a kubeconfig and an API token of their own.
func (w *world) agentid(args ...string) (stdout, stderr string, exit int) {
	w.Helper()
	var out, errs bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	flags := []string{"kubectl-agentid", "--kubeconfig", cluster.kubeconfig, "-n", w.namespace}
	if slices.Contains(args, "logs") {
		flags = append(flags, "--org-url", w.orgURL, "--token-file", w.personalToken())
		args = slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "logs" })
		flags = append(flags, "logs")
	}
	exit = plugin.Run(ctx, plugin.Options{
		Args: append(flags, args...), Streams: genericiooptions.IOStreams{Out: &out, ErrOut: &errs},
		Clock: clock.RealClock{}, Getenv: func(string) string { return "" },
	})
	return out.String(), errs.String(), exit
}

// personalToken is a file with an API token of the person's own.
func (w *world) personalToken() string {
	w.Helper()
	token := filepath.Join(w.TempDir(), "token")
	if err := os.WriteFile(token, []byte(w.org.AddAPIToken()), 0o600); err != nil {
		w.Fatal(err)
	}
	return token
}

// mustAgentid is agentid that must succeed and say certain words.
func (w *world) mustAgentid(says string, args ...string) string {
	w.Helper()
	out, errs, exit := w.agentid(args...)
	if exit != 0 || !strings.Contains(out, says) {
		w.Fatalf("kubectl agentid %s ended with %d, and should say %q:\n%s%s", strings.Join(args, " "), exit, says, out, errs)
	}
	return out
}

// TestPlugin: what a person does from the command line is done: a key is rotated, cut off
// and let in again, and what Okta logged of it is found by the agent's name.
func TestPlugin(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.start(w.atIncidents)
	w.create(w.role("chat", "a"), w.key("bot", "chat", ""), w.key("bystander", "chat", ""))
	before := readyKey(w, "bot")
	readyKey(w, "bystander")
	first := w.agent("bot-okta")
	w.mustWork(first, []string{"a"})

	w.mustAgentid("the new credential", "keys", "rotate", "bot", "--wait")
	rotated := readyKey(w, "bot")
	if rotated.Status.KeyID == before.Status.KeyID {
		t.Error("the credential is the same after a rotation that was waited for")
	}
	w.mustAgentid("chat: asks for no second factors", "mfa", "status", "chat")

	stolen := w.agent("bot-okta")
	w.mustWork(stolen, []string{"a"})
	w.mustAgentid("bot: gets no new tokens since", "quarantine", "bot", "--incident-namespace", w.namespace, "--reason", "incident 42")
	w.mustBeRefused(stolen)
	w.mustAgentid("incident 42", "quarantine", "list", "--incident-namespace", w.namespace)
	w.waitReason("bot", &v1alpha1.AgentAPIKey{}, v1alpha1.ReasonQuarantined)
	w.mustAgentid("is let in again", "quarantine", "--release", "bot", "--incident-namespace", w.namespace)
	w.mustWork(w.agent("bot-okta"), []string{"a"})
	w.mustBeRefused(stolen)

	shown := w.mustAgentid("bystander", "keys", "get") + w.mustAgentid(`"clientID"`, "keys", "get", "-o", "json")
	for what, value := range w.known {
		if strings.Contains(shown, value) {
			t.Errorf("keys get shows %s", what)
		}
	}
	w.logsTell()
	if out, errs, exit := w.agentid("keys", "get", "bott"); exit != 1 || !strings.Contains(errs, "no AgentAPIKey bott in namespace "+w.namespace) {
		t.Errorf("a key that is not there: exit %d:\n%s%s", exit, out, errs)
	}
}

// logsTell holds that the log tells of the agent, and of no other, as a person reads it.
func (w *world) logsTell() {
	w.Helper()
	w.mustAgentid("app.oauth2.as.token.grant", "logs", "--since", "1h")
	out := w.mustAgentid("", "logs", "--agent", "bot", "-o", "json")
	types := map[string]bool{}
	for line := range strings.Lines(out) {
		var document struct {
			Agent struct{ Name string }
			Event struct{ EventType string }
		}
		if err := json.Unmarshal([]byte(line), &document); err != nil || document.Agent.Name != "bot" {
			w.Fatalf("a line is no event of the agent's (%v): %s", err, line)
		}
		types[document.Event.EventType] = true
	}
	for _, want := range []string{"app.oauth2.as.token.grant", "application.lifecycle.deactivate", "application.lifecycle.activate"} {
		if !types[want] {
			w.Errorf("the log does not tell of %s; it tells of %v", want, types)
		}
	}
	if _, errs, exit := w.agentid("logs", "--since", (100 * 24 * time.Hour).String()); exit != 2 || !strings.Contains(errs, "90 days") {
		w.Errorf("a log that Okta does not keep: exit %d: %s", exit, errs)
	}
}
