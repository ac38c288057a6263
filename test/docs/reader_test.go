package docs

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	configv1alpha1 "github.com/agentidentity/agent-identity-operator/api/config/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

const (
	home = "agent-identity-system"
	// patience is how long something may take to come about.
	patience = time.Minute
)

// reader is a person who does what the documentation says, in a directory like that of the
// repository, with an org of their own.
type reader struct {
	*testing.T
	org      *oktasim.Org
	url      string
	receiver *httptest.Server
	// directory is where commands are typed, and credentials what the operator's pod mounts.
	directory, credentials string
	// said is what later commands of a page go by: variables and functions.
	said []string
	// ends the operator that runs.
	ends func() error
}

func newReader(t *testing.T) *reader {
	t.Helper()
	r := &reader{
		T: t, directory: t.TempDir(), credentials: t.TempDir(), ends: func() error { return nil },
		org: oktasim.New(oktasim.Options{Limits: oktasim.LimitsWorkforce.Scaled(60)}),
	}
	server := httptest.NewServer(r.org)
	t.Cleanup(server.Close)
	r.url = server.URL
	r.org.SetBaseURL(r.url)
	r.receiver = httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(r.receiver.Close)
	r.layOut()
	r.newKey()
	token := r.org.AddAPIToken()
	r.write("okta-token", []byte(token))
	r.write("ca.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.receiver.Certificate().Raw}))
	r.hasConsole(token)
	for _, login := range []string{"ada@example.com", "bob@example.com"} {
		_, err := r.org.CreateUser(oktasim.NewUser{Login: login, MobilePhone: "+4915112345678"})
		r.must(err)
	}
	return r
}

// hasConsole makes the app that the sample's people sign in to.
func (r *reader) hasConsole(token string) {
	r.Helper()
	request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, r.url+"/api/v1/apps", strings.NewReader(`{
		"name": "oidc_client", "label": "Chatbot console", "signOnMode": "OPENID_CONNECT",
		"credentials": {"oauthClient": {"token_endpoint_auth_method": "client_secret_basic"}},
		"settings": {"oauthClient": {"application_type": "web", "grant_types": ["authorization_code"],
			"response_types": ["code"], "redirect_uris": ["https://console.example.com/callback"]}}}`))
	r.must(err)
	request.Header.Set("Authorization", "SSWS "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	r.must(err)
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		r.Fatalf("making the console: %s", response.Status)
	}
}

// layOut makes the directory: config/ is the reader's to edit, the rest is the repository's.
func (r *reader) layOut() {
	r.Helper()
	entries, err := os.ReadDir(root)
	r.must(err)
	for _, entry := range entries {
		if name := entry.Name(); name != "config" && name != "bin" && name != ".git" {
			path, err := filepath.Abs(filepath.Join(root, name))
			r.must(err)
			r.must(os.Symlink(path, filepath.Join(r.directory, name)))
		}
	}
	r.must(os.CopyFS(filepath.Join(r.directory, "config"), os.DirFS(filepath.Join(root, "config"))))
	r.edits("config/manager/configuration.yaml", "governedApps: []", "governedApps: [{app: Chatbot console, namespaces: [chatbot]}]")
	r.edits("config/manager/configuration.yaml", "https://example.okta.com", r.url)
	r.edits("config/manager/configuration.yaml", "  pollInterval: 30s", "  pollInterval: 5s\n  allowedNetworks: [127.0.0.0/8]")
	r.edits("config/samples/chatbot-walkthrough/5-audit.yaml", "https://audit.example.com", r.receiver.URL)
	r.edits("config/samples/rotation/key.yaml", "overlap: 2h\n    maxOverlap: 48h", "overlap: 0s\n    maxOverlap: 0s")
}

// edits changes a file as people are told to.
func (r *reader) edits(file, what, to string) {
	r.Helper()
	text, err := os.ReadFile(filepath.Join(r.directory, file))
	r.must(err)
	if !bytes.Contains(text, []byte(what)) {
		r.Fatalf("%s does not say %q", file, what)
	}
	r.write(file, bytes.ReplaceAll(text, []byte(what), []byte(to)))
}

func (r *reader) write(file string, text []byte) {
	r.Helper()
	r.must(os.WriteFile(filepath.Join(r.directory, file), text, 0o600))
}

