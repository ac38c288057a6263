package model

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// The people of the org, and one whom nobody knows.
var (
	logins  = []string{"ada@example.com", "bob@example.com", "eve@example.com"}
	unknown = v1alpha1.Login("nobody@example.com")
)

// console is the app that people sign in to.
const console = "Chatbot console"

// peopleActions are about people, and how they sign in.
func peopleActions() []action {
	return []action{
		{"Staff", 10, staff},
		{"AskForFactors", 6, askForFactors},
		{"EditMembers", 5, editMembers},
		{"Enroll", 4, enroll},
		{"EditEnrolment", 3, editOrgPolicy("MFA_ENROLL")},
		{"Conditional", 6, conditional},
		{"EndConditional", 4, endConditional},
		{"EditSignIn", 3, editOrgPolicy("ACCESS_POLICY")},
		{"MapConsole", 2, mapConsole},
	}
}

// settleIn gives the org its people and their app.
func (w *world) settleIn() {
	w.Helper()
	for _, login := range logins {
		_, err := w.org.CreateUser(oktasim.NewUser{Login: login, MobilePhone: "+4915112345678"})
		w.must(err)
	}
	w.console = w.person.makes("/api/v1/apps", map[string]any{
		"name": "oidc_client", "label": console, "signOnMode": "OPENID_CONNECT",
		"credentials": map[string]any{"oauthClient": map[string]any{"token_endpoint_auth_method": "client_secret_basic"}},
		"settings": map[string]any{"oauthClient": map[string]any{
			"application_type": "web", "grant_types": []string{"authorization_code"}, "response_types": []string{"code"},
			"redirect_uris": []string{"https://console.example.com/callback"},
		}},
	})
	w.mappedTo = w.consoleIn(w.org.Snapshot()).AccessPolicyID
}

func (w *world) consoleIn(state oktasim.State) oktasim.App {
	at := slices.IndexFunc(state.Apps, func(a oktasim.App) bool { return a.ID == w.console })
	return state.Apps[at]
}

// staff says who holds a role: some people, one whom nobody knows among them, or nobody
// in particular.
func staff(w *world, a args) string {
	role, is := pick[*v1alpha1.AIAgentRole](w, "AIAgentRole", a[0])
	if !is {
		return ""
	}
	members := &v1alpha1.Members{}
	for i, login := range logins {
		if a[1]>>i&1 == 1 {
			members.Users = append(members.Users, v1alpha1.Login(login))
		}
	}
	if a[2]%5 == 1 {
		members.Users = append(members.Users, unknown)
	}
	if a[2]%5 == 2 && role.Spec.MFA == nil {
		members = nil
	}
	role.Spec.Members = members
	err := w.kube.update(role, false)
	if members == nil {
		return said(err, "a person says of nobody that they hold AIAgentRole %s/%s", role.Namespace, role.Name)
	}
	return said(err, "a person gives AIAgentRole %s/%s to %v", role.Namespace, role.Name, members.Users)
}

// askForFactors asks for factors, or for none any more.
func askForFactors(w *world, a args) string {
	role, is := pick[*v1alpha1.AIAgentRole](w, "AIAgentRole", a[0])
	if !is || role.Spec.Members == nil {
		return ""
	}
	mfa := []*v1alpha1.MFA{
		nil,
		{Factors: []v1alpha1.Factor{v1alpha1.FactorPush}, Enroll: v1alpha1.EnrollStart},
		{Factors: []v1alpha1.Factor{v1alpha1.FactorPush, v1alpha1.FactorSMS}, Enroll: v1alpha1.EnrollStart},
		{Factors: []v1alpha1.Factor{v1alpha1.FactorPush}, Enroll: v1alpha1.EnrollWatch},
	}[a.of(1, 4)]
	role.Spec.MFA = mfa
	err := w.kube.update(role, false)
	if mfa == nil {
		return said(err, "a person asks those in AIAgentRole %s/%s for no factors", role.Namespace, role.Name)
	}
	return said(err, "a person asks those in AIAgentRole %s/%s for %v, %s", role.Namespace, role.Name, mfa.Factors, mfa.Enroll)
}

// editMembers lets a person in Okta put somebody into a group of the operator's, or take
// them out.
func editMembers(w *world, a args) string {
	state := w.org.Snapshot()
	groups := kept(state.Groups, func(g oktasim.Group) bool { return strings.Contains(g.Description, "cluster="+cluster+";") })
	if len(groups) == 0 {
		return ""
	}
	g, user := groups[a.of(0, len(groups))], state.Users[a.of(1, len(state.Users))]
	w.memory.stale = true
	method, did := http.MethodPut, "puts %s into group %s"
	if slices.Contains(g.Members, user.ID) {
		method, did = http.MethodDelete, "takes %s out of group %s"
	}
	_, err := w.person.call(method, "/api/v1/groups/"+g.ID+"/users/"+user.ID, nil)
	return said(err, "a person in Okta "+did, user.Login, g.Name)
}

