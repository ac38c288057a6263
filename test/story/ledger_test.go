package story

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// ledger is what the org's own operation log says.
type ledger struct {
	management, gets, writes, tokens, throttled, secretReads int
	lines                                                    map[string]int
}

func count(operations []oktasim.Operation) ledger {
	l := ledger{lines: map[string]int{}}
	for _, op := range operations {
		l.lines[fmt.Sprintf("%s %s %d", op.Method, op.Template, op.Status)]++
		switch {
		case op.TokenRequest:
			l.tokens++
		case op.Management:
			l.management++
			if op.Method == http.MethodGet {
				l.gets++
			}
			if op.Write {
				l.writes++
			}
		}
		if op.Status == http.StatusTooManyRequests {
			l.throttled++
		}
		if op.SecretRead {
			l.secretReads++
		}
	}
	return l
}

func (l ledger) summary() string {
	var lines []string
	for line, n := range l.lines {
		lines = append(lines, fmt.Sprintf("%d × %s", n, line))
	}
	slices.Sort(lines)
	return strings.Join(lines, "; ")
}

// quiet waits until neither Okta nor the namespace has seen a change for a second.
func (w *world) quiet() {
	w.Helper()
	last, since := w.pulse(), time.Now()
	err := wait.PollUntilContextTimeout(context.Background(), 50*time.Millisecond, patience, true,
		func(context.Context) (bool, error) {
			if now := w.pulse(); now != last {
				last, since = now, time.Now()
			}
			return time.Since(since) > time.Second, nil
		})
	if err != nil {
		w.Fatalf("the world does not come to rest: %s", count(w.org.Operations()).summary())
	}
}

// pulse changes whenever anything was asked of Okta, but a token, which agents ask for
// too, or written to the namespace.
func (w *world) pulse() string {
	return fmt.Sprint(count(w.org.Operations()).management, w.versions())
}

// caughtUp waits until as many objects were reconciled as there are, counted from start.
func (w *world) caughtUp(start float64, objects int) {
	w.Helper()
	err := wait.PollUntilContextTimeout(context.Background(), 50*time.Millisecond, patience, true,
		func(context.Context) (bool, error) { return reconciled(w)-start >= float64(objects), nil })
	if err != nil {
		w.Fatalf("the operator has not looked at all %d objects", objects)
	}
}

// reconciled counts the reconciliations of all processes of this test binary.
func reconciled(w *world) float64 {
	families, err := metrics.Registry.Gather()
	if err != nil {
		w.Fatal(err)
	}
	total := 0.0
	for _, family := range families {
		if family.GetName() != "controller_runtime_reconcile_total" {
			continue
		}
		for _, metric := range family.GetMetric() {
			total += metric.GetCounter().GetValue()
		}
	}
	return total
}

func itemsOf(w *world, list client.ObjectList) []client.Object {
	w.Helper()
	items, err := meta.ExtractList(list)
	if err != nil {
		w.Fatal(err)
	}
	objects := make([]client.Object, 0, len(items))
	for _, item := range items {
		objects = append(objects, item.(client.Object))
	}
	return objects
}

func (w *world) update(obj client.Object) {
	w.Helper()
	if err := cluster.admin.Update(context.Background(), obj); err != nil {
		w.Fatalf("updating %T %s: %v", obj, obj.GetName(), err)
	}
}

// deleteAndWait deletes the object and waits until it is gone.
func (w *world) deleteAndWait(obj client.Object) {
	w.Helper()
	w.delete(obj)
	w.waitGone(obj)
}

func (w *world) delete(obj client.Object) {
	w.Helper()
	if err := cluster.admin.Delete(context.Background(), obj); err != nil {
		w.Fatalf("deleting %T %s: %v", obj, obj.GetName(), err)
	}
}

func (w *world) waitGone(obj client.Object) {
	w.Helper()
	w.waitGoneWithin(patience, obj)
}

func (w *world) waitGoneWithin(limit time.Duration, obj client.Object) {
	w.Helper()
	err := wait.PollUntilContextTimeout(context.Background(), 20*time.Millisecond, limit, true,
		func(ctx context.Context) (bool, error) {
			err := cluster.admin.Get(ctx, client.ObjectKeyFromObject(obj), obj)
			return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
		})
	if err != nil {
		w.Fatalf("%T %s does not go: %v", obj, obj.GetName(), err)
	}
}

// mustHaveNoSecrets holds that nothing is left but what the story put there itself.
func (w *world) mustHaveNoSecrets(but ...string) {
	w.Helper()
	var secrets corev1.SecretList
	if err := cluster.admin.List(context.Background(), &secrets, client.InNamespace(w.namespace)); err != nil {
		w.Fatal(err)
	}
	for i := range secrets.Items {
		if !slices.Contains(but, secrets.Items[i].Name) {
			w.Errorf("Secret %s is there", secrets.Items[i].Name)
		}
	}
}

// ours is what stands in the org beside what every new org has.
func (w *world) ours() oktasim.State {
	state := w.org.Snapshot()
	state.Groups = slices.DeleteFunc(state.Groups, func(g oktasim.Group) bool { return g.Type == "BUILT_IN" })
	preset := map[string]bool{}
	for _, server := range state.Servers {
		preset[server.ID] = server.Default
	}
	state.Servers = slices.DeleteFunc(state.Servers, func(s oktasim.Server) bool { return s.Default })
	state.Scopes = slices.DeleteFunc(state.Scopes, func(s oktasim.Scope) bool { return s.System || preset[s.ServerID] })
	state.Policies = slices.DeleteFunc(state.Policies, func(p oktasim.Policy) bool { return preset[p.ServerID] })
	state.Rules = slices.DeleteFunc(state.Rules, func(r oktasim.Rule) bool { return preset[r.ServerID] })
	return state
}

// waitForBytes waits until the Secrets hold exactly these bytes.
func (w *world) waitForBytes(want map[string]map[string][]byte) {
	w.Helper()
	err := wait.PollUntilContextTimeout(context.Background(), 20*time.Millisecond, patience, true,
		func(context.Context) (bool, error) { return reflect.DeepEqual(want, w.secretBytes()), nil })
	if err != nil {
		w.Fatal("the Secrets do not come back as they were")
	}
}

// mended waits until nothing is amiss any more.
func (w *world) mended(amiss func() string) {
	w.Helper()
	w.mendedWithin(patience, amiss)
}

func (w *world) mendedWithin(limit time.Duration, amiss func() string) {
	w.Helper()
	problem := ""
	err := wait.PollUntilContextTimeout(context.Background(), 50*time.Millisecond, limit, true,
		func(context.Context) (bool, error) {
			problem = amiss()
			return problem == "", nil
		})
	if err != nil {
		w.Error(problem)
	}
}
