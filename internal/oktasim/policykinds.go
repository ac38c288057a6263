package oktasim

import (
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// The types of the org's own policies that are simulated.
const (
	accessPolicy = "ACCESS_POLICY"
	mfaEnroll    = "MFA_ENROLL"
	oktaSignOn   = "OKTA_SIGN_ON"
	passwords    = "PASSWORD"
)

// policyKind is what differs between the types of policies.
type policyKind struct {
	name, ruleType string
	// ids and ruleIDs begin the ids of policies and rules.
	ids, ruleIDs string
	// sparse tells that rules keep the priority they were given, up to the catch-all
	// rule's, and that all policies have priority 1: the apps choose, not the order.
	// The rules and policies of other kinds are numbered from 1 without gaps.
	sparse bool
	// fields are what a policy has besides what every policy has.
	fields func(*Org) shape.Object
	// check holds a policy's fields against the org.
	check func(*Org, document) error
	// settle gives a policy's fields the look Okta's answers have.
	settle func(*Org, document)
	rule   ruleKind
}

// ruleKind is what differs between the rules of policies.
type ruleKind struct {
	conditions, actions shape.Object
	defaults            func(*Org) document
	check               func(*Org, document) error
	settle              func(document)
}

func (o *Org) kinds() []*policyKind {
	return []*policyKind{
		{
			name: accessPolicy, ruleType: accessPolicy, ids: "rst", ruleIDs: "rul", sparse: true,
			fields: func(*Org) shape.Object {
				// Conditions stand in the rules; in the policy they are null.
				return shape.Object{"conditions": shape.Enum{}}
			},
			check: func(*Org, document) error { return nil }, settle: func(*Org, document) {}, rule: accessRule(),
		},
		{
			name: mfaEnroll, ruleType: mfaEnroll, ids: "00p", ruleIDs: "0pr",
			fields: enrollFields, check: checkEnroll, settle: settleEnroll, rule: enrollRule(),
		},
		{
			name: oktaSignOn, ruleType: "SIGN_ON", ids: "00p", ruleIDs: "0pr",
			fields: func(*Org) shape.Object { return shape.Object{"conditions": peopleOfPolicy()} },
			check:  (*Org).checkPolicyPeople, settle: func(*Org, document) {}, rule: signOnRule(),
		},
	}
}

// passwordKind is for policies that are there to be read only.
func passwordKind() *policyKind {
	locked := func(*Org, document) error {
		bad := validation("type", "type: policies of type PASSWORD can't be changed here")
		bad.unknown = []string{"changes of policies of type PASSWORD"}
		return bad
	}
	return &policyKind{
		name: passwords, ruleType: passwords, ids: "00p", ruleIDs: "0pr", check: locked, settle: func(*Org, document) {},
		fields: func(*Org) shape.Object { return shape.Object{"conditions": shape.Map{}, "settings": shape.Map{}} },
		rule:   ruleKind{conditions: shape.Object{}, actions: shape.Object{}, check: locked},
	}
}

func (o *Org) kindNamed(name string) *policyKind {
	for _, k := range o.kinds() {
		if k.name == name {
			return k
		}
	}
	return nil
}

// class is what Okta calls a policy in the answer that says there is none.
func policyClass(id string) string {
	if strings.HasPrefix(id, "rst") {
		return "RuleSetEntity"
	}
	return "Policy"
}

func ruleClass(id string) string {
	if strings.HasPrefix(id, "rul") {
		return "RuleEntity"
	}
	return "PolicyRule"
}

func peopleOfPolicy() shape.Shape {
	return shape.Object{"people": shape.Object{"groups": shape.Object{"include": shape.List{Of: shape.Text{Min: 1}}}}}
}

// checkPolicyPeople wants at least one group, by its id: Everyone has one as well.
func (o *Org) checkPolicyPeople(body document) error {
	const field = "conditions.people.groups.include"
	groups := body.texts("conditions", "people", "groups", "include")
	if len(groups) == 0 {
		return validation(field, field+": The field cannot be left blank")
	}
	return o.checkGroups(field, groups)
}

func (o *Org) checkGroups(field string, ids []string) error {
	for _, id := range ids {
		if _, found := o.groups.get(id); !found {
			return validation(field, field+": Invalid group id: "+id)
		}
	}
	return nil
}
