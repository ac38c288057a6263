package story

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/agentidentity/agent-identity-operator/internal/okta"
)

// TestDocsOnScopes: what people are told to grant, feature by feature, is what the operator
// asks for, neither less nor more; and permissions of admin roles are called what Okta calls them.
func TestDocsOnScopes(t *testing.T) {
	setup := read(t, "docs", "okta-setup.md")
	want := [][]string{
		okta.RequiredScopes(), okta.PeopleScopes(), okta.FactorScopes(), okta.SignInScopes(), okta.DeviceScopes(),
		okta.AdminRoleScopes(), okta.LogScopes(),
	}
	rows := table(t, setup, "| feature | scopes |")
	if len(rows) != len(want) {
		t.Fatalf("docs/okta-setup.md has %d rows of scopes, want %d", len(rows), len(want))
	}
	for i, row := range rows {
		if told := quoted(row[1]); !slices.Equal(told, want[i]) {
			t.Errorf("docs/okta-setup.md tells to grant %v for %q; the operator asks for %v", told, row[0], want[i])
		}
	}
	known := read(t, "internal", "oktasim", "customroles.go")
	permissions := 0
	for _, row := range table(t, setup, "| feature | permissions of the custom role | over |") {
		for _, name := range quoted(row[1]) {
			if permissions++; !strings.Contains(known, `"`+name+`"`) {
				t.Errorf("docs/okta-setup.md names the permission %s, which Okta does not have", name)
			}
		}
	}
	if permissions < 8 {
		t.Errorf("docs/okta-setup.md names %d permissions only", permissions)
	}
	policies := read(t, "docs", "spec", "accesspolicy.md")
	for _, scope := range slices.Concat(okta.SignInScopes(), okta.DeviceScopes()) {
		if !strings.Contains(policies, "`"+scope+"`") {
			t.Errorf("docs/spec/accesspolicy.md does not tell to grant %s", scope)
		}
	}
}

// table gives the rows below a header.
func table(t *testing.T, text, header string) (rows [][]string) {
	t.Helper()
	_, below, found := strings.Cut(text, header+"\n")
	if !found {
		t.Fatalf("there is no table %q", header)
	}
	for line := range strings.Lines(below) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		if strings.HasPrefix(line, "|---") {
			continue
		}
		var cells []string
		for _, cell := range strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		rows = append(rows, cells)
	}
	return rows
}

// quoted gives the names in backquotes that are Okta's.
func quoted(cell string) (names []string) {
	for _, found := range regexp.MustCompile("`(okta\\.[\\w.]+)`").FindAllStringSubmatch(cell, -1) {
		names = append(names, found[1])
	}
	return names
}

// TestQuickReference: each call that one would make by hand is one that Okta describes, and
// each field that one writes instead is one that there is.
func TestQuickReference(t *testing.T) {
	text := read(t, "docs", "quick-reference.md")
	calls := regexp.MustCompile("`(GET|POST|PUT|PATCH|DELETE) (/[^` ?]+)`").FindAllStringSubmatch(text, -1)
	fields := regexp.MustCompile("`(AIAgentRole|AgentAPIKey|AccessPolicy|AuditSink)\\.([\\w.\\[\\]]+)").FindAllStringSubmatch(text, -1)
	if len(calls) < 30 || len(fields) < 20 {
		t.Fatalf("only %d calls and %d fields were found", len(calls), len(fields))
	}
	for _, field := range fields {
		if !hasField(t, field[1], field[2]) {
			t.Errorf("%s has no field %s", field[1], field[2])
		}
	}
	dir := os.Getenv("OKTA_DATA")
	if dir == "" {
		t.Skip("OKTA_DATA is unset: the calls are not held against Okta's OpenAPI description")
	}
	described := described(t, dir)
	for _, call := range calls {
		if !described[call[1]+" "+call[2]] {
			t.Errorf("Okta describes no %s %s", call[1], call[2])
		}
	}
}

// described reads which calls there are. The files are large, and regular.
func described(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) < 2 {
		t.Fatalf("Okta's descriptions in %s: %v, %v", dir, files, err)
	}
	all := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		path := ""
		for _, line := range regexp.MustCompile(`(?m)^(?:  (/\S+)|    (get|post|put|patch|delete)):$`).FindAllStringSubmatch(string(text), -1) {
			if line[1] != "" {
				path = line[1]
				continue
			}
			all[strings.ToUpper(line[2])+" "+path] = true
		}
	}
	return all
}

// hasField tells whether a kind has a field, such as spec.signIn.rules[].with.
func hasField(t *testing.T, kind, field string) bool {
	t.Helper()
	plural := strings.Replace(strings.ToLower(kind)+"s", "policys", "policies", 1)
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict([]byte(read(t, "config", "crd", "bases", "agentidentity.dev_"+plural+".yaml")), &crd); err != nil {
		t.Fatal(err)
	}
	schema := *crd.Spec.Versions[0].Schema.OpenAPIV3Schema
	for _, name := range strings.Split(field, ".") {
		name, list := strings.CutSuffix(name, "[]")
		next, found := schema.Properties[name]
		if !found || list && next.Items == nil {
			return false
		}
		if schema = next; list {
			schema = *next.Items.Schema
		}
	}
	return true
}
