package story

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

var (
	killsFlag = flag.Int("story.kills", 10, "how often TestKillNine kills the operator")
	killsSeed = flag.Uint64("story.kills-seed", 1, "what chance TestKillNine begins with")
)

// unseen is how long Okta may not show what a process asked for just before it was killed.
// The next one waits that out before it takes a client for gone, or makes another server.
const unseen = time.Minute

// TestKillNine kills the real program with SIGKILL at moments that chance chooses, while
// people create, rotate, spoil and delete. Whatever it was doing, the next one carries on:
// in the end every key has one app and a Secret that works, and nothing is left of those
// that are gone.
func TestKillNine(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	program := w.program()
	chance := rand.New(rand.NewPCG(*killsSeed, 0))
	w.create(w.role("chat", "a", "b"), w.role("logs", "c"))
	worked, asked := 0, 0
	for range *killsFlag {
		process := program.start(t)
		until := time.Now().Add(time.Duration(300+chance.IntN(1700)) * time.Millisecond)
		for time.Now().Before(until) {
			w.disturb(chance)
			<-time.After(time.Duration(20+chance.IntN(200)) * time.Millisecond)
		}
		process.kill(t)
		if now := len(w.org.Operations()); now > asked {
			worked, asked = worked+1, now
		}
	}
	if worked == 0 {
		t.Error("no process had come to ask Okta for anything when it was killed")
	}
	process := program.start(t)
	w.sound()
	for _, name := range bots() {
		w.deleteAndWait(w.restless(name, "chat", ""))
	}
	w.mended(func() string {
		if state := w.ours(); len(state.Apps)+len(state.Policies)+len(state.Rules) > 0 {
			return fmt.Sprintf("left in Okta: %+v", state)
		}
		return ""
	})
	w.mustHaveNoSecrets()
	process.kill(t)
	t.Logf("killed %d times, %d of them after requests to Okta; %d requests in all", *killsFlag, worked, len(w.org.Operations()))
}

func bots() []string { return []string{"bot", "bot-1", "bot-2"} }

// disturb lets a person do something. What cannot be done is not.
func (w *world) disturb(chance *rand.Rand) {
	w.Helper()
	name := bots()[chance.IntN(len(bots()))]
	key := w.restless(name, "chat", deliveries[chance.IntN(len(deliveries))])
	ctx := context.Background()
	var err error
	switch what := chance.IntN(10); {
	case what < 5:
		err = cluster.admin.Create(ctx, key)
	case what < 7:
		patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:"%d"}}}`, v1alpha1.AnnotationRotate, chance.Uint32())
		err = cluster.admin.Patch(ctx, key, client.RawPatch("application/merge-patch+json", patch))
	case what < 8:
		err = client.IgnoreNotFound(cluster.admin.Delete(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name + "-okta"}}))
	case what < 9:
		err = cluster.admin.Status().Patch(ctx, key, client.RawPatch("application/merge-patch+json", []byte(`{"status":null}`)))
	default:
		err = cluster.admin.Delete(ctx, key)
	}
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsAlreadyExists(err) {
		w.Fatalf("disturbing AgentAPIKey %s: %v", name, err)
	}
}

// sound waits until all is as it should be for the keys that are there.
func (w *world) sound() {
	w.Helper()
	names := bots()
	for _, name := range names {
		w.waitIfLeaving(w.restless(name, "chat", ""))
		err := cluster.admin.Create(context.Background(), w.restless(name, "chat", ""))
		if client.IgnoreAlreadyExists(err) != nil {
			w.Fatal(err)
		}
	}
	w.mendedWithin(patience+unseen, func() string {
		state := w.ours()
		got := fmt.Sprintf("%d apps, %d groups, %d policies, %d servers, %d live credentials",
			len(state.Apps), len(state.Groups), len(state.Policies), len(state.Servers), liveIn(state.Apps))
		if want := fmt.Sprintf("%d apps, 2 groups, 1 policies, 1 servers, %d live credentials", len(names), len(names)); got != want {
			return fmt.Sprintf("in Okta: %s; want %s", got, want)
		}
		// A key is Ready until it is seen that somebody deleted its Secret.
		for _, name := range names {
			if err := cluster.admin.Get(context.Background(), client.ObjectKey{Namespace: w.namespace, Name: name + "-okta"}, &corev1.Secret{}); err != nil {
				return err.Error()
			}
		}
		return ""
	})
	for _, name := range names {
		readyKey(w, name)
		w.mustWork(w.agent(name+"-okta"), []string{"a", "b"}, "c")
	}
}

// waitIfLeaving waits until the object is gone if it is being deleted.
func (w *world) waitIfLeaving(obj client.Object) {
	w.Helper()
	err := cluster.admin.Get(context.Background(), client.ObjectKeyFromObject(obj), obj)
	if client.IgnoreNotFound(err) != nil {
		w.Fatal(err)
	}
	if err == nil && !obj.GetDeletionTimestamp().IsZero() {
		w.waitGoneWithin(patience+unseen, obj)
	}
}

// program is bin/manager with all it is given.
type program struct {
	path, config, kubeconfig string
}

// program builds the operator, and writes down what it is given.
func (w *world) program() program {
	w.Helper()
	dir := w.TempDir()
	p := program{path: filepath.Join(dir, "manager"), config: filepath.Join(dir, "config.yaml"), kubeconfig: filepath.Join(dir, "kubeconfig")}
	build := exec.CommandContext(context.Background(), "go", "build", "-buildvcs=false", "-o", p.path, "../../cmd/manager")
	if said, err := build.CombinedOutput(); err != nil {
		w.Fatalf("building the operator: %v\n%s", err, said)
	}
	for path, text := range map[string][]byte{p.config: w.configText(), p.kubeconfig: cluster.operatorKubeconfig} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			w.Fatal(err)
		}
	}
	return p
}

// running is one process of it.
type running struct {
	command *exec.Cmd
	// said is what it wrote to its standard error.
	said *bytes.Buffer
}

func (p program) start(t *testing.T) running {
	t.Helper()
	command := exec.CommandContext(t.Context(), p.path, "--config", p.config)
	command.Env = append(os.Environ(), "KUBECONFIG="+p.kubeconfig)
	said := &bytes.Buffer{}
	command.Stderr = said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	return running{command, said}
}

// kill is kill -9, and holds that the process had not ended by itself.
func (r running) kill(t *testing.T) {
	t.Helper()
	_ = r.command.Process.Kill()
	_ = r.command.Wait() // it was killed, and says so
	status, is := r.command.ProcessState.Sys().(syscall.WaitStatus)
	if !is || !status.Signaled() || status.Signal() != syscall.SIGKILL {
		t.Errorf("the operator had ended by itself: %s\n%s", r.command.ProcessState, r.said)
	}
}
