package main

import (
	"context"
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
	// known are the keys by their names, ready those that are Ready for their present spec.
	known map[string]state
	ready int
}

// state is what the measurements ask of a key.
type state struct {
	ready   bool
	request string
	// since is when it was first seen to be Ready.
	since time.Time
}

// follow begins to know.
func (s *stage) follow(ctx context.Context) error {
	all, err := cache.New(s.rest, cache.Options{Scheme: s.kube.Scheme(), DefaultNamespaces: map[string]cache.Config{fleet: {}}})
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
	}); err != nil {
		return err
	}
	s.follower = f
	go func() { _ = all.Start(ctx) }()
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
		request: key.Status.RotateRequest, since: before.since,
	}
	if now.ready && before.since.IsZero() {
		now.since = time.Now()
	}
	f.known[key.Name] = now
	switch {
	case now.ready && !before.ready:
		f.ready++
	case !now.ready && before.ready:
		f.ready--
	}
}

// count gives how many keys are Ready.
func (f *follower) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ready
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
