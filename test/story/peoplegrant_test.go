package story

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestPeopleGetTheirPermissions: a person who signs in to the console gets tokens with the
// permissions of their roles, of several roles together, and of no other; and no more once
// they have left a role.
func TestPeopleGetTheirPermissions(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	made := w.makeApp(console)
	for _, login := range []string{"ada@example.com", "bob@example.com", "gus@example.com", "eve@example.com"} {
		w.hire(login)
	}
	w.start(impatient, w.governing)
	admins, users := w.staffedWith("admins", "ada", "gus"), w.staffedWith("users", "bob", "gus")
	admins.Spec.Permissions = append(admins.Spec.Permissions, v1alpha1.Permission{Name: "view_ai_logs"})
	policy := w.conditional("console", v1alpha1.SignInPolicy{
		Apps: []v1alpha1.AppReference{{Label: console}}, Rules: []v1alpha1.SignInRule{{Name: "all"}},
	}, "admins", "users")
	w.create(policy, admins, users)
	readyRole(w, "admins")
	readyRole(w, "users")
	w.waitReason("console", policy, v1alpha1.ReasonReady)
	w.eventually("Gus gets what both roles permit", func() bool { return w.scopesOf(made, "gus", "admins users view_ai_logs") != "" })
	for _, tt := range []struct {
		who, asks string
		gets      bool
	}{
		{"ada", "admins", true},
		{"ada", "admins view_ai_logs", true},
		{"ada", "users", false},
		{"ada", "admins users", false},
		{"bob", "users", true},
		{"bob", "admins", false},
		{"bob", "view_ai_logs", false},
		{"gus", "users", true},
		{"gus", "view_ai_logs users", true},
		{"eve", "users", false},
	} {
		got := w.scopesOf(made, tt.who, tt.asks)
		if (got != "") != tt.gets || tt.gets && got != tt.asks {
			t.Errorf("%s asks for %q and gets %q, want it %v", tt.who, tt.asks, got, tt.gets)
		}
	}
	w.get("admins", admins)
	admins.Spec.Members.Users = []v1alpha1.Login{"ada@example.com"}
	w.update(admins)
	w.eventually("Gus has left the administrators", func() bool {
		return w.scopesOf(made, "gus", "admins") == "" && w.scopesOf(made, "gus", "users admins") == ""
	})
	if got := w.scopesOf(made, "gus", "users"); got != "users" {
		t.Errorf("Gus is a user still, and gets %q", got)
	}
	w.get("console", policy)
	w.deleteAndWait(policy)
	if got := w.scopesOf(made, "ada", "admins"); got != "" {
		t.Errorf("the policy is gone, and Ada gets %q", got)
	}
	for _, p := range w.ours().Policies {
		if len(p.Clients) > 0 {
			t.Errorf("access policy %s is left with the clients %v", p.Name, p.Clients)
		}
	}
}

// scopesOf signs a person in to the app and gives the scopes of the token the app gets in
// exchange for the code; "" when it gets none.
func (w *world) scopesOf(app map[string]any, who, scopes string) string {
	w.Helper()
	client := app["credentials"].(map[string]any)["oauthClient"].(map[string]any)
	server := ""
	for _, s := range w.ours().Servers {
		server = s.ID
	}
	decision := w.org.SignIn(oktasim.Attempt{
		Login: who + "@example.com", AppID: app["id"].(string), Factors: []string{"password", "push"},
		Server: server, Scopes: strings.Fields(scopes), RedirectURI: callback,
	})
	if decision.Code == "" {
		return ""
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {decision.Code}, "redirect_uri": {callback}}
	request, err := http.NewRequest(http.MethodPost, w.orgURL+"/oauth2/"+server+"/v1/token", strings.NewReader(form.Encode()))
	w.must(nil, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(client["client_id"].(string), client["client_secret"].(string))
	response, err := http.DefaultClient.Do(request)
	w.must(nil, err)
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Scope string `json:"scope"`
	}
	w.must(nil, json.NewDecoder(response.Body).Decode(&answer))
	return answer.Scope
}
