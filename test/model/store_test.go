package model

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// ref names an object of the store.
type ref struct{ kind, namespace, name string }

func (r ref) String() string { return r.kind + " " + r.namespace + "/" + r.name }

func (r ref) key() types.NamespacedName {
	return types.NamespacedName{Namespace: r.namespace, Name: r.name}
}

// objects are what the store, or a cache of it, holds. An object in it is never
// changed: a write puts another in its place.
type objects map[ref]client.Object

// change is one write, as a watch tells it.
type change struct {
	ref      ref
	old, new client.Object
}

// kube is an API server in memory. It does what the operator can tell from a real
// one: resource versions and their conflicts, generations, the status subresource,
// finalizers, preconditions, garbage collection, and admission by the CRDs.
type kube struct {
	scheme    *runtime.Scheme
	clock     clock.PassiveClock
	admission *admission
	objects   objects
	version   int64
	uids      int
	// changes are the writes no watch has told yet.
	changes []change
	// told hears of every write as it happens.
	told func(change)
}

func newKube(scheme *runtime.Scheme, clock clock.PassiveClock) *kube {
	return &kube{scheme: scheme, clock: clock, admission: crds(), objects: objects{}, told: func(change) {}}
}

func (k *kube) refOf(obj client.Object) (ref, schema.GroupVersionKind, error) {
	gvk, err := apiutil.GVKForObject(obj, k.scheme)
	return ref{gvk.Kind, obj.GetNamespace(), obj.GetName()}, gvk, err
}

func resource(gvk schema.GroupVersionKind) schema.GroupResource {
	return schema.GroupResource{Group: gvk.Group, Resource: gvk.Kind}
}

// ours tells a kind with a generation and a status subresource.
func ours(gvk schema.GroupVersionKind) bool { return gvk.Group == v1alpha1.GroupVersion.Group }

func (k *kube) write(r ref, old, new client.Object) {
	if new == nil {
		delete(k.objects, r)
	} else {
		new.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
		k.version++
		new.SetResourceVersion(strconv.FormatInt(k.version, 10))
		k.objects[r] = new
	}
	c := change{ref: r, old: old, new: new}
	k.changes = append(k.changes, c)
	k.told(c)
}

