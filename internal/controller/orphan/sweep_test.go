package orphan

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/orphanlist"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// TestReport: by default an orphan is told of and nothing is changed; and a sweep that
// finds what the last one found writes nothing anywhere.
func TestReport(t *testing.T) {
	w := newWorld(t, plan.OrphanReport)
	w.key("alive")
	w.orphans("lost")
	first := w.clock.Now()
	w.sweep()
	writes, operations := w.writes, len(w.org.Operations())
	w.hours(3)
	if w.writes != writes {
		t.Errorf("sweeps that found nothing new wrote %d times", w.writes-writes)
	}
	for _, op := range w.org.Operations()[operations:] {
		if op.Method != http.MethodGet {
			t.Errorf("a sweep that only reports wrote to Okta: %s %s", op.Method, op.Template)
		}
	}
	w.mustBe("alive", "ACTIVE")
	w.mustBe("lost", "ACTIVE")
	mark, apps := w.mark("AgentAPIKey", "lost"), w.org.Snapshot().Apps
	want := orphanlist.List{Policy: plan.OrphanReport, Orphans: []orphanlist.Entry{{
		Owner: mark.Ref(), ClientID: desired.ClientID(cluster, team, "lost"), AppID: apps[len(apps)-1].ID,
		State: plan.OrphanActive, FirstSeen: timeOf(first), Mark: mark.String(),
		Plan: "its owner does not exist; orphans.policy is Report, so nothing is done: delete it in Okta if nobody needs it",
	}}}
	if diff := cmp.Diff(want, w.list()); diff != "" {
		t.Errorf("the list (-want +got):\n%s", diff)
	}
	if told := w.told(); len(told) > 0 {
		t.Errorf("there are events though nothing happened: %v", told)
	}
	wantGauges := map[string]float64{
		"AIAgentRole Abandoned": 0, "AIAgentRole Active": 0, "AIAgentRole Inactive": 0, "AIAgentRole LeftToNamesake": 0,
		"AgentAPIKey Abandoned": 0, "AgentAPIKey Active": 1, "AgentAPIKey Inactive": 0, "AgentAPIKey LeftToNamesake": 0,
	}
	if diff := cmp.Diff(wantGauges, w.gauges()); diff != "" {
		t.Errorf("agentidentity_orphans (-want +got):\n%s", diff)
	}
}

// gauges are the values of agentidentity_orphans by kind and state.
func (w *world) gauges() map[string]float64 {
	w.Helper()
	families, err := w.metrics.Gather()
	if err != nil {
		w.Fatal(err)
	}
	values := map[string]float64{}
	for _, family := range families {
		if family.GetName() != "agentidentity_orphans" {
			continue
		}
		for _, m := range family.GetMetric() {
			var labels []string
			for _, label := range m.GetLabel() {
				labels = append(labels, label.GetValue())
			}
			values[strings.Join(labels, " ")] = m.GetGauge().GetValue()
		}
	}
	return values
}

// TestPolicies follows an orphan through the sweeps, each an hour and a minute after the
// other, in one process and in a new one for every sweep.
func TestPolicies(t *testing.T) {
	for policy, states := range map[plan.OrphanPolicy][]string{
		plan.OrphanReport:     {"ACTIVE", "ACTIVE", "ACTIVE", "ACTIVE"},
		plan.OrphanDeactivate: {"ACTIVE", "INACTIVE", "INACTIVE", "INACTIVE"},
		plan.OrphanDelete:     {"ACTIVE", "INACTIVE", "", ""},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s restart=%t", policy, restart), func(t *testing.T) {
				w := newWorld(t, policy)
				w.key("alive")
				w.orphans("lost")
				for i, state := range states {
					if restart {
						w.start()
					}
					if i > 0 {
						w.clock.Step(61 * time.Minute)
					}
					w.sweep()
					if got := w.app("lost"); got != state {
						t.Errorf("after sweep %d the app is %q, want %q", i+1, got, state)
					}
				}
				w.mustBe("alive", "ACTIVE")
				if listed := len(w.list().Orphans); (listed == 0) != (states[3] == "") {
					t.Errorf("%d orphans are listed", listed)
				}
			})
		}
	}
}

