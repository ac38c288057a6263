package story

import (
	"slices"
	"testing"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestFromApplyToToken is the main path: a role, a key of each delivery, and
// clients that use nothing but the Secrets.
func TestFromApplyToToken(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.start()
	w.create(
		w.key("bot", "chat", v1alpha1.DeliveryPrivateKeyJWT), // any order will do
		w.role("chat", "interact_with_chatbot", "view_ai_logs"),
		w.key("old-bot", "chat", v1alpha1.DeliveryClientSecret),
		w.role("admin", "manage_ai_agents"),
	)
	role := readyRole(w, "chat")
	readyRole(w, "admin")
	for _, name := range []string{"bot", "old-bot"} {
		key := readyKey(w, name)
		if !slices.Equal(key.Status.Scopes, []string{"interact_with_chatbot", "view_ai_logs"}) {
			w.Errorf("status.scopes of %s is %v", name, key.Status.Scopes)
		}
		a := w.agent(name + "-okta")
		if a.files["scopes"] != "interact_with_chatbot view_ai_logs" || a.files["issuer"] != role.Status.Issuer {
			w.Errorf("the files of %s do not say what the role says: scopes %q, issuer %q", name, a.files["scopes"], a.files["issuer"])
		}
		w.mustWork(a, []string{"interact_with_chatbot", "view_ai_logs"}, "manage_ai_agents", "openid", "nonsense")
		w.mustWork(a, []string{"view_ai_logs"}, "manage_ai_agents")
	}
}

// TestRoleEdited holds that a permission given or taken reaches tokens and Secrets,
// and that a key of another role keeps what it has.
func TestRoleEdited(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.start()
	role := w.role("chat", "a", "b")
	w.create(role, w.role("other", "b", "d"), w.key("bot", "chat", ""), w.key("bystander", "other", ""))
	readyKey(w, "bot")
	readyKey(w, "bystander")
	w.get("chat", role)
	role.Spec.Permissions = []v1alpha1.Permission{{Name: "b"}, {Name: "c"}}
	w.update(role)
	key := &v1alpha1.AgentAPIKey{}
	w.waitFor("bot", key, "ready with the new scopes", func() bool {
		return slices.Equal(key.Status.Scopes, []string{"b", "c"})
	})
	w.mustWork(w.agent("bot-okta"), []string{"b", "c"}, "a")
	w.mustWork(w.agent("bystander-okta"), []string{"b", "d"}, "a", "c")
}

// TestKeyMovesToAnotherRole holds that a key has one role's permissions, never two roles'.
func TestKeyMovesToAnotherRole(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.start()
	w.create(w.role("one", "a"), w.role("two", "b"), w.key("bot", "one", ""))
	key := readyKey(w, "bot")
	key.Spec.RoleRef.Name = "two"
	w.update(key)
	w.waitFor("bot", key, "ready with the other role's scope", func() bool {
		return slices.Equal(key.Status.Scopes, []string{"b"})
	})
	w.mustWork(w.agent("bot-okta"), []string{"b"}, "a")
}

// TestDeletion holds that deleting ends in every order, and leaves nothing alive.
func TestDeletion(t *testing.T) {
	for name, order := range map[string][]string{
		"KeyFirst": {"key", "role"}, "RoleFirst": {"role", "key"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, oktasim.Options{})
			w.start()
			role, key := w.role("chat", "a"), w.key("bot", "chat", "")
			w.create(role, key)
			readyKey(w, "bot")
			a := w.agent("bot-okta")
			for _, what := range order {
				if what == "key" {
					w.deleteAndWait(key)
				} else {
					w.deleteAndWait(role)
				}
				if _, oauthError, err := a.token("a"); err != nil || oauthError == "" {
					w.Errorf("after deleting the %s a token is still issued (%v)", what, err)
				}
			}
			state := w.ours()
			if len(state.Apps)+len(state.Policies)+len(state.Rules)+len(state.Groups) != 0 {
				w.Errorf("left in Okta: %+v", state)
			}
			w.mustHaveNoSecrets()
		})
	}
}
