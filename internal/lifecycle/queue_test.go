package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

func request(namespace string, i int) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: fmt.Sprintf("key-%05d", i)}}
}

// given leaves everything where it was put.
func given(_ reconcile.Request, given int, _ bool) int { return given }

// at adds as a handler does that knows the place.
func at(place int) priorityqueue.AddOpts { return priorityqueue.AddOpts{Priority: new(place)} }

// drained takes everything that is due, and gives it in the order in which it came.
func drained(q *queue) []reconcile.Request {
	var all []reconcile.Request
	for q.Len() > 0 {
		item, _ := q.Get()
		all = append(all, item)
		q.Done(item)
	}
	return all
}

// bubble runs a test of a queue in virtual time.
func bubble(t *testing.T, place func(reconcile.Request, int, bool) int, test func(t *testing.T, q *queue)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue("test", Backoff(0), place)
		defer q.ShutDown()
		test(t, q)
	})
}

// TestFewBeforeMany: five keys of a namespace come after thousands of another, when these are new, when the operator
// has just started, and when all of these had been at rest; and wait for eight of them at most.
func TestFewBeforeMany(t *testing.T) {
	for name, o := range map[string]priorityqueue.AddOpts{"new": {}, "at the start": at(resting), "at rest": {}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, given, func(t *testing.T, q *queue) {
				for i := range 4000 {
					if name == "at rest" {
						done := settle(Outcome{}, nil, time.Hour).result
						q.AddWithOpts(priorityqueue.AddOpts{After: done.RequeueAfter, Priority: done.Priority}, request("fleet", i))
						<-time.After(time.Nanosecond)
					}
					q.AddWithOpts(o, request("fleet", i))
				}
				for i := range 5 {
					q.AddWithOpts(o, request("small", i))
				}
				order := drained(q)
				if len(order) != 4005 {
					t.Fatalf("%d of 4005 came", len(order))
				}
				if last := slices.Index(order, request("small", 4)); last > 8+4 {
					t.Errorf("the last of five came after %d", last)
				}
				fleet := slices.DeleteFunc(order, func(r reconcile.Request) bool { return r.Namespace == "small" })
				if !slices.IsSortedFunc(fleet, func(a, b reconcile.Request) int { return strings.Compare(a.Name, b.Name) }) {
					t.Error("within a namespace who came first is not looked at first")
				}
			})
		})
	}
}

// TestLaterIsLater: of one namespace nothing comes before what has waited longer, although fewer wait by then.
func TestLaterIsLater(t *testing.T) {
	bubble(t, given, func(t *testing.T, q *queue) {
		for i := range 1000 {
			q.Add(request("fleet", i))
		}
		for i := range 990 {
			if item, _ := q.Get(); item != request("fleet", i) {
				t.Fatalf("%s came as the %d.", item, i)
			}
			q.Done(request("fleet", i))
		}
		q.Add(request("fleet", 1000))
		if order := drained(q); order[len(order)-1] != request("fleet", 1000) {
			t.Errorf("who came last was looked at before who waited: %v", order)
		}
	})
}

// TestAppointment: what waits for its time is looked at when that has come, whatever else there is of its namespace.
func TestAppointment(t *testing.T) {
	bubble(t, given, func(t *testing.T, q *queue) {
		q.AddAfter(request("fleet", 7777), time.Minute)
		<-time.After(time.Minute - time.Nanosecond)
		for i := range 1000 {
			q.Add(request("fleet", i))
		}
		if q.Len() != 1000 {
			t.Fatalf("%d are due", q.Len())
		}
		<-time.After(time.Nanosecond)
		synctest.Wait()
		if at := slices.Index(drained(q), request("fleet", 7777)); at > 8 {
			t.Errorf("it came after %d", at)
		}
	})
}

// TestInvited: what a rate limit told when to come comes then before all news, what had been there at the start
// too, and what is urgent stays so.
func TestInvited(t *testing.T) {
	bubble(t, given, func(t *testing.T, q *queue) {
		for i, place := range []int{resting, cutOff, ordinary} {
			q.AddWithOpts(at(place), request("fleet", i))
		}
		for range 3 {
			item, _ := q.Get()
			q.AddWithOpts(priorityqueue.AddOpts{After: time.Minute, Priority: new(invite)}, item)
			q.Done(item)
		}
		q.Add(request("small", 3))
		<-time.After(time.Minute)
		synctest.Wait()
		for _, want := range []struct{ key, place int }{{1, cutOff}, {2, invited}, {0, invited}} {
			if item, place, _ := q.GetWithPriority(); item != request("fleet", want.key) || place != want.place {
				t.Errorf("%s came from %d, want %s from %d", item, place, request("fleet", want.key), want.place)
			}
		}
		if len(q.urgent) != 1 {
			t.Errorf("%d are urgent", len(q.urgent))
		}
	})
}

