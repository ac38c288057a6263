package alerts

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// everything is a sample a minute of every metric, with the labels that dashboards tell apart.
const everything = `agentidentity_objects{kind="AgentAPIKey",ready="True",reason="Ready"} 5x2000
agentidentity_objects{kind="AgentAPIKey",ready="False",reason="RoleNotFound"} 1x2000
agentidentity_objects{kind="AgentAPIKey",ready="False",reason="Suspended"} 1x2000
agentidentity_conditions{kind="AgentAPIKey",condition="ForeignCredential"} 1x2000
agentidentity_conditions{kind="AgentAPIKey",condition="OldCredentialInUse"} 1x2000
agentidentity_orphans{kind="AgentAPIKey",state="Active"} 1x2000
agentidentity_tombstones 1x2000
agentidentity_orphan_sweeps_total{result="ok"} 0+1x2000
agentidentity_credential_age_seconds_bucket{le="3600"} 3x2000
agentidentity_credential_age_seconds_bucket{le="+Inf"} 6x2000
agentidentity_rotation_next_seconds 600x2000
agentidentity_okta_requests_total{bucket="apps",method="GET",result="ok"} 0+9x2000
agentidentity_okta_budget_remaining{bucket="apps"} 9x2000
agentidentity_okta_request_duration_seconds_bucket{bucket="apps",le="0.1"} 0+5x2000
agentidentity_okta_request_duration_seconds_bucket{bucket="apps",le="+Inf"} 0+6x2000
agentidentity_audit_events_total{result="delivered"} 0+100x2000
agentidentity_audit_matches_dropped_total 0+1x2000
agentidentity_audit_lag_seconds 3x2000
agentidentity_audit_sinks 2x2000
agentidentity_audit_sinks_failing 0x2000
`

// TestDashboard holds that each panel of the dashboard shows something where the operator tells
// all that it tells, and that no metric is left out.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "charts", "agent-identity-operator", "files", "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title, Description string
			Targets            []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	for _, panel := range dashboard.Panels {
		if panel.Title == "" || panel.Description == "" || len(panel.Targets) == 0 {
			t.Errorf("a panel says nothing: %+v", panel)
		}
		for _, target := range panel.Targets {
			if !holds(t, target.Expr, everything, 0) {
				t.Errorf("%s shows nothing: %s", panel.Title, target.Expr)
			}
			// A panel that says 0 where there is nothing would show something in any case.
			if expr, or := strings.CutSuffix(target.Expr, " or vector(0)"); or && !holds(t, expr, everything, 0) {
				t.Errorf("%s shows 0 in any case: %s", panel.Title, target.Expr)
			}
			shown.WriteString(target.Expr + "\n")
		}
	}
	reference, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	metrics := regexp.MustCompile("(?m)^\\| `(agentidentity_[a-z_]+)`").FindAllStringSubmatch(string(reference), -1)
	if len(metrics) < 10 {
		t.Fatalf("only %d metrics are known", len(metrics))
	}
	for _, metric := range metrics {
		if !strings.Contains(shown.String(), metric[1]) {
			t.Errorf("no panel shows %s", metric[1])
		}
	}
}
