package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
)

// tokenGranted is Okta's event of a token of the operator's authorization server, and
// grantedScopes what it says of it, which Okta does not promise to go on saying.
const (
	tokenGranted  = "app.oauth2.as.token.grant.access_token" //nolint:gosec // the name of an event
	grantedScopes = "grantedScopes"
)

func (p *plugin) leastPrivilege() *cobra.Command {
	var q logQuery
	c := &cobra.Command{
		Use:   "least-privilege [ROLE]",
		Short: "Show which permissions of roles no agent has used, with the patch that takes them away",
		Long: `Show, for each permission of AIAgentRoles, when an agent last got a token with it and how
many it got, as Okta's System Log says; and for those that nobody used, the patch that takes
them away.

A token with a permission is taken for its use: whether the agent did anything with it, Okta
does not know. An agent that asks for all it may have seems to use all. Tokens that the operator
obtained to try a credential do not count; where it obtains them for the agents (delivery
AccessToken), nothing can be told, and no patch is given.

The log is read as you, as by "kubectl agentid logs".`,
		Example: `  kubectl agentid least-privilege -n chatbot --since 30d
  kubectl agentid least-privilege ai-user -n chatbot -o json`,
		Args:              atMost(1, "one role at most"),
		ValidArgsFunction: p.completeRole,
		RunE:              func(c *cobra.Command, args []string) error { return p.runLeast(c.Context(), args, q) },
	}
	q.flags(c, "30d")
	p.withAllNamespaces(c)
	p.withOutput(c, formatTable, formatJSON, formatYAML)
	return c
}

// permissionUse is how a permission was used.
type permissionUse struct {
	Name string `json:"name"`
	// LastUsed is absent where no agent got a token with it.
	LastUsed *metav1.Time `json:"lastUsed,omitempty"`
	Tokens   int          `json:"tokens"`
}

// roleUse is how a role was used.
type roleUse struct {
	Namespace   string          `json:"namespace"`
	Name        string          `json:"name"`
	Since       metav1.Time     `json:"since"`
	Agents      int             `json:"agents"`
	Tokens      int             `json:"tokens"`
	Permissions []permissionUse `json:"permissions"`
	// Unused are those that may be taken away.
	Unused []string `json:"unused,omitempty"`
	// Unsure says why it cannot be told what is unused.
	Unsure string `json:"unsure,omitempty"`
	// Patch is a JSON patch (RFC 6902) that takes away what is unused, as long as the role is
	// what it is now.
	Patch []patchStep `json:"patch,omitempty"`
}

type patchStep struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value string `json:"value,omitempty"`
}

func (p *plugin) runLeast(ctx context.Context, names []string, q logQuery) error {
	since, err := sinceOf(q.since, p.Clock.Now())
	if err != nil {
		return err
	}
	roles, err := p.rolesOf(ctx, names)
	if err != nil || len(roles) == 0 {
		return err
	}
	h, err := p.hanging(ctx, true)
	if err != nil {
		return err
	}
	c, err := p.connect()
	if err != nil {
		return err
	}
	keys := having(h.keys, roles)
	who := &concerned{p: p, c: c}
	who.fill(keys, roles)
	use := newUse(roles, keys, since)
	if !h.all {
		use.doubtShared(roles)
	}
	if err := p.readLog(ctx, q, who, since, use.count); err != nil {
		return err
	}
	return p.showUse(use.views(roles))
}

// having are those of the keys that have one of the roles: others are of no concern here, and may
// be of another org.
func having(keys []v1alpha1.AgentAPIKey, roles []v1alpha1.AIAgentRole) []v1alpha1.AgentAPIKey {
	shown := map[types.NamespacedName]bool{}
	for i := range roles {
		shown[client.ObjectKeyFromObject(&roles[i])] = true
	}
	return slices.DeleteFunc(keys, func(key v1alpha1.AgentAPIKey) bool { return !shown[reference.RoleOf(&key)] })
}

// use counts tokens by role and permission.
type use struct {
	since time.Time
	roles map[types.NamespacedName]*roleUse
	// silent counts tokens of which the log does not say what they hold.
	silent map[types.NamespacedName]int
}

func newUse(roles []v1alpha1.AIAgentRole, keys []v1alpha1.AgentAPIKey, since time.Time) *use {
	u := &use{since: since, roles: map[types.NamespacedName]*roleUse{}, silent: map[types.NamespacedName]int{}}
	for i := range roles {
		r := &roleUse{Namespace: roles[i].Namespace, Name: roles[i].Name, Since: metav1.NewTime(since.UTC()), Permissions: []permissionUse{}}
		for _, permission := range roles[i].Spec.Permissions {
			if name := string(permission.Name); !strings.HasPrefix(name, identity.AdminPrefix) { // those are people's
				r.Permissions = append(r.Permissions, permissionUse{Name: name})
			}
		}
		u.roles[client.ObjectKeyFromObject(&roles[i])] = r
	}
	for i := range keys {
		r := u.roles[reference.RoleOf(&keys[i])]
		if r == nil {
			continue
		}
		r.Agents++
		if keys[i].Spec.Delivery == v1alpha1.DeliveryAccessToken {
			r.Unsure = fmt.Sprintf("the operator obtains the tokens of %s/%s, with all permissions", keys[i].Namespace, keys[i].Name)
		}
	}
	return u
}