// TestDeletedIsTold: what is done is told as an event on the list, once.
func TestDeletedIsTold(t *testing.T) {
	w := newWorld(t, plan.OrphanDelete)
	w.orphans("lost")
	w.sweep()
	w.hours(4)
	name := fmt.Sprintf("AgentAPIKey/%s/lost (client %s)", team, desired.ClientID(cluster, team, "lost"))
	want := []string{
		"Normal OrphanDeactivated deactivated what belonged to nobody: " + name,
		"Normal OrphanDeleted deleted what belonged to nobody: " + name,
	}
	if diff := cmp.Diff(want, w.told()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// TestRole: of a role without an owner the policy and the group go, and what its people
// administer.
func TestRole(t *testing.T) {
	w := newWorld(t, plan.OrphanDelete)
	key := w.key("alive")
	mark := w.mark("AIAgentRole", "lost")
	permission := identity.Permission{Name: "chat"}
	for _, do := range []func() error{
		func() error { return w.directory.CreateServer(t.Context(), false, nil) },
		func() error { return w.directory.PutPermission(t.Context(), permission) },
		func() error {
			return w.directory.PutGroup(t.Context(), identity.Group{
				Mark: mark, Name: desired.GroupName(mark), Description: "A role", Administering: true,
			})
		},
		func() error {
			roster, err := w.directory.ObserveMembers(t.Context(), mark, desired.GroupName(mark))
			return errors.Join(err, w.directory.PutAdminRole(t.Context(), identity.AdminRole{
				Mark: mark, Label: desired.AdminLabel(mark), Group: roster.GroupID, Permissions: []string{"okta.users.read"},
				Resources: []string{w.url + "/api/v1/users"},
			}))
		},
		func() error {
			return w.directory.PutGrant(t.Context(), identity.Grant{
				Mark: mark, Name: desired.GrantName(mark), Clients: []string{desired.ClientID(cluster, team, key.Name)},
				Permissions: []string{permission.Name}, TokenLifetime: 15 * time.Minute,
			})
		},
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	count := func() (int, int) {
		s := w.org.Snapshot()
		ours := slices.DeleteFunc(s.Groups, func(g oktasim.Group) bool { return g.Name != desired.GroupName(mark) })
		policies := slices.DeleteFunc(s.Policies, func(p oktasim.Policy) bool { return p.Name != desired.GrantName(mark) })
		return len(ours), len(policies)
	}
	w.sweep()
	if groups, policies := count(); groups != 1 || policies != 1 || len(w.org.Snapshot().AdminRoles) != 1 {
		t.Fatalf("after the first sweep there are %d groups and %d policies, want all of it", groups, policies)
	}
	w.hours(1)
	if groups, policies := count(); groups != 0 || policies != 0 {
		t.Errorf("after the second sweep there are %d groups and %d policies, want none", groups, policies)
	}
	if s := w.org.Snapshot(); len(s.AdminRoles)+len(s.ResourceSets) != 0 {
		t.Errorf("after the second sweep there are %+v and %+v, want none", s.AdminRoles, s.ResourceSets)
	}
	w.mustBe("alive", "ACTIVE")
}

// TestIncomplete: when any list cannot be read to its end, nothing is done, and nothing
// is forgotten.
func TestIncomplete(t *testing.T) {
	tests := map[string]struct {
		reason string
		fail   func(w *world)
	}{
		"Apps": {"Okta's list of apps breaks off", func(w *world) {
			w.org.Inject(oktasim.Fault{Method: http.MethodGet, Path: "/api/v1/apps", Action: oktasim.Status(500, "E0000009")})
		}},
		"Groups": {"Okta's list of groups breaks off", func(w *world) {
			w.org.Inject(oktasim.Fault{Method: http.MethodGet, Path: "/api/v1/groups", Action: oktasim.Status(500, "E0000009")})
		}},
		"Keys": {"the API server cannot continue a list", func(w *world) {
			w.between = func(verb string, _ runtime.Object) error {
				if verb == "list" {
					return apierrors.NewResourceExpired("the continue token is too old")
				}
				return nil
			}
		}},
		"NoCRDs": {"the CRDs were deleted, and all objects with them", func(w *world) {
			w.between = func(verb string, _ runtime.Object) error {
				if verb == "list" {
					return &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: 404, Reason: metav1.StatusReasonNotFound}}
				}
				return nil
			}
		}},
		"List": {"what earlier sweeps have written down cannot be read", func(w *world) {
			w.between = func(verb string, obj runtime.Object) error {
				if held, ok := obj.(*corev1.ConfigMap); ok && verb == "get" && held.Name == "" {
					return errors.New("etcd has no leader")
				}
				return nil
			}
		}},
		"Note": {"what is about to be done cannot be written down", func(w *world) {
			w.between = func(verb string, _ runtime.Object) error {
				if verb == "update" {
					return errors.New("etcd has no leader")
				}
				return nil
			}
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, plan.OrphanDelete)
			w.orphans("lost")
			w.sweep()
			w.start()
			tc.fail(w)
			w.clock.Step(61 * time.Minute)
			if result, err := w.sweeper.Sweep(t.Context()); err == nil || len(result.Done) > 0 {
				t.Errorf("%s: error is %v, and %d steps were taken", tc.reason, err, len(result.Done))
			}
			w.mustBe("lost", "ACTIVE")
			w.org.ClearFaults()
			w.between = func(string, runtime.Object) error { return nil }
			w.clock.Step(5 * time.Minute)
			w.sweep()
			w.mustBe("lost", "INACTIVE")
		})
	}
}

