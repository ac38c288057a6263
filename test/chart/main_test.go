package chart

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// cluster is the one API server of this package, with nothing installed.
var cluster struct {
	rest       *rest.Config
	admin      client.Client
	kubeconfig string
	// warnings are what the API server has warned of.
	warnings heard
}

// heard collects warnings.
type heard struct {
	mu   sync.Mutex
	said []string
}

func (h *heard) HandleWarningHeader(_ int, _, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.said = append(h.said, text)
}

// take gives what was heard since it was called last.
func (h *heard) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	said := h.said
	h.said = nil
	return said
}

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	ctrl.SetLogger(zap.New(zap.WriteTo(io.Discard)))
	if os.Getenv("KUBEBUILDER_ASSETS") == "" || os.Getenv("HELM") == "" {
		return 1, errors.New("KUBEBUILDER_ASSETS or HELM is unset; run `make test`, which sees to the programs that are needed")
	}
	started := &envtest.Environment{}
	defer func() { _ = started.Stop() }() // also when it has come up only half
	config, err := started.Start()
	if err != nil {
		return 1, fmt.Errorf("starting etcd and kube-apiserver: %w", err)
	}
	config.QPS, config.Burst = -1, -1
	cluster.rest = config
	scheme := operator.Scheme()
	if err := apiextensionsv1.AddToScheme(scheme); err != nil {
		return 1, fmt.Errorf("learning of kinds: %w", err)
	}
	warned := rest.CopyConfig(config)
	warned.WarningHandler = &cluster.warnings
	if cluster.admin, err = client.New(warned, client.Options{Scheme: scheme}); err != nil {
		return 1, fmt.Errorf("making a client: %w", err)
	}
	person, err := started.AddUser(envtest.User{Name: "person", Groups: []string{"system:masters"}}, config)
	if err != nil {
		return 1, fmt.Errorf("making a person's user: %w", err)
	}
	text, err := person.KubeConfig()
	if err != nil {
		return 1, fmt.Errorf("making a kubeconfig: %w", err)
	}
	home, err := os.MkdirTemp("", "chart-")
	if err != nil {
		return 1, fmt.Errorf("making a directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(home) }()
	cluster.kubeconfig = filepath.Join(home, "kubeconfig")
	if err := os.WriteFile(cluster.kubeconfig, text, 0o600); err != nil {
		return 1, fmt.Errorf("writing a kubeconfig: %w", err)
	}
	return m.Run(), nil
}

// helm runs Helm as a person would, and gives what it says.
func helm(ctx context.Context, args ...string) (stdout, stderr string, err error) {
	command := exec.CommandContext(ctx, os.Getenv("HELM"), args...)
	command.Env = environment()
	var out, problems bytes.Buffer
	command.Stdout, command.Stderr = &out, &problems
	err = command.Run()
	return out.String(), problems.String(), err
}

// environment is that of a person at this cluster.
func environment() []string {
	home := filepath.Dir(cluster.kubeconfig)
	return append(os.Environ(), "KUBECONFIG="+cluster.kubeconfig, "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
}

// mustHelm is helm, of which nothing goes wrong.
func mustHelm(t *testing.T, args ...string) string {
	t.Helper()
	out, problems, err := helm(t.Context(), args...)
	if err != nil {
		t.Fatalf("helm %v: %v\n%s%s", args, err, out, problems)
	}
	return out
}

func chartOf(name string) string { return filepath.Join("..", "..", "charts", name) }
