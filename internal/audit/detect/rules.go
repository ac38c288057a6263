package detect

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
)

// skew is how long after a cut-off a token is taken for one that was under way.
const skew = time.Minute

// verdict is what a rule makes of an event.
type verdict int

const (
	nothing verdict = iota
	// tell is a match of which something is not known: it may be told, not answered.
	tell
	match
)

// rule is a rule that is built in, and what is said when it matches.
type rule struct {
	judge func(ctx context.Context, f Facts, e *event.Event) verdict
	says  string
	// alone tells that it names no single agent.
	alone bool
}

func builtIn(name v1alpha1.DetectionRule) (rule, bool) {
	switch name {
	case v1alpha1.RuleUseAfterSuspension:
		return rule{
			judge: afterSuspension,
			says:  "a token was granted although the agent is cut off; check in Okta that its client is inactive",
		}, true
	case v1alpha1.RuleUseOutsideZone:
		return rule{
			judge: outsideZone,
			says:  "a token was granted from outside the allowed network zones; find out who holds the credential",
		}, true
	case v1alpha1.RuleGhostUse:
		return rule{judge: ghost, says: "a token was granted while no pod held the Secret; find out who else holds the credential"}, true
	case v1alpha1.RuleForeignCredential:
		return rule{
			judge: byOthers("app.oauth2.credentials.lifecycle.create", "app.oauth2.credentials.lifecycle.activate"),
			says:  "somebody else added or activated a credential; remove it in Okta if nobody can explain it",
		}, true
	case v1alpha1.RulePrivilegeGranted:
		return rule{
			judge: byOthers("app.oauth2.client.privilege.grant", "app.oauth2.admin.consent.grant"),
			says:  "somebody else granted a privilege; revoke it in Okta if nobody can explain it",
		}, true
	case v1alpha1.RuleSecretRead:
		return rule{judge: byOthers("app.oauth2.client.read_client_secret"), says: "somebody read the client secret in Okta; rotate it"}, true
	case v1alpha1.RuleScopeProbing:
		return rule{judge: probing, says: "scopes were asked for that the agent does not have; look at what the agent does"}, true
	case v1alpha1.RuleConfigurationTampered:
		return rule{judge: tampered, alone: true, says: "somebody else changed what the operator keeps in Okta; find out who and why"}, true
	case v1alpha1.RuleOperatorCredentialElsewhere:
		return rule{judge: elsewhere, alone: true, says: "the operator's own credential was used elsewhere; replace it"}, true
	case v1alpha1.RuleAuditBlinded:
		return rule{judge: blinded, alone: true, says: "somebody took from the operator, or a log stream, what it sees; restore it"}, true
	default:
		return rule{}, false
	}
}

// used tells that the agent was granted a token. The operator's own trials are told apart by the
// rules that would find them.
func used(e *event.Event) bool {
	proves, _ := provesPossession(e)
	return proves && strings.HasSuffix(e.Type, ".token.grant.access_token")
}

func afterSuspension(_ context.Context, f Facts, e *event.Event) verdict {
	if !used(e) || f.FromHere(e) == Yes {
		return nothing
	}
	if at := f.CutOff(e.Agent.UID); !at.IsZero() && e.Published.After(at.Add(skew)) {
		return match
	}
	return nothing
}

func outsideZone(_ context.Context, f Facts, e *event.Event) verdict {
	if used(e) && f.FromHere(e) == No && f.Inside(e) == No {
		return match
	}
	return nothing
}

func ghost(ctx context.Context, f Facts, e *event.Event) verdict {
	if used(e) && f.FromHere(e) == No && f.Held(ctx, e.Agent.UID, e.Published) == No {
		return match
	}
	return nothing
}

// byOthers matches what was done to an agent by somebody who is not the operator.
func byOthers(types ...string) func(context.Context, Facts, *event.Event) verdict {
	return func(_ context.Context, f Facts, e *event.Event) verdict {
		if e.Agent == nil || !e.Outcome.Succeeded() || !slices.Contains(types, e.Type) {
			return nothing
		}
		return foreign(f, e)
	}
}

// foreign is told by who did it; if that is not known nothing is answered.
func foreign(f Facts, e *event.Event) verdict {
	switch f.Own(e) {
	case No:
		return match
	case Unknown:
		return tell
	default:
		return nothing
	}
}

func probing(_ context.Context, _ Facts, e *event.Event) verdict {
	refused := e.Type == "app.oauth2.as.authorize.scope_denied" ||
		e.Type == "app.oauth2.as.token.grant" && e.Outcome.Result == "FAILURE" &&
			slices.Contains([]string{"invalid_scope", "access_denied"}, e.Outcome.Reason)
	if e.Agent != nil && refused {
		return tell
	}
	return nothing
}

func tampered(_ context.Context, f Facts, e *event.Event) verdict {
	changes := slices.Contains([]v1alpha1.EventCategory{
		v1alpha1.CategoryClient, v1alpha1.CategoryAuthorizationServer, v1alpha1.CategoryPolicy, v1alpha1.CategoryRoleAndGroup,
	}, event.Category(e.Type))
	kept := func(p event.Party) bool { return f.Kept(p.ID) }
	if !changes || e.Outcome.Result != "SUCCESS" || e.Type == "app.oauth2.client.read_client_secret" || !slices.ContainsFunc(e.Targets, kept) {
		return nothing
	}
	return foreign(f, e)
}

func elsewhere(_ context.Context, f Facts, e *event.Event) verdict {
	if f.Own(e) == Yes && f.FromHere(e) == No {
		return tell
	}
	return nothing
}

func blinded(_ context.Context, f Facts, e *event.Event) verdict {
	logs := func(p event.Party) bool { return p.ID == "okta.logs.read" || p.DisplayName == "okta.logs.read" }
	kept := func(p event.Party) bool { return f.Kept(p.ID) }
	lost := false
	switch e.Type {
	case "system.log_stream.lifecycle.deactivate", "system.log_stream.lifecycle.delete":
		lost = true
	case "app.oauth2.admin.consent.revoke":
		lost = slices.ContainsFunc(e.Targets, logs) && slices.ContainsFunc(e.Targets, kept)
	case "system.api_token.revoke":
		lost = slices.ContainsFunc(e.Targets, kept)
	}
	if !lost || !e.Outcome.Succeeded() {
		return nothing
	}
	return foreign(f, e)
}
