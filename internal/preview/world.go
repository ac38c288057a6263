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
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// World is what there is, or would be.
type World struct {
	objects map[id]client.Object
	// labels are those of namespaces, as far as they are known.
	labels map[string]map[string]string
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

// with is the world with these objects in it, in the place of what has their names.
func (w World) with(objects []client.Object) World {
	next := World{objects: maps.Clone(w.objects), labels: w.labels}
	for _, o := range objects {
		next.objects[idOf(o)] = o
	}
	return next
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
		into.Labels = map[string]string{corev1.LabelMetadataName: key.Name}
		maps.Copy(into.Labels, w.labels[key.Name])
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
