// Package directorytest holds whoever implements identity.Directory to what the
// port promises. It knows the port only: how the directory behind it loses an
// answer or lags is the harness's matter.
package directorytest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Loss is when an answer is lost.
type Loss int

const (
	// BeforeCommit is a write that does not take place.
	BeforeCommit Loss = iota
	// AfterCommit is a write that takes place, though nobody hears of it.
	AfterCommit
)

// String names the loss.
func (l Loss) String() string {
	if l == BeforeCommit {
		return "before the commit"
	}
	return "after the commit"
}

// What a harness can plant, as by the hand of a person.
const (
	PlantGroup  = "group"
	PlantScope  = "scope"
	PlantGrant  = "grant"
	PlantClient = "client"
	// PlantAdminRole is an admin role with a resource set of the same label.
	PlantAdminRole = "admin role"
)

// Plant is an object somebody else made.
type Plant struct {
	What string
	// Name is the group's, scope's or grant's name, or the client id.
	Name string
	// Label is a client's.
	Label string
	// Mark is somebody else's, or zero for none.
	Mark identity.Mark
	// Credential is what a client authenticates with; zero lets the directory make one.
	Credential identity.Credential
	// ForPeople makes a client one that people sign in with, too.
	ForPeople bool
	// First puts a grant before all others.
	First bool
}

// Objects lists all that stands in the directory, each line naming one object with
// all of its content but ids and times; sorted.
type Objects []string

// Harness is one empty directory with a Directory before it.
type Harness struct {
	Directory identity.Directory
	// Cluster is the clusterID the Directory was made with.
	Cluster string
	// Reopen gives a Directory as a fresh process would have it.
	Reopen func() identity.Directory
	// Lose loses the answer to the nth write from now, counted from 1.
	Lose func(when Loss, nth int)
	// Lag makes lists miss for so long what is made from now on.
	Lag func(time.Duration)
	// Step lets time go on, for the directory and what is behind it.
	Step func(time.Duration)
	// Writes counts the changes made so far.
	Writes  func() int
	Objects func() Objects
	// Plant gives the directory's own id of what it made.
	Plant func(Plant) string
	// Hand is a person's.
	Hand Hand
	// Credential makes a credential an agent could have.
	Credential func(identity.AuthMethod) identity.Credential
	// Limit is how many credentials a client of that method can have.
	Limit func(identity.AuthMethod) int
	// IsActive tells what the directory says of a token when it is asked.
	IsActive func(identity.Secret) bool
}

// Hand does what a person might do, behind the operator's back.
type Hand struct {
	// Hire makes an active person and gives the id.
	Hire func(login string) string
	// Call gives the person a phone number.
	Call func(login, number string)
	// Zone makes an active network zone and gives the id.
	Zone func(name string) string
	// SignOn makes an active sign-on that comes before all others, for a group or, when that
	// is empty, for everybody, with one rule that lets them in or refuses them.
	SignOn func(name, group string, lets bool)
	// App makes an app that people sign in to and gives the id.
	App func(label string) string
	// Resources are two that people can administer, each in a form that the directory takes.
	Resources func() []string
	// Empower gives the admin role of that label another permission, resource and holder.
	Empower func(label string)
	// Disempower takes the admin role of that label from everybody.
	Disempower func(label string)
	// Relabel gives the admin role, and its resource set, another label.
	Relabel func(label, other string)
	// Claim takes the mark off the admin role of that label, off its resource set, or off both.
	Claim func(label string, role, set bool)
	// Confirm does the person's part of setting up a push.
	Confirm func(login string)
	// Rename gives it another label.
	Rename func(clientID, label string)
	// Meddle changes a setting that RegisterClient writes.
	Meddle func(clientID string)
	// Extend adds something RegisterClient knows nothing of.
	Extend func(clientID string)
	// Give gives it one more credential.
	Give func(clientID string, credential identity.Credential)
	// Mark writes another mark over what is there.
	Mark func(clientID string, mark identity.Mark)
}

