package story

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// sampleObjects are what a directory of config/samples applies.
type sampleObjects struct {
	roles       []*v1alpha1.AIAgentRole
	keys        []*v1alpha1.AgentAPIKey
	policies    []*v1alpha1.AccessPolicy
	deployments []*appsv1.Deployment
	sinks       []*v1alpha1.AuditSink
	// collector is where the sinks lead.
	collector *collector
}

// TestSamples: every directory of config/samples becomes Ready as it stands, what it
// delivers works, and its parts fit together.
func TestSamples(t *testing.T) {
	directories, err := filepath.Glob(filepath.Join("..", "..", "config", "samples", "*"))
	if err != nil || len(directories) < 4 {
		t.Fatalf("finding the samples: %v, %v", directories, err)
	}
	for _, directory := range directories {
		t.Run(filepath.Base(directory), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, oktasim.Options{})
			w.bindRole("audit_role.yaml")
			w.start(impatient, w.governing, w.atHome, listening)
			sample := w.applySample(directory)
			w.mustFit(sample)
			for _, role := range sample.roles {
				readyRole(w, role.Name)
			}
			for _, policy := range sample.policies {
				w.waitReason(policy.Name, policy, v1alpha1.ReasonReady)
			}
			for _, sink := range sample.sinks {
				w.waitReason(sink.Name, sink, v1alpha1.ReasonReady)
			}
			for _, key := range sample.keys {
				readyKey(w, key.Name)
				w.mustDeliver(key, sample.permissions(w, key))
			}
		})
	}
}

// applySample creates what `kubectl apply -k` would, in the world's namespace.
func (w *world) applySample(directory string) *sampleObjects {
	w.Helper()
	w.mustNameEveryFile(directory)
	kubectl := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl")
	text, err := exec.Command(kubectl, "kustomize", directory).Output()
	if err != nil {
		w.Fatalf("kubectl kustomize %s: %v", directory, err)
	}
	sample := &sampleObjects{}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			w.Fatal(err)
		}
		content := map[string]any{}
		if err := yaml.UnmarshalStrict(document, &content); err != nil {
			w.Fatal(err)
		}
		w.createSample(sample, &unstructured.Unstructured{Object: content})
	}
	return sample
}

// mustNameEveryFile: a file that the kustomization forgot is applied by nobody.
func (w *world) mustNameEveryFile(directory string) {
	w.Helper()
	text, err := os.ReadFile(filepath.Join(directory, "kustomization.yaml"))
	if err != nil {
		w.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(directory, "*.yaml"))
	if err != nil {
		w.Fatal(err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		if name != "kustomization.yaml" && !strings.Contains(string(text), "- "+name+"\n") {
			w.Errorf("%s does not name %s", directory, name)
		}
	}
}

func (w *world) createSample(sample *sampleObjects, o *unstructured.Unstructured) {
	w.Helper()
	o.SetNamespace(w.namespace)
	switch o.GetKind() {
	case "Namespace":
		return // the world has one
	case "AIAgentRole":
		role := typed(w, o, &v1alpha1.AIAgentRole{})
		sample.roles = append(sample.roles, role)
		w.staff(role)
	case "AgentAPIKey":
		sample.keys = append(sample.keys, typed(w, o, &v1alpha1.AgentAPIKey{}))
	case "AccessPolicy":
		policy := typed(w, o, &v1alpha1.AccessPolicy{})
		sample.policies = append(sample.policies, policy)
		for _, app := range policy.Spec.Conditional.SignIn.Apps {
			w.peopleApp(app.Label)
		}
	case "AuditSink":
		w.redirect(sample, o)
		sample.sinks = append(sample.sinks, typed(w, o, &v1alpha1.AuditSink{}))
	case "Deployment":
		sample.deployments = append(sample.deployments, typed(w, o, &appsv1.Deployment{}))
	default:
		w.Errorf("a sample has an object of kind %s, of which this test knows nothing", o.GetKind())
	}
	w.create(o)
}

// redirect makes the sample's receiver one of the test's, with what leads there.
func (w *world) redirect(sample *sampleObjects, o *unstructured.Unstructured) {
	w.Helper()
	if sample.collector == nil {
		sample.collector = newCollector(w.T)
	}
	http := typed(w, o, &v1alpha1.AuditSink{}).Spec.Output.HTTP
	w.trusted(sample.collector, w.namespace, string(http.Headers[0].Value.Name))
	w.must(nil, unstructured.SetNestedField(o.Object, sample.collector.server.URL, "spec", "output", "http", "endpoint"))
}

// staff makes the people whom a role names, with phones.
func (w *world) staff(role *v1alpha1.AIAgentRole) {
	w.Helper()
	if role.Spec.Members == nil {
		return
	}
	for _, login := range role.Spec.Members.Users {
		_, err := w.org.CreateUser(oktasim.NewUser{Login: string(login), MobilePhone: "+4915112345678"})
		w.must(nil, err)
	}
}

func typed[T any](w *world, o *unstructured.Unstructured, into *T) *T {
	w.Helper()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, into, true); err != nil {
		w.Fatalf("%s %s: %v", o.GetKind(), o.GetName(), err)
	}
	return into
}

