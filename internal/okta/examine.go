package okta

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/governor"
	"github.com/agentidentity/agent-identity-operator/internal/okta/transport"
)

// CheckState says how a check went.
type CheckState string

// The states of a check.
const (
	// CheckOK: as it must be.
	CheckOK CheckState = "ok"
	// CheckOptional: it is not so, and only what needs it does not work.
	CheckOptional CheckState = "not granted"
	// CheckFailed: nothing, or not everything, works like this.
	CheckFailed CheckState = "failed"
)

// Check is one thing that was looked at before objects depend on it.
type Check struct {
	Name  string
	State CheckState
	// Detail says what is wrong and the way out, or what was found.
	Detail string
}

// Budget is what is known of one rate limit.
type Budget = governor.Budget

// Examination is what became of all checks.
type Examination struct {
	Checks  []Check
	Budgets []Budget
}

// Examine looks with the operator's credentials whether an org is ready for it: the sign-in, the
// scopes, what its administrator's role lets it read, and the setting that must be off. It
// changes nothing. Only a configuration that is none is an error.
func Examine(ctx context.Context, config Config) (Examination, error) {
	d, err := New(config)
	if err != nil {
		return Examination{}, err
	}
	e := &examination{d: d}
	e.run(ctx)
	return Examination{Checks: e.checks, Budgets: d.chain.Budgets()}, nil
}

type examination struct {
	d      *Directory
	checks []Check
}

func (e *examination) run(ctx context.Context) {
	all := authorities()
	required := len(all) - 1
	credentials, err := e.d.credentials(ctx)
	token := err == nil && credentials.IsToken()
	if !token && !e.must("sign-in, with "+strings.Join(RequiredScopes(), " "), e.d.chain.Try(ctx, required)) {
		return // every other check would say the same
	}
	e.must("new API clients are no super admins", e.d.setting.check(ctx))
	for _, resource := range []string{"apps", "authorizationServers", "groups"} {
		_, err := e.d.org.call(ctx, http.MethodGet, "/api/v1/"+resource+"?limit=1", nil, &[]map[string]any{})
		e.must("may list "+resource, err)
	}
	if token {
		e.checks = append(e.checks, Check{
			Name: "scopes", State: CheckOK, Detail: "an API token has none: it may do what its owner may, which is not known here",
		})
		return
	}
	for i, authority := range all[:required] {
		e.may(ctx, i, authority)
	}
}

// must notes what nothing works without.
func (e *examination) must(name string, err error) bool {
	check := Check{Name: name, State: CheckOK}
	if err != nil {
		check.State, check.Detail = CheckFailed, wordsOf(err)
	}
	e.checks = append(e.checks, check)
	return err == nil
}

// needs says what each of the optional authorities is for, in their order.
func needs() []string {
	return []string{
		"roles that name their members", "roles that have factors enrolled", "policies for sign-in, and roles that ask for factors",
		"the same, in an org with Identity Engine", "roles with okta.* permissions", "AuditSinks",
	}
}

// may notes what only some need. Okta does not say which of several scopes it misses.
func (e *examination) may(ctx context.Context, place int, authority transport.Authority) {
	check := Check{Name: strings.Join(authority.Scopes, " "), State: CheckOK, Detail: "for " + needs()[place]}
	if err := e.d.chain.Try(ctx, place); err != nil {
		check.State, check.Detail = CheckOptional, "needed for "+needs()[place]+": "+wordsOf(err)
	}
	e.checks = append(e.checks, check)
}

func wordsOf(err error) string {
	if fault, typed := errors.AsType[*identity.Error](err); typed {
		return fault.Message
	}
	return err.Error()
}
