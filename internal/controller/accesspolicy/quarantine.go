package accesspolicy

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/lifecycle"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

// quarantine decides which keys the policy cuts off, writes them down, and reports how
// far the keys themselves have come with it.
func (c *Controller) quarantine(ctx context.Context, policy *v1alpha1.AccessPolicy) (lifecycle.Outcome, error) {
	if c.Restraints.Incident == "" || policy.Namespace != c.Restraints.Incident {
		return lifecycle.Outcome{}, notHonouredHere(policy.Spec.Type, c.Restraints.Incident)
	}
	var keys v1alpha1.AgentAPIKeyList
	if err := c.Client.List(ctx, &keys, client.UnsafeDisableDeepCopy); err != nil {
		return lifecycle.Outcome{}, fmt.Errorf("listing the keys: %w", err)
	}
	targets, failed := targetsOf(policy, keys.Items)
	sofar, err := c.progress(ctx, targets, keys.Items)
	if err != nil {
		return lifecycle.Outcome{}, err
	}
	if policy.Spec.Quarantine.Targets.Selector != nil {
		sofar.missing = "" // it was cut off, and has been deleted since
	}
	c.reportQuarantine(policy, targets, sofar)
	switch {
	case failed != nil:
		return lifecycle.Outcome{}, failed
	case sofar.blocked < len(targets):
		return lifecycle.Outcome{}, &identity.Error{
			Kind: identity.Waiting, Reason: v1alpha1.ReasonProgressing, RetryAfter: time.Second,
			Message: "keys are being cut off; status.quarantine tells how many are",
		}
	case sofar.missing != "":
		return lifecycle.Outcome{}, &identity.Error{
			Kind: identity.Rejected, Reason: v1alpha1.ReasonKeyNotFound,
			Message: fmt.Sprintf("there is no AgentAPIKey %s; mend targets.keys. Should it be created, it gets no credential. "+
				"All others are cut off", sofar.missing),
		}
	}
	return lifecycle.Outcome{Message: "no key of the policy gets new tokens"}, nil
}

// targetsOf are the keys that are to be cut off, sorted. What a selector has matched
// once stays so, whatever the key's team changes.
func targetsOf(policy *v1alpha1.AccessPolicy, keys []v1alpha1.AgentAPIKey) ([]v1alpha1.KeyReference, error) {
	quarantine := policy.Spec.Quarantine
	selector := quarantine.Targets.Selector
	if selector == nil {
		return sorted(slices.Clone(quarantine.Targets.Keys)), nil
	}
	var held []v1alpha1.KeyReference
	if status := policy.Status.Quarantine; status != nil {
		held = slices.Clone(status.Keys)
	}
	matched, err := matching(selector, keys)
	if err != nil {
		return held, err
	}
	all := sorted(slices.Concat(held, matched))
	if len(all) > int(selector.MaxTargets) {
		return held, &identity.Error{
			Kind: identity.Rejected, Reason: v1alpha1.ReasonTooManyTargets,
			Message: fmt.Sprintf("with what the selector matches, %d keys would be cut off, and maxTargets is %d: no further key is. "+
				"Narrow the selector, or raise maxTargets", len(all), selector.MaxTargets),
		}
	}
	return all, nil
}

func matching(selector *v1alpha1.KeySelector, keys []v1alpha1.AgentAPIKey) ([]v1alpha1.KeyReference, error) {
	selects, err := restraint.Selector(selector)
	if err != nil {
		return nil, err
	}
	var matched []v1alpha1.KeyReference
	for i := range keys {
		if selects(&keys[i]) {
			matched = append(matched, refOf(&keys[i]))
		}
	}
	return matched, nil
}

func refOf(key *v1alpha1.AgentAPIKey) v1alpha1.KeyReference {
	return v1alpha1.KeyReference{Namespace: v1alpha1.NamespaceName(key.Namespace), Name: v1alpha1.ObjectName(key.Name)}
}

