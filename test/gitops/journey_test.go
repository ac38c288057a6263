package gitops

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// journey is one team's: its two applications, in one mode.
type journey struct {
	*world
	mode          mode
	agents, roles application
	// receiver takes the audit log, and authority is whom it is known by.
	receiver, authority string
}

func newJourney(w *world, t *testing.T, m mode) *journey {
	t.Helper()
	j := &journey{world: w.over(t), mode: m}
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	j.receiver = server.URL
	j.authority = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	j.makeConsole()
	return j
}

// put writes a file of config/samples into the repository, for this team.
func (j *journey) put(directory, sample string, replacements ...string) {
	j.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "config", "samples", sample))
	if err != nil {
		j.Fatal(err)
	}
	mine := strings.NewReplacer(append(replacements,
		"namespace: chatbot", "namespace: "+j.mode.name, "namespace: invoices", "namespace: "+j.mode.name,
		"Chatbot console", j.mode.console(), "https://audit.example.com/events", j.receiver,
		// The credential before ends at once, so that the next rotation need not wait.
		"every: 720h\n", "every: 720h\n    overlap: 0s\n    maxOverlap: 0s\n", "    overlap: 2h\n    maxOverlap: 48h\n", "",
		// A list in which the API server fills something in.
		"  output:\n", "  detections:\n  - name: blinded\n    rule: AuditBlinded\n  output:\n",
	)...).Replace(string(text))
	file := j.file(directory, sample)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		j.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(mine), 0o600); err != nil {
		j.Fatal(err)
	}
}

func (j *journey) file(directory, sample string) string {
	return filepath.Join(j.repository, directory, strings.ReplaceAll(sample, "/", "-"))
}

// anyOrder applies what needs roles before there are any, and all of it without sync waves.
func (j *journey) anyOrder() {
	j.Helper()
	j.push(func() {
		for _, sample := range []string{
			"chatbot-walkthrough/3-key.yaml", "chatbot-walkthrough/4-policy.yaml", "chatbot-walkthrough/5-audit.yaml",
			"rotation/key.yaml", "rotation/deployment.yaml",
		} {
			j.put("agents", sample)
		}
		j.put("roles", "chatbot-walkthrough/1-roles.yaml")
		j.put("roles", "rotation/role.yaml")
	})
	j.agents = j.apply(j.mode.name+"-agents", j.mode, "agents")
	j.agents.becomes("Progressing")
	for what, reason := range map[[2]string]string{
		{"AgentAPIKey", "chatbot"}:          v1alpha1.ReasonRoleNotFound,
		{"AgentAPIKey", "invoices"}:         v1alpha1.ReasonRoleNotFound,
		{"AccessPolicy", "chatbot-console"}: v1alpha1.ReasonRoleNotFound,
		{"AuditSink", "security-team"}:      v1alpha1.ReasonCredentialsNotFound,
	} {
		eventually(j.T, fmt.Sprint(what, " waits, and says for what"), func() bool {
			ready := meta.FindStatusCondition(j.conditions(what[0], what[1]), v1alpha1.ConditionReady)
			return ready != nil && ready.Reason == reason && j.agents.healthOf(what[0], what[1]) == "Progressing"
		})
	}
	j.trust() // it is in nobody's git
	j.roles = j.apply(j.mode.name+"-roles", j.mode, "roles")
	j.roles.becomes("Healthy")
	j.agents.becomes("Healthy")
}

// trust makes what leads to the receiver of the audit log.
func (j *journey) trust() {
	j.Helper()
	shell(j.T, `kubectl -n %[1]s create secret generic audit-receiver --from-literal=authorization="Bearer x"
		kubectl -n %[1]s label secret audit-receiver agentidentity.dev/audit-output=true
		kubectl -n %[1]s create configmap audit-receiver-ca --from-file=ca.crt=/dev/stdin <<'END'
%[2]sEND`, j.mode.name, j.authority)
}

// conditions are those of an object of ours.
func (j *journey) conditions(kind, name string) []metav1.Condition {
	j.Helper()
	var object struct {
		Status struct{ Conditions []metav1.Condition }
	}
	text, err := j.object(kind, name).MarshalJSON()
	if err == nil {
		err = json.Unmarshal(text, &object)
	}
	if err != nil {
		j.Fatal(err)
	}
	return object.Status.Conditions
}

