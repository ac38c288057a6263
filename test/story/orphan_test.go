package story

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// TestOrphan: somebody takes the finalizer off a key and deletes it. The operator lists
// what is left in Okta, deactivates it, deletes it, and touches nothing else, with no
// more rights than config/ gives it.
func TestOrphan(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.bindRole("ledger_role.yaml")
	w.create(w.role("reader", "read"),
		w.key("lost", "reader", v1alpha1.DeliveryPrivateKeyJWT), w.key("kept", "reader", v1alpha1.DeliveryPrivateKeyJWT))
	p := w.start()
	lost, kept := readyKey(w, "lost"), readyKey(w, "kept")
	w.stop(p)

	unfinished := lost.DeepCopy()
	unfinished.Finalizers = nil
	if err := cluster.admin.Patch(t.Context(), unfinished, client.MergeFrom(lost)); err != nil {
		t.Fatal(err)
	}
	if err := cluster.admin.Delete(t.Context(), unfinished); err != nil {
		t.Fatal(err)
	}
	w.start(func(o *operator.Options) {
		o.Clock = hasty{}
		o.Config.Manager.LeaderElectionNamespace = w.namespace
		o.Config.Orphans.Policy = "Delete"
		// Lists are written to the second.
		o.Config.Orphans.Grace = metav1.Duration{Duration: 2 * time.Second}
	})
	w.eventually("the orphan is listed with its client id", func() bool {
		return strings.Contains(w.orphans(), lost.Status.ClientID)
	})
	w.mustAgentid("", "orphans", "--operator-namespace", w.namespace)
	w.eventually("its app is gone", func() bool { return len(w.org.Snapshot().Apps) == 1 })
	w.eventually("the list is empty again", func() bool { return strings.Contains(w.orphans(), "orphans: []") })
	w.eventually("what was done is told as events on the list", func() bool {
		return w.toldOfList("OrphanDeactivated") && w.toldOfList("OrphanDeleted")
	})
	if app := w.org.Snapshot().Apps[0]; app.ID != kept.Status.AppID || app.Status != "ACTIVE" {
		t.Errorf("the app that is left is %s, %s; want that of the key that is left", app.ID, app.Status)
	}
	w.mustWork(w.agent(string(kept.Spec.Secret.Name)), []string{"read"}, "write")
	if key := readyKey(w, "kept"); key.Status.AppID != kept.Status.AppID || key.Status.KeyID != kept.Status.KeyID {
		t.Errorf("the key that is left has another app or credential: %+v", key.Status)
	}
}

// hasty is a clock on which what is to be waited for comes a thousand times sooner.
type hasty struct{ clock.RealClock }

// NewTimer implements clock.Clock.
func (h hasty) NewTimer(d time.Duration) clock.Timer { return h.RealClock.NewTimer(d / 1000) }

// orphans is the list as it stands; empty while there is none.
func (w *world) orphans() string {
	w.Helper()
	list := &corev1.ConfigMap{}
	err := cluster.admin.Get(context.Background(), client.ObjectKey{Namespace: w.namespace, Name: "agent-identity-operator-orphans"}, list)
	if client.IgnoreNotFound(err) != nil {
		w.Fatal(err)
	}
	return list.Data["orphans.yaml"]
}

func (w *world) toldOfList(reason string) bool {
	w.Helper()
	var all eventsv1.EventList
	if err := cluster.admin.List(context.Background(), &all, client.InNamespace(w.namespace)); err != nil {
		w.Fatal(err)
	}
	for _, e := range all.Items {
		if e.Reason == reason && e.Regarding.Kind == "ConfigMap" && e.Regarding.Name == "agent-identity-operator-orphans" {
			return true
		}
	}
	return false
}

// eventually waits for what nothing can be watched for.
func (w *world) eventually(what string, done func() bool) {
	w.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if done() {
			return
		}
	}
	w.Fatalf("it does not come to be that %s; the list is:\n%s", what, w.orphans())
}