// TestChurn is P11 of the goals: what was there at the start is not kept waiting by a tenth of it that is
// looked at again each second.
func TestChurn(t *testing.T) {
	const objects, look = 10_000, time.Millisecond
	bubble(t, given, func(t *testing.T, q *queue) {
		for i := range objects {
			q.AddWithOpts(at(resting), request("fleet", i))
		}
		began, seen := time.Now(), sets.Set[reconcile.Request]{}
		for seen.Len() < objects {
			item, place, _ := q.GetWithPriority()
			<-time.After(look)
			if seen.Insert(item); item.Name[len(item.Name)-1] == '0' {
				q.AddWithOpts(priorityqueue.AddOpts{After: time.Second, Priority: new(place)}, item)
			}
			q.Done(item)
		}
		if took := time.Since(began); took > 2*objects*look {
			t.Errorf("it took %s to look at all; without those that come again it takes %s", took, objects*look)
		}
	})
}

// TestPlaces: where an object stands.
func TestPlaces(t *testing.T) {
	var plain, leaves v1alpha1.AgentAPIKey
	leaves.DeletionTimestamp = new(metav1.Now())
	for name, c := range map[string]struct {
		key      v1alpha1.AgentAPIKey
		given    int
		halfDone bool
		want     int
	}{
		"News":               {plain, ordinary, false, ordinary},
		"AtTheStart":         {plain, resting, false, resting},
		"AgainSinceTheStart": {plain, resting - furthest, false, resting},
		"Halfway":            {plain, ordinary, true, halfway},
		"HalfwayAtTheStart":  {plain, resting, true, halfway},
		"WasHalfway":         {plain, halfway - furthest, false, ordinary},
		"Invited":            {plain, invite, false, invited},
		"WasInvited":         {plain, invited, false, ordinary},
		"Leaving":            {leaves, ordinary, false, leaving},
		"LeavingHalfway":     {leaves, resting, true, leaving},
		"CutOff":             {plain, cutOff, true, cutOff},
		"CutOffAndLeaving":   {leaves, cutOff, false, cutOff},
	} {
		t.Run(name, func(t *testing.T) {
			if place := placeOf(&c.key, standing(c.given), c.halfDone); place != c.want {
				t.Errorf("place %d, want %d", place, c.want)
			}
		})
	}
}

// TestQueueLooks: the place comes from how the object is when it is added; one that waits for its time is not
// ahead for being halfway, and one that is gone stands where it was put.
func TestQueueLooks(t *testing.T) {
	key := func(i int, clientID string) *v1alpha1.AgentAPIKey {
		name := request("fleet", i)
		return &v1alpha1.AgentAPIKey{
			ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name, Finalizers: []string{Finalizer}},
			Status:     v1alpha1.AgentAPIKeyStatus{ClientID: clientID},
		}
	}
	leaves := key(1, "")
	leaves.DeletionTimestamp = new(metav1.Now())
	reader := fake.NewClientBuilder().WithScheme(scheme(t)).WithObjects(leaves, key(2, "client"), key(3, "client")).Build()
	registered := func(key *v1alpha1.AgentAPIKey) bool { return key.Status.ClientID != "" }
	synctest.Test(t, func(t *testing.T) {
		made := Queue(reader, func() *v1alpha1.AgentAPIKey { return &v1alpha1.AgentAPIKey{} }, registered)("test", Backoff(0))
		q, is := made.(*queue)
		if !is {
			t.Fatalf("a %T", made)
		}
		defer q.ShutDown()
		q.AddAfter(request("fleet", 3), time.Second)
		<-time.After(time.Second)
		synctest.Wait() // the queue's own timer is due at the same moment
		q.Add(request("fleet", 4))
		q.Add(request("fleet", 2))
		q.Add(request("fleet", 1))
		for _, want := range []struct{ key, place int }{{1, leaving}, {2, halfway}, {3, ordinary}, {4, ordinary}} {
			if item, place, _ := q.GetWithPriority(); item != request("fleet", want.key) || place != want.place {
				t.Errorf("%s stands at %d, want %s at %d", item, place, request("fleet", want.key), want.place)
			}
		}
	})
}

// TestAddUrgently: a handler is given the queue wrapped, and what it adds urgently comes first all the same.
func TestAddUrgently(t *testing.T) {
	urgently := handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q requests) {
			AddUrgently(q, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(e.Object)})
		},
	}
	synctest.Test(t, func(t *testing.T) {
		q := newQueue("test", Backoff(0), given)
		defer q.ShutDown()
		q.Add(request("fleet", 1))
		cut := request("fleet", 2)
		urgently.Create(t.Context(), event.CreateEvent{Object: &v1alpha1.AgentAPIKey{
			ObjectMeta: metav1.ObjectMeta{Namespace: cut.Namespace, Name: cut.Name},
		}}, q)
		if item, place, _ := q.GetWithPriority(); item != cut || place != cutOff {
			t.Errorf("%s comes first, at %d", item, place)
		}
	})
}

// TestPlacesFitTheMetric: workqueue_depth tells 25 places apart, and none beyond.
func TestPlacesFitTheMetric(t *testing.T) {
	all := sets.New(cutOff)
	for _, place := range []int{leaving, halfway, invited, ordinary, resting} {
		for n := 1; n < 1_000_000; n *= 3 {
			all.Insert(place - behind(n))
		}
	}
	if all.Len() > 25 {
		t.Errorf("%d places: %v", all.Len(), sets.List(all))
	}
}