// Run holds the promises of package identity against a Directory. newHarness gives
// a fresh, empty one each time.
func Run(t *testing.T, newHarness func(t *testing.T) Harness) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, func(*testing.T) Harness){
		"Empty":          testEmpty,
		"Complete":       testComplete,
		"Repeated":       testRepeated,
		"Restarted":      testRestarted,
		"Mended":         testMended,
		"Lagging":        testLagging,
		"LostAnswers":    testLostAnswers,
		"Foreign":        testForeign,
		"Deleted":        testDeleted,
		"Renamed":        testRenamed,
		"Absent":         testAbsent,
		"Tokens":         testTokens,
		"ContextEnded":   testContextEnded,
		"NamesakeIsNone": testNamesake,
		"Revoked":        testRevoked,
		"Succeeded":      testSucceeded,
		"SucceededEnd":   testSucceededEnd,
		"Updated":        testUpdated,
		"Adopted":        testAdopted,
		"NotAdopted":     testNotAdopted,
		"Disowned":       testDisowned,
		"Activated":      testActivated,
		"Rotated":        testRotated,
		"Replaced":       testReplaced,
		"Renewed":        testRenewed,
		"RotationLost":   testRotationLost,
		"RotationLags":   testRotationLags,
		"OthersKeys":     testOthersCredentials,
		"Limit":          testLimit,
		"LastCredential": testLastCredential,
		"Inventory":      testInventory,
		"Shadowed":       testShadowed,
		"Members":        testMembers,
		"MembersGone":    testMembersGone,
		"Unmanaged":      testMembersUnmanaged,
		"Factors":        testFactors,
		"FactorsRefused": testFactorsRefused,
		"FactorNumbers":  testFactorNumbers,
		"SignIn":         testSignIn,
		"SignInLost":     testSignInLost,
		"SignOnRefused":  testSignOnRefused,
		"Governed":       testGoverned,
		"Assurances":     testAssurances,
		"Enrollment":     testEnrollment,
		"AdminRole":      testAdminRole,
		"AdminNarrowed":  testAdminRoleNarrowed,
		"AdminMended":    testAdminRoleMended,
		"AdminLost":      testAdminRoleLost,
		"AdminAtOnce":    testAdminRoleDeletedAtOnce,
		"AdminForeign":   testAdminRoleForeign,
		"AdminClaimed":   testAdminRoleClaimed,
	} {
		t.Run(name, func(t *testing.T) { test(t, newHarness) })
	}
}

// role is what the suite builds: a role, and a client that holds it.
type role struct {
	mark        identity.Mark
	group       identity.Group
	permissions []identity.Permission
	client      identity.Registration
	lifetime    time.Duration
}

// created is when the owners of what the suite builds were created.
const created = 1_700_000_000

func newRole(h Harness, name string, method identity.AuthMethod) role {
	mark := identity.Mark{
		Cluster: h.Cluster, Kind: "AIAgentRole", Namespace: "team-a", Name: name, UID: "uid-of-role-" + name, Since: created,
	}
	key := identity.Mark{
		Cluster: h.Cluster, Kind: "AgentAPIKey", Namespace: "team-a", Name: name, UID: "uid-of-key-" + name, Since: created,
	}
	return role{
		mark: mark,
		group: identity.Group{
			Mark: mark, Name: "k8s/" + h.Cluster + "/team-a/" + name, Description: "People of " + name + "\nwith two lines",
		},
		permissions: []identity.Permission{
			{Name: "interact_with_chatbot", Description: "Talk to the chatbot"},
			{Name: "read_ai_logs", Description: ""},
		},
		client: identity.Registration{
			Mark: key, ClientID: "aik-" + name + "-client", Label: "k8s/" + h.Cluster + "/team-a/" + name,
			Note: "Agent " + name + ".\nOwners: somebody", Credential: h.Credential(method),
		},
		lifetime: 10 * time.Minute,
	}
}

// disguise makes the role and its key those of another owner of the same name.
func (r *role) disguise(uid string, since int64) {
	for _, mark := range []*identity.Mark{&r.mark, &r.group.Mark, &r.client.Mark} {
		mark.UID, mark.Since = uid, since
	}
}

func (r role) names() []string {
	var names []string
	for _, p := range r.permissions {
		names = append(names, p.Name)
	}
	return names
}

func (r role) grant(clients ...string) identity.Grant {
	return identity.Grant{
		Mark: r.mark, Name: "k8s/" + r.mark.Cluster + "/team-a/" + r.mark.Name,
		Clients: clients, Permissions: r.names(), TokenLifetime: r.lifetime,
	}
}