// mustFit: what is restarted is there, and what is mounted is delivered.
func (w *world) mustFit(sample *sampleObjects) {
	w.Helper()
	var delivered, deployed []string
	for _, d := range sample.deployments {
		deployed = append(deployed, d.Name)
	}
	for _, key := range sample.keys {
		delivered = append(delivered, string(key.Spec.Secret.Name))
		for _, target := range key.Spec.RestartTargets {
			if !slices.Contains(deployed, string(target.Name)) {
				w.Errorf("key %s restarts %s %s, which the sample lacks", key.Name, target.Kind, target.Name)
			}
		}
	}
	for _, d := range sample.deployments {
		var used []string
		for _, volume := range d.Spec.Template.Spec.Volumes {
			used = append(used, volume.Secret.SecretName)
		}
		for _, source := range d.Spec.Template.Spec.Containers[0].EnvFrom {
			used = append(used, source.SecretRef.Name)
		}
		if len(used) != 1 || !slices.Contains(delivered, used[0]) {
			w.Errorf("deployment %s uses the Secrets %v, and the keys deliver %v", d.Name, used, delivered)
		}
	}
}

// permissions of the key's role, sorted.
func (s *sampleObjects) permissions(w *world, key *v1alpha1.AgentAPIKey) []string {
	w.Helper()
	var names []string
	for _, role := range s.roles {
		if role.Name == string(key.Spec.RoleRef.Name) {
			for _, p := range role.Spec.Permissions {
				names = append(names, string(p.Name))
			}
		}
	}
	slices.Sort(names)
	if len(names) == 0 {
		w.Errorf("key %s points at role %s, which the sample lacks", key.Name, key.Spec.RoleRef.Name)
	}
	return names
}

// mustDeliver holds that an agent can do with the Secret what it is for.
func (w *world) mustDeliver(key *v1alpha1.AgentAPIKey, permissions []string) {
	w.Helper()
	var secret corev1.Secret
	w.get(string(key.Spec.Secret.Name), &secret)
	switch {
	case len(key.Spec.Secret.Template) > 0:
		for name := range key.Spec.Secret.Template {
			if err := yaml.Unmarshal(secret.Data[name], &map[string]any{}); err != nil || len(secret.Data) != len(key.Spec.Secret.Template) {
				w.Errorf("%s of Secret %s is no YAML: %v", name, secret.Name, err)
			}
		}
	case key.Spec.Delivery == v1alpha1.DeliveryAccessToken:
		w.mustHold(string(secret.Data["access_token"]), permissions)
	default:
		a := w.agent(secret.Name)
		a.files = asFiles(a.files)
		w.mustWork(a, permissions, "manage_ai_agents")
	}
}

// mustHold reads the scopes out of an access token.
func (w *world) mustHold(token string, permissions []string) {
	w.Helper()
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		w.Errorf("the Secret holds no access token: %v", err)
		return
	}
	var claims struct {
		Scopes []string `json:"scp"`
	}
	if err := parsed.UnsafeClaimsWithoutVerification(&claims); err != nil || !slices.Equal(claims.Scopes, permissions) {
		w.Errorf("the access token holds %v, want %v; %v", claims.Scopes, permissions, err)
	}
}

// asFiles gives the keys of any preset the names that they have in Files.
func asFiles(data map[string]string) map[string]string {
	names := strings.NewReplacer("okta_oauth2_", "", "-", "_", "uri", "url")
	files := map[string]string{}
	for name, value := range data {
		files[strings.TrimSuffix(names.Replace(strings.ToLower(name)), ".pem")] = value
	}
	if files["issuer"] == "" {
		files["issuer"] = files["issuer_url"]
	}
	return files
}
