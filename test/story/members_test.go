package story

import (
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestMembers: the people whom a role names are in its group and nobody else is; one
// whom Okta does not know is named, and keeps neither the others nor the agents out.
func TestMembers(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.org.AddUser("ada@example.com")
	w.org.AddUser("bob@example.com")
	w.start()
	role := w.role("chat", "talk")
	role.Spec.Members = &v1alpha1.Members{Users: []v1alpha1.Login{"Ada@example.com", "tpyo@example.com"}}
	w.create(role, w.key("bot", "chat", ""))
	w.waitReason("chat", role, v1alpha1.ReasonUnknownMembers)
	w.mustBeIn("chat", "ada@example.com")
	if !meta.IsStatusConditionTrue(role.Status.Conditions, v1alpha1.ConditionPermissionsReady) {
		w.Errorf("the agents' part of the role is not ready: %v", role.Status.Conditions)
	}
	readyKey(w, "bot")
	w.mustWork(w.agent("bot-okta"), []string{"talk"})
	want := []v1alpha1.MemberStatus{
		{Login: "ada@example.com", State: v1alpha1.MemberStateMember},
		{Login: "tpyo@example.com", State: v1alpha1.MemberStateUnknown},
	}
	if diff := cmp.Diff(want, role.Status.Members); diff != "" {
		w.Errorf("status.members (-want +got):\n%s", diff)
	}

	w.get("chat", role)
	role.Spec.Members.Users = []v1alpha1.Login{"bob@example.com"}
	w.update(role)
	readyRole(w, "chat")
	w.mustBeIn("chat", "bob@example.com")

	w.get("chat", role)
	role.Spec.Members = nil
	w.update(role)
	w.waitFor("chat", role, "without members", func() bool { return len(role.Status.Members) == 0 && role.Status.ObservedGeneration == role.Generation })
	w.mustBeIn("chat")
}

// TestMembersByHand: whom a person puts into the group is out after a restart, unless
// the role leaves the group to people.
func TestMembersByHand(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.org.AddUser("ada@example.com")
	eve := w.org.AddUser("eve@example.com")
	stop := w.start()
	managed, free := w.role("managed", "a"), w.role("free", "b")
	managed.Spec.Members = &v1alpha1.Members{Users: []v1alpha1.Login{"ada@example.com"}}
	w.create(managed, free)
	for _, name := range []string{"managed", "free"} {
		role := readyRole(w, name)
		w.asPerson(http.MethodPut, "/api/v1/groups/"+role.Status.GroupID+"/users/"+eve, "")
	}
	w.stop(stop)
	w.start()
	w.mended(func() string {
		if in := w.membersOf("managed"); !slices.Equal(in, []string{"ada@example.com"}) {
			return "in the group of the role that names its members are" + w.listed(in)
		}
		return ""
	})
	w.mustBeIn("free", "eve@example.com")
}

func (w *world) listed(logins []string) string {
	text := ""
	for _, login := range logins {
		text += " " + login
	}
	return text
}

// membersOf are the logins in the role's group, sorted.
func (w *world) membersOf(name string) []string {
	w.Helper()
	role := &v1alpha1.AIAgentRole{}
	w.get(name, role)
	state := w.org.Snapshot()
	at := slices.IndexFunc(state.Groups, func(g oktasim.Group) bool { return g.ID == role.Status.GroupID })
	if at < 0 {
		w.Fatalf("role %s has no group in Okta", name)
	}
	logins := []string{}
	for _, login := range []string{"ada@example.com", "bob@example.com", "eve@example.com", "eve@other.example"} {
		if slices.Contains(state.Groups[at].Members, w.org.AddUser(login)) {
			logins = append(logins, login)
		}
	}
	return logins
}

func (w *world) mustBeIn(role string, want ...string) {
	w.Helper()
	if got := w.membersOf(role); !slices.Equal(got, append([]string{}, want...)) {
		w.Errorf("in the group of role %s are%s, want%s", role, w.listed(got), w.listed(want))
	}
}
