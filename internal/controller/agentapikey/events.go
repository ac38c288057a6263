package agentapikey

import (
	"fmt"

	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/lifecycle"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// happened tells the steps that people want to hear of.
func happened(s *scene, done []plan.KeyStep) []lifecycle.Event {
	var events []lifecycle.Event
	for _, step := range done {
		if event, told := eventOf(s, step); told && !untold(s, step) {
			events = append(events, event)
		}
	}
	return events
}

// untold are the steps of which people hear otherwise, or too often: a token is published every
// few minutes, and a new key's first credential is told of when it is published.
func untold(s *scene, step plan.KeyStep) bool {
	return step.Verb == plan.Publish && s.want.DeliversToken || step.Verb == plan.Mint && step.Reason == plan.ReasonFirst
}

func eventOf(s *scene, step plan.KeyStep) (lifecycle.Event, bool) {
	newest := s.seen.Staged.Newest
	tell := func(reason, note string, args ...any) (lifecycle.Event, bool) {
		return lifecycle.Event{Reason: reason, Action: string(step.Verb), Note: fmt.Sprintf(note, args...)}, true
	}
	switch step.Verb {
	case plan.Publish:
		return tell("Published", "published credential %s in Secret %s/%s: %s", newest, s.key.Namespace, s.want.SecretName, step.Reason)
	case plan.PublishOld:
		return tell("Published", "published credential %s in Secret %s/%s: %s",
			s.seen.Staged.Previous, s.key.Namespace, s.want.SecretName, step.Reason)
	case plan.Mint:
		return tell("Minted", "made a new credential: %s", step.Reason)
	case plan.Retire:
		return tell("Retired", "ended credential %s in Okta: %s", step.KeyID, step.Reason)
	case plan.Adopt:
		return tell("Adopted", "took over client %s in Okta: %s", s.want.ClientID, step.Reason)
	case plan.Update:
		return tell("Updated", "updated client %s in Okta: %s", s.want.ClientID, step.Reason)
	case plan.Deactivate:
		return tell("Deactivated", "deactivated client %s in Okta: %s", s.want.ClientID, step.Reason)
	case plan.Revoke:
		if s.unrevoked != "" {
			return lifecycle.Event{
				Warning: true, Reason: "TokenNotRevoked", Action: string(step.Verb),
				Note: "an access token works until it expires, for it could not be revoked: " + s.unrevoked,
			}, true
		}
	case plan.Activate:
		return tell("Activated", "activated client %s in Okta: %s", s.want.ClientID, step.Reason)
	}
	return lifecycle.Event{}, false
}

// leftSomewhere tells of a client that is there and cannot be found.
func leftSomewhere(err error) lifecycle.Event {
	return lifecycle.Event{Warning: true, Reason: "LeftBehind", Action: "Release", Note: err.Error()}
}

// leftBehind tells of a client under the key's client id that stays in Okta.
func leftBehind(seen identity.ClientSeen) lifecycle.Event {
	return lifecycle.Event{
		Warning: true, Reason: "LeftBehind", Action: "Release",
		Note: fmt.Sprintf("left app %s (%s) in Okta: it does not carry this key's mark; if it was this key's, "+
			"deactivate and delete it there", seen.ID, stateOf(seen)),
	}
}

// stays tells of a client that the deletion policy leaves in Okta.
func stays(s *scene) []lifecycle.Event {
	seen := s.seen.Client
	if s.retained != nil {
		seen = s.retained
	}
	if seen == nil || seen.Mark != s.want.Mark || s.want.Deletion == desired.Delete {
		return nil
	}
	return []lifecycle.Event{{
		Reason: "Kept", Action: "Release",
		Note: fmt.Sprintf("left app %s (client %s, %s) in Okta, as deletionPolicy %s asks",
			seen.ID, seen.ClientID, stateOf(*seen), s.want.Deletion),
	}}
}

func stateOf(seen identity.ClientSeen) string {
	if seen.Active {
		return "ACTIVE"
	}
	return "inactive"
}
