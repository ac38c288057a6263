package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// stage is what runs: the control plane, the programs, and the directory that
// holds their files.
type stage struct {
	dir       string
	assets    string
	out       *printer
	fail      context.CancelCauseFunc
	plane     *envtest.Environment
	cluster   kubernetes.Interface
	processes []*process
}

// adminConfig is the kubeconfig of the person at the keyboard.
func (s *stage) adminConfig() string { return filepath.Join(s.dir, "admin.kubeconfig") }

// raise starts etcd and kube-apiserver on loopback.
func (s *stage) raise() error {
	if err := os.MkdirAll(filepath.Join(s.dir, "logs"), 0o700); err != nil {
		return err
	}
	s.plane = &envtest.Environment{
		BinaryAssetsDirectory:    s.assets,
		ControlPlaneStartTimeout: 2 * time.Minute,
		ControlPlaneStopTimeout:  30 * time.Second,
	}
	file, err := os.Create(filepath.Join(s.dir, "logs", "kube-apiserver.log"))
	if err != nil {
		return err
	}
	server := s.plane.ControlPlane.GetAPIServer()
	server.Out, server.Err = file, file
	config, err := s.plane.Start()
	if err != nil {
		return fmt.Errorf("starting the control plane: %w", err)
	}
	if s.cluster, err = kubernetes.NewForConfig(rest.CopyConfig(config)); err != nil {
		return err
	}
	return os.WriteFile(s.adminConfig(), s.plane.KubeConfig, 0o600)
}

// tearDown stops everything, the operator first.
func (s *stage) tearDown() {
	for i := len(s.processes) - 1; i >= 0; i-- {
		s.processes[i].stop()
	}
	if s.plane != nil {
		if err := s.plane.Stop(); err != nil {
			fmt.Fprintf(os.Stderr, "stopping the control plane: %v\n", err)
		}
	}
}

// showLogs prints the end of each program's log.
func (s *stage) showLogs() {
	for _, p := range s.processes {
		fmt.Fprintf(os.Stderr, "\nThe last lines of bin/%s:\n%s\n", p.name, p.tail(25))
	}
}

// kubectl runs the kubectl of the control plane's version, as administrator.
func (s *stage) kubectl(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(s.assets, "kubectl"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.adminConfig(), "KUBECACHEDIR="+filepath.Join(s.dir, "cache"))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return string(stdout), nil
}

// unsettled is what a young API server says while it still registers new kinds.
var unsettled = regexp.MustCompile(`(?i)timed? ?out|504|unable to handle|no matches for kind|not yet ready|too many requests`)

// apply runs `kubectl apply` and tries again while the API server settles.
func (s *stage) apply(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		output, err := s.kubectl(ctx, append([]string{"apply"}, args...)...)
		if err == nil || !unsettled.MatchString(err.Error()) {
			return output, err
		}
		if paused := pause(ctx, 2*time.Second); paused != nil {
			return "", errors.Join(err, paused)
		}
	}
}

// wait waits for a condition, as a person would, and says so while it takes.
func (s *stage) wait(ctx context.Context, condition string, args ...string) error {
	done := make(chan struct{})
	defer close(done)
	go func() {
		for waited := 10; pause(ctx, 10*time.Second) == nil; waited += 10 {
			select {
			case <-done:
				return
			default:
				s.out.say("… still waiting for %s (%ds)", condition, waited)
			}
		}
	}()
	_, err := s.kubectl(ctx, append([]string{"wait", "--for=condition=" + condition, "--timeout=120s"}, args...)...)
	return err
}

// invite tells what can be tried while everything stays up.
func (s *stage) invite() {
	kubectl := filepath.Join(s.assets, "kubectl")
	s.out.line(`
Everything keeps running until you press Ctrl-C. In another terminal:

    export KUBECONFIG=%s
    alias kubectl=%s
    kubectl get aiagentroles,agentapikeys --all-namespaces
    kubectl explain agentapikey.spec
    kubectl -n chatbot get events
    kubectl -n chatbot edit aiagentrole chatbot      # add a permission; new tokens have it
    kubectl -n chatbot delete agentapikey chatbot    # its client in Okta goes with it
    tail -f %s`, s.adminConfig(), kubectl, filepath.Join(s.dir, "logs", "manager.log"))
}
