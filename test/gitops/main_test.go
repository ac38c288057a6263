package gitops

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/agentidentity/agent-identity-operator/internal/operator"
	"github.com/agentidentity/agent-identity-operator/test/plane"
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
	plane.Main("gitops", plane.Options{Arrange: watch}, func(p *plane.Plane) (int, error) {
		cluster.url, cluster.authority, cluster.kubeconfig = p.REST.Host, p.REST.CAData, p.Kubeconfig
		var err error
		if cluster.admin, err = client.NewWithWatch(p.REST, client.Options{Scheme: operator.Scheme()}); err != nil {
			return 1, fmt.Errorf("making a client: %w", err)
		}
		return m.Run(), nil
	})
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

func watch(server *envtest.APIServer, home string) error {
	policy := filepath.Join(home, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(watched), 0o600); err != nil {
		return fmt.Errorf("writing what is to be watched: %w", err)
	}
	cluster.audit = filepath.Join(home, "audit.log")
	server.Configure().Set("audit-policy-file", policy).Set("audit-log-path", cluster.audit)
	return nil
}