// doubtShared says of roles that keys of other namespaces may use that these are not known.
func (u *use) doubtShared(roles []v1alpha1.AIAgentRole) {
	for i := range roles {
		if share := roles[i].Spec.ShareWith; share != nil && share.From != v1alpha1.ShareSame {
			u.roles[client.ObjectKeyFromObject(&roles[i])].Unsure = "keys of other namespaces may use the role, and you may not list those"
		}
	}
}

// count counts tokens that agents got themselves.
func (u *use) count(events []event.Event) error {
	for i := range events {
		e := &events[i]
		if e.Type != tokenGranted || e.Agent == nil || strings.HasPrefix(e.Client.UserAgent.Raw, identity.UserAgent) {
			continue
		}
		at := types.NamespacedName{Namespace: e.Agent.Role.Namespace, Name: e.Agent.Role.Name}
		r := u.roles[at]
		if r == nil {
			continue
		}
		r.Tokens++
		scopes := strings.FieldsFunc(e.Debug.Text(grantedScopes), func(c rune) bool { return c == ' ' || c == ',' })
		if len(scopes) == 0 {
			u.silent[at]++
		}
		for n := range r.Permissions {
			permission := &r.Permissions[n]
			if !slices.Contains(scopes, permission.Name) {
				continue
			}
			permission.Tokens++
			if permission.LastUsed == nil || permission.LastUsed.Before(&metav1.Time{Time: e.Published}) {
				permission.LastUsed = &metav1.Time{Time: e.Published}
			}
		}
	}
	return nil
}

// views judges what was counted.
func (u *use) views(roles []v1alpha1.AIAgentRole) []roleUse {
	views := make([]roleUse, len(roles))
	for i := range roles {
		at := client.ObjectKeyFromObject(&roles[i])
		r := u.roles[at]
		switch {
		case r.Unsure != "":
		case u.silent[at] > 0:
			r.Unsure = fmt.Sprintf("the log does not say what %d of the tokens hold", u.silent[at])
		case roles[i].CreationTimestamp.After(u.since):
			r.Unsure = "the role is younger than that; look again when it has been used for a while"
		case r.Tokens == 0:
			r.Unsure = "none of its agents got a token: if nobody needs the role, delete it"
		default:
			r.suggest(&roles[i])
		}
		views[i] = *r
	}
	return views
}

// suggest says what may be taken away. A role keeps one permission at least.
func (r *roleUse) suggest(role *v1alpha1.AIAgentRole) {
	for _, permission := range r.Permissions {
		if permission.Tokens == 0 {
			r.Unused = append(r.Unused, permission.Name)
		}
	}
	for i, permission := range slices.Backward(role.Spec.Permissions) {
		if slices.Contains(r.Unused, string(permission.Name)) {
			at := fmt.Sprintf("/spec/permissions/%d", i)
			r.Patch = append(r.Patch, patchStep{Op: "test", Path: at + "/name", Value: string(permission.Name)}, patchStep{Op: "remove", Path: at})
		}
	}
	if len(r.Patch) == 2*len(role.Spec.Permissions) {
		r.Patch, r.Unused, r.Unsure = nil, nil, "its agents got tokens with none of its permissions: they may have been others then"
	}
}

func (p *plugin) showUse(views []roleUse) error {
	if p.flags.output != formatTable {
		return p.printValue(list[roleUse]{views})
	}
	var rows [][]string
	for _, r := range views {
		for _, permission := range r.Permissions {
			rows = append(rows, []string{r.Namespace + "/" + r.Name, permission.Name, when(permission.LastUsed), strconv.Itoa(permission.Tokens)})
		}
	}
	if _, err := io.WriteString(p.Streams.Out, newTable("ROLE", "PERMISSION", "LAST USED", "TOKENS").format(rows)); err != nil {
		return err
	}
	for _, r := range views {
		switch {
		case r.Unsure != "":
			p.tell("\n%s/%s: cannot be told: %s", r.Namespace, r.Name, r.Unsure)
		case len(r.Patch) > 0:
			patch, err := json.Marshal(r.Patch)
			if err != nil {
				return fmt.Errorf("writing the patch: %w", err)
			}
			p.tell("\n%s/%s: nobody used %s since %s. This takes it away, and keys that need it lose it:", r.Namespace, r.Name,
				strings.Join(r.Unused, ", "), when(&r.Since))
			p.tell("kubectl patch aiagentrole %s -n %s --type=json -p '%s'", r.Name, r.Namespace, patch)
		default:
			p.tell("\n%s/%s: all of it is used", r.Namespace, r.Name)
		}
	}
	return nil
}
