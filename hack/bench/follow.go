package main

import (
	"context"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// follower knows how all keys are from what the API server tells of each change. To list ten
// thousand keys again and again would cost more than the operator does.
type follower struct {
	mu sync.Mutex
	// known are the keys by their names, which no two have; ready counts those that are Ready for
	// their present spec, and waiting those that wait for the rate limit.
	known          map[string]state
	ready, waiting int
}

// state is what the measurements ask of a key.
type state struct {
	ready, waiting bool
	request        string
	// app is its id in Okta.
	app string
	// since is when it was first seen to be Ready.
	since time.Time
}

// follow begins to know.
func (s *stage) follow(ctx context.Context) error {
	all, err := cache.New(s.rest, cache.Options{Scheme: s.kube.Scheme(), DefaultTransform: cache.TransformStripManagedFields()})
	if err != nil {
		return err
	}
	informer, err := all.GetInformer(ctx, &v1alpha1.AgentAPIKey{}, cache.BlockUntilSynced(false))
	if err != nil {
		return err
	}
	f := &follower{known: map[string]state{}}
	if _, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    f.see,
		UpdateFunc: func(_, now any) { f.see(now) },
		DeleteFunc: f.miss,
	}); err != nil {
		return err
	}
	s.follower = f
	// The API server waits a minute for watches before it ends.
	watching, end := context.WithCancel(ctx)
	s.unfollow = end
	go func() { _ = all.Start(watching) }()
	return nil
}

func (f *follower) see(obj any) {
	key, is := obj.(*v1alpha1.AgentAPIKey)
	if !is {
		return
	}
	condition := meta.FindStatusCondition(key.Status.Conditions, v1alpha1.ConditionReady)
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.known[key.Name]
	now := state{
		ready:   condition != nil && condition.Status == "True" && condition.ObservedGeneration == key.Generation,
		waiting: condition != nil && condition.Reason == v1alpha1.ReasonThrottled,
		request: key.Status.RotateRequest, app: key.Status.AppID, since: before.since,
	}
	if now.ready && before.since.IsZero() {
		now.since = time.Now()
	}
	f.known[key.Name] = now
	f.count(before, -1)
	f.count(now, 1)
}

// miss forgets a key that is gone.
func (f *follower) miss(obj any) {
	if last, is := obj.(toolscache.DeletedFinalStateUnknown); is {
		obj = last.Obj
	}
	key, is := obj.(*v1alpha1.AgentAPIKey)
	if !is {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count(f.known[key.Name], -1)
	delete(f.known, key.Name)
}

func (f *follower) count(key state, n int) {
	if key.ready {
		f.ready += n
	}
	if key.waiting {
		f.waiting += n
	}
}

// counts gives how many keys are Ready, and how many wait for the rate limit.
func (f *follower) counts() (ready, waiting int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ready, f.waiting
}

// knows is how many keys there are whose names begin so.
func (f *follower) knows(beginning string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for name := range f.known {
		if strings.HasPrefix(name, beginning) {
			n++
		}
	}
	return n
}

// sinces gives when each key was first seen to be Ready.
func (f *follower) sinces() map[string]time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[string]time.Time{}
	for name, key := range f.known {
		if !key.since.IsZero() {
			all[name] = key.since
		}
	}
	return all
}

// of gives what is known of a key.
func (f *follower) of(name string) state {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.known[name]
}

// carriedOut counts the keys that are Ready and have carried the request out.
func (f *follower) carriedOut(request string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, key := range f.known {
		if key.ready && key.request == request {
			n++
		}
	}
	return n
}
