package okta

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// beingMade stands behind the mark of a policy that the operator has made inactive, for its
// rules are not all there yet. An inactive policy looks the same, whoever switched it off:
// this one the operator may switch on, and no other. It goes once the policy is active, so
// that a process that dies in between leaves a policy of which that can still be told, and
// needs no memory of its own.
const beingMade = ";state=being-made"

// maxUnfinished is how long a mark may be with that behind it.
const maxUnfinished = maxPolicyDescription - len(beingMade)

// unfinished is the description of a policy that is being made.
func unfinished(owner identity.Mark) string {
	return shortMark(owner, maxUnfinished).String() + beingMade
}

func isUnfinished(policy object) bool {
	return strings.HasSuffix(text(policy, "description"), beingMade)
}

// switchedOff tells that a person has switched the policy off. In one window a person's deed
// is not seen: until an activation by the operator is written down.
func (p orgPolicy) switchedOff(have object) bool {
	return p.base == orgPolicies && text(have, "status") != statusActive && !isUnfinished(have)
}

// leftAlone says that the policy stays switched off.
func (p orgPolicy) leftAlone(have object) error {
	return &identity.Error{
		Kind: identity.Rejected, Reason: identity.ReasonDeactivatedInDirectory, RetryAfter: revisit,
		Message: fmt.Sprintf("somebody has deactivated the %s policy %q (%s) in Okta, which is respected: nobody is asked for what it says. "+
			"Activate it there to have it count again, or delete it there to have it made anew", p.kind, text(have, "name"), text(have, "id")),
	}
}

// finish switches on a policy that is being made, and of which all rules are there.
func (d *Directory) finish(ctx context.Context, p orgPolicy, have, wanted object) (object, error) {
	if !isUnfinished(have) {
		return have, nil
	}
	whole := maps.Clone(wanted)
	whole["description"] = have["description"]
	have, err := d.putOrgPolicy(ctx, p, have, whole)
	if err != nil || text(have, "status") == statusActive {
		return have, err
	}
	_, err = d.org.call(ctx, http.MethodPost, p.path(text(have, "id"))+"/lifecycle/activate", nil, nil)
	return have, err
}
