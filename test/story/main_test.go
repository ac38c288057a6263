package story

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/yaml"

	"github.com/agentidentity/agent-identity-operator/internal/operator"
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
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "story:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	ctrl.SetLogger(zap.New(zap.WriteTo(io.Discard))) // a story that wants logs gives the operator a logger
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return 1, fmt.Errorf("KUBEBUILDER_ASSETS is unset; run the stories with `make test`, which sees to the programs they need")
	}
	bases := filepath.Join("..", "..", "config", "crd", "bases")
	environment := &envtest.Environment{
		// What config/ installs, and nothing else.
		CRDDirectoryPaths: []string{
			filepath.Join(bases, "agentidentity.dev_aiagentroles.yaml"),
			filepath.Join(bases, "agentidentity.dev_agentapikeys.yaml"),
			filepath.Join(bases, "agentidentity.dev_accesspolicies.yaml"),
			filepath.Join(bases, "agentidentity.dev_auditsinks.yaml"),
		},
		ErrorIfCRDPathMissing: true,
	}
	defer func() { _ = environment.Stop() }() // also when it has come up only half
	config, err := environment.Start()
	if err != nil {
		return 1, fmt.Errorf("starting etcd and kube-apiserver: %w", err)
	}
	config.QPS, config.Burst = -1, -1
	if cluster.admin, err = client.NewWithWatch(config, client.Options{Scheme: operator.Scheme()}); err != nil {
		return 1, fmt.Errorf("making the administrator's client: %w", err)
	}
	user, err := environment.AddUser(envtest.User{Name: operatorUser}, config)
	if err != nil {
		return 1, fmt.Errorf("making the operator's user: %w", err)
	}
	person, err := environment.AddUser(envtest.User{Name: "person", Groups: []string{"system:masters"}}, config)
	if err != nil {
		return 1, fmt.Errorf("making a person's user: %w", err)
	}
	if err := writeKubeconfig(person); err != nil {
		return 1, err
	}
	defer func() { _ = os.Remove(cluster.kubeconfig) }()
	cluster.operator = user.Config()
	if cluster.operatorKubeconfig, err = user.KubeConfig(); err != nil {
		return 1, fmt.Errorf("making the operator's kubeconfig: %w", err)
	}
	cluster.operator.QPS, cluster.operator.Burst = -1, -1
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

func writeKubeconfig(person *envtest.AuthenticatedUser) error {
	text, err := person.KubeConfig()
	if err != nil {
		return fmt.Errorf("making a kubeconfig: %w", err)
	}
	file, err := os.CreateTemp("", "story-kubeconfig-")
	if err != nil {
		return fmt.Errorf("writing a kubeconfig: %w", err)
	}
	cluster.kubeconfig = file.Name()
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
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