// enroll lets people finish what they were mailed about.
func enroll(w *world, a args) string {
	login := logins[a.of(0, len(logins))]
	if err := w.org.CompletePush(login); err != nil {
		return ""
	}
	return login + " sets up the push"
}

// conditional says how those who hold a role sign in to the console.
func conditional(w *world, a args) string {
	role := roleNames[a.of(0, len(roleNames))]
	policy := &v1alpha1.AccessPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: role.namespace, Name: "console"},
		Spec: v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyConditional, Conditional: &v1alpha1.ConditionalPolicy{
			RoleRefs: []v1alpha1.RoleReference{{Name: v1alpha1.ObjectName(role.name)}},
			SignIn: &v1alpha1.SignInPolicy{
				Apps:  []v1alpha1.AppReference{{Label: console}},
				Rules: []v1alpha1.SignInRule{{Name: "push", With: &v1alpha1.SignInProof{FactorMode: v1alpha1.FactorModeTwo}}},
			},
		}},
	}
	return said(w.kube.create(policy), "a person says in %s how those in AIAgentRole %s sign in", role.namespace, role.name)
}

func endConditional(w *world, a args) string {
	name := ref{"AccessPolicy", namespaces[a.of(0, len(namespaces))], "console"}
	policy, is := w.kube.objects[name].(*v1alpha1.AccessPolicy)
	if !is {
		return ""
	}
	return said(w.kube.delete(policy, nil), "a person says no more in %s how people sign in", name.namespace)
}

// editOrgPolicy lets a person in Okta switch a policy of the operator's off, and on again, or
// delete it.
func editOrgPolicy(kind string) func(w *world, a args) string {
	return func(w *world, a args) string {
		policies := kept(w.ownOrgPolicies(w.org.Snapshot()), func(p oktasim.OrgPolicy) bool { return p.Type == kind })
		if len(policies) == 0 {
			return ""
		}
		p := policies[a.of(0, len(policies))]
		w.memory.stale = true
		if w.memory.switchedOff[p.ID] {
			delete(w.memory.switchedOff, p.ID)
			_, err := w.person.call(http.MethodPost, "/api/v1/policies/"+p.ID+"/lifecycle/activate", nil)
			return said(err, "a person in Okta switches on %s policy %s", kind, p.Name)
		}
		if a[1]%2 == 0 && p.Status == "ACTIVE" {
			w.memory.switchedOff[p.ID] = true
			_, err := w.person.call(http.MethodPost, "/api/v1/policies/"+p.ID+"/lifecycle/deactivate", nil)
			return said(err, "a person in Okta switches off %s policy %s", kind, p.Name)
		}
		_, err := w.person.call(http.MethodDelete, "/api/v1/policies/"+p.ID, nil)
		return said(err, "a person in Okta deletes %s policy %s", kind, p.Name)
	}
}

// mapConsole lets a person in Okta put the console under the policy it began with.
func mapConsole(w *world, _ args) string {
	if w.consoleIn(w.org.Snapshot()).AccessPolicyID == w.mappedTo {
		return ""
	}
	w.memory.stale = true
	_, err := w.person.call(http.MethodPut, "/api/v1/apps/"+w.console+"/policies/"+w.mappedTo, nil)
	return said(err, "a person in Okta puts the console under policy %s", w.mappedTo)
}

// ownOrgPolicies are the org's policies that the operator made.
func (w *world) ownOrgPolicies(state oktasim.State) []oktasim.OrgPolicy {
	return kept(state.OrgPolicies, func(p oktasim.OrgPolicy) bool {
		return !p.System && !w.foreign.ids[p.ID] && strings.Contains(p.Description, "cluster="+cluster+";")
	})
}

// ofPeople tells that a policy of the operator's server lets people have tokens in the
// console, as an AccessPolicy says that is there.
func (v *view) ofPeople(p oktasim.Policy) bool {
	return slices.ContainsFunc(namespaces, func(namespace string) bool {
		policy := v.kube.objects[ref{"AccessPolicy", namespace, "console"}]
		return policy != nil && strings.Contains(p.Description, "uid="+string(policy.GetUID()))
	})
}

// membersAreThoseNamed holds that in the group of a role that names people are those
// people, as far as Okta knows them, and nobody else.
func membersAreThoseNamed(v *view) error {
	for _, role := range v.roles {
		group, found := v.groupOf(role)
		if role.Spec.Members == nil || !found || v.heldUp(role) {
			continue
		}
		var want, got []string
		for _, user := range v.state.Users {
			if slices.Contains(role.Spec.Members.Users, v1alpha1.Login(user.Login)) {
				want = append(want, user.Login)
			}
			if slices.Contains(group.Members, user.ID) {
				got = append(got, user.Login)
			}
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("in the group of %s/%s are %v, and it names %v", role.Namespace, role.Name, got, want)
		}
	}
	return nil
}

// unknownIn are those in the role whom nobody knows.
func (v *view) unknownIn(role *v1alpha1.AIAgentRole) []string {
	if role.Spec.Members == nil || !slices.Contains(role.Spec.Members.Users, unknown) {
		return nil
	}
	return []string{string(unknown)}
}

