package auditsink

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/agentidentity/agent-identity-operator/internal/audit/detect"
)

const (
	// firstAgain is doubled up to slowestAgain between two tries to respond to a finding.
	firstAgain   = time.Second
	slowestAgain = time.Minute
	// stale is how old a finding may be that is responded to.
	stale = time.Hour
)

// retries are responses that did not come about, for the cluster did not answer, say. They are
// in memory: those that are outstanding when a process ends are told as failed, and that is all.
// The zero value is ready.
type retries struct {
	once  sync.Once
	queue workqueue.TypedRateLimitingInterface[*attempt]
}

// attempt is one of them.
type attempt struct {
	by      *responder
	finding detect.Finding
	since   time.Time
}

func (r *retries) ready() {
	r.once.Do(func() {
		r.queue = workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[*attempt](firstAgain, slowestAgain))
	})
}

func (r *retries) add(by *responder, finding detect.Finding, now time.Time) {
	r.ready()
	r.queue.AddRateLimited(&attempt{by: by, finding: finding, since: now})
}

// run tries again until ctx ends.
func (r *retries) run(ctx context.Context) error {
	r.ready()
	stop := context.AfterFunc(ctx, r.queue.ShutDown)
	defer stop()
	for {
		next, ended := r.queue.Get()
		if ended {
			return nil
		}
		if next.again(ctx) {
			r.queue.AddRateLimited(next)
		} else {
			r.queue.Forget(next)
		}
		r.queue.Done(next)
	}
}

// again tries once more, and tells whether that is to be done yet again.
func (a *attempt) again(ctx context.Context) bool {
	if a.by.c.Clock.Since(a.since) > stale {
		return false
	}
	done, err := a.by.act(ctx, a.finding)
	if err != nil {
		ctrl.LoggerFrom(ctx).V(1).Info("responding to a finding again", "detection", a.finding.Detection, "reason", err.Error())
		return true
	}
	a.by.tell(a.finding, done)
	return false
}
