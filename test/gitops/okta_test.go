package gitops

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// clients are the team's in Okta.
func (j *journey) clients() []oktasim.App {
	j.Helper()
	var found []oktasim.App
	for _, app := range j.org.Snapshot().Apps {
		if strings.Contains(app.Label, "/"+j.mode.name+"/") {
			found = append(found, app)
		}
	}
	return found
}

// client is that of a key.
func (j *journey) client(key string) oktasim.App {
	j.Helper()
	for _, app := range j.clients() {
		if strings.HasSuffix(app.Label, "/"+key) {
			return app
		}
	}
	j.Fatalf("key %s has no client in Okta; there are %+v", key, j.clients())
	return oktasim.App{}
}

// members are the logins of those whom Okta has in a role's group.
func (j *journey) members(role string) []string {
	j.Helper()
	state := j.org.Snapshot()
	var logins []string
	for _, group := range state.Groups {
		if !strings.Contains(group.Name, "/"+j.mode.name+"/"+role) {
			continue
		}
		for _, user := range state.Users {
			if slices.Contains(group.Members, user.ID) {
				logins = append(logins, user.Login)
			}
		}
	}
	return logins
}

// makeConsole makes the app that the team's people sign in to.
func (j *journey) makeConsole() {
	j.Helper()
	body := fmt.Sprintf(`{"name": "oidc_client", "label": %q, "signOnMode": "OPENID_CONNECT",
		"credentials": {"oauthClient": {"token_endpoint_auth_method": "client_secret_basic"}},
		"settings": {"oauthClient": {"application_type": "web", "grant_types": ["authorization_code"], "response_types": ["code"],
		"redirect_uris": ["https://console.example.com/callback"]}}}`, j.mode.console())
	request, err := http.NewRequestWithContext(j.Context(), http.MethodPost, j.url+"/api/v1/apps", strings.NewReader(body))
	if err != nil {
		j.Fatal(err)
	}
	request.Header.Set("Authorization", "SSWS "+j.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		j.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		j.Fatalf("making app %s: %s", j.mode.console(), response.Status)
	}
}
