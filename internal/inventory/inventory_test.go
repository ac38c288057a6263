package inventory

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

func noon() time.Time { return time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC) }

func condition(name string, status metav1.ConditionStatus, reason string) metav1.Condition {
	return metav1.Condition{Type: name, Status: status, Reason: reason}
}

func key(name string, age, due time.Duration, conditions ...metav1.Condition) *v1alpha1.AgentAPIKey {
	k := &v1alpha1.AgentAPIKey{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}}
	k.Status.Conditions = conditions
	if age > 0 {
		k.Status.CredentialCreatedAt = new(metav1.NewTime(noon().Add(-age)))
	}
	if due != 0 {
		k.Status.NextRotationAt = new(metav1.NewTime(noon().Add(due)))
	}
	return k
}

func TestCounts(t *testing.T) {
	s := runtime.NewScheme()
	utilruntime.Must(v1alpha1.AddToScheme(s))
	ready := condition(v1alpha1.ConditionReady, metav1.ConditionTrue, "Ready")
	role := &v1alpha1.AIAgentRole{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "chat"}}
	role.Status.Conditions = []metav1.Condition{ready, condition(v1alpha1.ConditionPermissionsReady, metav1.ConditionTrue, "Ready")}
	sink := &v1alpha1.AuditSink{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "sink"}}
	sink.Status.Conditions = []metav1.Condition{condition(v1alpha1.ConditionReady, metav1.ConditionFalse, "SinkRefused")}
	policy := &v1alpha1.AccessPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "policy"}}
	reader := fake.NewClientBuilder().WithScheme(s).WithObjects(
		role, sink, policy,
		key("a", time.Minute, time.Hour, ready),
		key("b", 48*time.Hour, -time.Hour, ready, condition(v1alpha1.ConditionForeignCredential, metav1.ConditionTrue, "Found"),
			condition(v1alpha1.ConditionExpiring, metav1.ConditionFalse, "Far")),
		key("c", 0, -9*time.Hour, condition(v1alpha1.ConditionReady, metav1.ConditionFalse, "Suspended")),
	).Build()
	registry := prometheus.NewRegistry()
	for range 2 { // the second takes the place of the first
		if err := Register(registry, New(reader, clocktesting.NewFakePassiveClock(noon()))); err != nil {
			t.Fatal(err)
		}
	}
	const want = `
# HELP agentidentity_conditions Objects of which a condition is True that people should look at, by kind and condition.
# TYPE agentidentity_conditions gauge
agentidentity_conditions{condition="ForeignCredential",kind="AgentAPIKey"} 1
# HELP agentidentity_credential_age_seconds Ages of the credentials that keys have now.
# TYPE agentidentity_credential_age_seconds histogram
agentidentity_credential_age_seconds_bucket{le="3600"} 1
agentidentity_credential_age_seconds_bucket{le="86400"} 1
agentidentity_credential_age_seconds_bucket{le="604800"} 2
agentidentity_credential_age_seconds_bucket{le="2.592e+06"} 2
agentidentity_credential_age_seconds_bucket{le="7.776e+06"} 2
agentidentity_credential_age_seconds_bucket{le="1.5552e+07"} 2
agentidentity_credential_age_seconds_bucket{le="3.1536e+07"} 2
agentidentity_credential_age_seconds_bucket{le="+Inf"} 2
agentidentity_credential_age_seconds_sum 172860
agentidentity_credential_age_seconds_count 2
# HELP agentidentity_objects Objects by kind and by the status and reason of their condition Ready; Unknown until the operator has looked at them.
# TYPE agentidentity_objects gauge
agentidentity_objects{kind="AIAgentRole",ready="True",reason="Ready"} 1
agentidentity_objects{kind="AccessPolicy",ready="Unknown",reason=""} 1
agentidentity_objects{kind="AgentAPIKey",ready="False",reason="Suspended"} 1
agentidentity_objects{kind="AgentAPIKey",ready="True",reason="Ready"} 2
agentidentity_objects{kind="AuditSink",ready="False",reason="SinkRefused"} 1
# HELP agentidentity_rotation_next_seconds Seconds until the first credential of a key that is Ready is due for rotation by age; negative when it is overdue.
# TYPE agentidentity_rotation_next_seconds gauge
agentidentity_rotation_next_seconds -3600
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}

// unread is a cache that cannot be read.
type unread struct{ client.Reader }

func (unread) List(context.Context, client.ObjectList, ...client.ListOption) error {
	return errors.New("not synced")
}

func TestNothingIsSaidBeforeTheCacheIsThere(t *testing.T) {
	registry := prometheus.NewRegistry()
	if err := Register(registry, New(unread{}, clocktesting.NewFakePassiveClock(noon()))); err != nil {
		t.Fatal(err)
	}
	if n, err := testutil.GatherAndCount(registry); n != 0 || err != nil {
		t.Errorf("%d metrics, %v", n, err)
	}
}
