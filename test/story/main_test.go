package story

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/agentidentity/agent-identity-operator/internal/operator"
	"github.com/agentidentity/agent-identity-operator/test/plane"
)

// cluster is the one API server of this package.
var cluster struct {
	admin    client.WithWatch
	operator *rest.Config
	// kubeconfig is a file that lets a person do everything.
	kubeconfig string
	// operatorKubeconfig is what the operator is given that runs as a program.
	operatorKubeconfig []byte
	// flux may be nil.
	flux *flux
}

const operatorUser = "system:serviceaccount:agent-identity-system:agent-identity-operator"

func TestMain(m *testing.M) {
	bases := filepath.Join("..", "..", "config", "crd", "bases")
	plane.Main("story", plane.Options{
		// What config/ installs, and nothing else.
		CRDs: []string{
			filepath.Join(bases, "agentidentity.dev_aiagentroles.yaml"),
			filepath.Join(bases, "agentidentity.dev_agentapikeys.yaml"),
			filepath.Join(bases, "agentidentity.dev_accesspolicies.yaml"),
			filepath.Join(bases, "agentidentity.dev_auditsinks.yaml"),
		},
	}, func(p *plane.Plane) (int, error) { return run(m, p) })
}

func run(m *testing.M, p *plane.Plane) (int, error) {
	var err error
	if cluster.admin, err = client.NewWithWatch(p.REST, client.Options{Scheme: operator.Scheme()}); err != nil {
		return 1, fmt.Errorf("making the administrator's client: %w", err)
	}
	cluster.kubeconfig = p.Kubeconfig
	if cluster.operator, cluster.operatorKubeconfig, err = p.User(operatorUser); err != nil {
		return 1, err
	}
	asked := &rights{used: map[string]bool{}}
	cluster.operator.Wrap(asked.watching)
	if err := bindShippedRole(); err != nil {
		return 1, err
	}
	var stopFlux func()
	if cluster.flux, stopFlux, err = startFlux(); err != nil {
		return 1, fmt.Errorf("starting Flux's evaluator: %w", err)
	}
	defer stopFlux()
	code := m.Run()
	if code != 0 {
		return code, nil
	}
	return 0, asked.check()
}

// bindShippedRole gives the operator exactly the ClusterRole that config/ ships.
func bindShippedRole() error {
	text, err := os.ReadFile(filepath.Join("..", "..", "config", "rbac", "role.yaml"))
	if err != nil {
		return fmt.Errorf("reading the shipped role: %w", err)
	}
	role := &rbacv1.ClusterRole{}
	if err := yaml.UnmarshalStrict(text, role); err != nil {
		return fmt.Errorf("parsing the shipped role: %w", err)
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "operator"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: operatorUser}},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
	}
	for _, obj := range []client.Object{role, binding} {
		if err := cluster.admin.Create(context.Background(), obj); err != nil {
			return fmt.Errorf("creating %T: %w", obj, err)
		}
	}
	return nil
}
