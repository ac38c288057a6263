package chart

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	configv1alpha1 "github.com/agentidentity/agent-identity-operator/api/config/v1alpha1"
)

const operatorChart = "agent-identity-operator"

// least is what must be said.
func least(more ...string) []string {
	return append([]string{"--set", "clusterID=prod-1,okta.orgURL=https://example.okta.com"}, more...)
}

// ways are ways to install the operator, in the namespace "home".
func ways() map[string][]string {
	served := []string{"--set", "namespaces={team-a,team-b}"}
	return map[string][]string{
		"namespaced":   least(served...),
		"at home too":  least("--set", "namespaces={home,team-a}"),
		"cluster-wide": least("--set", "clusterWide=true"),
		"alone":        least(append(served, "--set", "replicas=1,crds.enabled=false,ceilingAdmission=false,metrics.enabled=false,networkPolicy.enabled=false")...),
		"everything": least(append(served, "--set",
			"webhook.enabled=true,metrics.serviceMonitor.enabled=true,metrics.prometheusRule.enabled=true,metrics.dashboard.enabled=true,proxy.https=http://proxy.example.com:3128,proxy.exceptions={10.0.0.0/8},metrics.readers[0].namespace=monitoring,metrics.readers[0].name=prometheus,"+
				"podLabels.a=b,podAnnotations.c=d,nodeSelector.e=f,priorityClassName=system-cluster-critical,imagePullSecrets[0].name=pull,"+
				"serviceAccount.annotations.g=h,image.digest=sha256:"+strings.Repeat("0", 64),
			"--set-json", `configuration={"accessTokenLifetime":"10m","resyncInterval":"1h","audience":"api://x","okta":{"rateLimitShare":20},
			"orphans":{"policy":"Deactivate","interval":"2h","grace":"3h"},"deletionBrake":{"keysPerHour":0},
			"governedApps":[{"app":"portal","namespaces":["team-a"]}],"audit":{"pollInterval":"10s","allowedNetworks":["10.0.0.0/8"],"deniedNetworks":[]},
			"withoutCeiling":"Deny","incidentNamespace":"incident","manager":{"workers":4}}`)...),
		"a certificate of one's own": least(append(served, "--set", "webhook.enabled=true,webhook.certManager=false,webhook.certificateSecret=own,webhook.caBundle=pem")...),
	}
}

// render gives the objects of a chart.
func render(t *testing.T, chart string, values ...string) []*unstructured.Unstructured {
	t.Helper()
	text := mustHelm(t, append([]string{"template", "aio", chartOf(chart), "--namespace", "home"}, values...)...)
	var objects []*unstructured.Unstructured
	for part := range strings.SplitSeq(text, "\n---\n") {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(part), &object.Object); err != nil {
			t.Fatalf("%v in\n%s", err, part)
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
	return objects
}

func TestLint(t *testing.T) {
	for name, values := range ways() {
		t.Run(name, func(t *testing.T) {
			mustHelm(t, append([]string{"lint", "--strict", chartOf(operatorChart)}, values...)...)
		})
	}
}

// TestObjectsAreTaken holds that an API server takes all objects as they are, warns of none, and
// that the pods keep to the restricted standard.
func TestObjectsAreTaken(t *testing.T) {
	for _, name := range []string{"home", "team-a", "team-b", "incident"} {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted",
		}}}
		if err := cluster.admin.Create(t.Context(), namespace); client.IgnoreAlreadyExists(err) != nil {
			t.Fatal(err)
		}
	}
	for name, values := range ways() {
		t.Run(name, func(t *testing.T) {
			objects := render(t, operatorChart, values...)
			cluster.warnings.take()
			for _, object := range objects {
				err := cluster.admin.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(object), client.FieldOwner("test"), client.ForceOwnership, client.DryRunAll)
				if meta.IsNoMatchError(err) && slices.Contains([]string{"ServiceMonitor", "PrometheusRule", "Certificate", "Issuer"}, object.GetKind()) {
					continue
				}
				if err != nil {
					t.Errorf("%s %s: %v", object.GetKind(), object.GetName(), err)
				}
			}
			if said := cluster.warnings.take(); len(said) > 0 {
				t.Errorf("warnings: %q", said)
			}
		})
	}
}

// TestConfigurationIsTaken holds that the operator takes the file that the chart writes, and that
// the values stand in it.
func TestConfigurationIsTaken(t *testing.T) {
	for name, values := range ways() {
		t.Run(name, func(t *testing.T) {
			c := configurationOf(t, render(t, operatorChart, values...))
			if c.ClusterID != "prod-1" || c.Okta.OrgURL != "https://example.okta.com" || c.Okta.CredentialsDirectory != "/var/run/secrets/okta" {
				t.Errorf("got %+v", c)
			}
			if wide := len(c.Namespaces) == 0; wide != (name == "cluster-wide") {
				t.Errorf("namespaces: %v", c.Namespaces)
			}
			if name == "everything" && (c.Okta.RateLimitShare != 20 || c.Orphans.Policy != "Deactivate" || c.WithoutCeiling != "Deny" ||
				c.Manager.Workers != 4 || c.Manager.WebhookPort != 9443 || *c.DeletionBrake.KeysPerHour != 0 || c.IncidentNamespace != "incident") {
				t.Errorf("got %+v", c)
			}
		})
	}
}

