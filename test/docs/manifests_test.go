package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	configv1alpha1 "github.com/agentidentity/agent-identity-operator/api/config/v1alpha1"
)

// takesManifests holds every YAML that the pages show to what it is for: manifests to the API
// server, parts of one to it within a manifest, and the configuration to the operator's parser.
func (r *reader) takesManifests() {
	r.Helper()
	shown := 0
	for _, page := range pages(r.T) {
		if page == "docs/spec/secret-shapes.md" {
			continue // they are executed by TestExamplesOfTheSpecification of internal/keysecret/layout
		}
		for _, b := range blocks(r.T, page) {
			if b.language != "yaml" {
				continue
			}
			shown++
			r.takes(b, strings.Join(b.lines, "\n")+"\n")
		}
	}
	if shown < 8 {
		r.Errorf("only %d pieces of YAML were found", shown)
	}
}

func (r *reader) takes(b block, text string) {
	r.Helper()
	const header = "apiVersion: config.agentidentity.dev/v1alpha1\nkind: Configuration\nclusterID: docs\n"
	switch first := strings.SplitN(strings.TrimLeft(text, "# \n"), ":", 2)[0]; first {
	case "apiVersion":
		r.serverTakes(b, text)
	case "okta":
		r.parses(b, header+text)
	case "configuration":
		var values struct {
			Configuration map[string]any `json:"configuration"`
		}
		r.must(yaml.UnmarshalStrict([]byte(text), &values))
		rest, err := yaml.Marshal(values.Configuration)
		r.must(err)
		r.parses(b, header+"okta: {orgURL: https://example.okta.com}\n"+string(rest))
	case "spec":
		r.serverTakes(b, "apiVersion: agentidentity.dev/v1alpha1\nkind: AIAgentRole\nmetadata: {name: shown, namespace: chatbot}\n"+text)
	case "detections":
		r.serverTakes(b, "apiVersion: agentidentity.dev/v1alpha1\nkind: AuditSink\nmetadata: {name: shown, namespace: chatbot}\nspec:\n"+
			"  output: {type: HTTP, http: {endpoint: https://audit.example.com}}\n"+indented(text))
	case "in the agent's pod\nvolumes":
		var pod map[string]any
		r.must(yaml.Unmarshal([]byte(text), &pod))
		container := map[string]any{"name": "agent", "image": "registry.example.com/agent:1", "volumeMounts": pod["volumeMounts"]}
		whole, err := yaml.Marshal(map[string]any{
			"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "shown", "namespace": "chatbot"},
			"spec": map[string]any{"volumes": pod["volumes"], "containers": []any{container}},
		})
		r.must(err)
		r.serverTakes(b, string(whole))
	default:
		r.Errorf("%s:%d: this test does not know what the YAML is for: %q", b.page, b.line, first)
	}
}

// serverTakes holds that the API server takes a manifest, in namespaces that are there.
func (r *reader) serverTakes(b block, manifest string) {
	r.Helper()
	manifest = strings.ReplaceAll(manifest, "namespace: helpdesk", "namespace: chatbot")
	r.must(os.WriteFile(filepath.Join(r.directory, "shown.yaml"), []byte(manifest), 0o600))
	r.Logf("%s:%d:\n%s", b.page, b.line, r.types("kubectl apply --dry-run=server --validate=strict -f shown.yaml"))
}

// parses holds that the operator takes a configuration.
func (r *reader) parses(b block, text string) {
	r.Helper()
	if _, err := configv1alpha1.Parse([]byte(text)); err != nil {
		r.Errorf("%s:%d: %v", b.page, b.line, err)
	}
}

func indented(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ") + "\n"
}

// TestScript: what a person types is taken from a page as it is meant.
func TestScript(t *testing.T) {
	for name, c := range map[string]struct {
		lines, want string
		reason      string
	}{
		"continued": {"kubectl a \\\n  b", "kubectl a b", "a command goes on in the next line"},
		"commented": {"kubectl a   # why", "kubectl a", "comments are for people"},
		"prompted":  {"$ kubectl a\nsaid\n  $ kubectl b", "kubectl a\nkubectl b", "what is answered is not typed"},
		"output":    {"AIAgentRole chatbot\nkubectl a", "", "what is only shown is not typed, whatever it tells to type"},
		"function":  {"f() { kubectl a; }\ncurl f", "f() { kubectl a; }\ncurl f", "what commands go by belongs to them"},
	} {
		if got := strings.Join((block{lines: strings.Split(c.lines, "\n")}).script(), "\n"); got != c.want {
			t.Errorf("%s: %q, want %q: %s", name, got, c.want, c.reason)
		}
	}
}
