package cel

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// trial is one object the API server must take or refuse.
type trial struct {
	// reason is why, in a sentence.
	reason string
	// spec is a whole spec; when empty, it is the kind's base.
	spec string
	// change is a JSON merge patch, in YAML, on the spec. For a transition the
	// patched spec replaces the unpatched one.
	change string
	// transition says that the rule compares old and new.
	transition bool

	// wantField and wantMessage are those of the one complaint. An empty
	// wantMessage says that the object must be taken.
	wantField, wantMessage string
	// besides is part of a complaint that cannot be avoided: that a field is not
	// honoured yet, or that a value breaks two bounds.
	besides string
}

// table holds the trials of one kind, by name.
type table struct {
	kind string
	// status says that the table is about status, not spec.
	status bool
	base   string
	trials map[string]trial
	// later are changes of the base, in YAML, with the fields that no object can
	// have yet, for TestEveryBound.
	later []string
}

// tables lists every hand-written table; TestEveryRule reads them.
func tables() []table {
	return []table{roleTable(), keyTable(), policyTable(), sinkTable()}
}

func TestTables(t *testing.T) {
	for _, table := range append(tables(), statusTables()...) {
		group := table.kind
		if table.status {
			group += " status"
		}
		t.Run(group, func(t *testing.T) {
			for name, trial := range table.trials {
				t.Run(name, func(t *testing.T) { trial.run(t, table, name) })
			}
		})
	}
}

func (c trial) run(t *testing.T, table table, name string) {
	t.Helper()
	before, after := c.specs(t, table.base)
	var err error
	switch o := object(table.kind, objectName(name), after); {
	case table.status:
		err = tryStatus(t, table.kind, objectName(name), after)
	case c.transition:
		err = tryUpdate(t, object(table.kind, objectName(name), before), o)
	default:
		err = tryCreate(t, o)
	}
	if c.wantMessage == "" {
		if err != nil {
			t.Fatalf("%s\nmust be taken, got: %v", c.reason, err)
		}
		return
	}
	causes := complaints(t, err)
	if c.besides != "" {
		causes = slices.DeleteFunc(causes, func(cause metav1.StatusCause) bool {
			return strings.Contains(cause.Message, c.besides)
		})
	}
	if len(causes) != 1 {
		t.Fatalf("%s\nwant one complaint about %s, got %d: %v", c.reason, c.wantField, len(causes), err)
	}
	if got := causes[0]; got.Field != c.wantField || !strings.Contains(got.Message, c.wantMessage) {
		t.Errorf("%s\nwant %s: …%s…\ngot  %s: %s", c.reason, c.wantField, c.wantMessage, got.Field, got.Message)
	}
}

// specs returns the spec before and after the change.
func (c trial) specs(t *testing.T, base string) (before, after map[string]any) {
	t.Helper()
	if c.spec != "" {
		base = c.spec
	}
	before = parse(t, base)
	if c.change == "" {
		return before, before
	}
	return before, patched(t, before, c.change)
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := yaml.UnmarshalStrict([]byte(text), &out); err != nil {
		t.Fatalf("reading %q: %v", text, err)
	}
	return out
}

func patched(t *testing.T, content map[string]any, change string) map[string]any {
	t.Helper()
	document, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	patch, err := yaml.YAMLToJSONStrict([]byte(change))
	if err != nil {
		t.Fatalf("reading change %q: %v", change, err)
	}
	document, err = jsonpatch.MergePatch(document, patch)
	if err != nil {
		t.Fatalf("applying change %q: %v", change, err)
	}
	return parse(t, string(document))
}

// complaints returns what the API server says against an object, field by field.
// Its remark that rules were left out because of other complaints is none.
func complaints(t *testing.T, err error) []metav1.StatusCause {
	t.Helper()
	if err == nil {
		t.Fatal("the object was taken, and must be refused")
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Reason != metav1.StatusReasonInvalid {
		t.Fatalf("want the object to be invalid, got: %v", err)
	}
	var out []metav1.StatusCause
	for _, cause := range status.Status().Details.Causes {
		if !strings.Contains(cause.Message, "some validation rules were not checked") {
			out = append(out, cause)
		}
	}
	return out
}

var index = regexp.MustCompile(`\[[^]]*\]`)

// schemaPath is the place in the schema that a field of an object belongs to:
// spec.a[3].b becomes spec.a[].b.
func schemaPath(field string) string { return index.ReplaceAllString(field, "[]") }
