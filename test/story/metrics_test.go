package story

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestDocsNameMetrics: docs/reference/metrics.md has the operator's metrics as it registers them
// (UPDATE_GOLDEN=1 writes it), and the alerts ask for none that there is not.
func TestDocsNameMetrics(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.start(impatient)
	w.create(w.role("chat", "a"), w.key("bot", "chat", v1alpha1.DeliveryPrivateKeyJWT))
	readyKey(w, "bot")
	names := map[string]bool{}
	var lines []string
	descriptions := make(chan *prometheus.Desc, 1000)
	w.metrics.Describe(descriptions)
	close(descriptions)
	parts := regexp.MustCompile(`fqName: "([^"]+)", help: "([^"]+)", .*variableLabels: \{([^}]*)\}`)
	for d := range descriptions {
		found := parts.FindStringSubmatch(d.String())
		if found == nil {
			t.Fatalf("a description of another form: %s", d)
		}
		if !strings.HasPrefix(found[1], "agentidentity_") {
			continue
		}
		labels := ""
		if found[3] != "" {
			labels = "`" + strings.ReplaceAll(found[3], ",", "`, `") + "`"
		}
		names[found[1]] = true
		lines = append(lines, fmt.Sprintf("| `%s` | %s | %s |\n", found[1], labels, found[2]))
	}
	slices.Sort(lines)
	if len(lines) < 10 {
		t.Fatalf("only %d metrics were found", len(lines))
	}
	want := "# Metrics\nWhat the operator tells Prometheus, besides what controller-runtime and the Go runtime tell. No label names an object.\n" +
		"[The runbook](../runbook.md) says which of them people are alerted by.\n\n| metric | labels | |\n|---|---|---|\n" + strings.Join(lines, "")
	file := filepath.Join(root, "docs", "reference", "metrics.md")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, read(t, "docs", "reference", "metrics.md")); diff != "" {
		t.Errorf("docs/reference/metrics.md (-want +got); UPDATE_GOLDEN=1 writes it anew:\n%s", diff)
	}
	alerts := read(t, "charts", "agent-identity-operator", "files", "alerts.yaml")
	for _, name := range regexp.MustCompile(`agentidentity_\w+`).FindAllString(alerts, -1) {
		if !names[name] {
			t.Errorf("an alert asks for %s, which there is not", name)
		}
	}
}