func (v *view) groupOf(role *v1alpha1.AIAgentRole) (oktasim.Group, bool) {
	at := slices.IndexFunc(v.state.Groups, func(g oktasim.Group) bool {
		return g.Name == inOkta(role) && strings.Contains(g.Description, "uid="+string(role.UID))
	})
	if at < 0 {
		return oktasim.Group{}, false
	}
	return v.state.Groups[at], true
}

// factorsAreAskedFor holds that there is one active enrolment policy for the group of a
// role that asks for factors, and none for any other.
func factorsAreAskedFor(v *view) error {
	asked, held := map[string]string{}, map[string]bool{}
	for _, role := range v.roles {
		group, found := v.groupOf(role)
		if !found {
			return nil // whose policy is whose cannot be told
		}
		if v.heldUp(role) {
			held[group.ID] = true
			continue
		}
		if role.Spec.MFA != nil && role.Spec.MFA.Enroll == v1alpha1.EnrollStart {
			asked[group.ID] = role.Namespace + "/" + role.Name
		}
	}
	for _, p := range v.ownOrgPolicies(v.state) {
		if p.Type != "MFA_ENROLL" {
			continue
		}
		for _, group := range p.Groups {
			if asked[group] == "" && !held[group] && !v.memory.anyRoleLost() {
				return fmt.Errorf("policy %s asks for factors, which no role does", p.Name)
			}
			if p.Status == "ACTIVE" || v.memory.switchedOff[p.ID] {
				delete(asked, group)
			}
		}
	}
	for _, role := range asked {
		return fmt.Errorf("%s asks for factors, and no policy in Okta does", role)
	}
	return nil
}

// switchedOffStays holds that what a person has switched off in Okta stays so, and that the
// operator says that of its owner.
func switchedOffStays(v *view) error {
	for _, p := range v.ownOrgPolicies(v.state) {
		if !v.memory.switchedOff[p.ID] {
			if p.Status != "ACTIVE" {
				return fmt.Errorf("the %s policy %s is %s, and no person did that", p.Type, p.Name, p.Status)
			}
			continue
		}
		if p.Status == "ACTIVE" {
			return fmt.Errorf("the %s policy %s is active again, which a person has switched off", p.Type, p.Name)
		}
	}
	for _, r := range v.kube.sorted() {
		policy, is := v.kube.objects[r].(*v1alpha1.AccessPolicy)
		if ready, _ := v.readinessOf(policy, is); ready && v.isSwitchedOff(string(policy.UID), "") {
			return fmt.Errorf("AccessPolicy %s/%s is Ready, and a person has switched off what it says", policy.Namespace, policy.Name)
		}
	}
	return nil
}

func (v *view) readinessOf(policy *v1alpha1.AccessPolicy, is bool) (bool, string) {
	if !is {
		return false, ""
	}
	return readiness(policy.Status.Conditions)
}

// isSwitchedOff tells that a person has switched off a policy of the owner's, of that kind or
// of any.
func (v *view) isSwitchedOff(uid, kind string) bool {
	return slices.ContainsFunc(v.ownOrgPolicies(v.state), func(p oktasim.OrgPolicy) bool {
		return v.memory.switchedOff[p.ID] && strings.Contains(p.Description, "uid="+uid) && (kind == "" || p.Type == kind)
	})
}

// consoleIsGoverned holds that the console is under the policy of an AccessPolicy that is
// Ready, and under the one before when there is none.
func consoleIsGoverned(v *view) error {
	now := v.consoleIn(v.state).AccessPolicyID
	own := kept(v.ownOrgPolicies(v.state), func(p oktasim.OrgPolicy) bool { return p.Type == "ACCESS_POLICY" })
	governing := 0
	for _, namespace := range namespaces {
		policy, is := v.kube.objects[ref{"AccessPolicy", namespace, "console"}].(*v1alpha1.AccessPolicy)
		if !is {
			continue
		}
		governing++
		mark := "uid=" + string(policy.UID)
		at := slices.IndexFunc(own, func(p oktasim.OrgPolicy) bool { return strings.Contains(p.Description, mark) })
		ready, _ := readiness(policy.Status.Conditions)
		switch {
		case ready && at < 0:
			return fmt.Errorf("AccessPolicy %s/console is Ready, and there is no policy in Okta", namespace)
		case ready && own[at].ID != now:
			return fmt.Errorf("AccessPolicy %s/console is Ready, and the console is under another policy", namespace)
		case ready && own[at].Status != "ACTIVE":
			return fmt.Errorf("AccessPolicy %s/console is Ready, and its policy is %s", namespace, own[at].Status)
		}
	}
	if governing == 0 && now != v.mappedTo {
		return fmt.Errorf("nobody says how people sign in to the console, and it is not under the policy it began with")
	}
	if len(own) > governing {
		return fmt.Errorf("there are %d sign-in policies of the operator's, and %d AccessPolicies", len(own), governing)
	}
	return nil
}
