package model

import (
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/keysecret"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

// wakes mirrors SetupWithManager of every controller: who is reconciled because of
// a change. It must wake nobody else, or a watch that is missing there is not found.
func (p *process) wakes(c change) []ref {
	woken := []ref{}
	for _, obj := range []client.Object{c.old, c.new} {
		switch obj := obj.(type) {
		case *v1alpha1.AIAgentRole:
			woken = append(woken, c.ref)
			all := c.old == nil || c.new == nil || reference.TermsChanged(c.old, c.new)
			woken = append(woken, p.keys(func(key *v1alpha1.AgentAPIKey) bool {
				return reference.RoleOf(key) == c.ref.key() && (all || reference.Halfway(key))
			})...)
			if roleChanged(c) {
				woken = append(woken, p.policies(func(policy *v1alpha1.AccessPolicy) bool {
					return refersTo(policy, c.ref)
				})...)
			}
			if all {
				woken = append(woken, p.policies(func(policy *v1alpha1.AccessPolicy) bool { return policy.Spec.Ceiling != nil })...)
			}
		case *v1alpha1.AgentAPIKey:
			role := reference.RoleOf(obj)
			woken = append(woken, c.ref, ref{"AIAgentRole", role.Namespace, role.Name})
			if c.old == nil || c.new == nil || reference.KeyChanged(c.old, c.new) {
				woken = append(woken, p.policies(func(policy *v1alpha1.AccessPolicy) bool { return policy.Spec.Conditional == nil })...)
			}
		case *v1alpha1.AccessPolicy:
			woken = append(woken, c.ref)
			if obj.Spec.Conditional != nil && (c.old == nil || c.new == nil || !slices.Equal(governs(c.old), governs(c.new))) {
				woken = append(woken, p.policies(func(policy *v1alpha1.AccessPolicy) bool {
					return policy.UID != obj.UID && policy.Spec.Conditional != nil
				})...)
			}
			if c.old != nil && c.new != nil && !reference.PolicyChanged(c.old, c.new) {
				continue
			}
			woken = append(woken, p.keys(func(key *v1alpha1.AgentAPIKey) bool {
				return obj.Spec.Ceiling != nil || restraint.Holds(standing(obj), key) || restraint.Forgotten(standing(obj), key)
			})...)
			if obj.Spec.Ceiling != nil {
				woken = append(woken, p.roles()...)
				woken = append(woken, p.policies(func(policy *v1alpha1.AccessPolicy) bool { return policy.Spec.Conditional != nil })...)
			}
			for _, name := range roleNames {
				if refersTo(obj, name) {
					woken = append(woken, name)
				}
			}
		case *corev1.Secret:
			owner := metav1.GetControllerOf(obj)
			if _, watched := obj.Labels[keysecret.LabelPart]; watched && owner != nil && owner.Kind == "AgentAPIKey" {
				woken = append(woken, ref{"AgentAPIKey", obj.Namespace, owner.Name})
			}
		}
	}
	if c.ref.kind == "Namespace" && c.old != nil && c.new != nil && !equality.Semantic.DeepEqual(c.old.GetLabels(), c.new.GetLabels()) {
		woken = append(woken, p.keys(func(key *v1alpha1.AgentAPIKey) bool { return key.Namespace == c.ref.name })...)
		woken = append(woken, p.selecting()...)
		woken = append(woken, p.rolesOf(c.ref.name)...)
		woken = append(woken, p.policies(func(policy *v1alpha1.AccessPolicy) bool {
			return policy.Spec.Ceiling != nil || policy.Spec.Conditional != nil && policy.Namespace == c.ref.name
		})...)
	}
	return woken
}

// roleChanged tells that something of a role has changed that policies look at.
func roleChanged(c change) bool {
	before, was := c.old.(*v1alpha1.AIAgentRole)
	after, is := c.new.(*v1alpha1.AIAgentRole)
	if !was || !is {
		return true
	}
	seen := func(role *v1alpha1.AIAgentRole) []any {
		members := map[v1alpha1.Login]any{}
		for _, m := range role.Status.Members {
			members[m.Login] = m.State
		}
		return []any{role.Generation, role.DeletionTimestamp.IsZero(), role.Status.GroupID, role.Status.AppliedRevision, members}
	}
	return !reflect.DeepEqual(seen(before), seen(after))
}

// governs are the apps that people sign in to as the policy says.
func governs(obj client.Object) []string {
	policy, _ := obj.(*v1alpha1.AccessPolicy)
	var ids []string
	if policy.Status.Conditional != nil {
		for _, app := range policy.Status.Conditional.Apps {
			ids = append(ids, app.ID)
		}
	}
	return ids
}

// refersTo tells that a policy says how those who hold the role sign in.
func refersTo(policy *v1alpha1.AccessPolicy, role ref) bool {
	return policy.Spec.Conditional != nil && policy.Namespace == role.namespace &&
		slices.ContainsFunc(policy.Spec.Conditional.RoleRefs, func(r v1alpha1.RoleReference) bool { return string(r.Name) == role.name })
}

// standing is the policy as if it were not being deleted.
func standing(policy *v1alpha1.AccessPolicy) *v1alpha1.AccessPolicy {
	policy = policy.DeepCopy()
	policy.DeletionTimestamp = nil
	return policy
}

// policies are those in the cache that fit.
func (p *process) policies(fits func(*v1alpha1.AccessPolicy) bool) []ref {
	var found []ref
	for _, r := range sortedRefs(p.cache) {
		if policy, is := p.cache[r].(*v1alpha1.AccessPolicy); is && fits(policy) {
			found = append(found, r)
		}
	}
	return found
}

// rolesOf are the roles of the keys in a namespace.
func (p *process) rolesOf(namespace string) []ref {
	var found []ref
	for _, r := range p.keys(func(key *v1alpha1.AgentAPIKey) bool { return key.Namespace == namespace }) {
		key, _ := p.cache[r].(*v1alpha1.AgentAPIKey)
		role := reference.RoleOf(key)
		found = append(found, ref{"AIAgentRole", role.Namespace, role.Name})
	}
	return found
}

// roles are all roles in the cache.
func (p *process) roles() []ref {
	var found []ref
	for _, r := range sortedRefs(p.cache) {
		if r.kind == "AIAgentRole" {
			found = append(found, r)
		}
	}
	return found
}

// keys are those in the cache that fit.
func (p *process) keys(fits func(*v1alpha1.AgentAPIKey) bool) []ref {
	var found []ref
	for _, r := range sortedRefs(p.cache) {
		if key, is := p.cache[r].(*v1alpha1.AgentAPIKey); is && fits(key) {
			found = append(found, r)
		}
	}
	return found
}

// selecting are the roles that share themselves by the labels of namespaces.
func (p *process) selecting() []ref {
	var found []ref
	for _, r := range sortedRefs(p.cache) {
		role, is := p.cache[r].(*v1alpha1.AIAgentRole)
		if is && role.Spec.ShareWith != nil && role.Spec.ShareWith.From == v1alpha1.ShareSelected {
			found = append(found, r)
		}
	}
	return found
}
