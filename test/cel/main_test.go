// Package cel tests what the API server itself refuses and accepts: the schema and
// CEL rules of the four kinds, on a real kube-apiserver. It knows the generated CRDs
// and no Go type, because that is how people meet the API.
package cel

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/agentidentity/agent-identity-operator/test/plane"
)

const namespace = "default"

// resources maps kinds to resources; a kind that is missing here fails TestEveryCRD.
var resources = map[string]string{
	"AIAgentRole":  "aiagentroles",
	"AgentAPIKey":  "agentapikeys",
	"AccessPolicy": "accesspolicies",
	"AuditSink":    "auditsinks",
}

// server is the one API server of the package.
var server dynamic.Interface

func TestMain(m *testing.M) {
	crds := []string{filepath.Join("..", "..", "config", "crd", "bases")}
	plane.Main("cel", plane.Options{CRDs: crds}, func(p *plane.Plane) (int, error) {
		var err error
		if server, err = dynamic.NewForConfig(p.REST); err != nil {
			return 1, fmt.Errorf("making a client: %w", err)
		}
		return m.Run(), nil
	})
}

func client(kind string) dynamic.ResourceInterface {
	return server.Resource(schema.GroupVersionResource{
		Group: "agentidentity.dev", Version: "v1alpha1", Resource: resources[kind],
	}).Namespace(namespace)
}

// object makes a manifest of a spec.
func object(kind, name string, spec map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "agentidentity.dev/v1alpha1",
		"kind":       kind,
		"metadata":   map[string]any{"name": name, "namespace": namespace},
		"spec":       spec,
	}}
}

func objectName(caseName string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(caseName)), "-")
}

var (
	creating = metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict}
	asking   = metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict, DryRun: []string{metav1.DryRunAll}}
	changing = metav1.UpdateOptions{FieldValidation: metav1.FieldValidationStrict, DryRun: []string{metav1.DryRunAll}}
)

// tryCreate asks the API server whether it would take the object.
func tryCreate(t *testing.T, o *unstructured.Unstructured) error {
	t.Helper()
	stored, err := client(o.GetKind()).Create(t.Context(), o, asking)
	agree(t, o, nil, stored, err)
	return err
}

// tryUpdate asks whether it would take one object in place of another, which is
// created for real.
func tryUpdate(t *testing.T, before, after *unstructured.Unstructured) error {
	t.Helper()
	after = after.DeepCopy()
	before = create(t, before)
	after.SetResourceVersion(before.GetResourceVersion())
	stored, err := client(after.GetKind()).Update(t.Context(), after, changing)
	agree(t, after, before, stored, err)
	return err
}

// tryStatus asks whether it would take the status, on an object created for real.
func tryStatus(t *testing.T, kind, name string, status map[string]any) error {
	t.Helper()
	for _, table := range tables() {
		if table.kind == kind {
			o := create(t, object(kind, name, parse(t, table.base)))
			o.Object["status"] = status
			_, err := client(kind).UpdateStatus(t.Context(), o, changing)
			return err
		}
	}
	t.Fatalf("no table of %s", kind)
	return nil
}

func create(t *testing.T, o *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	stored, err := client(o.GetKind()).Create(t.Context(), o, creating)
	if err != nil {
		t.Fatalf("the object to begin with is refused: %v", err)
	}
	t.Cleanup(func() {
		// The test's own context is done by now.
		if err := client(o.GetKind()).Delete(context.Background(), o.GetName(), metav1.DeleteOptions{}); err != nil {
			t.Errorf("deleting %s: %v", o.GetName(), err)
		}
	})
	return stored
}
