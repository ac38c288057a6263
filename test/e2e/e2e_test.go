package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/agentidentity/agent-identity-operator/test/canary"
)

// TestEndToEnd is what a platform team sees of the product on a real cluster, one thing after
// another.
func TestEndToEnd(t *testing.T) {
	if os.Getenv("E2E_HOST") == "" {
		t.Skip("run `make e2e`: it needs a cluster, and loads images into it")
	}
	o := newOrg(t)
	cleanUp(t)
	o.inCluster(t)
	for _, step := range []struct {
		name string
		do   func(*testing.T, *org)
	}{
		{"the chart installs the operator", installs},
		{"an agent gets its identity from its own chart", agentWorks},
		{"a rotation while the agent asks without pause", rotates},
		{"the leader is killed", failsOver},
		{"every process of the operator is killed on the node", restarts},
		{"an agent is cut off, and let in again", quarantines},
		{"a namespace is deleted", deletesNamespace},
		{"nothing secret is seen, and nothing was refused to the operator", showsNothing},
		{"everything is deleted", deletesAll},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.do(t, o); o.remember(t) }) {
			return
		}
	}
}

// cleanUp removes what an earlier run left, whose org is gone: the operator first, which would
// put finalizers on again, and then the finalizers.
func cleanUp(t *testing.T) {
	t.Helper()
	asked(t, "-n", home, "delete", "deployments", "--all", "--wait", "--cascade=foreground")
	for _, kind := range []string{"agentapikeys", "accesspolicies", "aiagentroles", "auditsinks"} {
		left := asked(t, "get", kind, "-A", "-o", "jsonpath={range .items[*]}{.metadata.namespace} {.metadata.name}{'\\n'}{end}")
		for line := range strings.Lines(left) {
			if namespace, name, found := strings.Cut(strings.TrimSpace(line), " "); found {
				asked(t, "-n", namespace, "patch", kind, name, "--type=merge", "-p", `{"metadata":{"finalizers":null}}`)
			}
		}
	}
	asked(t, "delete", "namespace", "--ignore-not-found", "--wait", home, team, gone, okta)
	asked(t, "delete", "clusterrole,clusterrolebinding,validatingadmissionpolicy,validatingadmissionpolicybinding", "-l",
		"app.kubernetes.io/part-of=agent-identity-operator")
	asked(t, "delete", "crd", "--ignore-not-found", "agentapikeys.agentidentity.dev", "accesspolicies.agentidentity.dev",
		"aiagentroles.agentidentity.dev", "auditsinks.agentidentity.dev")
}

func installs(t *testing.T, o *org) {
	helm(t, "install", "agent-identity-operator", "charts/agent-identity-operator", "--namespace", home,
		"--set", "clusterID=e2e,okta.orgURL="+o.url, "--set", fmt.Sprintf("namespaces={%s,%s}", team, gone),
		"--set", "configuration.okta.caBundleFile=/var/run/secrets/okta/ca.crt",
		"--set", fmt.Sprintf("image.repository=%s,image.tag=%s,image.pullPolicy=Never", operatorImage, tag))
	kubectl(t, "-n", home, "rollout", "status", "deployment/agent-identity-operator", "--timeout=180s")
	eventually(t, "somebody leads", func() bool { return leader(t) != "" })
}

// leader is the pod that holds the lease.
func leader(t *testing.T) string {
	t.Helper()
	holder := asked(t, "-n", home, "get", "lease", "agent-identity-operator.agentidentity.dev", "-o", "jsonpath={.spec.holderIdentity}")
	pod, _, _ := strings.Cut(holder, "_")
	return pod
}

// release installs the sample chart.
func release(t *testing.T, name, namespace string) {
	t.Helper()
	helm(t, "install", name, "charts/agent-with-identity", "--namespace", namespace, "--set", "image="+agentImage,
		"--set", "imagePullPolicy=Never,authority.configMap=org-authority", "--set", "credential.overlap=0s")
}

