package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

const sample = "config/samples/chatbot"

// play tells the story, step by step, and stops at the first surprise.
func (s *stage) play(ctx context.Context) error {
	s.out.line("From `kubectl apply` to an access token. Everything runs on this machine, on loopback.")
	s.out.line("Files and logs: %s (kept only when something goes wrong)", s.dir)
	for _, part := range []func(context.Context) error{
		s.setUp, s.install, s.declare, s.useKeys, s.refuse, s.revoke,
	} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	s.out.line("\nThe demo went as it should, in %s.", s.out.elapsed())
	return nil
}

func (s *stage) setUp(ctx context.Context) error {
	s.out.step("A Kubernetes control plane: etcd and kube-apiserver, with RBAC.")
	if err := s.raise(); err != nil {
		return err
	}
	version, err := s.cluster.Discovery().ServerVersion()
	if err != nil {
		return err
	}
	s.out.say("Kubernetes %s at %s", version.GitVersion, s.plane.Config.Host)
	s.out.step("A simulated Okta org, with the rate limits of a real one.")
	org, err := s.startOrg(ctx)
	if err != nil {
		return err
	}
	s.out.say("%s", org)
	return nil
}

// install applies config/default whole. Nothing runs its Deployment here (there
// is no node); the operator is started by hand in its stead.
func (s *stage) install(ctx context.Context) error {
	s.out.step("The operator is installed: its CRDs, its ServiceAccount and RBAC roles.")
	s.out.command("kubectl apply --server-side -k config/default")
	output, err := s.apply(ctx, "--server-side", "-k", "config/default")
	if err != nil {
		return err
	}
	s.out.show(output)
	if err := s.wait(ctx, "Established", "customresourcedefinition", "--all"); err != nil {
		return err
	}
	s.out.step("The operator starts, with the token of that ServiceAccount. It is no administrator.")
	org, err := os.ReadFile(filepath.Join(s.orgDir(), "url"))
	if err != nil {
		return err
	}
	if err := s.startOperator(ctx, strings.TrimSpace(string(org))); err != nil {
		return err
	}
	s.out.command("kubectl auth can-i --list --as=system:serviceaccount:"+operatorNamespace+":"+operatorAccount,
		"| grep agentidentity")
	rights, err := s.kubectl(ctx, "auth", "can-i", "--list", "--no-headers",
		"--as=system:serviceaccount:"+operatorNamespace+":"+operatorAccount)
	if err != nil {
		return err
	}
	s.out.show(grep(rights, "agentidentity.dev"))
	return nil
}

func (s *stage) declare(ctx context.Context) error {
	s.out.step("A person declares a role and two keys.")
	s.out.command("kubectl apply -k", sample)
	began := time.Now()
	output, err := s.apply(ctx, "-k", sample)
	if err != nil {
		return err
	}
	s.out.show(output)
	for _, kind := range []string{"aiagentrole", "agentapikey"} {
		if err := s.wait(ctx, "Ready", kind, "--all", "--all-namespaces"); err != nil {
			return s.unready(ctx, err)
		}
	}
	s.out.step("The operator made Okta agree, %s later.", time.Since(began).Round(100*time.Millisecond))
	s.out.command("kubectl get aiagentroles,agentapikeys --all-namespaces")
	output, err = s.kubectl(ctx, "get", "aiagentroles,agentapikeys", "--all-namespaces")
	if err != nil {
		return err
	}
	s.out.show(output)
	return nil
}

// unready adds what the objects themselves say to a wait that ran out.
func (s *stage) unready(ctx context.Context, err error) error {
	output, _ := s.kubectl(ctx, "get", "aiagentroles,agentapikeys", "--all-namespaces", "--output=wide")
	return fmt.Errorf("%w\n%s", err, output)
}

// useKeys plays every agent: the one with a private key first.
func (s *stage) useKeys(ctx context.Context) error {
	keys, err := s.keys(ctx)
	if err != nil {
		return err
	}
	for _, key := range keys {
		a, err := s.mount(ctx, key)
		if err != nil {
			return err
		}
		if err := s.useKey(ctx, key, a); err != nil {
			return err
		}
	}
	return nil
}

