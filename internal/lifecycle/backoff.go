package lifecycle

import (
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// FirstRetry and LastRetry bound the wait after an error nobody can time: it
// doubles from the first to the last. The last is one window of Okta's rate
// limits, so that an outage is over for us a minute after it is over for Okta.
const (
	FirstRetry = time.Second
	LastRetry  = time.Minute
)

// Backoff spaces the tries of one object; first is FirstRetry when zero.
func Backoff(first time.Duration) workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](orElse(first, FirstRetry), LastRetry)
}
