package story

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// plot is what is going on while the operator is killed.
type plot struct {
	delivery v1alpha1.Delivery
	// prepare brings the world to where it begins, with an operator of its own.
	prepare func(*world)
	// provoke is what a person does.
	provoke func(*world)
	// finished tells from the key "bot", which may be gone, that all is done.
	finished func(*world, *v1alpha1.AgentAPIKey) bool
	// check holds what must be so at the end.
	check func(*world)
	// least is how many calls there are at least.
	least int
	// slow tells that Okta's lag is waited out on the way, by a clock that is stepped.
	slow bool
}

// TestKilledAnywhere kills the operator before and after every call it makes, loses
// every answer, and stops it before every call while another one takes over: on the
// way from nothing to a working Secret, while a credential is replaced, while a client
// is adopted and while a key is deleted. The calls are found by watching one run.
// After each, a new process must end with one app, one live credential, none of them
// unknown, and a Secret that works; or with nothing at all.
func TestKilledAnywhere(t *testing.T) {
	var total, struck atomic.Int32
	t.Run("plots", func(t *testing.T) {
		for name, p := range plots() {
			t.Run(name, func(t *testing.T) { p.run(t, &total, &struck) })
		}
	})
	t.Logf("killed, deafened or stopped at %d of %d points", struck.Load(), total.Load())
}

func plots() map[string]plot {
	all := map[string]plot{}
	for _, delivery := range deliveries {
		all["Create"+string(delivery)] = plot{
			delivery: delivery, prepare: func(*world) {}, least: 15,
			provoke: func(w *world) {
				w.create(w.role("chat", "a", "b"), w.restless("bot", "chat", delivery))
			},
			finished: isReady, check: worksOnce, slow: true,
		}
		all["Rotate"+string(delivery)] = plot{
			delivery: delivery, prepare: func(w *world) { w.issue(delivery) }, least: 6,
			provoke: func(w *world) { w.requestRotation("bot", "now") },
			finished: func(_ *world, key *v1alpha1.AgentAPIKey) bool {
				return ready(key) && key.Status.RotateRequest == "now" && len(key.Status.RetiringKeyIDs) == 0
			},
			check: worksOnce,
		}
		all["Delete"+string(delivery)] = plot{
			delivery: delivery, prepare: func(w *world) { w.issue(delivery) }, least: 5,
			provoke:  func(w *world) { w.delete(w.key("bot", "chat", delivery)) },
			finished: func(w *world, key *v1alpha1.AgentAPIKey) bool { return key == nil && len(w.ours().Policies) == 0 },
			check:    nothingLeft, slow: true,
		}
	}
	all["Adopt"] = plot{
		delivery: v1alpha1.DeliveryPrivateKeyJWT, least: 8,
		prepare: func(w *world) {
			app, err := w.org.AdminCreateApp(oktasim.NewApp{
				Label: "Legacy bot", ApplicationType: "service", GrantTypes: []string{"client_credentials"}, PublicJWK: foreignKey(w),
			})
			if err != nil {
				w.Fatal(err)
			}
			w.adopted = app.ClientID
			w.consent(app.ClientID, "bot")
		},
		provoke: func(w *world) {
			key := w.restless("bot", "chat", "")
			key.Spec.Adopt = &v1alpha1.Adoption{ClientID: w.adopted}
			w.create(w.role("chat", "a", "b"), key)
		},
		finished: isReady, check: worksOnce, slow: true,
	}
	return all
}

func isReady(_ *world, key *v1alpha1.AgentAPIKey) bool { return ready(key) }

func ready(key *v1alpha1.AgentAPIKey) bool {
	if key == nil || key.Status.ObservedGeneration != key.Generation {
		return false
	}
	return meta.IsStatusConditionTrue(key.Status.Conditions, v1alpha1.ConditionReady)
}

// restless is a key whose earlier credentials end at once.
func (w *world) restless(name, role string, delivery v1alpha1.Delivery) *v1alpha1.AgentAPIKey {
	key := w.key(name, role, delivery)
	key.Spec.Rotation = &v1alpha1.Rotation{Overlap: &metav1.Duration{}, MaxOverlap: &metav1.Duration{}}
	return key
}

// issue brings the key "bot" to work.
func (w *world) issue(delivery v1alpha1.Delivery) {
	w.Helper()
	p := w.start()
	w.create(w.role("chat", "a", "b"), w.restless("bot", "chat", delivery))
	readyKey(w, "bot")
	readyRole(w, "chat")
	w.stop(p)
}

// begin prepares the world. The operators of a slow plot share a clock that stands
// until the story steps it.
func (p plot) begin(w *world) {
	w.Helper()
	p.prepare(w)
	if p.slow {
		w.standing = clocktesting.NewFakeClock(time.Now())
	}
}

func (p plot) run(t *testing.T, total, struck *atomic.Int32) {
	recorded := newSeam(point{})
	reference := newWorld(t, oktasim.Options{})
	p.begin(reference)
	process := reference.start(recorded.into, impatient)
	p.provoke(reference)
	p.waitFinished(reference, recorded)
	reference.stop(process)
	points := recorded.points()
	t.Logf("%d calls, %d points", len(recorded.order), len(points))
	if len(recorded.order) < p.least {
		t.Fatalf("only %d calls found: is the seam in place? %v", len(recorded.order), recorded.order)
	}
	total.Add(int32(len(points)))
	t.Run("points", func(t *testing.T) {
		for i, at := range points {
			if i%everyPoint != 0 {
				continue
			}
			t.Run(at.String(), func(t *testing.T) {
				t.Parallel()
				if p.struckAt(t, at) {
					struck.Add(1)
				} else if !at.mayFallAway() && !recorded.onlyRepeats(at.call, at.nth) {
					t.Error("this run did not come by the point")
				}
			})
		}
	})
}

