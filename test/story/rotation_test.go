package story

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestHundredRotations replaces a credential a hundred times while three clients ask for
// tokens without pause: one that reads the files anew for each, one that reads them when
// its Deployment starts a pod, and one that has them in its environment. Time passes on
// a clock that is stepped, and never while a client is asking.
func TestHundredRotations(t *testing.T) {
	const rotations = 100
	for _, delivery := range deliveries {
		t.Run(string(delivery), func(t *testing.T) {
			t.Parallel()
			w := newStandingWorld(t, time.Now(), oktasim.Options{Limits: oktasim.LimitsUnlimited})
			seen := w.countCredentials()
			w.start(impatient)
			key := w.key("bot", "chat", delivery)
			key.Spec.RestartTargets = []v1alpha1.RestartTarget{{Kind: "Deployment", Name: "cached"}}
			w.create(w.role("chat", "a"), w.deployment("cached"), key)
			readyKey(w, "bot")
			w.create(w.environmentPod("env", "bot-okta"))
			w.podStarted("env")
			w.outrun()

			minters := w.mint("bot-okta", []string{"reading"}, []string{"cached", "environment"})
			for i := range rotations {
				request := fmt.Sprint("rotation ", i)
				w.requestRotation("bot", request)
				w.waitRotation("bot", request)
				w.pass(11 * time.Second) // longer than a restart waits for others
				w.waitRestarts("cached", int64(i+1))
				minters.reread("cached")
				w.podStarted("env")
				minters.reread("environment")
				w.pass(time.Hour)
				w.rotated("bot", request)
			}
			minters.stop()

			asked, failed := minters.count()
			all, most := seen.made()
			t.Logf("%d rotations, %d tokens asked for, %d refused, %d credentials in all, %d live at most",
				rotations, asked, len(failed), all, most)
			if len(failed) > 0 {
				t.Errorf("tokens were refused: %v", failed[:min(len(failed), 5)])
			}
			if all != rotations+1 || most != 2 {
				t.Errorf("%d credentials were made, and %d lived at once; want %d and 2", all, most, rotations+1)
			}
			w.mustWork(w.agent("bot-okta"), []string{"a"}, "b")
		})
	}
}

// credentials are all that an app has ever had.
type credentials struct {
	mu   sync.Mutex
	all  map[string]bool
	most int
}

// made says how many there have been, and how many of them lived at once.
func (c *credentials) made() (all, most int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.all), c.most
}

// countCredentials looks at the org after each write.
func (w *world) countCredentials() *credentials {
	seen := &credentials{all: map[string]bool{}}
	w.witness = func(state oktasim.State) {
		seen.mu.Lock()
		defer seen.mu.Unlock()
		for _, app := range state.Apps {
			for _, k := range app.Keys {
				seen.all[k.ID] = true
			}
			for _, s := range app.Secrets {
				seen.all[s.ID] = true
			}
		}
		seen.most = max(seen.most, liveIn(state.Apps))
	}
	return seen
}

// minters ask for tokens without pause.
type minters struct {
	secret func() agent
	asking *sync.RWMutex
	cancel context.CancelFunc
	done   sync.WaitGroup
	turns  map[string]*atomic.Int64

	mu     sync.Mutex
	held   map[string]agent
	failed []string
}

// mint starts minters: those that read the Secret anew for each token, and those that
// keep what they read until they reread.
func (w *world) mint(secret string, anew, keeping []string) *minters {
	w.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	m := &minters{
		secret: func() agent { return w.agent(secret) }, asking: &w.asking, cancel: cancel,
		turns: map[string]*atomic.Int64{}, held: map[string]agent{},
	}
	for _, name := range append(slices.Clone(anew), keeping...) {
		m.turns[name] = &atomic.Int64{}
		m.reread(name)
	}
	m.begin(ctx, anew)
	w.Cleanup(m.stop)
	return m
}

// mintWith starts one that keeps what it has.
func (w *world) mintWith(a agent) *minters {
	w.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	m := &minters{
		asking: &w.asking, cancel: cancel, turns: map[string]*atomic.Int64{"keeping": {}}, held: map[string]agent{"keeping": a},
	}
	m.begin(ctx, nil)
	w.Cleanup(m.stop)
	return m
}

func (m *minters) begin(ctx context.Context, anew []string) {
	for name := range m.turns {
		m.done.Go(func() {
			for ctx.Err() == nil {
				m.turn(name, slices.Contains(anew, name))
			}
		})
	}
}

// turn asks for one token, which takes no time.
func (m *minters) turn(name string, anew bool) {
	m.asking.RLock()
	defer m.asking.RUnlock()
	if anew {
		m.reread(name)
	}
	m.mu.Lock()
	a := m.held[name]
	m.mu.Unlock()
	_, oauthError, err := a.ask("a")
	if err != nil || oauthError != "" {
		m.mu.Lock()
		m.failed = append(m.failed, fmt.Sprintf("%s: %s %v", name, oauthError, err))
		m.mu.Unlock()
	}
	m.turns[name].Add(1)
}

// reread gives a minter what the Secret holds now.
func (m *minters) reread(name string) {
	a := m.secret()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held[name] = a
}

func (m *minters) stop() {
	m.cancel()
	m.done.Wait()
}

func (m *minters) count() (asked int64, failed []string) {
	for _, n := range m.turns {
		asked += n.Load()
	}
	return asked, m.failed
}

// waitRotation waits until the new credential is published.
func (w *world) waitRotation(name, request string) *v1alpha1.AgentAPIKey {
	w.Helper()
	key := &v1alpha1.AgentAPIKey{}
	w.waitFor(name, key, "ready with a credential for "+request, func() bool {
		return ready(key) && key.Status.RotateRequest == request
	})
	return key
}

// deployment is one whose pods nobody starts: there is no controller here.
func (w *world) deployment(name string) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "agent", Image: "agent"}}},
			},
		},
	}
}

// waitRestarts waits until the Deployment has been restarted that often in all.
func (w *world) waitRestarts(name string, want int64) {
	w.Helper()
	d := &appsv1.Deployment{}
	w.mended(func() string {
		w.get(name, d)
		if d.Generation != want+1 {
			return fmt.Sprintf("Deployment %s was restarted %d times, want %d", name, d.Generation-1, want)
		}
		return ""
	})
}

// outrun lets the story's clock get ahead of the API server's, which is the real one: what was made so
// far is older then than what changes next.
func (w *world) outrun() {
	w.Helper()
	w.pass(10 * time.Minute)
}

// environmentPod has the Secret in its environment.
func (w *world) environmentPod(name, secret string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "agent", Image: "agent", EnvFrom: []corev1.EnvFromSource{{
				SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: secret}},
			}},
		}}},
	}
}

// podStarted says, as a kubelet would, that the pod's container has been started now.
func (w *world) podStarted(name string) {
	w.Helper()
	pod := &corev1.Pod{}
	w.get(name, pod)
	pod.Status.Phase = corev1.PodRunning
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "agent", Image: "agent", Ready: true,
		State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(w.now())}},
	}}
	if err := cluster.admin.Status().Update(context.Background(), pod); err != nil {
		w.Fatalf("starting pod %s: %v", name, err)
	}
}
