package model

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
)

// ops is the namespace whose policies count for everybody.
const ops = "ops"

// policyActions are what administrators do with policies.
func policyActions() []action {
	return []action{
		{"Quarantine", 8, quarantine},
		{"Release", 6, release},
		{"Ceiling", 4, ceiling},
		{"LiftCeiling", 4, liftCeiling},
	}
}

// quarantine cuts a key off by its name, whether it exists or not. From then on the
// credential that it has must never work again.
func quarantine(w *world, a args) string {
	name := keyNames[a.of(0, len(keyNames))]
	policy := &v1alpha1.AccessPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: ops, Name: name.namespace + "-" + name.name},
		Spec: v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyQuarantine, Quarantine: &v1alpha1.QuarantinePolicy{
			Reason: "a person has seen it", Targets: v1alpha1.QuarantineTargets{Keys: []v1alpha1.KeyReference{
				{Namespace: v1alpha1.NamespaceName(name.namespace), Name: v1alpha1.ObjectName(name.name)},
			}},
		}},
	}
	if key, is := w.kube.objects[name].(*v1alpha1.AgentAPIKey); is {
		w.memory.keys[key.UID].mayRotate = true
	}
	return said(w.kube.create(policy), "an administrator cuts off AgentAPIKey %s/%s", name.namespace, name.name)
}

func release(w *world, a args) string {
	name := keyNames[a.of(0, len(keyNames))]
	policy, is := w.kube.objects[ref{"AccessPolicy", ops, name.namespace + "-" + name.name}].(*v1alpha1.AccessPolicy)
	if !is {
		return ""
	}
	if key, is := w.kube.objects[name].(*v1alpha1.AgentAPIKey); is {
		w.memory.keys[key.UID].mayRotate = true
	}
	return said(w.kube.delete(policy, nil), "an administrator lets AgentAPIKey %s/%s go", name.namespace, name.name)
}

// ceiling allows some permissions to the keys of every namespace.
func ceiling(w *world, a args) string {
	policy := &v1alpha1.AccessPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: ops, Name: "ceiling"},
		Spec: v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyCeiling, Ceiling: &v1alpha1.CeilingPolicy{
			NamespaceSelector: &metav1.LabelSelector{},
		}},
	}
	for _, p := range chosen(a[0], 0) {
		policy.Spec.Ceiling.Permissions = append(policy.Spec.Ceiling.Permissions, v1alpha1.PermissionPattern(p.Name))
	}
	return said(w.kube.create(policy), "an administrator allows %v", policy.Spec.Ceiling.Permissions)
}

func liftCeiling(w *world, _ args) string {
	policy, is := w.kube.objects[ref{"AccessPolicy", ops, "ceiling"}].(*v1alpha1.AccessPolicy)
	if !is {
		return ""
	}
	return said(w.kube.delete(policy, nil), "an administrator lifts the ceiling")
}

// quarantined tells that a policy cuts the key off.
func (v *view) quarantined(key *v1alpha1.AgentAPIKey) bool {
	policy := v.kube.objects[ref{"AccessPolicy", ops, key.Namespace + "-" + key.Name}]
	return policy != nil && policy.GetDeletionTimestamp() == nil
}

// ceiling is the one that is over everybody; nil when there is none.
func (v *view) ceiling() *v1alpha1.AccessPolicy {
	policy, is := v.kube.objects[ref{"AccessPolicy", ops, "ceiling"}].(*v1alpha1.AccessPolicy)
	if !is || policy.DeletionTimestamp != nil {
		return nil
	}
	return policy
}

// above tells that the key's role has a permission that the ceiling does not allow.
func (v *view) above(key *v1alpha1.AgentAPIKey) bool {
	policy := v.ceiling()
	role, _ := v.role(key)
	if policy == nil || role == nil {
		return false
	}
	allowed := map[string]bool{}
	for _, p := range policy.Spec.Ceiling.Permissions {
		allowed[string(p)] = true
	}
	for _, name := range namesOf(role) {
		if !allowed[name] {
			return true
		}
	}
	return false
}

// cutOffForGood holds that what was published before a quarantine never works again.
func cutOffForGood(v *view) error {
	for _, key := range v.keys {
		m := v.memory.keys[key.UID]
		if v.quarantined(key) {
			id := desired.ClientID(cluster, key.Namespace, key.Name)
			for _, app := range v.state.Apps {
				if app.ClientID == id && app.Status == "ACTIVE" && ownerOf(app) != "" {
					return fmt.Errorf("%s/%s is in quarantine, and app %s is active", key.Namespace, key.Name, app.ID)
				}
			}
		}
		if len(m.stolen) == 0 {
			continue
		}
		for _, scope := range permissions {
			if v.refusal(m.stolen, []string{scope}) == "" {
				return fmt.Errorf("the credential of %s/%s from before its quarantine gives a token with %s", key.Namespace, key.Name, scope)
			}
		}
	}
	return nil
}

// noteStolen remembers what a key that is cut off had published when it was Ready last.
// Once somebody has spoiled both Secrets, nothing says any more which credential that was.
func (w *world) noteStolen(v *view) {
	for _, key := range v.keys {
		m := w.memory.keys[key.UID]
		switch {
		case m.stagedHurt && m.publishedHurt:
			m.stolen = nil
		case v.quarantined(key) && len(m.stolen) == 0 && !m.stagedHurt && !m.publishedHurt:
			m.stolen = m.last
		}
	}
}
