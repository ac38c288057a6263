package lifecycle

import (
	"context"
	"maps"
	"sync"
	"time"

	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Paced enqueues what find names for an object that has changed: the first news at once, and all that follows within the
// pace together, when that has passed. It is for who looks at many objects at the news of any of them, so that to look
// at a thousand does not cost a thousand times a thousand. A pace of zero enqueues all news at once.
func Paced(find handler.MapFunc, pace func(context.Context, reconcile.Request) time.Duration) handler.EventHandler {
	p := paces{looks: map[reconcile.Request]time.Time{}}
	return concerned(find, func(ctx context.Context, q requests, request reconcile.Request) {
		q.AddAfter(request, p.wait(request, pace(ctx, request)))
	})
}

// paces remembers for whom a look was asked for last, and for when.
type paces struct {
	mu    sync.Mutex
	looks map[reconcile.Request]time.Time
}

// wait is how long the next look is to wait.
func (p *paces) wait(request reconcile.Request, pace time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if pace <= 0 {
		delete(p.looks, request)
		return 0
	}
	now := clock.RealClock{}.Now()
	look, known := p.looks[request]
	if !known {
		// Whoever is gone is heard of no more.
		maps.DeleteFunc(p.looks, func(_ reconcile.Request, look time.Time) bool { return now.Sub(look) > time.Minute })
	}
	if !look.After(now) {
		if look = look.Add(pace); look.Before(now) {
			look = now
		}
		p.looks[request] = look
	}
	return look.Sub(now)
}
