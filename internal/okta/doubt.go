package okta

import "github.com/agentidentity/agent-identity-operator/internal/identity"

// DoubtClient implements identity.Doubter: one call looks the app up.
func (d *Directory) DoubtClient(clientID string) { d.clients.question(clientID) }

// DoubtGroup implements identity.Doubter: one call looks the group up, and where a role says who
// is in it, one more lists them.
func (d *Directory) DoubtGroup(name string) {
	if g, known := d.groups.last(name); known {
		d.forgetRoster(g.ID)
	}
	d.groups.question(name)
}

// DoubtGrant implements identity.Doubter: one call lists the policies, and one reads the rule.
func (d *Directory) DoubtGrant(role identity.Mark) { d.policies.question(policyKey(role)) }
