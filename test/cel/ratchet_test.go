package cel

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// TestKeysOlderThanTheRules: a key that was stored before a rule existed must not be
// held by it. Its finalizer, its status and all but what breaks the rule can be written,
// or a release that adds a rule would strand keys in deletion. The rules are put into
// force under a group of the test's own, for they cannot be taken off the shipped one
// while other tests need them.
func TestKeysOlderThanTheRules(t *testing.T) {
	crds := server.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	crd := ownKeyCRD(t)
	ruled := crd.DeepCopy()
	forgetRules(crd.Object)
	installed, err := crds.Create(t.Context(), crd, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := crds.Delete(context.Background(), crd.GetName(), metav1.DeleteOptions{}); err != nil {
			t.Errorf("deleting the CRD: %v", err)
		}
	})
	keys := server.Resource(schema.GroupVersionResource{Group: crdGroup, Version: "v1alpha1", Resource: "agentapikeys"}).Namespace(namespace)
	old := object("AgentAPIKey", "old", parse(t, `
roleRef: {name: r}
agent: {name: a}
delivery: AccessToken
restartTargets: [{kind: Deployment, name: a}]
rotation: {every: 1m, windows: [{start: "@daily", duration: 1s, timeZone: Local}]}
secret: {name: s.staged-credential, template: {a/b: c}}
`))
	old.SetAPIVersion(crdGroup + "/v1alpha1")
	old.SetFinalizers([]string{"agentidentity.dev/finalizer"})
	fresh := old.DeepCopy()
	fresh.SetName("new")
	eventually(t, "the key is stored without rules", func() bool {
		stored, err := keys.Create(t.Context(), old, creating)
		if err == nil {
			old = stored
		}
		return err == nil
	})
	ruled.SetResourceVersion(latest(t, crds.Get, installed.GetName()).GetResourceVersion())
	if _, err := crds.Update(t.Context(), ruled, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a new key of that kind is refused", func() bool {
		_, err := keys.Create(t.Context(), fresh, asking)
		return err != nil && strings.Contains(err.Error(), "are the operator's own")
	})

	for name, test := range map[string]struct {
		reason  string
		change  func(*unstructured.Unstructured)
		message string
	}{
		"annotated": {
			reason: "People annotate keys to rotate or abandon them.",
			change: func(o *unstructured.Unstructured) {
				o.SetAnnotations(map[string]string{"agentidentity.dev/rotate": "1"})
			},
		},
		"released": {
			reason: "Or the key would stay in deletion for ever.",
			change: func(o *unstructured.Unstructured) { o.SetFinalizers(nil) },
		},
		"mended in part": {
			reason: "What breaks a rule must go when it is touched.", message: "restartTargets cannot be used with delivery AccessToken",
			change: func(o *unstructured.Unstructured) { set(t, o, "other", "spec", "agent", "name") },
		},
		"worse": {
			reason: "No other breach comes in.", message: "every must be at least 1h",
			change: func(o *unstructured.Unstructured) { set(t, o, "2m", "spec", "rotation", "every") },
		},
		"suspended": {
			reason: "What is wrong elsewhere must not keep a person from suspending a key, but for the rules of the whole spec.",
			change: func(o *unstructured.Unstructured) {
				set(t, o, "Suspended", "spec", "state")
				unstructured.RemoveNestedField(o.Object, "spec", "restartTargets")
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			changed := old.DeepCopy()
			test.change(changed)
			_, err := keys.Update(t.Context(), changed, changing)
			switch {
			case test.message == "" && err != nil:
				t.Errorf("%s\nmust be taken, got: %v", test.reason, err)
			case test.message != "" && (err == nil || !strings.Contains(err.Error(), test.message)):
				t.Errorf("%s\nwant …%s…, got: %v", test.reason, test.message, err)
			}
		})
	}
	old.Object["status"] = parse(t, readyStatus)
	if _, err := keys.UpdateStatus(t.Context(), old, changing); err != nil {
		t.Errorf("the status must be taken, got: %v", err)
	}
	old.SetFinalizers(nil)
	if _, err := keys.Update(t.Context(), old, metav1.UpdateOptions{}); err != nil {
		t.Errorf("taking the finalizer off: %v", err)
	}
}

const crdGroup = "older.agentidentity.dev"

// ownKeyCRD is the shipped CRD of keys in a group of the test's own.
func ownKeyCRD(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "config", "crd", "bases", "agentidentity.dev_agentapikeys.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	crd := &unstructured.Unstructured{}
	if err := yaml.UnmarshalStrict(text, &crd.Object); err != nil {
		t.Fatal(err)
	}
	crd.SetName("agentapikeys." + crdGroup)
	set(t, crd, crdGroup, "spec", "group")
	// A category and a short name belong to one resource only.
	unstructured.RemoveNestedField(crd.Object, "spec", "names", "categories")
	unstructured.RemoveNestedField(crd.Object, "spec", "names", "shortNames")
	return crd
}

// forgetRules takes every CEL rule out of a schema.
func forgetRules(value any) {
	switch value := value.(type) {
	case map[string]any:
		delete(value, "x-kubernetes-validations")
		for _, inner := range value {
			forgetRules(inner)
		}
	case []any:
		for _, inner := range value {
			forgetRules(inner)
		}
	}
}

func set(t *testing.T, o *unstructured.Unstructured, value string, fields ...string) {
	t.Helper()
	if err := unstructured.SetNestedField(o.Object, value, fields...); err != nil {
		t.Fatal(err)
	}
}

type getter func(ctx context.Context, name string, options metav1.GetOptions, subresources ...string) (*unstructured.Unstructured, error)

func latest(t *testing.T, get getter, name string) *unstructured.Unstructured {
	t.Helper()
	o, err := get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// eventually asks again until the API server has taken a CRD up.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for !done() {
		select {
		case <-again.C:
		case <-deadline.C:
			t.Fatalf("it does not come that %s", what)
		}
	}
}
