package story

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestDocsNameWhatIsNeeded: the scopes people are told to grant are those the
// operator asks for, and the samples the docs point at exist.
func TestDocsNameWhatIsNeeded(t *testing.T) {
	root := filepath.Join("..", "..")
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, scope := range okta.RequiredScopes() {
		if !strings.Contains(string(readme), "`"+scope+"`") {
			t.Errorf("README.md does not tell to grant %s", scope)
		}
	}
	conditions, err := os.ReadFile(filepath.Join(root, "api", "v1alpha1", "conditions.go"))
	if err != nil {
		t.Fatal(err)
	}
	var specs string
	for _, name := range []string{"aiagentrole.md", "agentapikey.md"} {
		text, err := os.ReadFile(filepath.Join(root, "docs", "spec", name))
		if err != nil {
			t.Fatal(err)
		}
		specs += string(text)
	}
	for line := range strings.Lines(string(conditions)) {
		_, reason, found := strings.Cut(strings.TrimSpace(line), ` = "`)
		reason = strings.TrimSuffix(reason, `"`)
		if found && strings.HasPrefix(strings.TrimSpace(line), "Reason") && reason != "Ready" &&
			!strings.Contains(specs, "`"+reason+"`") {
			t.Errorf("docs/spec says nothing of the reason %s", reason)
		}
	}
}

// TestSamples: what config/samples holds becomes Ready as it stands.
func TestSamples(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.start()
	samples := filepath.Join("..", "..", "config", "samples", "chatbot")
	role := &v1alpha1.AIAgentRole{}
	keys := []*v1alpha1.AgentAPIKey{{}, {}}
	for file, obj := range map[string]client.Object{"role.yaml": role, "key.yaml": keys[0], "key-clientsecret.yaml": keys[1]} {
		text, err := os.ReadFile(filepath.Join(samples, file))
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict(text, obj); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		obj.SetNamespace(w.namespace)
		w.create(obj)
	}
	readyRole(w, role.Name)
	for _, key := range keys {
		readyKey(w, key.Name)
		w.mustWork(w.agent(string(key.Spec.Secret.Name)), []string{"interact_with_chatbot", "view_ai_logs"}, "manage_ai_agents")
	}
}
