package gitops

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// cluster is the one API server of this package, with nothing installed.
var cluster struct {
	admin client.WithWatch
	// url and authority are how programs reach it.
	url       string
	authority []byte
	// kubeconfig lets a person do everything.
	kubeconfig string
	// audit is the file in which the API server writes down who changed what.
	audit string
}

func TestMain(m *testing.M) {
	if os.Getenv("ARGOCD") == "" {
		fmt.Fprintln(os.Stderr, "gitops: left out, since ARGOCD names no Argo CD: run `make gitops`, which builds one (about two minutes, once)")
		return
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "gitops:", err)
		code = 1
	}
	os.Exit(code)
}

// watched is what the API server's audit log is to hold: every change of what is in git, in full,
// and that of Secrets without what is in them.
const watched = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- level: RequestResponse
  verbs: [create, update, patch, delete]
  resources: [{group: agentidentity.dev}, {group: apps, resources: [deployments]}]
- level: Metadata
  verbs: [create, update, patch, delete]
  resources: [{group: "", resources: [secrets]}]
- level: None
`

func run(m *testing.M) (int, error) {
	ctrl.SetLogger(zap.New(zap.WriteTo(io.Discard)))
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return 1, errors.New("KUBEBUILDER_ASSETS is unset; run `make gitops`, which sees to the programs that are needed")
	}
	home, err := os.MkdirTemp("", "gitops-")
	if err != nil {
		return 1, fmt.Errorf("making a directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(home) }()
	policy := filepath.Join(home, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(watched), 0o600); err != nil {
		return 1, fmt.Errorf("writing what is to be watched: %w", err)
	}
	cluster.audit = filepath.Join(home, "audit.log")
	started := &envtest.Environment{}
	// What is in it need not outlive the machine: a slow disk is not what is tested.
	started.ControlPlane.Etcd = &envtest.Etcd{}
	started.ControlPlane.Etcd.Configure().Set("unsafe-no-fsync", "true")
	started.ControlPlane.GetAPIServer().Configure().Set("audit-policy-file", policy).Set("audit-log-path", cluster.audit)
	defer func() { _ = started.Stop() }() // also when it has come up only half
	config, err := started.Start()
	if err != nil {
		return 1, fmt.Errorf("starting etcd and kube-apiserver: %w", err)
	}
	config.QPS, config.Burst = -1, -1
	cluster.url, cluster.authority = config.Host, config.CAData
	if cluster.admin, err = client.NewWithWatch(config, client.Options{Scheme: operator.Scheme()}); err != nil {
		return 1, fmt.Errorf("making a client: %w", err)
	}
	cluster.kubeconfig = filepath.Join(home, "kubeconfig")
	if err := os.WriteFile(cluster.kubeconfig, started.KubeConfig, 0o600); err != nil {
		return 1, fmt.Errorf("writing a kubeconfig: %w", err)
	}
	return m.Run(), nil
}
