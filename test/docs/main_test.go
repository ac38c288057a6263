package docs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/internal/operator"
	"github.com/agentidentity/agent-identity-operator/test/plane"
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
	plane.Main("docs", plane.Options{Programs: []string{"HELM"}}, func(p *plane.Plane) (int, error) {
		cluster.rest, cluster.kubeconfig, cluster.bin = p.REST, p.Kubeconfig, filepath.Join(p.Home, "bin")
		if err := equip(context.Background()); err != nil {
			return 1, err
		}
		scheme := operator.Scheme()
		utilruntime.Must(apiextensionsv1.AddToScheme(scheme))
		var err error
		if cluster.admin, err = client.New(p.REST, client.Options{Scheme: scheme}); err != nil {
			return 1, fmt.Errorf("making a client: %w", err)
		}
		return m.Run(), nil
	})
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
