package lifecycle

import (
	"context"
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// counted is a kind that waits, and counts how often it is looked at.
type counted struct{ looks int }

func (k *counted) New() *v1alpha1.AgentAPIKey { return &v1alpha1.AgentAPIKey{} }

func (k *counted) Ensure(context.Context, *v1alpha1.AgentAPIKey) (Outcome, error) {
	k.looks++
	return Outcome{}, &identity.Error{Kind: identity.Waiting, Reason: "Waits", Message: "it waits", RetryAfter: time.Minute}
}

func (k *counted) Release(context.Context, *v1alpha1.AgentAPIKey) (Outcome, error) {
	return Outcome{}, errors.New("nothing is deleted here")
}

// TestSuperseded: what a cache that is behind shows of an object is not looked at again, and nothing is
// written twice; what comes next is.
func TestSuperseded(t *testing.T) {
	key := &v1alpha1.AgentAPIKey{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "bot"}}
	request := ctrl.Request{NamespacedName: client.ObjectKeyFromObject(key)}
	var behind []*v1alpha1.AgentAPIKey
	writes := 0
	api := fake.NewClientBuilder().WithScheme(scheme(t)).WithObjects(key).WithStatusSubresource(key).Build()
	cached := interceptor.NewClient(api, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, name client.ObjectKey, obj client.Object, o ...client.GetOption) error {
			if out, is := obj.(*v1alpha1.AgentAPIKey); is && len(behind) > 0 {
				*out = *behind[0].DeepCopy()
				behind = behind[1:]
				return nil
			}
			return c.Get(ctx, name, obj, o...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, o ...client.PatchOption) error {
			writes++
			if out, is := obj.(*v1alpha1.AgentAPIKey); is {
				defer func() { behind = append(behind, out.DeepCopy()) }()
			}
			return c.Patch(ctx, obj, patch, o...)
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, obj client.Object, patch client.Patch, o ...client.SubResourcePatchOption) error {
			writes++
			return c.SubResource(sub).Patch(ctx, obj, patch, o...)
		},
	})
	kind, clock := &counted{}, clocktesting.NewFakePassiveClock(time.Unix(1_000_000_000, 0))
	loop := &Loop[*v1alpha1.AgentAPIKey]{
		Kind: kind, Client: cached, Recorder: events.NewFakeRecorder(10), Clock: clock, Resync: time.Hour,
	}
	look := func() ctrl.Result {
		t.Helper()
		result, err := loop.Reconcile(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	first := &v1alpha1.AgentAPIKey{}
	if err := api.Get(t.Context(), request.NamespacedName, first); err != nil {
		t.Fatal(err)
	}
	look()
	claimed := behind[0]
	if kind.looks != 1 || writes != 2 {
		t.Fatalf("%d looks with %d writes, want the finalizer and the status of one", kind.looks, writes)
	}
	for name, version := range map[string]*v1alpha1.AgentAPIKey{"before all": first, "with the finalizer": claimed} {
		behind = []*v1alpha1.AgentAPIKey{version}
		if result := look(); kind.looks != 1 || writes != 2 || result.RequeueAfter != heard {
			t.Errorf("the version %s is looked at again: %d looks, %d writes, %v", name, kind.looks, writes, result)
		}
	}
	if result := look(); kind.looks != 2 || writes != 2 || result.RequeueAfter == 0 {
		t.Errorf("the newest version is not looked at, or written again: %d looks, %d writes, %v", kind.looks, writes, result)
	}
	if len(loop.superseded.objects) > 0 {
		t.Errorf("versions stay remembered: %v", loop.superseded.objects)
	}
}

// TestSupersededEnds: a watch that hangs keeps nobody from being looked at for long.
func TestSupersededEnds(t *testing.T) {
	var s superseded
	now := time.Unix(1_000_000_000, 0)
	key := &v1alpha1.AgentAPIKey{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "bot", ResourceVersion: "2"}}
	s.by(key, "1", now)
	key.ResourceVersion = "1"
	if !s.has(key, now.Add(heard-1)) {
		t.Error("what was replaced is not waited for")
	}
	if s.has(key, now.Add(heard)) {
		t.Error("what was replaced is waited for without an end")
	}
}

// TestSupersededForgets: of an object that is gone nothing is remembered.
func TestSupersededForgets(t *testing.T) {
	var s superseded
	key := &v1alpha1.AgentAPIKey{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "bot", ResourceVersion: "2"}}
	s.by(key, "1", time.Unix(1_000_000_000, 0))
	loop := &Loop[*v1alpha1.AgentAPIKey]{Kind: &counted{}, Client: fake.NewClientBuilder().WithScheme(scheme(t)).Build()}
	loop.superseded.objects = s.objects
	if _, err := loop.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(key)}); err != nil {
		t.Fatal(err)
	}
	if len(s.objects) > 0 {
		t.Errorf("versions stay remembered: %v", s.objects)
	}
}
