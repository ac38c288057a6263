package story

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// manifestsOf writes what a person would keep in git: what objects say of themselves, and
// nothing that the API server or the operator adds.
func (w *world) manifestsOf(objects ...client.Object) string {
	w.Helper()
	var all strings.Builder
	for _, o := range objects {
		content := map[string]any{"apiVersion": v1alpha1.GroupVersion.String(), "metadata": map[string]any{"name": o.GetName()}}
		switch o := o.(type) {
		case *v1alpha1.AIAgentRole:
			content["kind"], content["spec"] = "AIAgentRole", o.Spec
		case *v1alpha1.AgentAPIKey:
			content["kind"], content["spec"] = "AgentAPIKey", o.Spec
		default:
			w.Fatalf("no manifest of %T", o)
		}
		text, err := yaml.Marshal(content)
		if err != nil {
			w.Fatal(err)
		}
		all.WriteString("---\n" + string(text))
	}
	path := filepath.Join(w.TempDir(), "manifests.yaml")
	if err := os.WriteFile(path, []byte(all.String()), 0o600); err != nil {
		w.Fatal(err)
	}
	return path
}

// TestPluginCare: a person plans a change before it is made, finds a permission that nobody uses
// and takes it away by the command that is printed, and drains the namespace at the end.
func TestPluginCare(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.start(w.atIncidents)
	role, key := w.role("chat", "a", "b"), w.key("bot", "chat", "")
	same := w.manifestsOf(role, key)
	w.create(role, key)
	readyKey(w, "bot")
	w.mustAgentid("0 to create, 0 to change, 2 as they are; 0 above a ceiling", "plan", "-f", same)

	other, newer := w.role("chat", "a", "c"), w.key("bot", "chat", "")
	newer.Spec.State = v1alpha1.StateSuspended
	before := w.org.Snapshot()
	w.mustAgentid("tokens of its 1 key can hold c too", "plan", "-f", w.manifestsOf(other, newer))
	if after := w.org.Snapshot(); len(after.Scopes) != len(before.Scopes) || after.Apps[0].Status != "ACTIVE" {
		t.Error("a plan changed the org")
	}
	elsewhere := w.key("bot", "chat", "")
	elsewhere.Spec.Secret.Name = "elsewhere"
	if _, errs, exit := w.agentid("plan", "-f", w.manifestsOf(elsewhere)); exit != 2 || !strings.Contains(errs, "secret.name cannot be changed") {
		t.Errorf("what the API server would refuse: exit %d: %s", exit, errs)
	}

	since := time.Now().UTC().Format(time.RFC3339)
	bot := w.agent("bot-okta")
	w.mustWork(bot, []string{"a"})
	said := w.mustAgentid("nobody used b since", "least-privilege", "--since", since, "--org-url", w.orgURL, "--token-file", w.personalToken())
	command := regexp.MustCompile(`(?m)^kubectl (patch aiagentrole .*) -p '(.*)'$`).FindStringSubmatch(said)
	if command == nil {
		t.Fatalf("no command is printed:\n%s", said)
	}
	kubectl := exec.Command(filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"),
		append([]string{"--kubeconfig", cluster.kubeconfig}, append(strings.Fields(command[1]), "-p", command[2])...)...)
	if output, err := kubectl.CombinedOutput(); err != nil {
		t.Fatalf("the command that is printed fails: %v: %s", err, output)
	}
	readyRole(w, "chat")
	w.mustWork(bot, []string{"a"}, "b")
	w.mustAgentid("all of it is used", "least-privilege", "--since", since, "--org-url", w.orgURL, "--token-file", w.personalToken())

	w.mustAgentid("in Okta: Delete", "drain")
	readyKey(w, "bot")
	w.mustAgentid("all gone", "drain", "--yes")
	if left := w.ours(); len(left.Apps)+len(left.Groups) > 0 {
		t.Errorf("the org has %d apps and %d groups of ours", len(left.Apps), len(left.Groups))
	}
	w.mustBeRefused(bot)
}

// TestDoctor: with the operator's own credentials, a person sees before the first object what the
// org lacks.
func TestDoctor(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	doctor := []string{"doctor", "--no-cluster", "--org-url", w.orgURL, "--credentials", w.secrets}
	w.mustAgentid("may list groups", doctor...)
	w.askAsPerson("PUT", "/api/v1/org/settings/clientPrivilegesSetting", map[string]any{"clientPrivilegesSetting": true})
	out, _, exit := w.agentid(doctor...)
	if exit != 1 || !strings.Contains(out, "Switch it off") {
		t.Errorf("an org whose new clients are super admins: exit %d:\n%s", exit, out)
	}
	if strings.Contains(out, w.token) {
		t.Error("the credential is shown")
	}
}
