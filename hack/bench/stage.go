package main

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// The namespaces of the stage.
const (
	fleet  = "fleet"
	home   = "home"
	beside = "beside"
	small  = "small"
)

// stage is a cluster, an org, and the operator's processes between them.
type stage struct {
	options
	dir     string
	plane   *envtest.Environment
	rest    *rest.Config
	kube    client.WithWatch
	org     *oktasim.Org
	server  *httptest.Server
	running []*process
	started int
	// others are the principals of whose calls the operator knows nothing.
	others map[string]bool
	// looked is how many calls the last look at everything has taken.
	looked int
	*follower
	// unfollow ends what the follower began.
	unfollow func()
}

func newStage(o options) (*stage, error) {
	ctrl.SetLogger(logr.Discard())
	dir, err := os.MkdirTemp("", "agent-identity-bench-")
	if err != nil {
		return nil, err
	}
	s := &stage{options: o, dir: dir, unfollow: func() {}, others: map[string]bool{}, plane: &envtest.Environment{
		CRDDirectoryPaths: []string{filepath.Join("config", "crd", "bases")}, ErrorIfCRDPathMissing: true,
		ControlPlaneStartTimeout: 2 * time.Minute, ControlPlaneStopTimeout: time.Minute,
	}}
	if s.rest, err = s.plane.Start(); err != nil {
		return nil, fmt.Errorf("starting the control plane: %w", err)
	}
	s.rest.QPS, s.rest.Burst = -1, -1
	if s.kube, err = client.NewWithWatch(s.rest, client.Options{Scheme: operator.Scheme()}); err != nil {
		return nil, errors.Join(err, s.plane.Stop())
	}
	s.org = oktasim.New(oktasim.Options{Limits: oktasim.LimitsWorkforce.Scaled(o.factor)})
	s.server = httptest.NewServer(s.org)
	s.org.SetBaseURL(s.server.URL)
	for name, text := range map[string]string{"kubeconfig": string(s.plane.KubeConfig), "api_token": s.org.AddAPIToken()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{fleet, home, beside, small} {
		if err := s.kube.Create(context.Background(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *stage) close() {
	s.end()
	s.unfollow()
	s.server.Close()
	if err := s.plane.Stop(); err != nil {
		say("stopping the control plane: %v", err)
	}
	_ = os.RemoveAll(s.dir)
}

// configure writes the operator's configuration; more is added to it as it stands.
func (s *stage) configure(more string) error {
	return os.WriteFile(filepath.Join(s.dir, "config.yaml"), fmt.Appendf(nil, `
apiVersion: config.agentidentity.dev/v1alpha1
kind: Configuration
clusterID: bench
okta: {orgURL: %q, credentialsDirectory: %q}
%s`, s.server.URL, s.dir, more), 0o600)
}

// anew ends all processes, and configures those that come.
func (s *stage) anew(more string) error {
	s.end()
	return s.configure(more)
}

// settled starts the operator, and waits until it has nothing left to do.
func (s *stage) settled(ctx context.Context) (*process, error) {
	p, err := s.operate()
	if err != nil {
		return nil, err
	}
	_, err = p.quiet(ctx, 5*time.Second, 5*time.Minute)
	return p, err
}

// alone is the rest of a configuration for one process.
const alone = `manager: {healthProbeBindAddress: "0", leaderElection: Disabled, leaderElectionNamespace: home}
`

// create creates objects by many hands.
func (s *stage) create(ctx context.Context, n int, object func(int) client.Object) error {
	const hands = 16
	var working sync.WaitGroup
	failed := make(chan error, hands)
	for hand := range hands {
		working.Go(func() {
			for i := hand; i < n; i += hands {
				if err := s.kube.Create(ctx, object(i)); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	working.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

func roleNamed(i int) client.Object { return roleIn(fleet, i) }

func roleIn(namespace string, i int) client.Object {
	return &v1alpha1.AIAgentRole{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("role-%04d", i)},
		Spec:       v1alpha1.AIAgentRoleSpec{Permissions: []v1alpha1.Permission{{Name: "talk"}}},
	}
}

func (s *stage) keyNamed(i int) client.Object { return s.key(fmt.Sprintf("key-%06d", i), i) }

func (s *stage) key(name string, i int) client.Object { return keyIn(fleet, name, i%s.roles) }

func keyIn(namespace, name string, role int) client.Object {
	return &v1alpha1.AgentAPIKey{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.AgentAPIKeySpec{
			RoleRef: v1alpha1.RoleReference{Name: v1alpha1.ObjectName(fmt.Sprintf("role-%04d", role))},
			Agent:   v1alpha1.Agent{Name: name}, Secret: v1alpha1.SecretTarget{Name: v1alpha1.ObjectName(name + "-okta")},
		},
	}
}

// awaitReady waits until so many keys are Ready, and tells how far it is.
func (s *stage) awaitReady(ctx context.Context, want int, patience time.Duration) error {
	told := time.Now()
	return until(ctx, patience, 100*time.Millisecond, func() (bool, error) {
		n, _ := s.counts()
		if time.Since(told) > 15*time.Second {
			told = time.Now()
			say("  %d of %d keys are ready", n, want)
		}
		return n >= want, nil
	})
}

// until looks again and again whether it is so.
func until(ctx context.Context, patience, every time.Duration, so func() (bool, error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; {
		is, err := so()
		if is || err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("it does not come to be within %s", patience)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// wait lets time pass.
func wait(ctx context.Context, long time.Duration) error {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
