package model

import (
	"encoding/json"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
)

// view is the world at rest, as the promises look at it. The operator's own code is
// asked for nothing here.
type view struct {
	*world
	state  oktasim.State
	server string
	roles  []*v1alpha1.AIAgentRole
	keys   []*v1alpha1.AgentAPIKey
	// access is everything in Okta but the apps that decides about tokens.
	access string
}

func (w *world) look() *view {
	v := &view{world: w, state: w.org.Snapshot()}
	v.server = ownServer(v.state)
	for _, r := range w.kube.sorted() {
		switch obj := w.kube.objects[r].(type) {
		case *v1alpha1.AIAgentRole:
			v.roles = append(v.roles, obj)
		case *v1alpha1.AgentAPIKey:
			v.keys = append(v.keys, obj)
		}
	}
	access, err := json.Marshal([]any{v.state.Servers, v.state.Scopes, v.state.Policies, v.state.Rules})
	w.must(err)
	v.access = string(access)
	return v
}

// role is the role the key may use, nil when there is none, and why.
func (v *view) role(key *v1alpha1.AgentAPIKey) (*v1alpha1.AIAgentRole, string) {
	name := reference.RoleOf(key)
	role, _ := v.kube.objects[ref{"AIAgentRole", name.Namespace, name.Name}].(*v1alpha1.AIAgentRole)
	gone := role == nil || role.DeletionTimestamp != nil
	switch {
	case name.Namespace == key.Namespace && gone:
		return nil, v1alpha1.ReasonRoleNotFound
	case name.Namespace == key.Namespace:
		return role, ""
	case gone || !v.shares(role, key.Namespace):
		return nil, v1alpha1.ReasonRoleNotShared
	}
	return role, ""
}

func (v *view) shares(role *v1alpha1.AIAgentRole, namespace string) bool {
	share := role.Spec.ShareWith
	if share == nil || share.From == v1alpha1.ShareSame {
		return false
	}
	if share.From == v1alpha1.ShareAll {
		return true
	}
	labels := v.kube.objects[ref{"Namespace", "", namespace}].GetLabels()
	for name, value := range share.NamespaceSelector.MatchLabels {
		if labels[name] != value {
			return false
		}
	}
	return true
}

// namesOf are the permissions that the role has for agents.
func namesOf(role *v1alpha1.AIAgentRole) []string {
	var names []string
	for _, p := range role.Spec.Permissions {
		if !strings.HasPrefix(string(p.Name), "okta.") {
			names = append(names, string(p.Name))
		}
	}
	slices.Sort(names)
	return names
}

// app is the key's app in Okta.
func (v *view) app(key *v1alpha1.AgentAPIKey) (oktasim.App, bool) {
	for _, app := range v.state.Apps {
		if m := v.memory.apps[app.ID]; m != nil && m.owner == key.UID {
			return app, true
		}
	}
	return oktasim.App{}, false
}

// secret is a Secret of the key's own, nil when there is none.
func (v *view) secret(key *v1alpha1.AgentAPIKey, name string) *corev1.Secret {
	secret, _ := v.kube.objects[ref{"Secret", key.Namespace, name}].(*corev1.Secret)
	if secret == nil || !metav1.IsControlledBy(secret, key) {
		return nil
	}
	return secret
}

func (v *view) published(key *v1alpha1.AgentAPIKey) *corev1.Secret {
	return v.secret(key, string(key.Spec.Secret.Name))
}

func (v *view) staged(key *v1alpha1.AgentAPIKey) *corev1.Secret {
	return v.secret(key, key.Name+".staged-credential")
}

// refusal is what Okta answers to a token request with the files; "" is a token.
// The same question to the same org is asked once.
func (v *view) refusal(f files, scopes []string) string {
	v.Helper()
	question := []string{v.access, strings.Join(scopes, " ")}
	for _, app := range v.state.Apps {
		if app.ClientID == string(f["client_id"]) {
			text, err := json.Marshal(app)
			v.must(err)
			question = append(question, string(text))
		}
	}
	for _, name := range []string{"client_id", "client_secret", "jwk", "token_url"} {
		question = append(question, string(f[name]))
	}
	asked := strings.Join(question, "\x00")
	answer, known := v.answers[asked]
	if !known {
		answer = v.token(f, scopes)
		v.answers[asked] = answer
	}
	return answer
}

func readiness(conditions []metav1.Condition) (bool, string) {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return false, ""
	}
	return ready.Status == metav1.ConditionTrue, ready.Reason
}

// live counts the credentials with which a client can authenticate.
func live(app oktasim.App) int {
	n := 0
	for _, k := range app.Keys {
		if !strings.HasPrefix(k.KID, "planted-") {
			n += one(k.Status)
		}
	}
	for _, s := range app.Secrets {
		n += one(s.Status)
	}
	return n
}

func one(status string) int {
	if status == "ACTIVE" {
		return 1
	}
	return 0
}
