package lifecycle

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// moment is how long is waited for more news of the same object: one change makes several events,
// and somebody may make a thousand.
const moment = time.Second

// SoonFor enqueues what find names for an object that has changed. However many change within a
// moment, each is looked at once for all of them. It is for who looks at many and only tells
// how they are; what must be done at once is not left to it.
func SoonFor(find handler.MapFunc) handler.EventHandler {
	return concerned(find, func(_ context.Context, q requests, request reconcile.Request) { q.AddAfter(request, moment) })
}

// concerned adds each whom an object concerns that has changed, or has until then.
func concerned(find handler.MapFunc, add func(context.Context, requests, reconcile.Request)) handler.EventHandler {
	each := func(ctx context.Context, q requests, objects ...client.Object) {
		all := sets.New[reconcile.Request]()
		for _, obj := range objects {
			all.Insert(find(ctx, obj)...)
		}
		for request := range all {
			add(ctx, q, request)
		}
	}
	return handler.Funcs{
		CreateFunc:  func(ctx context.Context, e event.CreateEvent, q requests) { each(ctx, q, e.Object) },
		UpdateFunc:  func(ctx context.Context, e event.UpdateEvent, q requests) { each(ctx, q, e.ObjectOld, e.ObjectNew) },
		DeleteFunc:  func(ctx context.Context, e event.DeleteEvent, q requests) { each(ctx, q, e.Object) },
		GenericFunc: func(ctx context.Context, e event.GenericEvent, q requests) { each(ctx, q, e.Object) },
	}
}

// Soon enqueues objects of which there is news. However much comes within a moment, each is looked
// at once for it.
func Soon() handler.EventHandler {
	return SoonFor(func(_ context.Context, obj client.Object) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(obj)}}
	})
}