// mayFallAway tells a call that not every run makes: a status write, for two
// controllers work at once, and each writes only what has changed since it last looked;
// taking the finalizer off again, after a conflict with a status write of our own that
// the cache did not show yet; and another look at the app, for the same reason.
func (p point) mayFallAway() bool {
	again := strings.Contains(p.call, "patch AgentAPIKey") || strings.HasPrefix(p.call, "Okta GET ")
	return strings.Contains(p.call, "patch status of") || again && p.nth > 1
}

// struckAt lets one process be struck at the point and another finish. It says whether
// the point was reached.
func (p plot) struckAt(t *testing.T, at point) bool {
	w := newWorld(t, oktasim.Options{})
	p.begin(w)
	s := newSeam(at)
	first := w.start(s.into, impatient)
	p.provoke(w)
	p.waitFinished(w, s)
	// A process that is finished may still make a call, which must not stop it now.
	struck := s.disarm()
	if at.phase == pausedCall && struck {
		p.overtaken(w, s, first)
	} else {
		w.stop(first)
		w.start(impatient)
		p.waitFinished(w, nil)
	}
	p.check(w)
	return struck
}

// overtaken lets another process finish, lets the stopped one make its last call,
// and then a third see to what that did.
func (p plot) overtaken(w *world, s *seam, stopped *process) {
	second := w.start(impatient)
	p.waitFinished(w, nil)
	w.quiet()
	close(s.goOn)
	<-s.went
	w.stop(stopped)
	w.stop(second)
	third := newSeam(point{})
	w.start(third.into, impatient)
	w.eventually("the third process looks at Okta", func() bool { return third.toOkta() > 0 })
	p.waitFinished(w, nil)
	w.quiet()
}

// waitFinished waits until all is done, or the seam has struck.
func (p plot) waitFinished(w *world, s *seam) {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if s != nil {
		go func() {
			select {
			case <-s.struck:
				if s.target.phase != lostAnswer {
					cancel()
				}
			case <-ctx.Done():
			}
		}()
	}
	finished := w.pollKey(ctx, "bot", func(key *v1alpha1.AgentAPIKey) bool {
		w.waitOutLag(key)
		return p.finished(w, key)
	})
	if !finished && (s == nil || !s.reached()) {
		w.Fatal("the process neither is struck nor finishes")
	}
}

// waitOutLag lets two minutes pass on the standing clock when the key, or its role, waits
// for Okta to show what was written.
func (w *world) waitOutLag(key *v1alpha1.AgentAPIKey) {
	w.Helper()
	if w.standing == nil || key == nil {
		return
	}
	var role v1alpha1.AIAgentRole
	err := cluster.admin.Get(context.Background(), client.ObjectKey{Namespace: w.namespace, Name: "chat"}, &role)
	if !waits(key.Status.Conditions) && (err != nil || !waits(role.Status.Conditions)) {
		return
	}
	w.standing.Step(2 * time.Minute)
	w.nudgeByNamespace()
}

// waits tells that Okta may not show yet what was written.
func waits(conditions []metav1.Condition) bool {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Reason == v1alpha1.ReasonWaitingForDirectory
}

// worksOnce holds that it comes to one app, one live credential of ours, and a Secret that works.
func worksOnce(w *world) {
	w.Helper()
	w.mended(func() string { return amiss(w) })
	readyKey(w, "bot")
	w.mustWork(w.agent("bot-okta"), []string{"a", "b"}, "c")
}

// amiss says what in Okta is not as it should be for the key "bot"; "" when all is.
func amiss(w *world) string {
	w.Helper()
	key, state := readyKey(w, "bot"), w.ours()
	got := fmt.Sprintf("%d apps, %d groups, %d policies, %d rules, %d servers, %d live credentials",
		len(state.Apps), len(state.Groups), len(state.Policies), len(state.Rules), len(state.Servers), liveIn(state.Apps))
	if want := "1 apps, 1 groups, 1 policies, 1 rules, 1 servers, 1 live credentials"; got != want {
		return fmt.Sprintf("in Okta: %s; want %s", got, want)
	}
	if app := state.Apps[0]; app.ClientID != key.Status.ClientID || app.Status != "ACTIVE" {
		return fmt.Sprintf("app %s is %s, want %s ACTIVE", app.ClientID, app.Status, key.Status.ClientID)
	}
	return ""
}

// liveIn counts the active credentials but the one that a person added. A secret that
// stands twice in an app, by a request that was carried out late, is one credential.
func liveIn(apps []oktasim.App) int {
	live := 0
	for _, app := range apps {
		for _, k := range app.Keys {
			if k.KID != foreignKeyID {
				live += live01(k.Status)
			}
		}
		secrets := map[string]bool{}
		for _, secret := range app.Secrets {
			if secret.Status == "ACTIVE" {
				secrets[secret.Hash] = true
			}
		}
		live += len(secrets)
	}
	return live
}

func nothingLeft(w *world) {
	w.Helper()
	if state := w.ours(); len(state.Apps)+len(state.Policies)+len(state.Rules) != 0 {
		w.Errorf("left in Okta: %+v", state)
	}
	w.mustHaveNoSecrets()
}

func live01(status string) int {
	if status == "ACTIVE" {
		return 1
	}
	return 0
}
