package chart

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	configv1alpha1 "github.com/agentidentity/agent-identity-operator/api/config/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// As docs/install.md has them.
const (
	home   = "agent-identity-system"
	served = "chatbot"
	// leaving is another that is served.
	leaving = "leaving"
)

// patience is how long something may take to come about.
const patience = 3 * time.Minute

// installed is a release, with the org that its operator speaks to.
type installed struct {
	*testing.T
	org              *oktasim.Org
	url, credentials string

	mu sync.Mutex
	// reads and writes count the calls to Okta, and forbidden what the API server refused.
	reads, writes int
	forbidden     []string
}

// TestRelease does what docs/install.md tells people to do: it installs the chart for one
// namespace and runs an operator that has no rights but those of its ServiceAccount. A role and
// keys come to work, the sample's too, and nothing is refused. The upgrade of the release writes
// nothing to Okta.
func TestRelease(t *testing.T) {
	i := newInstalled(t)
	install, upgrade, uninstall, sample := i.told(4)
	i.does(strings.ReplaceAll(install, "{chatbot}", "{chatbot,leaving}") + " --set okta.orgURL=" + i.url + " --set configuration.incidentNamespace=incidents")
	stop := i.run()
	const keys = 195 // with the role and the sample's, 200 objects
	i.create(&v1alpha1.AIAgentRole{
		ObjectMeta: metav1.ObjectMeta{Namespace: served, Name: "chat"},
		Spec:       v1alpha1.AIAgentRoleSpec{Permissions: []v1alpha1.Permission{{Name: "talk", Description: "Talk to people."}}},
	})
	for n := range keys {
		i.create(i.bot(served, fmt.Sprint("bot-", n)))
	}
	for n := range keys {
		i.eventually(fmt.Sprintf("key %d works", n), func() bool { return i.ready(served, fmt.Sprint("bot-", n)) })
	}
	i.does(sample)
	i.eventually("the key of the sample that is told of works", func() bool { return i.ready(served, "chatbot") })
	i.samples()
	i.leaves()
	stop()
	i.does(upgrade + " --set namespaces='{chatbot}'") // without the one that was deleted
	i.forget()
	stop = i.run()
	i.eventually("the new operator has looked at Okta, and is done", i.quiet)
	stop()
	if reads, writes := i.calls(); writes != 0 || reads == 0 {
		t.Errorf("%d writes to Okta by the upgrade, and %d reads", writes, reads)
	}
	i.mu.Lock()
	if len(i.forbidden) > 0 {
		t.Errorf("the API server refused %q", i.forbidden)
	}
	i.mu.Unlock()
	i.does(uninstall)
	var kinds apiextensionsv1.CustomResourceDefinitionList
	if err := cluster.admin.List(t.Context(), &kinds); err != nil || len(kinds.Items) != 4 || !i.ready(served, "bot-0") {
		t.Errorf("%d kinds are left, %v; want them and what there is of them", len(kinds.Items), err)
	}
}

