package lifecycle

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Places in a queue: the highest is looked at first, and what has the same place in the order in
// which it came. They are so far apart that a namespace's turn fits between them.
const (
	// cutOff is the place of who is cut off from what it may use.
	cutOff = 100
	// leaving is that of what is being deleted, and loses what it may use.
	leaving = 50
	// halfway is that of what has something in the directory and is not ready: it is finished before
	// more is begun.
	halfway = 20
	// invited is that of what a rate limit told when to come: later its turn may be over.
	invited = 10
	// invite is given to it, and means that place. What was taken from there is given that place again
	// when it has to wait for something else, and is not invited by that.
	invite   = invited + 1
	ordinary = 0
	// resting is that of what was there when the operator started, and of what has nothing to do but to
	// be looked at again some time.
	resting = handler.LowPriority
)

// Queue makes the queue of a kind's controller. Where an object stands in it depends on
// how the object is, not on the event that put it there; and of what stands together, each namespace's
// next few come before the hundreds of another. halfDone may be nil for a kind that is not halfway ever.
func Queue[T Object](reader client.Reader, empty func() T, halfDone func(T) bool) func(string, limiter) requests {
	place := func(request reconcile.Request, given int, due bool) int {
		// A queue is given no context. The cache answers at once, but while it is being filled.
		ctx, cancel := context.WithTimeout(context.Background(), moment)
		defer cancel()
		obj := empty()
		if err := reader.Get(ctx, request.NamespacedName, obj, client.UnsafeDisableDeepCopy); err != nil {
			return given
		}
		return placeOf(obj, given, due && halfDone != nil && halfDone(obj))
	}
	return func(name string, l limiter) requests { return newQueue(name, l, place) }
}

// AddUrgently puts what is cut off from what it may use before all else, in a queue that Queue made and
// that a handler may have been given wrapped.
func AddUrgently(q requests, item reconcile.Request) {
	if places, is := q.(priorityqueue.PriorityQueue[reconcile.Request]); is {
		places.AddWithOpts(priorityqueue.AddOpts{Priority: new(cutOff)}, item)
		return
	}
	q.Add(item)
}

type (
	limiter  = workqueue.TypedRateLimiter[reconcile.Request]
	requests = workqueue.TypedRateLimitingInterface[reconcile.Request]
)

// placeOf is where an object stands that was given a place by what put it there.
func placeOf(obj Object, given int, halfDone bool) int {
	switch {
	case !obj.GetDeletionTimestamp().IsZero():
		return max(given, leaving)
	case halfDone:
		return max(given, halfway)
	}
	return given
}

// queue gives what is added its place.
type queue struct {
	priorityqueue.PriorityQueue[reconcile.Request]
	// place is where the object stands that was given a place, and is due now or waits.
	place func(request reconcile.Request, given int, due bool) int

	mu sync.Mutex
	// ready is what may be looked at now, and crowds says how much of it each namespace has.
	ready  map[reconcile.Request]struct{}
	crowds map[string]crowd
	// urgent are those of the items that are looked at now that were taken from the first place.
	urgent map[reconcile.Request]struct{}
}

func newQueue(name string, l limiter, place func(reconcile.Request, int, bool) int) *queue {
	return &queue{
		PriorityQueue: priorityqueue.New(name, func(o *priorityqueue.Opts[reconcile.Request]) { o.RateLimiter = l }),
		place:         place,
		ready:         map[reconcile.Request]struct{}{}, crowds: map[string]crowd{}, urgent: map[reconcile.Request]struct{}{},
	}
}

// crowd is what of a namespace may be looked at now.
type crowd struct {
	now int
	// behind is the furthest that one of them was put behind others. Who comes later is not put
	// before those, though there are fewer by then.
	behind int
}

func (q *queue) Add(item reconcile.Request) { q.AddWithOpts(priorityqueue.AddOpts{}, item) }

func (q *queue) AddAfter(item reconcile.Request, after time.Duration) {
	q.AddWithOpts(priorityqueue.AddOpts{After: after}, item)
}

func (q *queue) AddRateLimited(item reconcile.Request) {
	q.AddWithOpts(priorityqueue.AddOpts{RateLimited: true}, item)
}

// AddWithOpts adds each at its place. What has to wait first has an appointment: nobody of its namespace
// makes it come later. Only what rests then comes after all that has not been looked at yet.
func (q *queue) AddWithOpts(o priorityqueue.AddOpts, items ...reconcile.Request) {
	given := ordinary
	if o.Priority != nil {
		given = standing(*o.Priority)
	}
	due := o.After <= 0 && !o.RateLimited
	for _, item := range items {
		given := given
		if given == invited && q.isUrgent(item) {
			given = cutOff
		}
		place := q.place(item, given, due)
		switch {
		case due && place < cutOff:
			place -= q.join(item)
		case !due && place == resting:
			place -= furthest
		}
		o.Priority = new(place)
		q.PriorityQueue.AddWithOpts(o, item)
	}
}

// standing is the place that a given one stands for. What is looked at again is given the one that it
// had the last time, unless settle gives another; of those only the highest and the lowest mean something still.
func standing(given int) int {
	switch {
	case given >= cutOff:
		return cutOff
	case given <= resting:
		return resting
	case given == invite:
		return invited
	}
	return ordinary
}

func (q *queue) GetWithPriority() (reconcile.Request, int, bool) {
	item, place, shutdown := q.PriorityQueue.GetWithPriority()
	q.leave(item, place)
	return item, place, shutdown
}

func (q *queue) Done(item reconcile.Request) {
	q.mu.Lock()
	delete(q.urgent, item)
	q.mu.Unlock()
	q.PriorityQueue.Done(item)
}

// isUrgent tells that the item is being looked at, and was urgent.
func (q *queue) isUrgent(item reconcile.Request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, is := q.urgent[item]
	return is
}

func (q *queue) Get() (reconcile.Request, bool) {
	item, _, shutdown := q.GetWithPriority()
	return item, shutdown
}

// join counts the item, and gives by how much it stands behind those of namespaces that have less.
func (q *queue) join(item reconcile.Request) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := q.crowds[item.Namespace]
	if _, is := q.ready[item]; !is {
		q.ready[item] = struct{}{}
		c.now++
	}
	c.behind = max(c.behind, behind(c.now))
	q.crowds[item.Namespace] = c
	return c.behind
}

// leave counts the item no more, and notes that it is urgent, until it is done.
func (q *queue) leave(item reconcile.Request, place int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if place >= cutOff {
		q.urgent[item] = struct{}{}
	}
	if _, is := q.ready[item]; !is {
		return
	}
	delete(q.ready, item)
	c := q.crowds[item.Namespace]
	if c.now--; c.now == 0 {
		delete(q.crowds, item.Namespace)
		return
	}
	q.crowds[item.Namespace] = c
}

// furthest is the most that behind gives. Few steps are enough, and each is a label of the metric
// workqueue_depth, which has room for 25.
const furthest = 3

// behind is 0 for the first eight of a namespace, and one more for each eight times as many.
func behind(n int) int {
	steps := 0
	for n > 8 && steps < furthest {
		n, steps = (n+7)/8, steps+1
	}
	return steps
}