func configurationOf(t *testing.T, objects []*unstructured.Unstructured) *configv1alpha1.Configuration {
	t.Helper()
	for _, object := range objects {
		if object.GetKind() != "ConfigMap" {
			continue
		}
		text, _, _ := unstructured.NestedString(object.Object, "data", "config.yaml")
		c, err := configv1alpha1.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	t.Fatal("there is no ConfigMap")
	return nil
}

// TestMemory holds that the operator keeps below its limit rather than be killed, in whatever unit
// it is given.
func TestMemory(t *testing.T) {
	for limit, want := range map[string]string{"256Mi": "230MiB", "1Gi": "921MiB", "300M": "", "null": ""} {
		got := ""
		for _, object := range render(t, operatorChart, least("--set", "namespaces={team-a},resources.limits.memory="+limit)...) {
			if object.GetKind() != "Deployment" {
				continue
			}
			text, err := yaml.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			if _, after, found := strings.Cut(string(text), "name: GOMEMLIMIT\n"); found {
				got = strings.TrimSpace(strings.TrimPrefix(strings.SplitN(strings.TrimSpace(after), "\n", 2)[0], "value:"))
			}
		}
		if got != want {
			t.Errorf("with the limit %s, GOMEMLIMIT is %q, want %q", limit, got, want)
		}
	}
}

// TestRefusals holds that what is wrong is refused, by its name.
func TestRefusals(t *testing.T) {
	served := "namespaces={team-a}"
	for name, tt := range map[string]struct {
		values []string
		says   string
	}{
		"no cluster":              {[]string{"--set", "okta.orgURL=https://x.okta.com," + served}, "clusterID: name this cluster in Okta"},
		"no org":                  {[]string{"--set", "clusterID=c," + served}, "okta.orgURL: name the org"},
		"nowhere":                 {least(), "namespaces: name those that the operator serves"},
		"both ways":               {least("--set", "clusterWide=true,"+served), "choose one of them"},
		"a cluster of that name":  {least("--set", "clusterID=Prod_1,"+served), "/clusterID"},
		"a namespace":             {least("--set", "namespaces={Team}"), "/namespaces/0"},
		"a namespace twice":       {least("--set", "namespaces={a,a}"), "/namespaces"},
		"a value of another name": {least("--set", "replicaCount=3,"+served), "replicaCount"},
		"a field of another name": {least("--set", "configuration.tokenLifetime=3m,"+served), "tokenLifetime"},
		"what has its own value":  {least("--set", "configuration.clusterID=x,"+served), "clusterID"},
		"a share":                 {least("--set", "configuration.okta.rateLimitShare=200,"+served), "rateLimitShare"},
		"a policy":                {least("--set", "configuration.orphans.policy=Burn,"+served), "policy"},
		"a duration":              {least("--set", "configuration.audit.pollInterval=soon,"+served), "pollInterval"},
		"no replica":              {least("--set", "replicas=0,"+served), "/replicas"},
		"a digest":                {least("--set", "image.digest=latest,"+served), "/image/digest"},
		"a port":                  {least("--set", "networkPolicy.egressPorts={70000},"+served), "egressPorts"},
		"a webhook without trust": {least("--set", "webhook.enabled=true,webhook.certManager=false,"+served), "certificateSecret and caBundle"},
		"an org in the clear":     {least("--set", "okta.orgURL=http://example.okta.com,"+served), "/okta/orgURL"},
		"metrics that are none":   {least("--set", "metrics=null,"+served), "metrics"},
		"a label of the selector": {least("--set", "podLabels.app\\.kubernetes\\.io/name=mine,"+served), "podLabels: app.kubernetes.io/name is the chart's own"},
		"a proxy's password":      {least("--set", "proxy.https=http://me:secret@proxy:3128,"+served), "/proxy/https"},
		"a proxy without scheme":  {least("--set", "proxy.https=proxy:3128,"+served), "/proxy/https"},
		"an org without scheme":   {least("--set", "okta.orgURL=example.okta.com,"+served), "/okta/orgURL"},
	} {
		t.Run(name, func(t *testing.T) {
			_, said, err := helm(t.Context(), append([]string{"template", "aio", chartOf(operatorChart)}, tt.values...)...)
			if err == nil || !strings.Contains(said, tt.says) {
				t.Errorf("got %v, %s; want %q", err, said, tt.says)
			}
		})
	}
}

// TestProxyIsReached holds that the network policy lets the operator reach the proxy that it is to use.
func TestProxyIsReached(t *testing.T) {
	for proxy, want := range map[string]int64{
		"http://proxy.example.com:3128": 3128, "http://proxy.example.com:3128/": 3128, "http://proxy.example.com": 80,
		"https://proxy": 443, "http://[fd00::1]:8080": 8080,
	} {
		for _, object := range render(t, operatorChart, least("--set", "namespaces={team-a},proxy.https="+proxy)...) {
			if object.GetKind() != "NetworkPolicy" {
				continue
			}
			egress, _, err := unstructured.NestedSlice(object.Object, "spec", "egress")
			if err != nil {
				t.Fatal(err)
			}
			ports, _, err := unstructured.NestedSlice(egress[0].(map[string]any), "ports")
			if err != nil {
				t.Fatal(err)
			}
			if last := ports[len(ports)-1].(map[string]any)["port"]; fmt.Sprint(last) != fmt.Sprint(want) {
				t.Errorf("by %s the last port that may be reached is %v, not %d", proxy, last, want)
			}
		}
	}
}

// TestTwoReleases holds that two operators of one cluster have nothing in common that is not a
// namespace's, but the kinds; and that each refuses in its own namespaces only.
func TestTwoReleases(t *testing.T) {
	names := func(release, namespace string) map[string]bool {
		all := map[string]bool{}
		text := mustHelm(t, "template", release, chartOf(operatorChart), "--namespace", release, "--set",
			"clusterID="+release+",okta.orgURL=https://example.okta.com,crds.enabled=false,namespaces={"+namespace+"}")
		for part := range strings.SplitSeq(text, "\n---\n") {
			var object unstructured.Unstructured
			if err := yaml.Unmarshal([]byte(part), &object.Object); err != nil || len(object.Object) == 0 {
				continue
			}
			if object.GetNamespace() == "" {
				all[object.GetKind()+" "+object.GetName()] = true
			}
			if object.GetKind() == "ValidatingAdmissionPolicyBinding" && !strings.Contains(part, "- "+namespace+"\n") {
				t.Errorf("%s refuses elsewhere too:\n%s", object.GetName(), part)
			}
		}
		return all
	}
	one, other := names("one", "team-a"), names("other", "team-b")
	for name := range one {
		if other[name] {
			t.Errorf("both releases have %s", name)
		}
	}
	if len(one) < 6 {
		t.Errorf("only %v are not a namespace's", one)
	}
}

// TestRights holds that what the chart gives is what the code asks for, in both ways; and by
// default nothing by which all Secrets, or more rights, could be had.
func TestRights(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "config", "rbac", "role.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var shipped rbacv1.ClusterRole
	if err := yaml.UnmarshalStrict(text, &shipped); err != nil {
		t.Fatal(err)
	}
	want := rights(shipped.Rules)
	for name, values := range ways() {
		t.Run(name, func(t *testing.T) {
			everywhere, served := map[string]bool{}, map[string]bool{}
			for _, object := range render(t, operatorChart, values...) {
				switch object.GetKind() {
				case "ClusterRole":
					maps.Copy(everywhere, rights(rulesOf(t, object)))
				case "Role":
					got := rights(rulesOf(t, object))
					if object.GetNamespace() == "team-a" {
						maps.Copy(served, got)
					}
					sane(t, object.GetName(), got)
				}
			}
			sane(t, "the cluster", everywhere)
			if name != "cluster-wide" {
				for right := range everywhere {
					if !strings.Contains(right, ".agentidentity.dev") && !slices.Contains([]string{
						"get namespaces.", "list namespaces.", "watch namespaces.",
						"create tokenreviews.authentication.k8s.io", "create subjectaccessreviews.authorization.k8s.io",
					}, right) {
						t.Errorf("everywhere: %s", right)
					}
				}
			}
			maps.Copy(served, everywhere)
			if diff := cmp.Diff(want, served); diff != "" {
				t.Errorf("against config/rbac/role.yaml (-want +got):\n%s", diff)
			}
		})
	}
}

// sane holds that no right leads to more.
func sane(t *testing.T, whose string, got map[string]bool) {
	t.Helper()
	for right := range got {
		for _, never := range []string{"*", "escalate", "bind ", "impersonate", "webhookconfigurations", "pods/exec", "nodes", "roles.rbac"} {
			if strings.Contains(right, never) {
				t.Errorf("%s: %s", whose, right)
			}
		}
	}
}

// rights are single rights, each as "verb resource.group [name]".
func rights(rules []rbacv1.PolicyRule) map[string]bool {
	all := map[string]bool{}
	for _, rule := range rules {
		names := rule.ResourceNames
		if len(names) == 0 {
			names = []string{""}
		}
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					for _, name := range names {
						all[strings.TrimSpace(fmt.Sprintf("%s %s.%s %s", verb, resource, group, name))] = true
					}
				}
			}
		}
	}
	return all
}

func rulesOf(t *testing.T, object *unstructured.Unstructured) []rbacv1.PolicyRule {
	t.Helper()
	var role rbacv1.Role
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &role); err != nil {
		t.Fatal(err)
	}
	return role.Rules
}
