package cel

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// node is one place of a kind's schema, such as spec.secret.name.
type node struct {
	path string
	apiextensions.JSONSchemaProps
	// within is the path of the LabelSelector or Condition around the node, whose
	// schema is Kubernetes' own.
	within string
	// atomic tells that it is within a list which is applied as a whole.
	atomic bool
}

func schemas(t *testing.T) map[string]apiextensions.CustomResourceDefinition {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "config", "crd", "bases", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]apiextensions.CustomResourceDefinition{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var crd apiextensions.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(text, &crd); err != nil {
			t.Fatalf("reading %s: %v", file, err)
		}
		out[crd.Spec.Names.Kind] = crd
	}
	return out
}

// nodes lists the places of a kind's schema below root, spec or status.
func nodes(crd apiextensions.CustomResourceDefinition, root string) []node {
	schema := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
	var out []node
	walk(node{path: root, JSONSchemaProps: schema.Properties[root]}, &out)
	return out
}

func walk(n node, out *[]node) {
	*out = append(*out, n)
	within := n.within
	if _, ok := n.Properties["matchExpressions"]; ok && within == "" {
		within = n.path
	}
	if strings.HasSuffix(n.path, ".conditions") {
		within = n.path
	}
	for _, name := range slices.Sorted(maps.Keys(n.Properties)) {
		walk(node{path: n.path + "." + name, JSONSchemaProps: n.Properties[name], within: within, atomic: n.atomic}, out)
	}
	if n.Items != nil {
		atomic := n.atomic || n.XListType != nil && *n.XListType == "atomic"
		walk(node{path: n.path + "[]", JSONSchemaProps: *n.Items.Schema, within: within, atomic: atomic}, out)
	}
	if n.AdditionalProperties != nil && n.AdditionalProperties.Schema != nil {
		walk(node{path: n.path + "{}", JSONSchemaProps: *n.AdditionalProperties.Schema, within: within, atomic: n.atomic}, out)
	}
}

func TestEveryCRD(t *testing.T) {
	var kinds []string
	for kind, crd := range schemas(t) {
		kinds = append(kinds, kind)
		if got := crd.Spec.Names.Plural; got != resources[kind] {
			t.Errorf("%s: add its resource, %s, to resources in main_test.go", kind, got)
		}
		if got := len(crd.Spec.Versions); got != 1 {
			t.Errorf("%s: has %d versions; these tests read one", kind, got)
		}
	}
	var tested []string
	for _, table := range tables() {
		tested = append(tested, table.kind)
	}
	slices.Sort(kinds)
	slices.Sort(tested)
	if !slices.Equal(kinds, tested) {
		t.Errorf("there are CRDs of %v and tables of %v", kinds, tested)
	}
}

// TestStructure holds what CEL's cost estimate, server-side apply and readers need.
func TestStructure(t *testing.T) {
	for kind, crd := range schemas(t) {
		t.Run(kind, func(t *testing.T) {
			for _, n := range slices.Concat(nodes(crd, "spec"), nodes(crd, "status")) {
				if n.within == "" {
					n.check(t)
				}
			}
		})
	}
}

func (n node) check(t *testing.T) {
	t.Helper()
	bounded := n.MaxLength != nil || len(n.Enum) > 0 || n.Format == "date-time"
	switch {
	case n.Type == "array" && n.XListType == nil:
		t.Errorf("%s: a list needs +listType", n.path)
	case n.Type == "array" && n.MaxItems == nil:
		t.Errorf("%s: a list needs MaxItems", n.path)
	case n.Type == "string" && !bounded:
		t.Errorf("%s: a string needs MaxLength or an enum", n.path)
	case n.Type == "boolean":
		t.Errorf("%s: a boolean cannot grow a third value; use an enum", n.path)
	case n.Type == "integer" && n.Minimum == nil:
		t.Errorf("%s: an integer needs Minimum", n.path)
	case !strings.HasPrefix(n.path, "spec"):
	case n.Type == "integer" && n.Maximum == nil:
		t.Errorf("%s: an integer that people write needs Maximum", n.path)
	case n.Format == "date-time" && n.Pattern == "":
		// The API server takes 2026-01-01t00:00:00z and an offset of +99:99 for times.
		// Go does not, and one such object would end the watch of every typed client.
		t.Errorf("%s: a time that people write needs the Pattern of times", n.path)
	case n.AdditionalProperties != nil && n.MaxProperties == nil:
		t.Errorf("%s: a map needs MaxProperties", n.path)
	case n.Default != nil && n.atomic:
		// Argo CD that applies on the server's side takes it for a difference, for ever: the list
		// of git is without it, and the list is one value.
		t.Errorf("%s: a default within an atomic list; say in the comment what absent means", n.path)
	case n.XPreserveUnknownFields != nil:
		t.Errorf("%s: unknown fields must not be kept", n.path)
	}
	name := n.path[strings.LastIndex(n.path, ".")+1:]
	if strings.Contains(n.path, ".") && !strings.HasSuffix(name, "]") && !strings.HasSuffix(name, "}") && !strings.HasPrefix(n.Description, name+" ") {
		if !strings.HasPrefix(n.Description, name+",") {
			t.Errorf("%s: its comment must begin with %q, got %q", n.path, name, n.Description)
		}
	}
}

// TestScreen holds what people see with kubectl get.
func TestScreen(t *testing.T) {
	for kind, crd := range schemas(t) {
		version := crd.Spec.Versions[0]
		if version.Subresources == nil || version.Subresources.Status == nil {
			t.Errorf("%s: needs the status subresource", kind)
		}
		if !slices.Contains(crd.Spec.Names.Categories, "agentidentity") {
			t.Errorf("%s: `kubectl get agentidentity` must list it", kind)
		}
		var columns []string
		for _, column := range version.AdditionalPrinterColumns {
			columns = append(columns, column.Name)
		}
		for _, want := range []string{"Ready", "Reason", "Message", "Age"} {
			if !slices.Contains(columns, want) {
				t.Errorf("%s: needs a column %s, has %v", kind, want, columns)
			}
		}
	}
}