// mount shows a key's Secret and lays its files out as a pod would see them.
func (s *stage) mount(ctx context.Context, key *v1alpha1.AgentAPIKey) (*agent, error) {
	name := string(key.Spec.Secret.Name)
	s.out.step("The Secret %s, which the agent's pods mount (delivery %s):", name, key.Spec.Delivery)
	secret, err := s.cluster.CoreV1().Secrets(key.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	s.out.show(masked(secret.Data))
	dir := filepath.Join(s.dir, "mounted", key.Namespace, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	for file, value := range secret.Data {
		if err := os.WriteFile(filepath.Join(dir, file), value, 0o600); err != nil {
			return nil, err
		}
	}
	return newAgent(dir, filepath.Join(s.orgDir(), "ca.crt"))
}

// useKey obtains a token and checks that it holds the role's permissions, and
// not one more.
func (s *stage) useKey(ctx context.Context, key *v1alpha1.AgentAPIKey, a *agent) error {
	s.out.step("%s asks Okta for a token, knowing only these files.", key.Spec.Agent.Name)
	scopes, err := a.read("scopes")
	if err != nil {
		return err
	}
	token, err := a.token(ctx, scopes)
	if err != nil {
		return err
	}
	claims, err := a.verify(ctx, token)
	if err != nil {
		return fmt.Errorf("verifying the token: %w", err)
	}
	pretty, err := json.MarshalIndent(claims, "", "  ")
	if err != nil {
		return err
	}
	s.out.say("Granted. The token's claims, its signature checked with the issuer's published keys:")
	s.out.show(string(pretty))
	want, err := s.permissions(ctx, key)
	if err != nil {
		return err
	}
	if have := texts(claims["scp"]); !slices.Equal(have, want) {
		return fmt.Errorf("the token's scopes are %v, the role's permissions %v", have, want)
	}
	s.out.say("Its scopes are the role's permissions, no more and no less.")
	return nil
}

// refuse asks for what another role may do. The scope exists in Okta, so only
// the policy stands between the agent and it.
func (s *stage) refuse(ctx context.Context) error {
	keys, err := s.keys(ctx)
	if err != nil {
		return err
	}
	key := keys[0]
	s.out.step("%s asks for more: export_ai_logs, which exists, but in another role.", key.Spec.Agent.Name)
	file := filepath.Join(s.dir, "auditor.yaml")
	if err := os.WriteFile(file, []byte(otherRole), 0o600); err != nil {
		return err
	}
	if _, err := s.apply(ctx, "--namespace", key.Namespace, "--filename", file); err != nil {
		return err
	}
	if err := s.wait(ctx, "Ready", "--namespace", key.Namespace, "aiagentrole/auditor"); err != nil {
		return s.unready(ctx, err)
	}
	return s.expectRefusal(ctx, key, "export_ai_logs")
}

const otherRole = `apiVersion: agentidentity.dev/v1alpha1
kind: AIAgentRole
metadata:
  name: auditor
spec:
  permissions:
  - name: export_ai_logs
`

// revoke deletes a key and shows that its credential is worth nothing afterwards.
func (s *stage) revoke(ctx context.Context) error {
	keys, err := s.keys(ctx)
	if err != nil || len(keys) < 2 {
		return err
	}
	key := keys[len(keys)-1]
	s.out.step("A person deletes the key of %s; a copy of its Secret was kept.", key.Spec.Agent.Name)
	s.out.command("kubectl --namespace", key.Namespace, "delete agentapikey", key.Name)
	output, err := s.kubectl(ctx, "delete", "--timeout=120s", "--namespace", key.Namespace, "agentapikey", key.Name)
	if err != nil {
		return s.unready(ctx, err)
	}
	s.out.show(output)
	scopes, err := s.permissions(ctx, key)
	if err != nil {
		return err
	}
	return s.expectRefusal(ctx, key, scopes...)
}

// expectRefusal asks for scopes with the files laid out before; anything but a
// clear no of the token endpoint is a failure.
func (s *stage) expectRefusal(ctx context.Context, key *v1alpha1.AgentAPIKey, scopes ...string) error {
	mount := filepath.Join(s.dir, "mounted", key.Namespace, string(key.Spec.Secret.Name))
	a, err := newAgent(mount, filepath.Join(s.orgDir(), "ca.crt"))
	if err != nil {
		return err
	}
	_, err = a.token(ctx, strings.Join(scopes, " "))
	no := &refusal{}
	switch {
	case err == nil:
		return fmt.Errorf("%s was granted %v, which it must not have", key.Name, scopes)
	case !errors.As(err, &no):
		return err
	}
	s.out.say("Refused, as it should be: %s", no)
	return nil
}

// keys lists the sample's keys, those with a private key first.
func (s *stage) keys(ctx context.Context) ([]*v1alpha1.AgentAPIKey, error) {
	text, err := s.kubectl(ctx, "get", "agentapikeys", "--all-namespaces", "--output=json")
	if err != nil {
		return nil, err
	}
	list := struct{ Items []*v1alpha1.AgentAPIKey }{}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, err
	}
	if len(list.Items) == 0 {
		return nil, fmt.Errorf("%s declares no AgentAPIKey", sample)
	}
	slices.SortStableFunc(list.Items, func(a, b *v1alpha1.AgentAPIKey) int {
		return -cmp.Compare(a.Spec.Delivery, b.Spec.Delivery)
	})
	return list.Items, nil
}

// permissions of the role a key is bound to, sorted.
func (s *stage) permissions(ctx context.Context, key *v1alpha1.AgentAPIKey) ([]string, error) {
	namespace := cmp.Or(string(key.Spec.RoleRef.Namespace), key.Namespace)
	text, err := s.kubectl(ctx, "get", "aiagentrole", string(key.Spec.RoleRef.Name),
		"--namespace", namespace, "--output=json")
	if err != nil {
		return nil, err
	}
	role := v1alpha1.AIAgentRole{}
	if err := json.Unmarshal([]byte(text), &role); err != nil {
		return nil, err
	}
	names := make([]string, 0, len(role.Spec.Permissions))
	for _, p := range role.Spec.Permissions {
		names = append(names, string(p.Name))
	}
	slices.Sort(names)
	return names, nil
}

// texts returns the strings of a JSON list, sorted.
func texts(value any) []string {
	list, _ := value.([]any)
	found := make([]string, 0, len(list))
	for _, item := range list {
		found = append(found, fmt.Sprint(item))
	}
	slices.Sort(found)
	return found
}

// grep keeps the lines that contain a word.
func grep(text, word string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, word) {
			kept.WriteString(line)
		}
	}
	return kept.String()
}