func sorted(refs []v1alpha1.KeyReference) []v1alpha1.KeyReference {
	slices.SortFunc(refs, func(a, b v1alpha1.KeyReference) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return slices.Compact(refs)
}

// progress is how far the cutting off has come.
type progress struct {
	blocked int
	// missing is a key that does not exist; "" when all do.
	missing string
	// lifetime is how long the tokens of the keys live at most.
	lifetime time.Duration
}

// progress looks in the directory which clients get no tokens any more. A key that does
// not exist gets none.
func (c *Controller) progress(ctx context.Context, targets []v1alpha1.KeyReference, keys []v1alpha1.AgentAPIKey) (progress, error) {
	p := progress{lifetime: c.Settings.TokenLifetime}
	byRef := make(map[v1alpha1.KeyReference]*v1alpha1.AgentAPIKey, len(keys))
	for i := range keys {
		byRef[refOf(&keys[i])] = &keys[i]
	}
	for _, ref := range targets {
		key := byRef[ref]
		if key == nil {
			p.missing = cmp.Or(p.missing, string(ref.Namespace)+"/"+string(ref.Name))
			left, err := c.endLeftover(ctx, ref)
			if err != nil {
				return p, err
			}
			if !left {
				p.blocked++
			}
			continue
		}
		agents, err := c.Restraints.Agents(ctx, reference.RoleOf(key))
		if err != nil {
			return p, err
		}
		p.lifetime = max(p.lifetime, agents.TokenLifetime)
		want := desired.KeyOf(key, c.Settings)
		seen, err := c.Directory.ObserveClient(ctx, want.ClientID, want.Hint(key.Status.AppID))
		if err != nil {
			return p, fmt.Errorf("observing the client of AgentAPIKey %s/%s: %w", key.Namespace, key.Name, err)
		}
		if seen == nil || !seen.Active {
			p.blocked++
		}
	}
	return p, nil
}

// endLeftover ends the access of a client whose key does not exist. It tells whether there
// is one that is somebody else's, and active.
func (c *Controller) endLeftover(ctx context.Context, ref v1alpha1.KeyReference) (bool, error) {
	namespace, name := string(ref.Namespace), string(ref.Name)
	ctx = identity.WithCaller(ctx, identity.Caller{
		Kind: "AgentAPIKey", Namespace: namespace, Name: name, Urgency: identity.Revocation,
	})
	seen, err := c.Directory.ObserveClient(ctx, desired.ClientID(c.Settings.Cluster, namespace, name), identity.ClientHint{})
	if err != nil || seen == nil || !seen.Active {
		return false, err
	}
	mark := identity.Mark{Cluster: c.Settings.Cluster, Kind: "AgentAPIKey", Namespace: namespace, Name: name}
	if !mark.Namesake(seen.Mark) {
		return true, nil
	}
	return false, c.Directory.DeactivateClient(ctx, *seen)
}

// exposed is when the last token expires. That tokens are to live for less from now on takes
// nothing from those that were issued before: what was said of the same keys is not taken back.
func exposed(before, now *v1alpha1.QuarantineStatus, lifetime time.Duration) *metav1.Time {
	ends := new(metav1.NewTime(now.NewTokensBlockedAt.Add(lifetime)))
	if before != nil && before.ExposureEndsAt != nil && slices.Equal(before.Keys, now.Keys) && ends.Before(before.ExposureEndsAt) {
		return before.ExposureEndsAt
	}
	return ends
}

// reportQuarantine says since when nobody gets tokens, and when the last one expires.
func (c *Controller) reportQuarantine(policy *v1alpha1.AccessPolicy, targets []v1alpha1.KeyReference, sofar progress) {
	before := policy.Status.Quarantine
	status := &v1alpha1.QuarantineStatus{
		Targets: new(int32(len(targets))), Blocked: new(int32(sofar.blocked)), Keys: targets,
	}
	now := metav1.NewTime(c.Clock.Now())
	if sofar.blocked == len(targets) && len(targets) > 0 {
		status.NewTokensBlockedAt = &now
		if before != nil && before.NewTokensBlockedAt != nil && slices.Equal(before.Keys, targets) {
			status.NewTokensBlockedAt = before.NewTokensBlockedAt
		}
		status.ExposureEndsAt = exposed(before, status, sofar.lifetime)
	}
	policy.Status.Quarantine = status
	effective := metav1.Condition{
		Type: v1alpha1.ConditionEffective, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonEverythingBinds,
		Message: "the policy cuts keys off", ObservedGeneration: policy.Generation, LastTransitionTime: now,
	}
	if len(targets) == 0 {
		effective.Status, effective.Reason, effective.Message = metav1.ConditionFalse, v1alpha1.ReasonNoSubjects, "the policy selects no key"
	}
	meta.SetStatusCondition(&policy.Status.Conditions, effective)
}
