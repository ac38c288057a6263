package gitops

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// comparisons are how many Argo CD makes of each application while things happen, and still how
// many when nothing does any more.
const (
	comparisons = 30
	still       = 5
)

// noFight: Argo CD has nothing to do, whatever the operator does and people ask it for.
func (j *journey) noFight() {
	j.Helper()
	quiet, operations := len(j.changes(j.mode.name)), j.operations()
	for n := range comparisons {
		switch n % 3 {
		case 0:
			j.rotate("chatbot", n)
		case 1:
			shell(j.T, "kubectl -n %s delete secret chatbot-okta", j.mode.name)
		case 2:
			j.rotate("invoices", n)
		}
		j.compare()
	}
	j.restarted()
	before := j.versions()
	for range still {
		j.compare()
	}
	if after := j.versions(); !slices.Equal(before, after) {
		j.Errorf("nothing happened, and yet\n%v\nis now\n%v", before, after)
	}
	if now := j.operations(); now != operations {
		j.Errorf("Argo CD synced again: %s\nbefore: %s", now, operations)
	}
	all := j.changes(j.mode.name)
	if synced := by(all[quiet:], argocdUser, func(change) bool { return true }); len(synced) > 0 {
		j.Errorf("Argo CD wrote %d times: %v", len(synced), synced)
	}
	ours := func(c change) bool { return c.ObjectRef.Resource != "deployments" }
	if specs := by(all, operatorUser, func(c change) bool { return c.spec && ours(c) }); len(specs) > 0 {
		j.Errorf("the operator wrote %d times to specs: %v", len(specs), specs)
	}
	written := by(all, operatorUser, func(c change) bool { return !ours(c) })
	for _, c := range written {
		const only = `{"spec":{"template":{"metadata":{"annotations":{"agentidentity.dev/secrets-revision":`
		if c.Verb != "patch" || !strings.HasPrefix(string(c.RequestObject), only) {
			j.Errorf("the operator did more to a Deployment than to restart it: %s", c)
		}
	}
	if len(written) == 0 {
		j.Error("no Deployment was restarted")
	}
	j.owned()
	j.Logf("%d comparisons of each application, %d changes by the operator, %d of them restarts, none by Argo CD",
		comparisons+still, len(by(all[quiet:], operatorUser, func(change) bool { return true })), len(written))
}

// rotate asks for a new credential, as people do, and waits until there is one.
func (j *journey) rotate(key string, n int) {
	j.Helper()
	before := j.client(key)
	shell(j.T, "kubectl -n %s annotate agentapikey %s agentidentity.dev/rotate=%d --overwrite", j.mode.name, key, n)
	eventually(j.T, fmt.Sprintf("key %s is rotated for the value %d", key, n), func() bool {
		return at(j.object("AgentAPIKey", key), "status", "rotateRequest") == fmt.Sprint(n)
	})
	if after := j.client(key); after.ID != before.ID || slices.Equal(after.Keys, before.Keys) {
		j.Errorf("key %s was rotated, and its client has %v, as before", key, after.Keys)
	}
}

// compare has Argo CD compare both applications: nothing may differ.
func (j *journey) compare() {
	j.Helper()
	for _, a := range []application{j.agents, j.roles} {
		object := a.refresh()
		if at(object, "status", "sync", "status") != "Synced" {
			j.Fatalf("%s is not Synced: %s", a.name, statusOf(object))
		}
		resources, _, _ := unstructured.NestedSlice(object.Object, "status", "resources")
		for _, resource := range resources {
			if kind := resource.(map[string]any)["kind"]; kind == "Secret" {
				j.Errorf("Argo CD takes a Secret for its own: %v", resource)
			}
		}
	}
}

// operations are those that Argo CD carried out last.
func (j *journey) operations() string {
	j.Helper()
	var all []string
	for _, a := range []application{j.agents, j.roles} {
		all = append(all, a.name+" "+at(a.read(), "status", "operationState", "startedAt"))
	}
	return strings.Join(all, ", ")
}

// restarted waits until the Deployment has been restarted for its Secret as it is.
func (j *journey) restarted() {
	j.Helper()
	eventually(j.T, "the Deployment is restarted for the latest credential", func() bool {
		secret := j.get(corev1.SchemeGroupVersion.WithKind("Secret"), j.mode.name, "invoices-okta")
		want := fmt.Sprintf(`{"invoices-okta":%q}`, secret.GetAnnotations()["agentidentity.dev/revision"])
		deployment := j.get(appsv1.SchemeGroupVersion.WithKind("Deployment"), j.mode.name, "invoices")
		return at(deployment, "spec", "template", "metadata", "annotations", "agentidentity.dev/secrets-revision") == want
	})
	j.agents.becomes("Healthy")
}

// versions are those of everything of ours, but for sinks, whose status tells how far their
// receivers are.
func (j *journey) versions() []string {
	j.Helper()
	var all []string
	for _, kind := range []string{"AIAgentRole", "AgentAPIKey", "AccessPolicy"} {
		for _, object := range j.list(kind) {
			all = append(all, fmt.Sprintf("%s %s %s", kind, object.GetName(), object.GetResourceVersion()))
		}
	}
	return all
}

func (j *journey) list(kind string) []unstructured.Unstructured {
	j.Helper()
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(ours(kind))
	if err := cluster.admin.List(j.Context(), list, client.InNamespace(j.mode.name)); err != nil {
		j.Fatal(err)
	}
	return list.Items
}

func ours(kind string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "agentidentity.dev", Version: "v1alpha1", Kind: kind}
}

func (j *journey) object(kind, name string) *unstructured.Unstructured {
	j.Helper()
	return j.get(ours(kind), j.mode.name, name)
}

// owned: what stands in specs is Argo CD's, by the API server's own record.
func (j *journey) owned() {
	j.Helper()
	for _, kind := range []string{"AIAgentRole", "AgentAPIKey", "AccessPolicy", "AuditSink"} {
		for _, object := range j.list(kind) {
			for _, entry := range object.GetManagedFields() {
				if !strings.HasPrefix(entry.Manager, "argocd") && strings.Contains(entry.FieldsV1.GetRawString(), `"f:spec"`) {
					j.Errorf("%s owns in %s %s: %s", entry.Manager, kind, object.GetName(), entry.FieldsV1.GetRawString())
				}
			}
		}
	}
}
