package docs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// root is that of the repository.
var root = filepath.Join("..", "..")

// cluster is the one API server of this package, with nothing installed.
var cluster struct {
	rest  *rest.Config
	admin client.Client
	// bin holds the programs that a person has, and kubeconfig lets them do everything.
	bin, kubeconfig string
}

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	ctrl.SetLogger(zap.New(zap.WriteTo(io.Discard)))
	if os.Getenv("KUBEBUILDER_ASSETS") == "" || os.Getenv("HELM") == "" {
		return 1, errors.New("KUBEBUILDER_ASSETS or HELM is unset; run `make test`, which sees to the programs that are needed")
	}
	home, err := os.MkdirTemp("", "docs-")
	if err != nil {
		return 1, fmt.Errorf("making a directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(home) }()
	cluster.bin = filepath.Join(home, "bin")
	if err := equip(context.Background()); err != nil {
		return 1, err
	}
	environment := &envtest.Environment{}
	defer func() { _ = environment.Stop() }() // also when it has come up only half
	config, err := environment.Start()
	if err != nil {
		return 1, fmt.Errorf("starting etcd and kube-apiserver: %w", err)
	}
	config.QPS, config.Burst = -1, -1
	cluster.rest = config
	scheme := operator.Scheme()
	if err := apiextensionsv1.AddToScheme(scheme); err != nil {
		return 1, fmt.Errorf("learning of kinds: %w", err)
	}
	if cluster.admin, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return 1, fmt.Errorf("making a client: %w", err)
	}
	person, err := environment.AddUser(envtest.User{Name: "person", Groups: []string{"system:masters"}}, config)
	if err != nil {
		return 1, fmt.Errorf("making a person's user: %w", err)
	}
	text, err := person.KubeConfig()
	if err != nil {
		return 1, fmt.Errorf("making a kubeconfig: %w", err)
	}
	cluster.kubeconfig = filepath.Join(home, "kubeconfig")
	if err := os.WriteFile(cluster.kubeconfig, text, 0o600); err != nil {
		return 1, fmt.Errorf("writing a kubeconfig: %w", err)
	}
	return m.Run(), nil
}

// equip puts kubectl, helm and the plugin where a person has them.
func equip(ctx context.Context) error {
	if err := os.MkdirAll(cluster.bin, 0o700); err != nil {
		return fmt.Errorf("making a directory: %w", err)
	}
	for name, program := range map[string]string{
		"kubectl": filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), "helm": os.Getenv("HELM"),
	} {
		if err := os.Symlink(program, filepath.Join(cluster.bin, name)); err != nil {
			return fmt.Errorf("finding %s: %w", name, err)
		}
	}
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", cluster.bin+"/", "./cmd/kubectl-agentid")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building kubectl-agentid: %w\n%s", err, out)
	}
	return nil
}
