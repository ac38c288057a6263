package oktasim

import "time"

// defaultPolicy is what the system calls its policies for Everyone.
const defaultPolicy = "Default Policy"

// newOrgPolicy makes an active policy; app sign-in policies come with the rule that
// catches whatever no other rule does.
func (o *Org) newOrgPolicy(k *policyKind, now time.Time, body document) *orgPolicy {
	p := &orgPolicy{meta: o.newMeta(k.ids, now), kind: k, active: true}
	p.fill(o, body)
	if k.name == accessPolicy {
		p.rules = []*orgRule{{
			meta: o.newMeta(k.ruleIDs, now), active: true, system: true, priority: catchAllPriority,
			doc: document{"name": "Catch-all Rule", "actions": map[string]any(catchAllActions())},
		}}
	}
	return p
}

// catchAllActions lets everybody in who shows two factors, one of them bound to a
// device, as recorded.
func catchAllActions() document {
	return document{"appSignOn": map[string]any{
		"access": "ALLOW", "keepMeSignedIn": map[string]any{"postAuth": "NOT_ALLOWED"},
		"verificationMethod": map[string]any{
			"factorMode": "2FA", "type": "ASSURANCE", "reauthenticateIn": "PT12H",
			"constraints": []any{map[string]any{"possession": map[string]any{"required": true, "deviceBound": "REQUIRED"}}},
		},
	}}
}

// addSystemPolicies makes the policies every org comes with. Those for passwords are
// there to be looked at: they cannot be changed here. On Classic Engine nobody sees the
// one for apps, until the org moves to Identity Engine.
func (o *Org) addSystemPolicies() {
	const defaultText = "The default policy applies in all situations if no other policy applies."
	people := map[string]any{"people": map[string]any{"groups": map[string]any{"include": []any{o.groups.order[0].id}}}}
	o.addSystemPolicy(o.kindNamed(accessPolicy), document{
		"name": "Any two factors", "description": "Require two factors to access.",
	}, nil)
	o.addSystemPolicy(o.kindNamed(mfaEnroll), document{
		"name": defaultPolicy, "description": defaultText, "conditions": people, "settings": map[string]any(o.defaultEnrollment()),
	}, document{"actions": map[string]any{"enroll": map[string]any{"self": "CHALLENGE"}}})
	o.addSystemPolicy(o.kindNamed(oktaSignOn), document{
		"name": defaultPolicy, "description": defaultText, "conditions": people,
	}, document{"actions": map[string]any{"signon": map[string]any{"access": "ALLOW"}}})
	locked := passwordKind()
	withProvider := document(people).over(document{"authProvider": map[string]any{"provider": "OKTA"}})
	o.addSystemPolicy(locked, document{
		"name": defaultPolicy, "description": defaultText, "conditions": map[string]any(withProvider),
	}, nil)
}

func (o *Org) addSystemPolicy(k *policyKind, body, rule document) {
	p := o.newOrgPolicy(k, o.longAgo(), body)
	p.system = true
	if rule != nil {
		rule["name"] = "Default Rule"
		p.rules = []*orgRule{{
			meta: o.newMeta(k.ruleIDs, p.created), active: true, system: true, doc: rule.over(k.rule.defaults(o)),
		}}
	}
	o.policies = append(o.policies, p)
}

// defaultAccessPolicy is the policy of every app that has not been mapped to another.
func (o *Org) defaultAccessPolicy() *orgPolicy {
	for _, p := range o.policies {
		if p.system && p.kind.name == accessPolicy {
			return p
		}
	}
	return nil
}
