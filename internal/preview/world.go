// Package preview says what a change of objects would change in Okta and in the cluster, and
// whom it would take above a ceiling, before it is made.
//
// It refuses to know where objects come from and how what it says is shown. It asks nobody:
// what it takes to be in Okta is what the objects say that were there before.
package preview

import (
	"context"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// World is what there is, or would be.
type World struct {
	objects map[id]client.Object
	// labels are those of namespaces, as far as they are known, and coming those that the change
	// gives them.
	labels, coming map[string]map[string]string
}

// id names an object.
type id struct {
	kind string
	types.NamespacedName
}

// NewWorld makes a world of objects and of the labels of namespaces. A namespace that is not
// among them has the label that every namespace has, and no other.
func NewWorld(labels map[string]map[string]string, objects ...client.Object) World {
	w := World{objects: map[id]client.Object{}, labels: labels}
	for _, o := range objects {
		w.objects[idOf(o)] = o
	}
	return w
}

// Labelling is the world in which a change gives namespaces these labels, too. Those that others
// gave them stay.
func (w World) Labelling(labels map[string]map[string]string) World {
	w.coming = labels
	return w
}

// with is the world after the change, with these objects in it, in the place of what has their
// names.
func (w World) with(objects []client.Object) World {
	next := World{objects: maps.Clone(w.objects), labels: map[string]map[string]string{}}
	for _, labels := range []map[string]map[string]string{w.labels, w.coming} {
		for namespace, given := range labels {
			next.labels[namespace] = merged(next.labels[namespace], given)
		}
	}
	for _, o := range objects {
		next.objects[idOf(o)] = applied(o, w.objects[idOf(o)])
	}
	return next
}

// later is when what is new comes to be: after all that there is.
func later() metav1.Time { return metav1.Unix(1<<40, 0) }

// applied is an object as it is once it is applied. What a manifest does not say, such as what the
// operator wrote and who asked for a new credential, stays; old is nil where there is none.
func applied(o, old client.Object) client.Object {
	next, is := o.DeepCopyObject().(client.Object)
	switch {
	case !is:
		return o
	case old == nil:
		next.SetCreationTimestamp(later())
		return next
	}
	next.SetUID(old.GetUID())
	next.SetCreationTimestamp(old.GetCreationTimestamp())
	next.SetDeletionTimestamp(old.GetDeletionTimestamp())
	next.SetLabels(merged(old.GetLabels(), o.GetLabels()))
	next.SetAnnotations(merged(old.GetAnnotations(), o.GetAnnotations()))
	if policy, is := next.(*v1alpha1.AccessPolicy); is {
		if before, is := old.(*v1alpha1.AccessPolicy); is {
			policy.Status = *before.Status.DeepCopy()
		}
	}
	return next
}

// merged gives what stays and what comes; nil for nothing.
func merged(there, given map[string]string) map[string]string {
	if len(there) == 0 {
		return given
	}
	all := maps.Clone(there)
	maps.Copy(all, given)
	return all
}

func idOf(o client.Object) id { return id{kindOf(o), client.ObjectKeyFromObject(o)} }

func kindOf(o client.Object) string {
	switch o.(type) {
	case *v1alpha1.AIAgentRole:
		return "AIAgentRole"
	case *v1alpha1.AgentAPIKey:
		return "AgentAPIKey"
	case *v1alpha1.AccessPolicy:
		return "AccessPolicy"
	case *v1alpha1.AuditSink:
		return "AuditSink"
	}
	return ""
}

// of gives what has that name of that kind; nil when nothing has.
func of[T client.Object](w World, kind string, name types.NamespacedName) T {
	found, _ := w.objects[id{kind, name}].(T)
	return found
}

// Get implements client.Reader for roles and namespaces, of which rules ask.
func (w World) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	switch into := into.(type) {
	case *corev1.Namespace:
		into.Name = key.Name
		into.Labels = map[string]string{}
		maps.Copy(into.Labels, w.labels[key.Name])
		into.Labels[corev1.LabelMetadataName] = key.Name // whatever a manifest says
		return nil
	case *v1alpha1.AIAgentRole:
		if role := of[*v1alpha1.AIAgentRole](w, "AIAgentRole", key); role != nil {
			role.DeepCopyInto(into)
			return nil
		}
		return apierrors.NewNotFound(schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: "aiagentroles"}, key.Name)
	}
	return fmt.Errorf("a preview knows nothing of %T", into)
}

// List implements client.Reader for policies, of one namespace or of all.
func (w World) List(_ context.Context, into client.ObjectList, opts ...client.ListOption) error {
	policies, is := into.(*v1alpha1.AccessPolicyList)
	if !is {
		return fmt.Errorf("a preview knows nothing of %T", into)
	}
	asked := (&client.ListOptions{}).ApplyOptions(opts)
	for _, policy := range all[*v1alpha1.AccessPolicy](w) {
		if asked.Namespace == "" || asked.Namespace == policy.Namespace {
			policies.Items = append(policies.Items, *policy)
		}
	}
	return nil
}

// all gives the objects of a type, in no order.
func all[T client.Object](w World) []T {
	var found []T
	for _, o := range w.objects {
		if typed, is := o.(T); is {
			found = append(found, typed)
		}
	}
	return found
}

var _ client.Reader = World{}

// until is a time for people.
func until(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }
