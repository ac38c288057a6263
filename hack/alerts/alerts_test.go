// Package alerts has each alert that the chart ships fire, and not fire, by Prometheus's own engine.
package alerts

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
	"sigs.k8s.io/yaml"
)

// rule is an alert as the chart ships it.
type rule struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

func shipped(t *testing.T) []rule {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "charts", "agent-identity-operator", "files", "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []rule `json:"rules"`
		} `json:"groups"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file.Groups[0].Rules
}

// series are metrics, a sample a minute, as promtool writes them: what has an alert fire, and
// what does not.
type series struct{ fires, quiet string }

const (
	ready  = `agentidentity_objects{pod="a",kind="AgentAPIKey",ready="True",reason="Ready"} 5x2000` + "\n"
	always = "1x2000"
)

func objects(kind, ready, reason, values string) string {
	return fmt.Sprintf("agentidentity_objects{pod=%q,kind=%q,ready=%q,reason=%q} %s\n", "a", kind, ready, reason, values)
}

func tests() map[string]series {
	return map[string]series{
		"AgentIdentityOperatorAbsent":      {"other_metric 1x2000\n", ready},
		"AgentIdentityOktaRefusesOperator": {objects("AgentAPIKey", "False", "AuthenticationFailed", always), objects("AgentAPIKey", "False", "Throttled", always)},
		"AgentIdentityKeysNotReady": {
			objects("AgentAPIKey", "False", "RoleNotFound", always),
			objects("AgentAPIKey", "False", "Suspended", always) + objects("AIAgentRole", "False", "RoleNotFound", always) + ready,
		},
		"AgentIdentityObjectsNotReady":      {objects("AccessPolicy", "False", "DirectoryError", always), objects("AgentAPIKey", "False", "RoleNotFound", always)},
		"AgentIdentityRotationOverdue":      {"agentidentity_rotation_next_seconds -4000x2000\n", "agentidentity_rotation_next_seconds -600x2000\n"},
		"AgentIdentityForeignCredential":    {`agentidentity_conditions{kind="AgentAPIKey",condition="ForeignCredential"} 1x2000` + "\n", `agentidentity_conditions{kind="AgentAPIKey",condition="Expiring"} 1x2000` + "\n"},
		"AgentIdentityKeyExpiring":          {`agentidentity_conditions{kind="AgentAPIKey",condition="Expiring"} 1x2000` + "\n", ready},
		"AgentIdentityOldCredentialInUse":   {`agentidentity_conditions{kind="AgentAPIKey",condition="OldCredentialInUse"} 1x2000` + "\n", ready},
		"AgentIdentityOktaThrottles":        {calls("throttled", 10) + calls("ok", 90), calls("throttled", 1) + calls("ok", 99)},
		"AgentIdentityAuditBehind":          {"agentidentity_audit_lag_seconds 1000x2000\n", "agentidentity_audit_lag_seconds 100x2000\n"},
		"AgentIdentityAuditFailing":         {"agentidentity_audit_sinks_failing 1x2000\n", "agentidentity_audit_sinks_failing 0x2000\n"},
		"AgentIdentityAuditSetAside":        {`agentidentity_audit_events_total{result="set_aside"} 0+1x2000` + "\n", `agentidentity_audit_events_total{result="delivered"} 0+1x2000` + "\n"},
		"AgentIdentityDetectionsOverloaded": {"agentidentity_audit_matches_dropped_total 0+1x2000\n", "agentidentity_audit_matches_dropped_total 7x2000\n"},
		"AgentIdentityOrphans":              {`agentidentity_orphans{kind="client",state="Reported"} 1x2000` + "\n", `agentidentity_orphans{kind="client",state="Reported"} 0x2000` + "\n"},
		"AgentIdentityAbandoned":            {"agentidentity_tombstones 1x2000\n", "agentidentity_tombstones 0x2000\n"},
	}
}

func calls(result string, perMinute int) string {
	return fmt.Sprintf("agentidentity_okta_requests_total{bucket=\"apps\",method=\"GET\",result=%q} 0+%dx2000\n", result, perMinute)
}

// TestAlerts holds that each alert fires when it should, only after its time, and at nothing else;
// and that people are told what to do about it.
func TestAlerts(t *testing.T) {
	runbook, err := os.ReadFile(filepath.Join("..", "..", "docs", "runbook.md"))
	if err != nil {
		t.Fatal(err)
	}
	tests := tests()
	for _, r := range shipped(t) {
		t.Run(r.Alert, func(t *testing.T) {
			tt, has := tests[r.Alert]
			delete(tests, r.Alert)
			if !has {
				t.Fatal("nothing has it fire")
			}
			var wait time.Duration
			if r.For != "" {
				d, err := model.ParseDuration(r.For)
				if err != nil {
					t.Fatal(err)
				}
				wait = time.Duration(d)
			}
			if !holds(t, r.Expr, tt.fires, wait) {
				t.Error("it does not fire")
			}
			if holds(t, r.Expr, tt.quiet, 0) {
				t.Error("it fires at something else")
			}
			if r.Labels["severity"] == "" || r.Annotations["summary"] == "" {
				t.Error("it has no severity, or no summary")
			}
			if !strings.Contains(string(runbook), "\n## "+r.Alert+"\n") {
				t.Error("docs/runbook.md has no section on it")
			}
		})
	}
	for name := range tests {
		t.Errorf("there is no alert %s", name)
	}
}

// holds tells that the expression has the same outcome for that long, from two hours on.
func holds(t *testing.T, expr, load string, wait time.Duration) bool {
	t.Helper()
	storage := promqltest.LoadedStorage(t, "load 1m\n  "+strings.ReplaceAll(strings.TrimSpace(load), "\n", "\n  ")+"\n")
	engine := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
	for at := 2 * time.Hour; at <= 2*time.Hour+wait; at += 10 * time.Minute {
		query, err := engine.NewInstantQuery(context.Background(), storage, nil, expr, time.Unix(0, 0).Add(at))
		if err != nil {
			t.Fatal(err)
		}
		result := query.Exec(context.Background())
		if result.Err != nil {
			t.Fatal(result.Err)
		}
		vector, ok := result.Value.(promql.Vector)
		if !ok || len(vector) == 0 {
			return false
		}
		query.Close()
	}
	return true
}