// heals: what a person changes by hand is put back, and so it is in Okta.
func (j *journey) heals() {
	j.Helper()
	app := j.client("chatbot")
	shell(j.T, `kubectl -n %[1]s patch agentapikey chatbot --type=merge -p '{"spec":{"roleRef":{"name":"ai-administrator"}}}'
		kubectl -n %[1]s patch aiagentrole ai-user --type=merge -p '{"spec":{"members":{"users":["eve@example.com"]}}}'
		kubectl -n %[1]s patch aiagentrole ai-user --type=json \
			-p '[{"op":"add","path":"/spec/permissions/-","value":{"name":"by_hand","description":"Added by hand."}}]'`, j.mode.name)
	eventually(j.T, "what a person did is put back", func() bool {
		return shell(j.T, "kubectl -n %[1]s get agentapikey chatbot -o jsonpath={.spec.roleRef.name}", j.mode.name) == "ai-user" &&
			strings.Contains(shell(j.T, "kubectl -n %[1]s get aiagentrole ai-user -o jsonpath='{.spec.members.users}'", j.mode.name), "bob")
	})
	j.agents.becomes("Healthy")
	j.roles.becomes("Healthy")
	if now := j.client("chatbot"); now.ID != app.ID || now.Status != "ACTIVE" {
		j.Errorf("the chatbot's client is %s and %s, and was %s", now.ID, now.Status, app.ID)
	}
	want, permissions := []string{"bob@example.com"}, "interact_with_chatbot"
	if slices.Contains(j.mode.options, serverSide) {
		// Kubernetes merges such lists: what a person has added is the person's, and no difference.
		want, permissions = append(want, "eve@example.com"), permissions+" by_hand"
	}
	if got := shell(j.T, "kubectl -n %s get aiagentrole ai-user -o jsonpath='{.spec.permissions[*].name}'", j.mode.name); got != permissions {
		j.Errorf("permissions after a person added one: %s, want %s", got, permissions)
	}
	eventually(j.T, fmt.Sprintf("Okta has the members %s", want), func() bool { return slices.Equal(j.members("ai-user"), want) })
	// Git says nothing of the state, and neither does Argo CD.
	shell(j.T, `kubectl -n %s patch agentapikey chatbot --type=merge -p '{"spec":{"state":"Suspended"}}'`, j.mode.name)
	j.agents.becomes("Suspended")
	shell(j.T, `kubectl -n %s patch agentapikey chatbot --type=merge -p '{"spec":{"state":null}}'`, j.mode.name)
	j.agents.becomes("Healthy")
}

// suspends: what people end by git is Suspended, and what they have to mend is Degraded.
func (j *journey) suspends() {
	j.Helper()
	const sample = "chatbot-walkthrough/3-key.yaml"
	j.push(func() { j.put("agents", sample, "spec:\n", "spec:\n  state: Suspended\n") })
	j.agents.refresh()
	j.agents.becomes("Suspended")
	if got := j.client("chatbot").Status; got != "INACTIVE" {
		j.Errorf("the suspended chatbot's client is %s", got)
	}
	const conflicting = "chatbot/key-clientsecret.yaml"
	j.push(func() {
		j.put("agents", sample)
		j.put("agents", conflicting, "chatbot-legacy-okta", "audit-receiver", "    name: chatbot\n", "    name: ai-user\n")
	})
	j.agents.refresh()
	j.agents.becomes("Degraded")
	j.removes(conflicting)
	j.agents.becomes("Healthy")
	if got := j.client("chatbot").Status; got != "ACTIVE" {
		j.Errorf("the chatbot's client is %s", got)
	}
}

// prunes: what leaves git ends, in the cluster and in Okta.
func (j *journey) prunes() {
	j.Helper()
	j.client("invoices")
	j.removes("rotation/key.yaml")
	j.agents.becomes("Healthy")
	if left := shell(j.T, "kubectl -n %s get agentapikeys -o name", j.mode.name); left != "agentapikey.agentidentity.dev/chatbot" {
		j.Errorf("keys: %s, want the chatbot's only", left)
	}
	if left := j.clients(); len(left) != 1 {
		j.Errorf("clients in Okta: %v, want the chatbot's only", left)
	}
}

// removes takes a sample out of git again.
func (j *journey) removes(sample string) {
	j.Helper()
	j.push(func() {
		if err := os.Remove(j.file("agents", sample)); err != nil {
			j.Fatal(err)
		}
	})
	j.agents.refresh()
}

// ends deletes both applications at once, which ends everything in Okta.
func (j *journey) ends() {
	j.Helper()
	shell(j.T, "kubectl -n argocd delete application --wait=false %s %s", j.agents.name, j.roles.name)
	eventually(j.T, "the applications are gone", func() bool {
		return shell(j.T, "kubectl -n argocd get applications --ignore-not-found -o name %s %s", j.agents.name, j.roles.name) == ""
	})
	if left := shell(j.T, "kubectl -n %s get agentapikeys,aiagentroles,accesspolicies,auditsinks -o name", j.mode.name); left != "" {
		j.Errorf("left in the cluster: %s", left)
	}
	if left := j.clients(); len(left) > 0 {
		j.Errorf("clients left in Okta: %v", left)
	}
}
