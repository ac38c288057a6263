package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// person is an administrator of the org who uses its API, with a token of their own.
type person struct {
	world *world
	token string
}

// call makes a call and gives the id of what it made.
func (p *person) call(method, path string, body any) (string, error) {
	encoded := []byte{}
	if body != nil {
		var err error
		if encoded, err = json.Marshal(body); err != nil {
			return "", err
		}
	}
	req, err := http.NewRequest(method, orgURL+path, bytes.NewReader(encoded))
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "SSWS "+p.token)
	req.Header.Set("Content-Type", "application/json")
	response, err := serve(p.world.org, req)
	if err != nil {
		return "", err
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	if response.StatusCode > 299 {
		return "", fmt.Errorf("%s %s: %d %s", method, path, response.StatusCode, answer)
	}
	var made struct{ ID string }
	if len(answer) > 0 {
		err = json.Unmarshal(answer, &made)
	}
	return made.ID, err
}

func (p *person) makes(path string, body map[string]any) string {
	p.world.Helper()
	id, err := p.call(http.MethodPost, path, body)
	p.world.must(err)
	return id
}

// app makes an app that has nothing to do with the operator.
func (p *person) app(label, clientID string, profile map[string]any) string {
	p.world.Helper()
	return p.makes("/api/v1/apps?activate=true", map[string]any{
		"name": "oidc_client", "label": label, "signOnMode": "OPENID_CONNECT", "profile": profile,
		"credentials": map[string]any{"oauthClient": map[string]any{
			"client_id": clientID, "token_endpoint_auth_method": "client_secret_basic",
		}},
		"settings": map[string]any{"oauthClient": map[string]any{
			"application_type": "service", "grant_types": []string{"client_credentials"}, "response_types": []string{"token"},
		}},
	})
}

// foreign is what the operator must never touch, as it was when it was made.
type foreign struct {
	ids     map[string]bool
	state   oktasim.State
	secrets map[ref]*corev1.Secret
}

// plantForeign fills the org and the cluster with what belongs to others: things
// without a mark, things of another cluster, and a Secret.
func (w *world) plantForeign() {
	w.Helper()
	w.foreign = foreign{ids: map[string]bool{}, secrets: map[ref]*corev1.Secret{}}
	p := w.person
	otherCluster := map[string]any{"agentidentity.dev": map[string]any{
		"cluster": "staging", "kind": "AgentAPIKey", "namespace": "a", "name": "k0", "uid": "other", "credential": "sec-x",
	}}
	server := p.makes("/api/v1/authorizationServers", map[string]any{
		"name": "billing", "description": "of the billing team", "audiences": []string{"api://billing"},
	})
	policies := "/api/v1/authorizationServers/" + server + "/policies"
	policy := p.makes(policies, map[string]any{
		"type": "OAUTH_AUTHORIZATION_POLICY", "status": "ACTIVE", "name": "k8s/prod/a/r0", "description": "billing", "priority": 1,
		"conditions": map[string]any{"clients": map[string]any{"include": []string{"ALL_CLIENTS"}}},
	})
	for _, id := range []string{
		server, policy,
		p.app("billing", "billing-client", nil),
		p.app("k8s/prod/a/by-hand", "by-hand-client", nil),
		p.app("k8s/staging/a/k0", "aik-of-another-cluster", otherCluster),
		p.makes("/api/v1/groups", map[string]any{"profile": map[string]any{"name": "people", "description": "all of us"}}),
		p.makes("/api/v1/authorizationServers/"+server+"/scopes", map[string]any{"name": "p0", "description": "billing"}),
	} {
		w.foreign.ids[id] = true
	}
	w.foreign.state = w.foreignNow(w.org.Snapshot())
	w.plantSecret(namespaces[0], "somebody-elses")
}

// plantSecret makes a Secret that belongs to a person.
func (w *world) plantSecret(namespace, name string) error {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: map[string][]byte{"password": []byte("hunter2")},
	}
	if err := w.kube.create(secret); err != nil {
		return err
	}
	w.foreign.secrets[ref{"Secret", namespace, name}] = secret
	return nil
}

// foreignNow is the part of a state that is foreign.
func (w *world) foreignNow(state oktasim.State) oktasim.State {
	ids := w.foreign.ids
	return oktasim.State{
		Apps:     kept(state.Apps, func(a oktasim.App) bool { return ids[a.ID] }),
		Groups:   kept(state.Groups, func(g oktasim.Group) bool { return ids[g.ID] }),
		Servers:  kept(state.Servers, func(s oktasim.Server) bool { return ids[s.ID] || s.Default }),
		Scopes:   kept(state.Scopes, func(s oktasim.Scope) bool { return ids[s.ID] || ids[s.ServerID] }),
		Policies: kept(state.Policies, func(p oktasim.Policy) bool { return ids[p.ID] || ids[p.ServerID] }),
		Rules:    kept(state.Rules, func(r oktasim.Rule) bool { return ids[r.ServerID] }),
	}
}

func kept[T any](all []T, keep func(T) bool) []T {
	var some []T
	for _, item := range all {
		if keep(item) {
			some = append(some, item)
		}
	}
	return some
}

// plantedAfter adds what a person made during the sequence.
func (w *world) plantedAfter(id string) {
	w.foreign.ids[id] = true
	w.foreign.state = w.foreignNow(w.org.Snapshot())
}
