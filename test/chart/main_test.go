package chart

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/internal/operator"
	"github.com/agentidentity/agent-identity-operator/test/plane"
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
	plane.Main("chart", plane.Options{Programs: []string{"HELM"}}, func(p *plane.Plane) (int, error) {
		cluster.rest, cluster.kubeconfig = p.REST, p.Kubeconfig
		warned := rest.CopyConfig(p.REST)
		warned.WarningHandler = &cluster.warnings
		scheme := operator.Scheme()
		utilruntime.Must(apiextensionsv1.AddToScheme(scheme))
		var err error
		if cluster.admin, err = client.New(warned, client.Options{Scheme: scheme}); err != nil {
			return 1, fmt.Errorf("making a client: %w", err)
		}
		return m.Run(), nil
	})
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