func (k *kube) create(obj client.Object) error {
	r, gvk, err := k.refOf(obj)
	if err != nil {
		return err
	}
	if k.objects[r] != nil {
		return apierrors.NewAlreadyExists(resource(gvk), r.name)
	}
	if obj.GetResourceVersion() != "" {
		return apierrors.NewBadRequest("resourceVersion should not be set on objects to be created")
	}
	made := clone(obj)
	k.uids++
	made.SetUID(types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", k.uids)))
	made.SetCreationTimestamp(metav1.NewTime(k.clock.Now()).Rfc3339Copy())
	made.SetDeletionTimestamp(nil)
	if ours(gvk) {
		made.SetGeneration(1)
		part(made, "Status").SetZero()
		if err := k.admission.admit(gvk.Kind, made, nil); err != nil {
			return err
		}
	}
	if secret, is := made.(*corev1.Secret); is && secret.Type == "" {
		secret.Type = corev1.SecretTypeOpaque
	}
	k.write(r, nil, made)
	copyInto(made, obj)
	return nil
}

// update replaces the object, or only its status.
func (k *kube) update(obj client.Object, status bool) error {
	r, gvk, err := k.refOf(obj)
	if err != nil {
		return err
	}
	now := k.objects[r]
	if now == nil {
		return apierrors.NewNotFound(resource(gvk), r.name)
	}
	if err := current(gvk, now, obj); err != nil {
		return err
	}
	next := clone(obj)
	if status {
		next = clone(now)
		part(next, "Status").Set(part(clone(obj), "Status"))
	} else if ours(gvk) {
		part(next, "Status").Set(part(clone(now), "Status"))
	}
	keepSystemFields(next, now)
	if equality.Semantic.DeepEqual(next, now) {
		copyInto(now, obj)
		return nil
	}
	if ours(gvk) {
		if err := k.admission.admit(gvk.Kind, next, now); err != nil {
			return err
		}
		if !status && !equality.Semantic.DeepEqual(part(next, "Spec").Interface(), part(now, "Spec").Interface()) {
			next.SetGeneration(now.GetGeneration() + 1)
		}
	}
	if next.GetDeletionTimestamp() != nil && len(next.GetFinalizers()) == 0 {
		k.remove(r, now)
		copyInto(next, obj)
		return nil
	}
	k.write(r, now, next)
	copyInto(next, obj)
	return nil
}

// current holds that a write speaks of the object that is there now.
func current(gvk schema.GroupVersionKind, now, obj client.Object) error {
	version, uid := obj.GetResourceVersion(), obj.GetUID()
	if version == "" && ours(gvk) {
		return apierrors.NewInvalid(gvk.GroupKind(), obj.GetName(), nil)
	}
	if version != "" && version != now.GetResourceVersion() || uid != "" && uid != now.GetUID() {
		return apierrors.NewConflict(resource(gvk), obj.GetName(), fmt.Errorf("the object has been modified"))
	}
	return nil
}

// keepSystemFields takes over what only the API server writes.
func keepSystemFields(next, now client.Object) {
	next.SetUID(now.GetUID())
	next.SetResourceVersion(now.GetResourceVersion())
	next.SetCreationTimestamp(now.GetCreationTimestamp())
	next.SetDeletionTimestamp(now.GetDeletionTimestamp())
	next.SetDeletionGracePeriodSeconds(now.GetDeletionGracePeriodSeconds())
	next.SetGeneration(now.GetGeneration())
	next.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
}

func (k *kube) patch(obj client.Object, patch client.Patch, status bool) error {
	r, gvk, err := k.refOf(obj)
	if err != nil {
		return err
	}
	data, err := patch.Data(obj)
	if err != nil {
		return err
	}
	now := k.objects[r]
	if now == nil {
		return apierrors.NewNotFound(resource(gvk), r.name)
	}
	before, err := json.Marshal(now)
	if err != nil {
		return err
	}
	after, err := patched(before, data, patch.Type(), now)
	if err != nil {
		return err
	}
	fresh, err := k.scheme.New(gvk)
	if err != nil {
		return err
	}
	next := fresh.(client.Object)
	if err := json.Unmarshal(after, next); err != nil {
		return err
	}
	if err := k.update(next, status); err != nil {
		return err
	}
	copyInto(next, obj)
	return nil
}

func (k *kube) delete(obj client.Object, preconditions *metav1.Preconditions) error {
	r, gvk, err := k.refOf(obj)
	if err != nil {
		return err
	}
	now := k.objects[r]
	if now == nil {
		return apierrors.NewNotFound(resource(gvk), r.name)
	}
	if p := preconditions; p != nil && (p.UID != nil && *p.UID != now.GetUID() ||
		p.ResourceVersion != nil && *p.ResourceVersion != now.GetResourceVersion()) {
		return apierrors.NewConflict(resource(gvk), r.name, fmt.Errorf("the preconditions do not hold"))
	}
	if len(now.GetFinalizers()) == 0 {
		k.remove(r, now)
		return nil
	}
	if now.GetDeletionTimestamp() != nil {
		return nil
	}
	next, at := clone(now), metav1.NewTime(k.clock.Now()).Rfc3339Copy()
	next.SetDeletionTimestamp(&at)
	if ours(gvk) {
		next.SetGeneration(now.GetGeneration() + 1)
	}
	k.write(r, now, next)
	return nil
}

// remove takes the object away, and what is owned by it alone.
func (k *kube) remove(r ref, now client.Object) {
	k.write(r, now, nil)
	for _, dependent := range k.sorted() {
		owners := k.objects[dependent].GetOwnerReferences()
		left := slices.DeleteFunc(slices.Clone(owners), func(o metav1.OwnerReference) bool { return o.UID == now.GetUID() })
		if len(left) < len(owners) && len(left) == 0 {
			k.write(dependent, k.objects[dependent], nil)
		}
	}
}

// sorted are the names of all objects, in an order that does not change.
func (k *kube) sorted() []ref { return sortedRefs(k.objects) }

func clone(obj client.Object) client.Object { return obj.DeepCopyObject().(client.Object) }

// copyInto puts a copy of from in the place of to, an object of the same type.
func copyInto(from, to client.Object) {
	reflect.ValueOf(to).Elem().Set(reflect.ValueOf(clone(from)).Elem())
}

// part is a field of the object a pointer points at.
func part(obj client.Object, name string) reflect.Value {
	return reflect.ValueOf(obj).Elem().FieldByName(name)
}
