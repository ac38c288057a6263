package preview

import (
	"fmt"
	"reflect"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
)

// key says what is done about a key in Okta and in the cluster; old is nil for a new one.
func (c comparison) key(old, key *v1alpha1.AgentAPIKey) (okta, cluster []string) {
	after := desired.KeyOf(key, desired.Settings{})
	if old == nil {
		return c.newKey(key, after)
	}
	before := desired.KeyOf(old, desired.Settings{})
	add := func(differs bool, format string, args ...any) {
		if differs {
			okta = append(okta, fmt.Sprintf(format, args...))
		}
	}
	if from, to := reference.RoleOf(old), reference.RoleOf(key); from != to {
		add(true, "moves its client from the access policy of %s to that of %s: tokens can hold %s", from, to, c.holds(to))
	}
	add(before.Note != after.Note, "changes the note of its app")
	okta = append(okta, access(before, after)...)
	add(after.Request != "" && before.Request != after.Request,
		"gives it a new credential; the earlier one works for %s more at least", words(after.Rotation.Overlap))
	if !reflect.DeepEqual(before.Rotation, after.Rotation) {
		add(after.Rotation.Every > 0, "replaces its credential every %s, and ends the earlier one %s later at the earliest",
			words(after.Rotation.Every), words(after.Rotation.Overlap))
		add(after.Rotation.Every == 0, "replaces its credential on request only")
	}
	add(!before.ReportDrift && after.ReportDrift, "leaves what people change in its app, and tells of it")
	add(before.ReportDrift && !after.ReportDrift, "puts back what people change in its app")
	add(before.Deletion != after.Deletion, "when the key is deleted: %s instead of %s", after.Deletion, before.Deletion)
	return okta, here(old, key, before, after)
}

// access says when its client gets tokens and when not.
func access(before, after desired.Key) []string {
	var does []string
	if !before.Suspended && after.Suspended {
		does = append(does, "deactivates its client: it gets no new tokens")
	}
	if before.Suspended && !after.Suspended {
		does = append(does, "activates its client")
	}
	if !before.ExpiresAt.Equal(after.ExpiresAt) {
		if after.ExpiresAt.IsZero() {
			return append(does, "does not deactivate its client by time any more")
		}
		does = append(does, "deactivates its client at "+until(after.ExpiresAt))
	}
	return does
}

// here says what is done in the cluster.
func here(old, key *v1alpha1.AgentAPIKey, before, after desired.Key) []string {
	var cluster []string
	if before.Preset != after.Preset || !reflect.DeepEqual(before.Template, after.Template) {
		cluster = append(cluster, fmt.Sprintf("writes Secret %s anew, in its new shape", after.SecretName))
	}
	if !reflect.DeepEqual(old.Spec.RestartTargets, key.Spec.RestartTargets) {
		cluster = append(cluster, restarts(key)...)
	}
	return cluster
}

func (c comparison) newKey(key *v1alpha1.AgentAPIKey, after desired.Key) (okta, cluster []string) {
	what := map[identity.AuthMethod]string{identity.PrivateKeyJWT: "key pair", identity.ClientSecretBasic: "client secret"}[after.Method]
	if after.Adopt {
		okta = append(okta, fmt.Sprintf("takes over client %s, and adds a %s to it", after.ClientID, what))
	} else {
		okta = append(okta, fmt.Sprintf("registers a client, an API Services app, with a %s", what))
	}
	role := reference.RoleOf(key)
	okta = append(okta, fmt.Sprintf("adds it to the access policy of %s: tokens can hold %s", role, c.holds(role)))
	if after.Suspended {
		okta = append(okta, "deactivates it: it gets no tokens")
	}
	if !after.ExpiresAt.IsZero() {
		okta = append(okta, "deactivates it at "+until(after.ExpiresAt))
	}
	holds := "the credential"
	if after.DeliversToken {
		holds = "an access token, which is renewed"
	}
	cluster = append(cluster, fmt.Sprintf("writes Secret %s with %s", after.SecretName, holds))
	return okta, append(cluster, restarts(key)...)
}

func restarts(key *v1alpha1.AgentAPIKey) []string {
	var all []string
	for _, target := range key.Spec.RestartTargets {
		all = append(all, fmt.Sprintf("restarts %s %s after each change of the Secret", target.Kind, target.Name))
	}
	return all
}

// holds are the permissions of a role as it would be.
func (c comparison) holds(name client.ObjectKey) string {
	role := of[*v1alpha1.AIAgentRole](c.after, "AIAgentRole", name)
	if role == nil {
		return "nothing, for it is not there"
	}
	permissions := desired.RoleOf(role, desired.Settings{}).PermissionNames()
	if len(permissions) == 0 {
		return "nothing"
	}
	return listed(permissions)
}

// words is a duration without the parts that are zero.
func words(d time.Duration) string {
	switch {
	case d >= time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d >= time.Minute && d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}