// told gives the Helm commands that docs/install.md shows, one after another.
func (i *installed) told(want int) (install, upgrade, uninstall, sample string) {
	i.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "install.md"))
	if err != nil {
		i.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^helm (.*\\\n)*.*$`).FindAllString(string(text), -1)
	if len(found) != want {
		i.Fatalf("docs/install.md shows %q, want %d commands", found, want)
	}
	return found[0], found[1], found[2], found[3]
}

// does runs a command as a person types it, in the project's directory.
func (i *installed) does(command string) {
	i.Helper()
	shell := exec.CommandContext(i.Context(), "bash", "-c", command)
	shell.Dir = filepath.Join("..", "..")
	shell.Env = append(environment(), "PATH="+filepath.Dir(os.Getenv("HELM"))+":"+os.Getenv("PATH"))
	if out, err := shell.CombinedOutput(); err != nil {
		i.Fatalf("%s: %v\n%s", command, err, out)
	}
}

// samples installs the chart of an agent that brings its identity with it, in each way to deliver
// the credential; the objects may come in any order.
func (i *installed) samples() {
	i.Helper()
	for delivery, more := range map[string]string{
		"privatekeyjwt": "delivery=PrivateKeyJWT,access.tokenLifetime=10m", "clientsecret": "delivery=ClientSecret,credential.restart=true",
		"accesstoken": "delivery=AccessToken,role.existing=chat",
	} {
		out, said, err := helm(i.Context(), "install", delivery, chartOf("agent-with-identity"), "--namespace", served, "--set", "credential."+more)
		if err != nil || strings.Contains(said, "would violate") {
			i.Fatalf("installing the sample: %v\n%s%s", err, out, said)
		}
		i.eventually("the sample's key works, with delivery "+delivery, func() bool { return i.ready(served, delivery) })
	}
	var policy v1alpha1.AccessPolicy
	i.eventually("the sample's policy stands", func() bool {
		err := cluster.admin.Get(i.Context(), client.ObjectKey{Namespace: served, Name: "privatekeyjwt"}, &policy)
		return err == nil && meta.IsStatusConditionTrue(policy.Status.Conditions, v1alpha1.ConditionReady)
	})
	for value, says := range map[string]string{
		"credential.delivery=Email": "/credential/delivery", "agent.owners={}": "/agent/owners", "image=": "/image", "credentials.x=1": "credentials",
	} {
		if _, said, err := helm(i.Context(), "template", chartOf("agent-with-identity"), "--set", value); err == nil || !strings.Contains(said, says) {
			i.Errorf("%s: %v, %s; want %q", value, err, said, says)
		}
	}
}

// leaves deletes a namespace as the namespace controller does, which is not here: the roles in it
// are gone before the operator lets go of what it keeps there.
func (i *installed) leaves() {
	i.Helper()
	i.create(i.bot(leaving, "last"))
	i.create(&v1alpha1.AIAgentRole{
		ObjectMeta: metav1.ObjectMeta{Namespace: leaving, Name: "chat"},
		Spec:       v1alpha1.AIAgentRoleSpec{Permissions: []v1alpha1.Permission{{Name: "talk", Description: "Talk to people."}}},
	})
	i.eventually("the key works", func() bool { return i.ready(leaving, "last") })
	i.mu.Lock()
	before := len(i.forbidden)
	i.mu.Unlock()
	for _, obj := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: leaving}},
		&rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: leaving, Name: operatorChart}},
		&rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: leaving, Name: operatorChart}},
		i.bot(leaving, "last"),
		&v1alpha1.AIAgentRole{ObjectMeta: metav1.ObjectMeta{Namespace: leaving, Name: "chat"}},
	} {
		if err := cluster.admin.Delete(i.Context(), obj); err != nil {
			i.Fatalf("deleting %T %s: %v", obj, obj.GetName(), err)
		}
	}
	i.eventually("the operator lets go of what is in the namespace", func() bool {
		var keys v1alpha1.AgentAPIKeyList
		var roles v1alpha1.AIAgentRoleList
		return cluster.admin.List(i.Context(), &keys, client.InNamespace(leaving)) == nil && len(keys.Items) == 0 &&
			cluster.admin.List(i.Context(), &roles, client.InNamespace(leaving)) == nil && len(roles.Items) == 0
	})
	for _, app := range i.org.Snapshot().Apps {
		if strings.Contains(app.Label, "/"+leaving+"/") {
			i.Errorf("app %s is left in Okta", app.Label)
		}
	}
	// What is forbidden by now is meant to be.
	i.mu.Lock()
	defer i.mu.Unlock()
	i.forbidden = i.forbidden[:before]
}

// bot is a key of the role "chat".
func (i *installed) bot(namespace, name string) *v1alpha1.AgentAPIKey {
	return &v1alpha1.AgentAPIKey{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.AgentAPIKeySpec{
			RoleRef: v1alpha1.RoleReference{Name: "chat"}, Agent: v1alpha1.Agent{Name: "Bot"},
			Secret: v1alpha1.SecretTarget{Name: v1alpha1.ObjectName(name + "-okta")},
		},
	}
}

func (i *installed) ready(namespace, name string) bool {
	var key v1alpha1.AgentAPIKey
	err := cluster.admin.Get(i.Context(), client.ObjectKey{Namespace: namespace, Name: name}, &key)
	return err == nil && meta.IsStatusConditionTrue(key.Status.Conditions, v1alpha1.ConditionReady)
}

func newInstalled(t *testing.T) *installed {
	t.Helper()
	i := &installed{
		T: t, credentials: t.TempDir(),
		org: oktasim.New(oktasim.Options{Limits: oktasim.LimitsWorkforce.Scaled(60)}),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		if strings.HasPrefix(r.URL.Path, "/api/") && r.Method != http.MethodGet {
			i.writes++
		} else {
			i.reads++
		}
		i.mu.Unlock()
		i.org.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	i.org.SetBaseURL(server.URL)
	i.url = server.URL
	if err := os.WriteFile(filepath.Join(i.credentials, "api_token"), []byte(i.org.AddAPIToken()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{home, served, leaving, "incidents"} {
		i.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted",
		}}})
	}
	return i
}

func (i *installed) calls() (reads, writes int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.reads, i.writes
}

// forget begins to count anew.
func (i *installed) forget() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.reads, i.writes = 0, 0
}

// quiet tells that there were calls, and are none any more.
func (i *installed) quiet() bool {
	before, _ := i.calls()
	<-time.After(2 * time.Second)
	after, _ := i.calls()
	return after > 0 && after == before
}

func (i *installed) create(obj client.Object) {
	i.Helper()
	if err := cluster.admin.Create(i.Context(), obj); err != nil {
		i.Fatalf("creating %T %s: %v", obj, obj.GetName(), err)
	}
}

func (i *installed) eventually(what string, so func() bool) {
	i.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); <-time.After(50 * time.Millisecond) {
		if so() {
			return
		}
	}
	i.Fatalf("it does not come to be that %s", what)
}

// run runs the operator with the configuration that the release holds, as its ServiceAccount,
// and gives what stops it.
func (i *installed) run() (stop func()) {
	i.Helper()
	var held corev1.ConfigMap
	name := operatorChart
	if err := cluster.admin.Get(i.Context(), client.ObjectKey{Namespace: home, Name: name + "-config"}, &held); err != nil {
		i.Fatal(err)
	}
	c, err := configv1alpha1.Parse([]byte(held.Data["config.yaml"]))
	if err != nil {
		i.Fatal(err)
	}
	c.Okta.CredentialsDirectory = i.credentials
	// What a pod knows by its own namespace, and ports that are free.
	c.Manager.LeaderElectionNamespace, c.Manager.MetricsBindAddress, c.Manager.HealthProbeBindAddress = home, "0", "0"
	as := rest.CopyConfig(cluster.rest)
	as.Impersonate = rest.ImpersonationConfig{
		UserName: fmt.Sprintf("system:serviceaccount:%s:%s", home, name),
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + home, "system:authenticated"},
	}
	as.Wrap(func(next http.RoundTripper) http.RoundTripper { return watched{i, next} })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- operator.Run(ctx, operator.Options{
			Config: c, REST: as, Logger: logr.Discard(), Clock: clock.RealClock{}, Metrics: prometheus.NewRegistry(), SkipNameValidation: true,
		})
	}()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil && !strings.Contains(err.Error(), "context canceled") {
				i.Errorf("the operator ended with: %v", err)
			}
		})
	}
	i.Cleanup(stop)
	return stop
}

// watched notes what is forbidden.
type watched struct {
	i    *installed
	next http.RoundTripper
}

func (w watched) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := w.next.RoundTrip(r)
	if err == nil && answer.StatusCode == http.StatusForbidden {
		w.i.mu.Lock()
		defer w.i.mu.Unlock()
		w.i.forbidden = append(w.i.forbidden, r.Method+" "+r.URL.Path)
	}
	return answer, err
}
