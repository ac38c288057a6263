package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// step is a section of a page that is gone through, or all of it; and what has to be done at its
// beginning, its end, and before commands that begin so, because nobody else is here to do it.
type step struct {
	page, section string
	begins, ends  func(*reader)
	before        map[string]func(*reader)
}

func (s step) begin(r *reader) {
	if s.begins != nil {
		s.begins(r)
	}
}

func (s step) end(r *reader) {
	if s.ends != nil {
		s.ends(r)
	}
}

// steps are in the order in which a person would take them: Okta, the chart, an agent, removal;
// then the same with kustomize, what is told of an operator that runs, and removal.
func steps() []step {
	const setup, start = "docs/okta-setup.md", "docs/quick-start.md"
	return []step{
		{page: setup, section: "The org"},
		{page: setup, section: "The app"},
		{page: start, section: "3. The operator", ends: (*reader).runs},
		{page: start, section: "4. A role and a key"},
		{page: start, section: "5. A token"},
		{page: start, section: "What next"},
		{page: setup, section: "Replace the operator's own key", begins: (*reader).newKey, ends: (*reader).mounts},
		{page: setup, section: "Is it right?", ends: (*reader).works},
		{page: start, section: "Clean up", before: map[string]func(*reader){"helm uninstall": (*reader).stop}, ends: (*reader).gone},
		{page: start, section: "With kustomize", begins: (*reader).forgetsKinds, ends: (*reader).runs},
		{page: "README.md", begins: (*reader).hasInvoices, before: map[string]func(*reader){`curl -u "$(cat client_id)`: (*reader).mountsSecret}},
		{page: "docs/spec/agentapikey.md", begins: (*reader).walksThrough},
		{page: "docs/spec/auditsink.md"},
		{page: "docs/orphans.md", begins: (*reader).waitsForList},
		{page: "docs/gitops.md", begins: (*reader).hasArgoCD},
		{page: "docs/runbook.md"},
		{page: "docs/quick-reference.md", begins: (*reader).refers},
		{page: "docs/install.md", ends: (*reader).takesManifests},
		// It ends with the deletion of all agents of the namespace.
		{page: "docs/kubectl-agentid.md", begins: (*reader).hasOwnDirectory},
		{page: start, section: "Remove it without Helm", begins: (*reader).leaves, ends: (*reader).gone},
	}
}

// TestCommands does what the pages show, one after another.
func TestCommands(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	t.Cleanup(r.stop)
	for _, s := range steps() {
		passed := t.Run(strings.Trim(s.page+"/"+s.section, "/"), func(t *testing.T) {
			of := *r
			of.T = t
			of.reads(s)
			r.ends = of.ends
		})
		if !passed {
			t.FailNow()
		}
	}
}

// TestDemo runs the demo that README.md shows.
func TestDemo(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	for _, b := range blocks(t, "README.md") {
		for _, command := range b.script() {
			if command == "make demo" {
				if out := r.types(command); !strings.Contains(out, "The demo went as it should") {
					t.Errorf("the demo says:\n%s", out)
				}
				return
			}
		}
	}
	t.Error("README.md does not show the demo any more")
}

// eventually waits until something is so.
func (r *reader) eventually(what string, so func() bool) {
	r.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); <-time.After(50 * time.Millisecond) {
		if so() {
			return
		}
	}
	r.Fatalf("it does not come to be that %s", what)
}

// works holds that the operator can still change something in Okta.
func (r *reader) works() {
	r.Helper()
	r.types("kubectl wait -n chatbot agentapikey/chatbot --for=condition=Ready --timeout=20s")
	r.types(`kubectl annotate agentapikey -n chatbot chatbot-legacy agentidentity.dev/rotate=after-the-key`)
	r.eventually("a credential is replaced", func() bool {
		return strings.Contains(r.types("kubectl get agentapikey -n chatbot chatbot-legacy -o jsonpath='{.status.rotateRequest}'"), "after-the-key")
	})
}

// gone holds that nothing of the operator's is left in Okta.
func (r *reader) gone() {
	r.Helper()
	r.stop()
	state := r.org.Snapshot()
	for _, app := range state.Apps {
		if strings.HasPrefix(app.Label, "k8s/") {
			r.Errorf("the app %s is left", app.Label)
		}
	}
	for _, group := range state.Groups {
		if strings.HasPrefix(group.Name, "k8s") {
			r.Errorf("the group %s is left", group.Name)
		}
	}
}

// forgetsKinds has the cluster be one in which nothing was installed: a chart leaves its kinds.
func (r *reader) forgetsKinds() {
	r.Helper()
	r.types("kubectl delete crd -l app.kubernetes.io/part-of=agent-identity-operator")
}

// hasInvoices applies the sample that README.md goes by, and has a token as it says.
func (r *reader) hasInvoices() {
	r.Helper()
	r.types("kubectl apply -k config/samples/rotation")
	r.hasToken()
}

// hasToken has a token of the reader's own where Okta's tools look for it.
func (r *reader) hasToken() {
	r.said = append(r.said, `export OKTA_CLIENT_TOKEN="$(command cat okta-token)"`)
}