// TestLostAnswer: a deed whose answer is lost is finished by the next sweeps, in the
// same process or another.
func TestLostAnswer(t *testing.T) {
	for _, path := range []string{"/api/v1/apps/[^/]+/lifecycle/deactivate", "/api/v1/apps/[^/]+"} {
		for _, phase := range []oktasim.Phase{oktasim.Before, oktasim.AfterCommit} {
			for _, restart := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s phase=%v restart=%t", path, phase, restart), func(t *testing.T) {
					w := newWorld(t, plan.OrphanDelete)
					w.orphans("lost")
					method := http.MethodPost
					if !strings.HasSuffix(path, "deactivate") {
						method = http.MethodDelete
					}
					w.org.Inject(oktasim.Fault{Method: method, Path: path, Phase: phase, Action: oktasim.Drop(), Nth: 1})
					failed := 0
					for range 8 {
						if _, err := w.sweeper.Sweep(t.Context()); err != nil {
							failed++
						}
						if restart {
							w.start()
						}
						w.clock.Step(61 * time.Minute)
					}
					w.mustBe("lost", "")
					if failed == 0 {
						t.Error("no answer was lost")
					}
				})
			}
		}
	}
}

// TestPages: a list that comes in pages is read to its end.
func TestPages(t *testing.T) {
	w := newWorld(t, plan.OrphanDelete)
	for n := range 7 {
		w.key(fmt.Sprintf("alive-%d", n))
	}
	w.sweeper.Live = paged{w.kube}
	if left := w.sweep().Left; len(left) > 0 {
		t.Errorf("keys on later pages are taken for orphans: %+v", left)
	}
}

// paged is an API server that lists two objects at a time.
type paged struct{ client.Reader }

func (p paged) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	if err := p.Reader.List(ctx, list, opts...); err != nil {
		return err
	}
	page, ok := list.(*metav1.PartialObjectMetadataList)
	if !ok {
		return fmt.Errorf("a list of %T is not of metadata only", list)
	}
	o := client.ListOptions{}
	o.ApplyOptions(opts)
	from, _ := strconv.Atoi(o.Continue)
	to := min(from+2, len(page.Items))
	if page.Continue = ""; to < len(page.Items) {
		page.Continue = strconv.Itoa(to)
	}
	page.Items = page.Items[from:to]
	return nil
}

// TestDirectoryDown: a directory that does not answer is asked once, not once for every orphan.
func TestDirectoryDown(t *testing.T) {
	w := newWorld(t, plan.OrphanDeactivate)
	w.orphans("lost-1", "lost-2", "lost-3")
	w.sweep()
	w.clock.Step(61 * time.Minute)
	deactivate := "/lifecycle/deactivate"
	w.org.Inject(oktasim.Fault{Path: ".*" + deactivate, Action: oktasim.Status(503, "E0000009")})
	if _, err := w.sweeper.Sweep(t.Context()); err == nil {
		t.Error("the sweep says nothing of it")
	}
	asked := slices.DeleteFunc(w.org.Operations(), func(op oktasim.Operation) bool { return !strings.HasSuffix(op.Template, deactivate) })
	if len(asked) != 1 {
		t.Errorf("Okta was asked %d times, want once", len(asked))
	}
	w.org.ClearFaults()
	w.clock.Step(pressing)
	w.sweep()
	for _, name := range []string{"lost-1", "lost-2", "lost-3"} {
		w.mustBe(name, "INACTIVE")
	}
}