// build does what a controller would: it observes, and does what is missing.
func (r role) build(ctx context.Context, d identity.Directory) error {
	seen, err := d.ObserveRole(ctx, r.mark, r.group.Name)
	if err != nil {
		return err
	}
	if seen.Server == nil {
		if err := d.CreateServer(ctx, false, nil); err != nil {
			return err
		}
	}
	if err := r.permit(ctx, d, seen); err != nil {
		return err
	}
	if seen.Group == nil || seen.Group.Description != r.group.Description || seen.Group.Mark != r.mark {
		if err := d.PutGroup(ctx, r.group); err != nil {
			return err
		}
	}
	if err := r.register(ctx, d); err != nil {
		return err
	}
	want := r.grant(r.client.ClientID)
	if seen.Grant == nil || !equalGrants(*seen.Grant, want) {
		return d.PutGrant(ctx, want)
	}
	return nil
}

func (r role) permit(ctx context.Context, d identity.Directory, seen identity.RoleSeen) error {
	for _, p := range r.permissions {
		if have, found := seen.Permissions[p.Name]; found && have == p {
			continue
		}
		if err := d.PutPermission(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (r role) register(ctx context.Context, d identity.Directory) error {
	client, err := d.ObserveClient(ctx, r.client.ClientID, identity.ClientHint{Label: r.client.Label})
	switch {
	case err != nil:
		return err
	case client == nil:
		return d.RegisterClient(ctx, r.client)
	case client.Mark != r.client.Mark || client.Label != r.client.Label || client.Note != r.client.Note || len(client.Altered) > 0:
		return d.UpdateClient(ctx, *client, r.client)
	}
	return nil
}

func equalGrants(a, b identity.Grant) bool {
	return a.Mark == b.Mark && a.Name == b.Name && a.TokenLifetime == b.TokenLifetime &&
		strings.Join(a.Clients, " ") == strings.Join(b.Clients, " ") &&
		strings.Join(a.Permissions, " ") == strings.Join(b.Permissions, " ")
}

// raze takes all of it away again but what roles share.
func (r role) raze(ctx context.Context, d identity.Directory) error {
	by := identity.ClientHint{Label: r.client.Label}
	client, err := d.ObserveClient(ctx, r.client.ClientID, by)
	if err != nil {
		return err
	}
	if client != nil {
		if err := d.DeactivateClient(ctx, *client); err != nil {
			return err
		}
		if err := d.DeleteClient(ctx, *client); err != nil {
			return err
		}
	}
	if err := d.ConfirmNoClient(ctx, r.client.ClientID, by); err != nil {
		return err
	}
	if err := d.DeleteGrant(ctx, r.mark); err != nil {
		return err
	}
	return d.DeleteGroup(ctx, r.mark, r.group.Name)
}

// until repeats do, as a controller would, until it succeeds.
func until(t *testing.T, h Harness, what string, do func() error) {
	t.Helper()
	var err error
	for range 40 {
		if err = do(); err == nil {
			return
		}
		typed := mustBeTyped(t, what, err)
		if typed.Kind == identity.Conflict || typed.Kind == identity.Rejected {
			break
		}
		h.Step(max(typed.RetryAfter, time.Second))
	}
	t.Fatalf("%s does not come to an end: %v", what, err)
}

// mustBeTyped holds the promise that every error is an *identity.Error.
func mustBeTyped(t *testing.T, what string, err error) *identity.Error {
	t.Helper()
	typed, ok := errors.AsType[*identity.Error](err)
	if !ok {
		t.Fatalf("%s: the error is no *identity.Error: %#v", what, err)
	}
	if typed.Reason == "" || typed.Message == "" {
		t.Errorf("%s: the error lacks a reason or a message: %#v", what, typed)
	}
	return typed
}

// mustBeKind holds err to one of the kinds.
func mustBeKind(t *testing.T, what string, err error, kinds ...identity.Kind) {
	t.Helper()
	if err == nil {
		t.Fatalf("%s: there is no error", what)
	}
	typed := mustBeTyped(t, what, err)
	for _, kind := range kinds {
		if typed.Kind == kind {
			return
		}
	}
	t.Errorf("%s: the error is of kind %s, want one of %v: %v", what, typed.Kind, kinds, err)
}
