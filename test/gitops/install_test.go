package gitops

import (
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// Who writes, as the audit log has it.
const (
	argocdUser   = "system:serviceaccount:argocd:argocd-application-controller"
	operatorUser = "system:serviceaccount:agent-identity-system:agent-identity-operator"
)

// world is an org, the operator, and Argo CD.
type world struct {
	*testing.T
	org *oktasim.Org
	// url is the org's, and token may do everything there.
	url, token string
	// restart starts Argo CD's controller anew.
	restart func()
	// repository is a directory that git looks after.
	repository string
}

// over gives the world to a test of its own, with a repository of its own.
func (w *world) over(t *testing.T) *world {
	t.Helper()
	own := &world{T: t, org: w.org, url: w.url, token: w.token, repository: t.TempDir()}
	shell(t, "cd %s && git init -q -b main && git config user.email ada@example.com && git config user.name Ada", own.repository)
	return own
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, org: oktasim.New(oktasim.Options{Limits: oktasim.LimitsWorkforce.Scaled(60)})}
	for _, login := range []string{"ada@example.com", "bob@example.com", "eve@example.com"} {
		if _, err := w.org.CreateUser(oktasim.NewUser{Login: login, MobilePhone: "+4915112345678"}); err != nil {
			t.Fatal(err)
		}
	}
	w.startOperator()
	w.startArgoCD()
	w.runControllers()
	return w
}

// startArgoCD installs Argo CD as its manual says, and runs what of it the API server alone does not:
// its controller with the rights of its ServiceAccount, and its repository server. Then comes what
// docs/gitops.md tells people to do.
func (w *world) startArgoCD() {
	w.Helper()
	module := shell(w.T, "go -C hack/argocd list -m -f '{{.Dir}}' github.com/argoproj/argo-cd/v3")
	shell(w.T, "kubectl create namespace argocd")
	shell(w.T, "kubectl apply --server-side -n argocd -f %s/manifests/core-install.yaml", module)
	shell(w.T, "kubectl wait --for=condition=Established --timeout=1m crd --all")
	shell(w.T, `kubectl create -f - <<<'{apiVersion: argoproj.io/v1alpha1, kind: AppProject, metadata: {name: default, namespace: argocd},
		spec: {sourceRepos: ["*"], destinations: [{namespace: "*", server: "*"}], clusterResourceWhitelist: [{group: "*", kind: "*"}]}}'`)
	shell(w.T, "%s", w.told())

	program, dir := os.Getenv("ARGOCD"), w.TempDir()
	shell(w.T, "install -m 755 %s/hack/git-verify-wrapper.sh %s", module, dir) // which its image has in the PATH
	redis, repositories := freePort(w.T), freePort(w.T)
	environment := []string{
		"KUBECONFIG=" + w.kubeconfigOf(argocdUser), "ARGOCD_FAKE_IN_CLUSTER=true", "ARGOCD_GPG_ENABLED=false", "TMPDIR=" + dir,
		"PATH=" + dir + ":" + os.Getenv("PATH"),
		"ARGOCD_TLS_DATA_PATH=" + dir, "ARGOCD_SSH_DATA_PATH=" + dir, "ARGOCD_ASK_PASS_SOCK=" + filepath.Join(dir, "ask.sock"),
	}
	start(w.T, environment, program, "redis", "--address", fmt.Sprint("127.0.0.1:", redis))
	start(w.T, environment, program, "argocd-repo-server", "--redis", fmt.Sprint("127.0.0.1:", redis), "--disable-tls", "--client-ca-path", "", "--loglevel", "warn",
		"--address", "127.0.0.1", "--port", fmt.Sprint(repositories), "--metrics-address", "127.0.0.1", "--metrics-port", fmt.Sprint(freePort(w.T)))
	arguments := []string{
		"argocd-application-controller", "--redis", fmt.Sprint("127.0.0.1:", redis), "--repo-server-plaintext",
		"--repo-server", fmt.Sprint("127.0.0.1:", repositories), "--namespace", "argocd", "--persist-resource-health", "--loglevel", "warn",
		"--metrics-port", fmt.Sprint(freePort(w.T)),
		// It looks every ten seconds and not only every two minutes: should a change have escaped it, nobody waits long.
		"--app-resync", "10", "--app-resync-jitter", "0",
	}
	stop := start(w.T, environment, program, arguments...)
	w.restart = func() {
		stop()
		stop = start(w.T, environment, program, arguments...)
	}
}

// told is the command of docs/gitops.md.
func (w *world) told() string {
	w.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "gitops.md"))
	if err != nil {
		w.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^kubectl .*$`).FindAllString(string(text), -1)
	if len(found) != 1 {
		w.Fatalf("docs/gitops.md shows %q, want one command", found)
	}
	return found[0]
}

// startOperator installs what config/default has, and runs the program that its Deployment would.
func (w *world) startOperator() {
	w.Helper()
	shell(w.T, "kubectl apply --server-side -k config/default")
	shell(w.T, "kubectl wait --for=condition=Established --timeout=1m crd --all")
	server := httptest.NewServer(w.org)
	w.Cleanup(server.Close)
	w.org.SetBaseURL(server.URL)
	w.url, w.token = server.URL, w.org.AddAPIToken()
	dir := w.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "api_token"), []byte(w.token), 0o600); err != nil {
		w.Fatal(err)
	}
	var governed []string
	for _, mode := range append(modes(), labelled()) {
		governed = append(governed, fmt.Sprintf("{app: %s, namespaces: [%s]}", mode.console(), mode.name))
	}
	config := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, `
apiVersion: config.agentidentity.dev/v1alpha1
kind: Configuration
clusterID: gitops
okta: {orgURL: %q, credentialsDirectory: %q}
governedApps: [%s]
audit: {allowedNetworks: [127.0.0.0/8], pollInterval: 5s}
manager: {metricsBindAddress: "0", healthProbeBindAddress: "0", leaderElectionNamespace: agent-identity-system}
`, w.url, dir, strings.Join(governed, ", ")), 0o600); err != nil {
		w.Fatal(err)
	}
	program := filepath.Join(dir, "manager")
	if said, err := exec.CommandContext(w.Context(), "go", "build", "-buildvcs=false", "-o", program, "../../cmd/manager").CombinedOutput(); err != nil {
		w.Fatalf("building the operator: %v\n%s", err, said)
	}
	start(w.T, []string{"KUBECONFIG=" + w.kubeconfigOf(operatorUser)}, program, "--config", config)
}

// kubeconfigOf gives a program what its pod would have: the token of its ServiceAccount.
func (w *world) kubeconfigOf(user string) string {
	w.Helper()
	account := strings.Split(user, ":")[2:]
	config := clientcmdapi.NewConfig()
	config.Clusters["gitops"] = &clientcmdapi.Cluster{Server: cluster.url, CertificateAuthorityData: cluster.authority}
	config.AuthInfos["program"] = &clientcmdapi.AuthInfo{Token: shell(w.T, "kubectl -n %s create token %s --duration=2h", account[0], account[1])}
	config.Contexts["gitops"] = &clientcmdapi.Context{Cluster: "gitops", AuthInfo: "program", Namespace: account[0]}
	config.CurrentContext = "gitops"
	file := filepath.Join(w.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		w.Fatal(err)
	}
	return file
}