// newKey makes a key for the operator's app in Okta, and the files for it.
func (r *reader) newKey() {
	r.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	r.must(err)
	id := rand.Text()
	public, err := json.Marshal(jose.JSONWebKey{Key: private.Public(), KeyID: id, Algorithm: "ES256", Use: "sig"})
	r.must(err)
	scopes := append(okta.RequiredScopes(), okta.PeopleScopes()...)
	for _, more := range [][]string{okta.FactorScopes(), okta.SignInScopes(), okta.DeviceScopes(), okta.LogScopes()} {
		scopes = append(scopes, more...)
	}
	r.must(r.org.AddServiceClient("0oaoperator", public, scopes...))
	der, err := x509.MarshalPKCS8PrivateKey(private)
	r.must(err)
	r.write("client_id", []byte("0oaoperator"))
	r.write("key_id", []byte(id))
	r.write("private_key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// mounts gives the operator what its Secret holds, as the kubelet does.
func (r *reader) mounts() {
	r.Helper()
	var secret corev1.Secret
	r.must(cluster.admin.Get(r.Context(), client.ObjectKey{Namespace: home, Name: "agent-identity-operator-okta"}, &secret))
	for name, value := range secret.Data {
		r.must(os.WriteFile(filepath.Join(r.credentials, name), value, 0o600))
	}
}

// types runs a command as a person types it, and gives what it says. One that never ends is
// interrupted when it has said something.
func (r *reader) types(command string) string {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), 2*patience)
	defer cancel()
	shell := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", strings.Join(append(r.said, r.meant(command)), "\n"))
	shell.Dir = r.directory
	shell.Env = append(os.Environ(), "PATH="+cluster.bin+":"+os.Getenv("PATH"), "KUBECONFIG="+cluster.kubeconfig,
		"OKTA_CLIENT_ORGURL="+r.url, "HELM_CACHE_HOME="+r.credentials, "HELM_CONFIG_HOME="+r.credentials, "HELM_DATA_HOME="+r.credentials)
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	shell.Cancel = func() error { return syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) }
	var out, problems bytes.Buffer
	shell.Stdout, shell.Stderr = &out, &problems
	if strings.Contains(command, "--follow") {
		shell.Stdout = interrupting{&out, sync.OnceFunc(func() { _ = syscall.Kill(-shell.Process.Pid, syscall.SIGINT) })}
	}
	if err := shell.Run(); err != nil {
		r.Errorf("%s\n%s%s%v", command, out.String(), problems.String(), err)
	}
	return out.String() + problems.String()
}

// interrupting interrupts a command as soon as it has said something, and not again: a second
// interrupt ends one that is about to end by itself.
type interrupting struct {
	text      *bytes.Buffer
	interrupt func()
}

func (i interrupting) Write(text []byte) (int, error) {
	i.interrupt()
	return i.text.Write(text)
}

// meant puts in what the documentation leaves to the reader.
func (r *reader) meant(command string) string {
	command = regexp.MustCompile(`\bNAMESPACE\b|\bNAME\b`).ReplaceAllString(command, "chatbot")
	return strings.NewReplacer("https://example.okta.com", r.url, "/usr/local/bin/", cluster.bin+"/").Replace(command)
}

// reads does what a section of a page shows.
func (r *reader) reads(s step) {
	r.Helper()
	r.said = nil
	s.begin(r)
	for _, b := range blocks(r.T, s.page) {
		if s.section != "" && s.section != b.section || b.inline && !b.whole() {
			continue
		}
		for _, command := range b.script() {
			if isElsewhere(s.page, command) != "" {
				continue
			}
			for begins, do := range s.before {
				if strings.HasPrefix(command, begins) {
					do(r)
				}
			}
			started := time.Now()
			out := r.types(command)
			r.hears(command, out)
			r.Logf("%.1fs %s:%d: %s\n%s", time.Since(started).Seconds(), s.page, b.line, command, out)
			if strings.HasPrefix(command, "export ") || strings.Contains(command, "() {") {
				r.said = append(r.said, r.meant(command))
			}
		}
	}
	s.end(r)
}

// hears holds that a command says what it is typed for.
func (r *reader) hears(command, out string) {
	r.Helper()
	for _, each := range says {
		if strings.HasPrefix(command, each.begins) && !strings.Contains(out, each.says) {
			r.Errorf("%s does not say %q:\n%s", command, each.says, out)
		}
	}
}

// runs runs the operator that was installed, with its configuration and as its ServiceAccount.
func (r *reader) runs() {
	r.Helper()
	r.mounts()
	var held corev1.ConfigMapList
	r.must(cluster.admin.List(r.Context(), &held, client.InNamespace(home)))
	var c *configv1alpha1.Configuration
	for _, each := range held.Items {
		if text := each.Data["config.yaml"]; text != "" {
			var err error
			c, err = configv1alpha1.Parse([]byte(text))
			r.must(err)
		}
	}
	// What a pod knows by its own namespace, and ports that are free.
	c.Okta.CredentialsDirectory = r.credentials
	c.Manager.LeaderElectionNamespace, c.Manager.MetricsBindAddress, c.Manager.HealthProbeBindAddress = home, "0", "0"
	as := rest.CopyConfig(cluster.rest)
	as.Impersonate = rest.ImpersonationConfig{
		UserName: fmt.Sprintf("system:serviceaccount:%s:agent-identity-operator", home),
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + home, "system:authenticated"},
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- operator.Run(ctx, operator.Options{
			Config: c, REST: as, Logger: logr.Discard(), Clock: sooner{}, Metrics: prometheus.NewRegistry(), SkipNameValidation: true,
		})
	}()
	r.ends = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
}

// stop ends the operator, if it runs. What was removed while it ran has lost its lease.
func (r *reader) stop() {
	r.Helper()
	if err := r.ends(); err != nil && !strings.Contains(err.Error(), "context canceled") && !strings.Contains(err.Error(), "leader election lost") {
		r.Errorf("the operator ended with: %v", err)
	}
}

// sooner is a clock on which whoever would wait for a minute or longer waits for little of it.
type sooner struct{ clock.RealClock }

// NewTimer implements clock.Clock.
func (c sooner) NewTimer(d time.Duration) clock.Timer {
	if d >= time.Minute {
		d /= 100
	}
	return c.RealClock.NewTimer(d)
}

// makes creates an object that the documentation takes for granted.
func (r *reader) makes(obj client.Object) {
	r.Helper()
	r.must(cluster.admin.Create(r.Context(), obj))
}

func namespace(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

func (r *reader) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}
