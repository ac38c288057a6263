package orphan

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/orphanlist"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
	"github.com/agentidentity/agent-identity-operator/internal/tombstone"
)

// TestNoNamespace: without a place for the list a sweep works, from memory.
func TestNoNamespace(t *testing.T) {
	w := newWorld(t, plan.OrphanDelete)
	w.sweeper.Namespace, w.sweeper.ledger.namespace = "", ""
	w.orphans("lost")
	w.sweep()
	w.hours(2)
	w.mustBe("lost", "")
	if w.writes > 0 || len(w.told()) > 0 {
		t.Error("something was written to a namespace that is not known")
	}
}

// TestBrokenList: a list that a person has broken, or deleted, begins every grace anew.
func TestBrokenList(t *testing.T) {
	w := newWorld(t, plan.OrphanDelete)
	w.orphans("lost")
	w.sweep()
	held := &corev1.ConfigMap{}
	if err := w.kube.Get(t.Context(), client.ObjectKey{Namespace: home, Name: orphanlist.Name}, held); err != nil {
		t.Fatal(err)
	}
	held.Data[orphanlist.Key] = "orphans: [["
	if err := w.kube.Update(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	w.hours(1)
	w.mustBe("lost", "ACTIVE")
	w.hours(1)
	w.mustBe("lost", "INACTIVE")
}

// TestManyOrphans: the list fits into a ConfigMap however many and however long they are.
func TestManyOrphans(t *testing.T) {
	var p plan.OrphanPlan
	for n := range 3000 {
		mark := identity.Mark{
			Cluster: strings.Repeat("c", 30), Kind: "AgentAPIKey", Namespace: strings.Repeat("n", 63),
			Name: fmt.Sprintf("%s%d", strings.Repeat("k", 249), n), UID: strings.Repeat("u", 36), Since: created.Unix(),
		}
		c := identity.ClientSeen{ID: strings.Repeat("i", 20), ClientID: fmt.Sprintf("%s%d", strings.Repeat("x", 96), n), Mark: mark}
		stone := identity.Tombstone{Mark: mark, ClientID: c.ClientID, AppID: c.ID, Why: strings.Repeat("w", 200), Since: created}
		step := plan.OrphanStep{
			Verb: plan.ReportOrphan, Reason: strings.Repeat("r", 600), OrphanID: plan.OrphanID{Mark: mark, ClientID: c.ClientID},
			State: plan.OrphanActive, Client: &c, Tombstone: &stone,
			History: plan.OrphanHistory{FirstSeen: created, Deactivating: created, Deactivated: created},
		}
		p.Steps = append(p.Steps, step, plan.OrphanStep{Verb: plan.ReportOrphan, Reason: step.Reason, Tombstone: &stone})
	}
	w := newWorld(t, plan.OrphanReport)
	if err := w.sweeper.ledger.write(t.Context(), newDocument(p, w.sweeper.Rules)); err != nil {
		t.Fatal(err)
	}
	if size := len(w.sweeper.ledger.held.Data[orphanlist.Key]); size > 1<<20 {
		t.Errorf("the list has %d bytes, the API server takes %d", size, 1<<20)
	}
	if got := w.list(); got.NotListed != 6000-maxOrphans-maxTombstones {
		t.Errorf("%d are said not to be listed", got.NotListed)
	}
}

// TestShippedRole: the Role that config/ installs lets the operator keep its ConfigMaps.
func TestShippedRole(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "config", "rbac", "ledger_role.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n---\n")
	role := &rbacv1.Role{}
	if err := yaml.UnmarshalStrict([]byte(first), role); err != nil {
		t.Fatal(err)
	}
	want := []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"create"}},
		{
			APIGroups: []string{""}, Resources: []string{"configmaps"},
			ResourceNames: []string{tombstone.Name, orphanlist.Name}, Verbs: []string{"get", "update"},
		},
	}
	if diff := cmp.Diff(want, role.Rules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}
