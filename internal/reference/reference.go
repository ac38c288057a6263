// Package reference says who may point at what. A reference across namespaces
// holds only while the object pointed at allows it; both ends ask here, so that
// taking the permission back takes effect at once.
package reference

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// KeysByRole is the name of the field index from AgentAPIKeys to the role they point at.
const KeysByRole = "spec.roleRef"

// RoleOf is where a key's roleRef points.
func RoleOf(key *v1alpha1.AgentAPIKey) types.NamespacedName {
	namespace := string(key.Spec.RoleRef.Namespace)
	if namespace == "" {
		namespace = key.Namespace
	}
	return types.NamespacedName{Namespace: namespace, Name: string(key.Spec.RoleRef.Name)}
}

// IndexKeysByRole is the index function of KeysByRole.
func IndexKeysByRole(obj client.Object) []string {
	key, ok := obj.(*v1alpha1.AgentAPIKey)
	if !ok {
		return nil
	}
	return []string{RoleOf(key).String()}
}

// Resolve gets the role a key points at. A role that is missing, is being deleted
// or does not share itself with the key's namespace is an *identity.Error of kind
// Waiting: it may come, in whatever order things are applied.
func Resolve(ctx context.Context, reader client.Reader, key *v1alpha1.AgentAPIKey) (*v1alpha1.AIAgentRole, error) {
	ref := RoleOf(key)
	role := &v1alpha1.AIAgentRole{}
	err := reader.Get(ctx, ref, role)
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("reading AIAgentRole %s: %w", ref, err)
	}
	missing := err != nil || !role.DeletionTimestamp.IsZero()
	if ref.Namespace == key.Namespace {
		if missing {
			return nil, waiting(v1alpha1.ReasonRoleNotFound, fmt.Sprintf(
				"AIAgentRole %s does not exist; create it, or mend spec.roleRef", ref))
		}
		return role, nil
	}
	allowed := false
	if !missing {
		if allowed, err = Allows(ctx, reader, role, key.Namespace); err != nil {
			return nil, err
		}
	}
	if !allowed {
		// One answer for both cases: whether a role exists elsewhere is not for everybody to know.
		return nil, waiting(v1alpha1.ReasonRoleNotShared, fmt.Sprintf(
			"AIAgentRole %s does not exist or does not share itself with namespace %q; "+
				"its owner can share it with spec.shareWith", ref, key.Namespace))
	}
	return role, nil
}

func waiting(reason, message string) error {
	return &identity.Error{Kind: identity.Waiting, Reason: reason, Message: message, RetryAfter: 10 * time.Minute}
}

// Allows says whether keys of the namespace may use the role.
func Allows(ctx context.Context, reader client.Reader, role *v1alpha1.AIAgentRole, namespace string) (bool, error) {
	if namespace == role.Namespace {
		return true, nil
	}
	share := role.Spec.ShareWith
	if share == nil {
		return false, nil
	}
	switch share.From {
	case v1alpha1.ShareAll:
		return true, nil
	case v1alpha1.ShareSelected:
		return matches(ctx, reader, share.NamespaceSelector, namespace)
	default:
		return false, nil
	}
}

func matches(ctx context.Context, reader client.Reader, selector *metav1.LabelSelector, namespace string) (bool, error) {
	if selector == nil {
		return false, nil
	}
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return false, &identity.Error{
			Kind: identity.Rejected, Reason: v1alpha1.ReasonInvalidRequest,
			Message: "spec.shareWith.namespaceSelector is not a valid label selector; mend it", Err: err,
		}
	}
	ns := &corev1.Namespace{}
	if err := reader.Get(ctx, types.NamespacedName{Name: namespace}, ns); err != nil {
		return false, fmt.Errorf("reading namespace %s: %w", namespace, err)
	}
	return parsed.Matches(labels.Set(ns.Labels)), nil
}

// Bound lists the keys that point at the role and may. They are the cache's own: nobody may change them.
func Bound(ctx context.Context, reader client.Reader, role *v1alpha1.AIAgentRole) ([]v1alpha1.AgentAPIKey, error) {
	var keys v1alpha1.AgentAPIKeyList
	ref := client.ObjectKeyFromObject(role).String()
	if err := reader.List(ctx, &keys, client.MatchingFields{KeysByRole: ref}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing the keys of AIAgentRole %s: %w", ref, err)
	}
	allowed := map[string]bool{}
	bound := keys.Items[:0]
	for _, key := range keys.Items {
		ok, known := allowed[key.Namespace]
		if !known {
			var err error
			if ok, err = Allows(ctx, reader, role, key.Namespace); err != nil {
				return nil, err
			}
			allowed[key.Namespace] = ok
		}
		if ok {
			bound = append(bound, key)
		}
	}
	return bound, nil
}

// Selecting lists the roles that share themselves by the labels of namespaces.
func Selecting(ctx context.Context, reader client.Reader) ([]types.NamespacedName, error) {
	var roles v1alpha1.AIAgentRoleList
	if err := reader.List(ctx, &roles, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing AIAgentRoles: %w", err)
	}
	var selecting []types.NamespacedName
	for i := range roles.Items {
		if share := roles.Items[i].Spec.ShareWith; share != nil && share.From == v1alpha1.ShareSelected {
			selecting = append(selecting, client.ObjectKeyFromObject(&roles.Items[i]))
		}
	}
	return selecting, nil
}

// LabelsChanged lets through what can change who may use a role: the labels of
// namespaces that exist. A namespace that is new has no keys yet.
func LabelsChanged() builder.Predicates {
	return builder.WithPredicates(predicate.And(
		predicate.LabelChangedPredicate{},
		predicate.Funcs{
			CreateFunc: func(event.CreateEvent) bool { return false },
			DeleteFunc: func(event.DeleteEvent) bool { return false },
		},
	))
}

// Updated lets those updates through in which changed tells the object as it was from what it is,
// and all that comes and goes.
func Updated(changed func(before, after client.Object) bool) builder.Predicates {
	return builder.WithPredicates(predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool { return changed(e.ObjectOld, e.ObjectNew) },
	})
}
