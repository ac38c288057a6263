package oktasim_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// next reads the link to the next page.
func (r response) next() string {
	for _, line := range r.Header.Values("Link") {
		if link, found := strings.CutSuffix(line, `>; rel="next"`); found {
			return strings.TrimPrefix(link, "<")
		}
	}
	return ""
}

// walk follows the pages of a list and gives the names on each.
func (w *world) walk(path string, name ...string) [][]string {
	w.t.Helper()
	var pages [][]string
	for path != "" {
		r := w.do(200, "GET", path, nil)
		page := []string{}
		for _, element := range r.List {
			page = append(page, response{Object: element}.text(name...))
		}
		pages = append(pages, page)
		path = r.next()
	}
	return pages
}

func TestAppsArePaged(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	var ids []string
	for i := range 5 {
		r := w.do(200, "POST", "/api/v1/apps?activate="+fmt.Sprint(i != 3), serviceApp(fmt.Sprintf("agent-%d", i), fmt.Sprintf("Agent %d", i)))
		ids = append(ids, r.text("id"))
	}
	tests := map[string]struct {
		reason, query string
		want          [][]string
	}{
		"pages":    {"in the order of creation", "?limit=2", [][]string{{"Agent 0", "Agent 1"}, {"Agent 2", "Agent 3"}, {"Agent 4"}}},
		"exact":    {"no empty last page", "?limit=5", [][]string{{"Agent 0", "Agent 1", "Agent 2", "Agent 3", "Agent 4"}}},
		"label":    {"a prefix, whatever its case", "?q=agent+4", [][]string{{"Agent 4"}}},
		"name":     {"or the app's kind", "?q=oidc&limit=200", [][]string{{"Agent 0", "Agent 1", "Agent 2", "Agent 3", "Agent 4"}}},
		"nothing":  {"an empty list", "?q=gent", [][]string{{}}},
		"inactive": {"listed like the others", "?filter=" + url.QueryEscape(`name eq "oidc_client" and status eq "INACTIVE"`), [][]string{{"Agent 3"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w.t = t
			if diff := cmp.Diff(test.want, w.walk("/api/v1/apps"+test.query, "label")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
	w.t = t
	first := w.do(200, "GET", "/api/v1/apps?limit=2", nil)
	if links := first.Header.Values("Link"); len(links) != 2 || !strings.HasSuffix(links[0], `rel="self"`) {
		t.Errorf("each link has a header line of its own, got %q", links)
	}
	// A page is not lost when the object before it is deleted.
	if err := w.org.AdminDeleteApp(ids[1]); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"Agent 2", "Agent 3"}, {"Agent 4"}}, w.walk(first.next(), "label")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, query := range []string{"limit=201", "limit=0", "limit=x", "after=" + ids[0], "filter=label", `filter=label+eq+"x"`} {
		w.do(400, "GET", "/api/v1/apps?"+query, nil)
	}
}

func TestGroups(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	jane, john := w.org.AddUser("jane@example.com"), w.org.AddUser("john@example.com")
	group := func(name string) object { return object{"profile": object{"name": name, "description": "d"}} }
	path := "/api/v1/groups/" + w.do(200, "POST", "/api/v1/groups", group("role-a")).text("id")
	w.do(200, "POST", "/api/v1/groups", group("role-b"))
	w.do(400, "POST", "/api/v1/groups", group("role-a"))
	w.do(400, "PUT", path, group("role-b"))
	w.do(200, "PUT", path, group("role-c"))
	w.do(204, "PUT", path+"/users/"+jane, nil)
	w.do(204, "PUT", path+"/users/"+jane, nil)
	w.do(204, "DELETE", path+"/users/"+john, nil)
	w.do(404, "PUT", path+"/users/jane@example.com", nil)

	if diff := cmp.Diff([][]string{{"Everyone", "role-c"}, {"role-b"}}, w.walk("/api/v1/groups?limit=2", "profile", "name")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	search := "search=" + url.QueryEscape(`profile.name sw "ROLE-"`)
	if diff := cmp.Diff([][]string{{"role-c"}, {"role-b"}}, w.walk("/api/v1/groups?limit=1&"+search, "profile", "name")); diff != "" {
		t.Errorf("a search is paged (-want +got):\n%s", diff)
	}
	w.do(400, "GET", "/api/v1/groups?q=role&"+search, nil)
	w.do(400, "GET", "/api/v1/groups?search="+url.QueryEscape(`profile.name co "role"`), nil)
	r := w.do(200, "GET", "/api/v1/groups?q=ROLE&limit=1", nil)
	if len(r.List) != 1 || len(r.Header.Values("Link")) != 0 {
		t.Errorf("a search has no pages, got %d groups and links %q", len(r.List), r.Header.Values("Link"))
	}
	if diff := cmp.Diff([][]string{{"jane@example.com"}}, w.walk(path+"/users", "profile", "login")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	all := w.org.Snapshot().Groups[0].ID
	if diff := cmp.Diff([][]string{{"jane@example.com", "john@example.com"}}, w.walk("/api/v1/groups/"+all+"/users", "profile", "login")); diff != "" {
		t.Errorf("everybody is in Everyone (-want +got):\n%s", diff)
	}
	w.do(403, "DELETE", "/api/v1/groups/"+all, nil)
	w.do(204, "DELETE", path, nil)
}

func TestServersAndScopes(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	server, id := w.newServer("read")
	w.do(400, "POST", servers, object{"name": "two", "audiences": []string{"a", "b"}})
	w.do(400, "POST", servers, object{"audiences": []string{"a"}})
	if diff := cmp.Diff([][]string{{"agents"}}, w.walk(servers+"?q=API://AGENTS", "name")); diff != "" {
		t.Errorf("servers are found by their audience (-want +got):\n%s", diff)
	}
	refused := map[string]object{
		"again": {"name": "read"}, "system": {"name": "openid"}, "okta's": {"name": "okta.apps.read"}, "spaces": {"name": "a b"},
		"long": {"name": strings.Repeat("x", 256)}, "wordy": {"name": "x", "description": strings.Repeat("x", 256)}, "nameless": {"description": "x"},
	}
	for reason, body := range refused {
		if r := w.do(400, "POST", server+"/scopes", body); r.text("errorCode") != "E0000001" {
			t.Errorf("%s: got %s", reason, r.Raw)
		}
	}
	var read, system string
	for _, scope := range w.org.Snapshot().Scopes {
		switch {
		case scope.ServerID == id && scope.Name == "read":
			read = server + "/scopes/" + scope.ID
		case scope.ServerID == id && scope.Name == "openid":
			system = server + "/scopes/" + scope.ID
		}
	}
	w.do(403, "DELETE", system, nil)
	w.do(403, "PUT", system, object{"name": "openid"})
	w.do(400, "PUT", read, object{"name": "reads"})
	_, rule := w.newPolicy(server, "p", []string{"ALL_CLIENTS"}, []string{"read"})
	w.do(400, "DELETE", read, nil)
	w.do(204, "DELETE", rule, nil)
	w.do(204, "DELETE", read, nil)
	w.do(403, "DELETE", server, nil)
	w.do(403, "DELETE", servers+"/default", nil)
	pages := w.walk(server+"/scopes?limit=3", "name")
	want := [][]string{{"openid", "profile", "email"}, {"address", "phone", "offline_access"}, {"device_sso"}}
	if diff := cmp.Diff(want, pages); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPoliciesAndRulesAreRefused(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.do(200, "POST", "/api/v1/apps", serviceApp("agent-one", "one"))
	server, _ := w.newServer("read")
	policy, _ := w.newPolicy(server, "p", []string{"agent-one"}, []string{"read"})
	rule := func(path string, value any) object {
		body := ruleBody("r", "read")
		at := body
		steps := strings.Split(path, ".")
		for _, step := range steps[:len(steps)-1] {
			at = at[step].(object)
		}
		at[steps[len(steps)-1]] = value
		return body
	}
	long := policyBody("q", "agent-one")
	long["description"] = strings.Repeat("x", 256)
	tests := map[string]struct {
		path string
		body object
	}{
		"policy: name taken":       {server + "/policies", policyBody("p", "agent-one")},
		"policy: no client":        {server + "/policies", policyBody("q")},
		"policy: unknown client":   {server + "/policies", policyBody("q", "agent-two")},
		"policy: all and one":      {server + "/policies", policyBody("q", "ALL_CLIENTS", "agent-one")},
		"policy: long description": {server + "/policies", long},
		"rule: name taken":         {policy + "/rules", ruleBody("allow", "read")},
		"rule: unknown scope":      {policy + "/rules", ruleBody("r", "write")},
		"rule: short lifetime":     {policy + "/rules", rule("actions.token.accessTokenLifetimeMinutes", 4)},
		"rule: long lifetime":      {policy + "/rules", rule("actions.token.accessTokenLifetimeMinutes", 1441)},
		"rule: no grant":           {policy + "/rules", rule("conditions.grantTypes.include", []string{})},
		"rule: unknown grant":      {policy + "/rules", rule("conditions.grantTypes.include", []string{"magic"})},
		"rule: nobody":             {policy + "/rules", rule("conditions.people", object{})},
		"rule: unknown group":      {policy + "/rules", rule("conditions.people.groups.include", []string{"00gNone"})},
	}
	for reason, test := range tests {
		if r := w.do(400, "POST", test.path, test.body); r.text("errorCode") != "E0000001" || r.cause() == "" {
			t.Errorf("%s: got %s", reason, r.Raw)
		}
	}
}

func TestAdminActsBehindTheOperatorsBack(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	_, jwk := newKey(t, "k")
	w.do(200, "POST", "/api/v1/apps", serviceApp("agent-one", "one", jwk))
	server, _ := w.newServer("read")
	w.newPolicy(server, "p", []string{"agent-one"}, []string{"read"})
	calls := len(w.org.Operations())
	group := w.org.Snapshot().Groups[0].ID
	policy, rule := find(w.org.Snapshot(), "p")
	for reason, err := range map[string]error{
		"app":   w.org.AdminUpdateApp("agent-one", func(a *oktasim.App) { a.Label, a.Keys, a.Status = "uno", nil, "INACTIVE" }),
		"group": w.org.AdminUpdateGroup(group, func(g *oktasim.Group) { g.Description = "changed" }),
		"policy": w.org.AdminUpdatePolicy(policy, func(p *oktasim.Policy) {
			p.Clients = []string{"ALL_CLIENTS"}
		}),
		"rule": w.org.AdminUpdateRule(rule, func(r *oktasim.Rule) { r.Scopes, r.LifetimeMinutes = []string{"*"}, 1440 }),
	} {
		if err != nil {
			t.Errorf("%s: %v", reason, err)
		}
	}
	state := w.org.Snapshot()
	app := state.Apps[0]
	if diff := cmp.Diff([]string{"uno", "INACTIVE", "changed"}, []string{app.Label, app.Status, state.Groups[0].Description}); diff != "" || app.Keys != nil {
		t.Errorf("keys %v, (-want +got):\n%s", app.Keys, diff)
	}
	for _, r := range state.Rules {
		if r.ID == rule && (r.LifetimeMinutes != 1440 || r.Scopes[0] != "*") {
			t.Errorf("got %+v", r)
		}
	}
	if got := len(w.org.Operations()); got != calls {
		t.Errorf("nothing of that is a call, got %d", got-calls)
	}
}

func TestAdminCannotChangeWhatDoesNotExist(t *testing.T) {
	org := newWorld(t, oktasim.Options{}).org
	for name, err := range map[string]error{
		"policy": org.AdminDeletePolicy("none"), "app": org.AdminDeleteApp("none"), "group": org.AdminDeleteGroup("none"),
		"status": org.AdminDeactivateApp("none"), "rule": org.AdminUpdateRule("none", nil),
	} {
		if err == nil {
			t.Errorf("%s: a story that misses its target must fail", name)
		}
	}
}

// find gives the ids of the policy of that name and of its rule.
func find(state oktasim.State, name string) (policy, rule string) {
	for _, p := range state.Policies {
		if p.Name == name {
			policy = p.ID
		}
	}
	for _, r := range state.Rules {
		if r.PolicyID == policy {
			rule = r.ID
		}
	}
	return policy, rule
}
