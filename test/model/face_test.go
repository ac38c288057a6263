package model

import (
	"context"
	"errors"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// face is a client of the store: a person's, or one of the operator's two, which
// reads through its cache or round it. Writes of the operator pass the seam.
type face struct {
	kube *kube
	// view is what is read.
	view func() objects
	seam *seam
	// indexes are the field indexes of the cache, by kind and name.
	indexes map[string]map[string]client.IndexerFunc
}

var _ client.Client = face{}

var errUnsupported = errors.New("the API server of this test cannot do that yet")

func (f face) around(verb string, obj client.Object, call func() error) error {
	if f.seam == nil {
		return call()
	}
	r, _, err := f.kube.refOf(obj)
	if err != nil {
		return err
	}
	return f.seam.around("Kubernetes "+verb+" "+r.String(), call)
}

func (f face) Get(_ context.Context, key client.ObjectKey, obj client.Object, _ ...client.GetOption) error {
	gvk, err := apiutil.GVKForObject(obj, f.kube.scheme)
	if err != nil {
		return err
	}
	found := f.view()[ref{gvk.Kind, key.Namespace, key.Name}]
	if found == nil {
		return apierrors.NewNotFound(resource(gvk), key.Name)
	}
	deliver(found, obj, gvk)
	return nil
}

// deliver copies what was found into what was asked for: the object, or its metadata.
func deliver(found, into client.Object, gvk schema.GroupVersionKind) {
	if metadata, is := into.(*metav1.PartialObjectMetadata); is {
		*metadata = *metadataOf(found, gvk)
		return
	}
	copyInto(found, into)
}

func metadataOf(obj client.Object, gvk schema.GroupVersionKind) *metav1.PartialObjectMetadata {
	metadata := &metav1.PartialObjectMetadata{
		ObjectMeta: reflect.ValueOf(clone(obj)).Elem().FieldByName("ObjectMeta").Interface().(metav1.ObjectMeta),
	}
	metadata.SetGroupVersionKind(gvk)
	return metadata
}

func (f face) List(_ context.Context, list client.ObjectList, opts ...client.ListOption) error {
	gvk, err := apiutil.GVKForObject(list, f.kube.scheme)
	if err != nil {
		return err
	}
	gvk.Kind = gvk.Kind[:len(gvk.Kind)-len("List")]
	options := (&client.ListOptions{}).ApplyOptions(opts)
	view := f.view()
	// Who asks for no copies gets the cache's own objects, as from a real cache.
	shown := options.UnsafeDisableDeepCopy != nil && *options.UnsafeDisableDeepCopy
	var found []runtime.Object
	for _, r := range sortedRefsOf(view, func(r ref) bool {
		return r.kind == gvk.Kind && (options.Namespace == "" || options.Namespace == r.namespace)
	}) {
		fits, err := f.fits(gvk.Kind, view[r], options)
		if err != nil {
			return err
		}
		if !fits {
			continue
		}
		if _, partial := list.(*metav1.PartialObjectMetadataList); partial {
			found = append(found, metadataOf(view[r], gvk))
			continue
		}
		if shown {
			found = append(found, view[r])
			continue
		}
		found = append(found, clone(view[r]))
	}
	return meta.SetList(list, found)
}

func (f face) fits(kind string, obj client.Object, options *client.ListOptions) (bool, error) {
	if options.LabelSelector != nil && !options.LabelSelector.Matches(labels.Set(obj.GetLabels())) {
		return false, nil
	}
	if options.FieldSelector == nil {
		return true, nil
	}
	for _, requirement := range options.FieldSelector.Requirements() {
		index := f.indexes[kind][requirement.Field]
		if index == nil {
			return false, errors.New("no index of " + kind + " by " + requirement.Field)
		}
		has := false
		for _, value := range index(obj) {
			has = has || value == requirement.Value
		}
		if !has {
			return false, nil
		}
	}
	return true, nil
}

func (f face) Create(_ context.Context, obj client.Object, _ ...client.CreateOption) error {
	return f.around("create", obj, func() error { return f.kube.create(obj) })
}

func (f face) Update(_ context.Context, obj client.Object, _ ...client.UpdateOption) error {
	return f.around("update", obj, func() error { return f.kube.update(obj, false) })
}

func (f face) Patch(_ context.Context, obj client.Object, patch client.Patch, _ ...client.PatchOption) error {
	return f.around("patch", obj, func() error { return f.kube.patch(obj, patch, false) })
}

func (f face) Delete(_ context.Context, obj client.Object, opts ...client.DeleteOption) error {
	options := (&client.DeleteOptions{}).ApplyOptions(opts)
	return f.around("delete", obj, func() error { return f.kube.delete(obj, options.Preconditions) })
}

func (face) Apply(context.Context, runtime.ApplyConfiguration, ...client.ApplyOption) error {
	return errUnsupported
}

func (face) DeleteAllOf(context.Context, client.Object, ...client.DeleteAllOfOption) error {
	return errUnsupported
}

func (f face) Scheme() *runtime.Scheme { return f.kube.scheme }

func (face) RESTMapper() meta.RESTMapper { return nil }

func (f face) GroupVersionKindFor(obj runtime.Object) (schema.GroupVersionKind, error) {
	return apiutil.GVKForObject(obj, f.kube.scheme)
}

func (face) IsObjectNamespaced(runtime.Object) (bool, error) { return true, nil }

func (f face) Status() client.SubResourceWriter { return f.SubResource("status") }

func (f face) SubResource(name string) client.SubResourceClient { return subresource{f, name} }

// subresource is the status of objects; there is no other.
type subresource struct {
	face face
	name string
}

func (s subresource) check() error {
	if s.name != "status" {
		return errUnsupported
	}
	return nil
}

func (subresource) Get(context.Context, client.Object, client.Object, ...client.SubResourceGetOption) error {
	return errUnsupported
}

func (subresource) Create(context.Context, client.Object, client.Object, ...client.SubResourceCreateOption) error {
	return errUnsupported
}

func (subresource) Apply(context.Context, runtime.ApplyConfiguration, ...client.SubResourceApplyOption) error {
	return errUnsupported
}

func (s subresource) Update(_ context.Context, obj client.Object, _ ...client.SubResourceUpdateOption) error {
	return errors.Join(s.check(), s.face.around("update status of", obj, func() error { return s.face.kube.update(obj, true) }))
}

func (s subresource) Patch(_ context.Context, obj client.Object, patch client.Patch, _ ...client.SubResourcePatchOption) error {
	if err := s.check(); err != nil {
		return err
	}
	return s.face.around("patch status of", obj, func() error { return s.face.kube.patch(obj, patch, true) })
}
