package lifecycle

import (
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
)

// Options are what the controller of every kind is given: how it tries again, and whom it looks at
// first. first is that of Backoff, the rest is that of Queue.
func Options[T Object](reader client.Reader, empty func() T, halfDone func(T) bool, first time.Duration) controller.Options {
	return controller.Options{RateLimiter: Backoff(first), NewQueue: Queue(reader, empty, halfDone)}
}
