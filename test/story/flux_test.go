package story

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

// flux is the evaluator of healthCheckExprs that Flux has, as a program that answers each object.
type flux struct {
	mu      sync.Mutex
	objects *json.Encoder
	answers *json.Decoder
}

// startFlux starts what `hack/tool flux` built; without it Flux is not asked.
func startFlux() (f *flux, stop func(), err error) {
	program := os.Getenv("FLUX")
	if program == "" {
		fmt.Fprintln(os.Stderr, "story: FLUX names no evaluator, so that of Flux is not asked; `hack/tool flux` builds it (a minute, once)")
		return nil, func() {}, nil
	}
	command := exec.Command(program, filepath.Join(root, "config", "gitops", "flux-kustomization.yaml"))
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := command.Start(); err != nil {
		return nil, nil, fmt.Errorf("starting %s: %w", program, err)
	}
	return &flux{objects: json.NewEncoder(in), answers: json.NewDecoder(out)}, func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		_ = command.Wait()
	}, nil
}

// judges an object.
func (f *flux) judges(object map[string]any) (is string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.objects.Encode(object); err != nil {
		return "", fmt.Errorf("asking Flux: %w", err)
	}
	return is, f.answers.Decode(&is)
}

// checkFlux holds that Flux sees what kstatus sees in a key, but for one whose end people asked
// for: that is as it should be. What is being deleted Flux waits for to be gone.
func (w *world) checkFlux(obj settled, content map[string]any, is status.Status, ended bool) {
	w.Helper()
	if cluster.flux == nil || content["kind"] != "AgentAPIKey" || is == status.TerminatingStatus {
		return
	}
	want := is.String()
	if ended {
		want = status.CurrentStatus.String()
	}
	if got, err := cluster.flux.judges(content); err != nil || got != want {
		w.Errorf("Flux would call %s %q (%v), want %s; conditions: %s", obj.GetName(), got, err, want, conditionsOf(obj))
	}
}
