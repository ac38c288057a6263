package auditsink

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit"
	"github.com/agentidentity/agent-identity-operator/internal/audit/detect"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

func scheme() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(v1alpha1.AddToScheme(s))
	return s
}

// answering is a controller whose cluster lets policies be created once it works.
type answering struct {
	*Controller
	works atomic.Bool
	told  []string
}

func newAnswering(there ...client.Object) *answering {
	there = append(there, &v1alpha1.AgentAPIKey{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "bot", UID: "u1"}})
	a := &answering{}
	a.works.Store(true)
	c := fake.NewClientBuilder().WithScheme(scheme()).WithObjects(there...).WithInterceptorFuncs(interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			if !a.works.Load() {
				return errors.New("the API server is away")
			}
			return c.Create(ctx, obj, opts...)
		},
	}).Build()
	journal := audit.NewJournal(func(e *event.Event) { a.told = append(a.told, e.Outcome.Reason) })
	a.Controller = &Controller{
		Client: c, Live: c, Journal: journal, Incident: "incident", Clock: clock.RealClock{}, Recorder: events.NewFakeRecorder(100),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{}),
	}
	return a
}

func (a *answering) responder() *responder {
	return &responder{c: a.Controller, sink: &v1alpha1.AuditSink{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "sink"}}}
}

// thief is a finding that suspends the key team/bot.
func thief() detect.Finding {
	return detect.Finding{
		Detection: "ghost", Response: v1alpha1.ResponseSuspend, Mode: v1alpha1.ModeAct, Events: []string{"e1"}, Message: "used",
		Agent: &event.Agent{Object: event.Object{Namespace: "team", Name: "bot", UID: "u1"}},
	}
}

// policyOf is what thief leads to.
func policyOf(t *testing.T, a *answering) *v1alpha1.AccessPolicy {
	t.Helper()
	var all v1alpha1.AccessPolicyList
	if err := a.Client.List(t.Context(), &all, client.InNamespace("incident")); err != nil {
		t.Fatal(err)
	}
	if len(all.Items) != 1 {
		t.Fatalf("%d policies, want one", len(all.Items))
	}
	return &all.Items[0]
}

// away has the cluster be away for that long after a finding, and gives what is told until two
// hours later.
func away(t *testing.T, long time.Duration, ended func(*answering)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		a := newAnswering()
		a.works.Store(false)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- a.retries.run(ctx) }()
		a.responder().respond(ctx, thief())
		time.Sleep(long)
		a.works.Store(true)
		time.Sleep(2 * time.Hour)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		ended(a)
	})
}

// TestRespondsAgain holds that a response that did not come about for the cluster was away is
// given when it is back, and told of both times; and that nobody is suspended for what was found
// long ago.
func TestRespondsAgain(t *testing.T) {
	away(t, 10*time.Minute, func(a *answering) {
		if diff := cmp.Diff([]string{doneFailed, doneSuspend}, a.told); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
		policyOf(t, a)
	})
	away(t, 2*time.Hour, func(a *answering) {
		if diff := cmp.Diff([]string{doneFailed}, a.told); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

// TestSuspendedIsSo holds that an agent is called suspended only where the policy that is there
// cuts it off.
func TestSuspendedIsSo(t *testing.T) {
	first := newAnswering()
	if done, err := first.responder().suspend(t.Context(), thief()); done != doneSuspend || err != nil {
		t.Fatalf("%s, %v", done, err)
	}
	ours := policyOf(t, first)
	changed := func(change func(*v1alpha1.AccessPolicy)) *v1alpha1.AccessPolicy {
		p := restraint.QuarantineOf(types.NamespacedName{Namespace: "team", Name: "bot"}, client.ObjectKeyFromObject(ours), "reason")
		change(p)
		return p
	}
	for name, tt := range map[string]struct {
		there *v1alpha1.AccessPolicy
		want  string
	}{
		"the same": {changed(func(*v1alpha1.AccessPolicy) {}), doneSuspend},
		"of another key": {changed(func(p *v1alpha1.AccessPolicy) {
			p.Spec.Quarantine.Targets.Keys = []v1alpha1.KeyReference{{Namespace: "team", Name: "other"}}
		}), doneFailed},
		"of another type": {changed(func(p *v1alpha1.AccessPolicy) {
			p.Spec = v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyCeiling}
		}), doneFailed},
		"on its way out": {changed(func(p *v1alpha1.AccessPolicy) {
			p.Finalizers, p.DeletionTimestamp = []string{"example.com/held"}, new(metav1.Now())
		}), doneFailed},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAnswering(tt.there)
			if done, err := a.responder().suspend(t.Context(), thief()); done != tt.want || (err != nil) != (tt.want == doneFailed) {
				t.Errorf("%s, %v; want %s", done, err, tt.want)
			}
		})
	}
}

// TestNamesakeIsLeftAlone holds that nobody answers for what another key of the name did.
func TestNamesakeIsLeftAlone(t *testing.T) {
	finding := thief()
	finding.Agent.UID = "u0"
	for _, response := range []v1alpha1.DetectionResponse{v1alpha1.ResponseSuspend, v1alpha1.ResponseRotate} {
		finding.Response = response
		a := newAnswering()
		if done, err := a.responder().act(t.Context(), finding); done != doneGone || err != nil {
			t.Errorf("%s: %s, %v", response, done, err)
		}
		var policies v1alpha1.AccessPolicyList
		if err := a.Client.List(t.Context(), &policies); err != nil || len(policies.Items) > 0 {
			t.Errorf("%s: %d policies, %v", response, len(policies.Items), err)
		}
	}
}