// mountsSecret goes to where a pod has mounted the key with a client secret.
func (r *reader) mountsSecret() {
	r.Helper()
	r.types("kubectl apply -k config/samples/chatbot")
	r.types("kubectl wait -n chatbot agentapikey/chatbot-legacy --for=condition=Ready --timeout=20s")
	var secret corev1.Secret
	r.must(cluster.admin.Get(r.Context(), client.ObjectKey{Namespace: "chatbot", Name: "chatbot-legacy-okta"}, &secret))
	mount := r.TempDir()
	for name, value := range secret.Data {
		r.must(os.WriteFile(filepath.Join(mount, name), value, 0o600))
	}
	r.said = append(r.said, "cat() { command cat "+mount+`/"$1"; }`)
}

// audited is the sample whose comments say what it needs beside.
const audited = "config/samples/chatbot-walkthrough/5-audit.yaml"

// walksThrough applies the sample of people, policy and sink, as it says that it is applied.
func (r *reader) walksThrough() {
	r.Helper()
	r.releases()
	text, err := os.ReadFile(filepath.Join(r.directory, audited))
	r.must(err)
	told := regexp.MustCompile(`(?m)^#   (kubectl .*)$`).FindAllStringSubmatch(string(text), -1)
	if len(told) != 3 {
		r.Fatalf("%s tells of %d commands, want 3", audited, len(told))
	}
	for _, command := range told {
		r.types(command[1])
	}
	r.types("kubectl apply -k " + filepath.Dir(audited))
	r.types("kubectl wait -n chatbot aiagentroles,agentapikeys,accesspolicies,auditsinks --all --for=condition=Ready --timeout=20s || " +
		"{ kubectl describe -n chatbot accesspolicies,auditsinks; false; }")
}

// releases ends quarantines.
func (r *reader) releases() {
	r.Helper()
	r.types("kubectl agentid quarantine --release chatbot -n chatbot")
	r.types("kubectl wait -n chatbot agentapikey/chatbot --for=condition=Ready --timeout=20s")
}

// leaves does what the controller of namespaces does, which is not here: one that is deleted goes.
func (r *reader) leaves() {
	r.Helper()
	r.types("kubectl apply -k config/samples/rotation")
	r.types("kubectl wait -n invoices agentapikey/invoices --for=condition=Ready --timeout=20s")
	go func() {
		for r.Context().Err() == nil {
			var leaving corev1.Namespace
			err := cluster.admin.Get(r.Context(), client.ObjectKey{Name: home}, &leaving)
			if err == nil && leaving.DeletionTimestamp != nil {
				leaving.Spec.Finalizers = nil
				err = cluster.admin.SubResource("finalize").Update(r.Context(), &leaving)
			}
			if apierrors.IsNotFound(err) {
				return
			}
			<-time.After(50 * time.Millisecond)
		}
	}()
}

// refers has what the commands of the quick reference need.
func (r *reader) refers() {
	r.Helper()
	r.releases()
	r.hasToken()
}

// hasOwnDirectory goes to a directory such as a team has: manifests, an overlay, the files that
// the operator's Secret is made from, and a token.
func (r *reader) hasOwnDirectory() {
	r.Helper()
	r.releases()
	const agent = "apiVersion: agentidentity.dev/v1alpha1\nkind: AIAgentRole\nmetadata: {name: reporter, namespace: chatbot}\n" +
		"spec: {permissions: [{name: view_ai_logs}]}\n---\n" +
		"apiVersion: agentidentity.dev/v1alpha1\nkind: AgentAPIKey\nmetadata: {name: reporter, namespace: chatbot}\n" +
		"spec: {roleRef: {name: reporter}, agent: {name: Reporter}, secret: {name: reporter-okta}}\n"
	for file, text := range map[string]string{
		"agent.yaml": agent, "config/team/agent.yaml": agent, "overlays/production/agent.yaml": agent,
		"overlays/production/kustomization.yaml": "resources: [agent.yaml]\n",
		"ceilings.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: chatbot}\n---\n" +
			"apiVersion: agentidentity.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: base, namespace: " + home + "}\n" +
			"spec: {type: Ceiling, ceiling: {namespaceSelector: {}, permissions: [view_ai_logs]}}\n",
	} {
		path := filepath.Join(r.directory, "own", file)
		r.must(os.MkdirAll(filepath.Dir(path), 0o700))
		r.must(os.WriteFile(path, []byte(text), 0o600))
	}
	r.types("mkdir own/operator && cp client_id private_key.pem key_id own/operator && cp okta-token own")
	r.said = []string{"cd own"}
}

// waitsForList waits until it was looked for orphans.
func (r *reader) waitsForList() {
	r.Helper()
	r.eventually("the list of orphans is there", func() bool {
		return cluster.admin.Get(r.Context(), client.ObjectKey{Namespace: home, Name: "agent-identity-operator-orphans"}, &corev1.ConfigMap{}) == nil
	})
}

// hasArgoCD makes what Argo CD's installation does.
func (r *reader) hasArgoCD() {
	r.Helper()
	r.makes(namespace("argocd"))
	r.makes(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "argocd", Name: "argocd-cm"}})
}
