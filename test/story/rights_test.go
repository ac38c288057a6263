package story

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// rights are what the operators of all stories have asked the API server for, each as
// "verb resource.group".
type rights struct {
	mu   sync.Mutex
	used map[string]bool
}

// watching notes what goes through.
func (r *rights) watching(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if right := rightOf(req); right != "" {
			r.mu.Lock()
			r.used[right] = true
			r.mu.Unlock()
		}
		return next.RoundTrip(req)
	})
}

// rightOf is what a request needs; "" for what is no resource.
func rightOf(req *http.Request) string {
	parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
	group := ""
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		group, parts = parts[1], parts[3:]
	default:
		return ""
	}
	if parts[0] == "namespaces" && len(parts) > 2 {
		parts = parts[2:]
	}
	resource, named := parts[0], len(parts) > 1
	if len(parts) > 2 {
		resource += "/" + parts[2]
	}
	verb := map[string]string{
		http.MethodPost: "create", http.MethodPut: "update", http.MethodPatch: "patch", http.MethodDelete: "delete", http.MethodGet: "get",
	}[req.Method]
	if verb == "get" && !named {
		verb = "list"
		if req.URL.Query().Get("watch") != "" {
			verb = "watch"
		}
	}
	return verb + " " + resource + "." + group
}

// unasked are rights that no story asks for by itself, and why the operator has them.
func unasked() map[string]string {
	all := map[string]string{
		"update agentapikeys/finalizers.agentidentity.dev": "owner references that block deletion, where the cluster enforces permissions for them",
		"create tokenreviews.authentication.k8s.io":        "who asks for metrics over HTTPS",
		"create subjectaccessreviews.authorization.k8s.io": "whether they may",
		"patch events.events.k8s.io":                       "an event that happens again within minutes",
		"get namespaces.":                                  "whether a namespace is being deleted, when the rights in it are gone already (test/chart)",
	}
	for _, workload := range []string{"daemonsets.apps", "statefulsets.apps"} {
		all["get "+workload], all["patch "+workload] = "as of Deployments", "as of Deployments"
	}
	for _, watched := range []string{"accesspolicies.agentidentity.dev", "auditsinks.agentidentity.dev", "namespaces.", "secrets."} {
		all["list "+watched] = "a cache begins with it where the API server does not stream lists"
	}
	return all
}

// check holds, when all stories have run, that the shipped role gives no right that nobody uses.
func (r *rights) check() error {
	if selected := flag.Lookup("test.run"); selected.Value.String() != "" {
		return nil
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "config", "rbac", "role.yaml"))
	if err != nil {
		return fmt.Errorf("reading the shipped role: %w", err)
	}
	var role rbacv1.ClusterRole
	if err := yaml.UnmarshalStrict(text, &role); err != nil {
		return fmt.Errorf("parsing the shipped role: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	reasons, granted := unasked(), map[string]bool{}
	var problems []string
	for _, rule := range role.Rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					right := verb + " " + resource + "." + group
					granted[right] = true
					if !r.used[right] && reasons[right] == "" {
						problems = append(problems, "the role gives a right that no story uses: "+right)
					}
				}
			}
		}
	}
	for right := range reasons {
		if !granted[right] {
			problems = append(problems, "there is no such right any more: "+right)
		}
	}
	if len(problems) == 0 {
		return nil
	}
	slices.Sort(problems)
	return errors.New(strings.Join(problems, "\n"))
}
