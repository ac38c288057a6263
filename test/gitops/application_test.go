package gitops

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// application is one of Argo CD's, with what it has in a directory of the repository.
type application struct {
	*world
	name string
}

// apply creates the Application, which looks after itself: it syncs, heals and prunes.
func (w *world) apply(name string, m mode, directory string) application {
	w.Helper()
	object := map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
		"metadata": map[string]any{
			"namespace": "argocd", "name": name, "finalizers": []string{"resources-finalizer.argocd.argoproj.io"},
			"annotations": map[string]string{"argocd.argoproj.io/compare-options": m.compare},
		},
		"spec": map[string]any{
			"project":     "default",
			"source":      map[string]any{"repoURL": "file://" + w.repository, "path": directory, "targetRevision": "main"},
			"destination": map[string]any{"server": "https://kubernetes.default.svc", "namespace": m.name},
			"syncPolicy": map[string]any{
				"automated":   map[string]any{"prune": true, "selfHeal": true},
				"syncOptions": append([]string{"CreateNamespace=true"}, m.options...),
			},
		},
	}
	text, err := json.Marshal(object)
	if err != nil {
		w.Fatal(err)
	}
	shell(w.T, "kubectl create -f - <<'END'\n%s\nEND", text)
	return application{w, name}
}

func (a application) read() *unstructured.Unstructured {
	a.Helper()
	return a.get(schema.GroupVersionKind{Group: "argoproj.io", Version: "v1alpha1", Kind: "Application"}, "argocd", a.name)
}

func (w *world) get(kind schema.GroupVersionKind, namespace, name string) *unstructured.Unstructured {
	w.Helper()
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	if err := cluster.admin.Get(w.Context(), client.ObjectKey{Namespace: namespace, Name: name}, object); err != nil {
		w.Fatalf("reading %s %s/%s: %v", kind.Kind, namespace, name, err)
	}
	return object
}

// becomes waits until Argo CD calls the application synced and of that health.
func (a application) becomes(health string) {
	a.Helper()
	var last string
	defer func() {
		if a.Failed() {
			a.Logf("%s: %s", a.name, last)
		}
	}()
	eventually(a.T, fmt.Sprintf("%s is Synced and %s", a.name, health), func() bool {
		object := a.read()
		last = statusOf(object)
		return at(object, "status", "sync", "status") == "Synced" && at(object, "status", "health", "status") == health &&
			at(object, "status", "operationState", "phase") == "Succeeded" && !has(object, "operation")
	})
}

// refresh has Argo CD read git and compare anew, and waits until it has.
func (a application) refresh() *unstructured.Unstructured {
	a.Helper()
	const annotation = "argocd.argoproj.io/refresh"
	shell(a.T, "kubectl -n argocd annotate application %s %s=hard --overwrite", a.name, annotation)
	object := a.read()
	eventually(a.T, "Argo CD has compared "+a.name, func() bool {
		object = a.read()
		_, asked := object.GetAnnotations()[annotation]
		return !asked
	})
	return object
}

// healthOf is what Argo CD says of one thing in the application.
func (a application) healthOf(kind, name string) string {
	a.Helper()
	resources, _, _ := unstructured.NestedSlice(a.read().Object, "status", "resources")
	for _, each := range resources {
		resource := unstructured.Unstructured{Object: each.(map[string]any)}
		if at(&resource, "kind") == kind && at(&resource, "name") == name {
			return at(&resource, "health", "status")
		}
	}
	return "not in the application"
}

// statusOf is what there is to say when it is not as it should be.
func statusOf(object *unstructured.Unstructured) string {
	said := map[string]any{}
	for _, field := range []string{"health", "sync", "conditions", "resources", "operationState"} {
		said[field], _, _ = unstructured.NestedFieldNoCopy(object.Object, "status", field)
	}
	text, _ := json.Marshal(said) // what was JSON is JSON
	return string(text)
}

// at is a string in an object, or nothing.
func at(object *unstructured.Unstructured, path ...string) string {
	text, _, _ := unstructured.NestedString(object.Object, path...)
	return text
}

func has(object *unstructured.Unstructured, path ...string) bool {
	_, found, _ := unstructured.NestedFieldNoCopy(object.Object, path...)
	return found
}

// push commits what the function does to the repository.
func (w *world) push(do func()) {
	w.Helper()
	do()
	shell(w.T, "cd %s && git add -A && git commit -q -m Change", w.repository)
}