func ready(t *testing.T, namespace, name string) func() bool {
	return func() bool {
		return asked(t, "-n", namespace, "get", "agentapikey", name, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].status}`) == "True"
	}
}

func clientID(t *testing.T, namespace, name string) string {
	t.Helper()
	return kubectl(t, "-n", namespace, "get", "agentapikey", name, "-o", "jsonpath={.status.clientID}")
}

func agentWorks(t *testing.T, o *org) {
	release(t, "chatbot", team)
	took := eventually(t, "the key works", ready(t, team, "chatbot"))
	client := clientID(t, team, "chatbot")
	pod := eventually(t, "the agent's pod gets tokens", func() bool { return o.of(client).granted > 5 })
	t.Logf("the key was ready after %s, and the pod had its fifth token %s later", took.Round(time.Millisecond), pod.Round(time.Millisecond))
	mode := kubectl(t, "-n", team, "get", "pods", "-l", "app.kubernetes.io/instance=chatbot", "-o", "jsonpath={.items[0].status.phase}")
	if mode != "Running" {
		t.Errorf("the agent's pod is %s", mode)
	}
}

// withoutRefusal holds that the client gets tokens, and is refused none, while something is done.
func withoutRefusal(t *testing.T, o *org, client string, do func()) {
	t.Helper()
	before := o.of(client)
	do()
	eventually(t, "the agent goes on", func() bool { return o.of(client).granted > before.granted+5 })
	if after := o.of(client); after.refused != before.refused {
		t.Errorf("the agent was refused %d tokens", after.refused-before.refused)
	} else {
		t.Logf("%d tokens meanwhile, none refused", after.granted-before.granted)
	}
}

func rotates(t *testing.T, o *org) {
	client := clientID(t, team, "chatbot")
	keyID := func() string {
		return kubectl(t, "-n", team, "get", "agentapikey", "chatbot", "-o", "jsonpath={.status.keyID}")
	}
	first := keyID()
	withoutRefusal(t, o, client, func() {
		agentid(t, "keys", "rotate", "chatbot", "-n", team, "--wait", "--timeout=2m")
		eventually(t, "the earlier credential is gone", func() bool {
			return asked(t, "-n", team, "get", "agentapikey", "chatbot", "-o", "jsonpath={.status.retiringKeyIDs}") == ""
		})
	})
	if keyID() == first {
		t.Error("the credential is the same")
	}
}

func failsOver(t *testing.T, o *org) {
	client, first := clientID(t, team, "chatbot"), leader(t)
	withoutRefusal(t, o, client, func() {
		kubectl(t, "-n", home, "delete", "pod", first, "--grace-period=0", "--force")
		took := eventually(t, "another pod leads", func() bool { next := leader(t); return next != "" && next != first })
		release(t, "second", team)
		t.Logf("another led after %s, and a new key was ready %s later", took.Round(time.Millisecond),
			eventually(t, "a new key works", ready(t, team, "second")).Round(time.Millisecond))
	})
}

func restarts(t *testing.T, o *org) {
	client := clientID(t, team, "chatbot")
	version := func() string {
		return kubectl(t, "-n", team, "get", "secret", "chatbot-okta", "-o", "jsonpath={.metadata.resourceVersion}")
	}
	before := version()
	withoutRefusal(t, o, client, func() {
		kill := exec.CommandContext(t.Context(), "pkill", "-KILL", "-f", "^/manager --config=")
		if out, err := kill.CombinedOutput(); err != nil {
			t.Fatalf("killing the operator's processes on this node: %v %s", err, out)
		}
		eventually(t, "the kubelet has started all again", func() bool {
			return asked(t, "-n", home, "get", "pods", "-l", "app.kubernetes.io/name=agent-identity-operator",
				"-o", "jsonpath={.items[*].status.containerStatuses[0].restartCount}") == "1 1"
		})
		kubectl(t, "-n", home, "rollout", "status", "deployment/agent-identity-operator", "--timeout=180s")
		release(t, "third", team)
		eventually(t, "a new key works", ready(t, team, "third"))
	})
	if version() != before {
		t.Error("the agent's Secret was written")
	}
}

func quarantines(t *testing.T, o *org) {
	client := clientID(t, team, "chatbot")
	begun := time.Now()
	agentid(t, "quarantine", "chatbot", "-n", team, "--reason", "Seen in a public repository.")
	refused := o.of(client).refused
	eventually(t, "the agent is refused", func() bool { return o.of(client).refused > refused })
	t.Logf("the first token was refused within %s of the command", time.Since(begun).Round(time.Millisecond))
	granted := o.of(client).granted
	// Once the kubelet has seen it, the pod has no credential any more to ask with.
	eventually(t, "it is refused again and again, or has nothing to ask with", func() bool {
		return o.of(client).refused > refused+5 || asked(t, "-n", team, "get", "secret", "chatbot-okta", "-o", "jsonpath={.data.jwk}") == ""
	})
	if o.of(client).granted != granted {
		t.Error("the agent got a token after it was refused one")
	}
	agentid(t, "quarantine", "--release", "chatbot", "-n", team)
	eventually(t, "the agent gets tokens by a new credential", func() bool { return o.of(client).granted > granted+5 })
}

func deletesNamespace(t *testing.T, o *org) {
	release(t, "passing", gone)
	eventually(t, "the key works", ready(t, gone, "passing"))
	client := clientID(t, gone, "passing")
	kubectl(t, "delete", "namespace", gone, "--wait", "--timeout=180s")
	for _, app := range o.Snapshot().Apps {
		if app.ClientID == client {
			t.Errorf("app %s is left in Okta", app.ID)
		}
	}
}

// remember notes the material that there is now: what is replaced later must not have been seen
// either.
func (o *org) remember(t *testing.T) {
	t.Helper()
	for _, namespace := range []string{home, team} {
		var secrets struct {
			Items []struct {
				Metadata struct{ Name string }
				Data     map[string][]byte
			}
		}
		if err := json.Unmarshal([]byte(kubectl(t, "-n", namespace, "get", "secrets", "-o", "json")), &secrets); err != nil {
			t.Fatal("the Secrets cannot be read") // not with what they are
		}
		for _, secret := range secrets.Items {
			material, err := canary.Material(secret.Metadata.Name, secret.Data)
			if err != nil {
				t.Fatal(err)
			}
			maps.Copy(o.material, material)
		}
	}
}

// showsNothing looks for all material of the run in what people may read who may not read Secrets,
// and in what every process of the operator has logged.
func showsNothing(t *testing.T, o *org) {
	said := map[string]string{
		"objects": kubectl(t, "get", "agentidentity,configmaps,leases,events,pods,deployments", "-A", "-o", "json", "--show-managed-fields"),
	}
	maps.Copy(said, logs(t))
	size := 0
	for where, text := range said {
		size += len(text)
		for _, seen := range canary.Seen([]byte(text), o.material) {
			t.Errorf("%s: %s is seen", where, seen)
		}
		if strings.Contains(where, "log of") && strings.Contains(text, "is forbidden") {
			t.Errorf("%s: the API server refused something: %s", where, text)
		}
	}
	t.Logf("%d pieces of material, %d bytes in %d places", len(o.material), size, len(said))
	if len(o.material) < 20 || size < 20_000 || len(said) < 5 {
		t.Error("that is less than there was: is this step looking at the right thing?")
	}
}

// logs is what the operator's processes have logged: as the kubelet of this node keeps it, else
// what the API server gets from it.
func logs(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	kept, err := filepath.Glob(filepath.Join("/var/log/pods", home+"_*", "manager", "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range kept {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all["log of "+path] = string(text)
	}
	if len(all) > 0 {
		return all
	}
	for _, pod := range strings.Fields(kubectl(t, "-n", home, "get", "pods", "-o", "jsonpath={.items[*].metadata.name}")) {
		all["log of "+pod] = kubectl(t, "-n", home, "logs", pod)
		all["earlier log of "+pod] = kubectl(t, "-n", home, "logs", pod, "--previous")
	}
	return all
}

func deletesAll(t *testing.T, o *org) {
	for _, name := range []string{"chatbot", "second", "third"} {
		helm(t, "uninstall", name, "--namespace", team, "--wait", "--timeout=180s")
	}
	eventually(t, "no object is left", func() bool { return asked(t, "get", "agentidentity", "-n", team, "-o", "name") == "" })
	left, err := json.Marshal(o.Snapshot().Apps)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Snapshot().Apps) > 0 {
		t.Errorf("left in Okta: %s", left)
	}
	helm(t, "uninstall", "agent-identity-operator", "--namespace", home, "--wait")
}
