package cel

import (
	"regexp"
	"strings"
	"testing"
)

// wayOut is what a message says after what is wrong.
var wayOut = regexp.MustCompile(`\b(must be|must have|must be set|must limit|must select|at least|must not|give|remove|use|choose|add|rename|create|set|put|grant|manage|delete|is required when|is in small letters|is host:port|its only response is|only the operator's configuration)\b`)

// TestEveryRule fails when a CEL rule of a CRD has no trial that it refuses, or no
// trial that holds the rule's field and is taken, so that the tables cannot rot.
func TestEveryRule(t *testing.T) {
	crds := schemas(t)
	for _, table := range append(tables(), statusTables()...) {
		root := "spec"
		if table.status {
			root = "status"
		}
		rules, taken := 0, places(t, table)
		for _, n := range nodes(crds[table.kind], root) {
			for _, rule := range n.XValidations {
				if !wayOut.MatchString(rule.Message) {
					t.Errorf("%s %s: the message tells no way out: %q", table.kind, n.path, rule.Message)
				}
				if !n.names(rule.Message) {
					t.Errorf("%s %s: the message names none of the fields it is about: %q", table.kind, n.path, rule.Message)
				}
				if !table.refuses(n.path, rule.Message) {
					t.Errorf("%s %s: no trial is refused with %q", table.kind, n.path, rule.Message)
				}
				if !taken[n.path] {
					t.Errorf("%s %s: no trial that has this field is taken, so %q is never seen to hold", table.kind, n.path, rule.Message)
				}
				rules++
			}
		}
		t.Logf("%s %s: %d rules, %d trials", table.kind, root, rules, len(table.trials))
	}
}

// names says whether a message tells which field is wrong. The API server itself
// names the place of the rule; when that is an object, its children are meant. The
// keys of a map are people's own.
func (n node) names(message string) bool {
	if n.Type != "object" || n.AdditionalProperties != nil {
		return true
	}
	for name := range n.Properties {
		if strings.Contains(message, name) {
			return true
		}
	}
	return false
}

func (t table) refuses(path, message string) bool {
	for _, trial := range t.trials {
		if trial.wantMessage != "" && schemaPath(trial.wantField) == path && strings.Contains(message, trial.wantMessage) {
			return true
		}
	}
	return false
}

// places lists the schema paths of which some object of the table is taken.
func places(t *testing.T, table table) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	root := "spec"
	if table.status {
		root = "status"
	}
	for _, trial := range table.trials {
		if trial.wantMessage == "" {
			_, after := trial.specs(t, table.base)
			collect(root, after, out)
		}
	}
	return out
}

func collect(path string, value any, out map[string]bool) {
	out[path] = true
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			collect(path+"."+name, inner, out)
			collect(path+"{}", inner, out)
		}
	case []any:
		for _, inner := range value {
			collect(path+"[]", inner, out)
		}
	}
}
