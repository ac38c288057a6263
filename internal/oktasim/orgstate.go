package oktasim

// OrgPolicy is a policy of the org itself.
type OrgPolicy struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Name string `json:"name"`
	// Description is where people and operators write what a policy is for.
	Description string `json:"description,omitempty"`
	Priority    int    `json:"priority"`
	Status      string `json:"status"`
	System      bool   `json:"system,omitempty"`
	// Groups are those the policy is for; app sign-in policies have none.
	Groups   []string       `json:"groups,omitempty"`
	Settings map[string]any `json:"settings,omitempty"`
}

// OrgRule is a rule of a policy of the org.
type OrgRule struct {
	ID         string         `json:"id"`
	PolicyID   string         `json:"policyID"`
	Name       string         `json:"name"`
	Priority   int            `json:"priority"`
	Status     string         `json:"status"`
	System     bool           `json:"system,omitempty"`
	Conditions map[string]any `json:"conditions,omitempty"`
	Actions    map[string]any `json:"actions"`
}

// Zone is a network zone.
type Zone struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Usage  string `json:"usage"`
	Status string `json:"status"`
	System bool   `json:"system,omitempty"`
	// Gateways are networks and ranges of addresses.
	Gateways []string `json:"gateways,omitempty"`
}

// Assurance is a device assurance policy.
type Assurance struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Platform string `json:"platform"`
	// Wants are the attributes a device must have, as the API writes them.
	Wants map[string]any `json:"wants"`
}

// snapshotAccess adds what decides who may sign in.
func (o *Org) snapshotAccess(state *State) {
	for _, kind := range []string{accessPolicy, mfaEnroll, oktaSignOn} {
		for _, p := range o.orgPolicies(kind) {
			if !o.has(p.kind) {
				continue
			}
			state.OrgPolicies = append(state.OrgPolicies, p.snapshot(o))
			for _, r := range p.rules {
				state.OrgRules = append(state.OrgRules, OrgRule{
					ID: r.id, PolicyID: p.id, Name: r.name(), Priority: p.priorityOf(r), Status: statusOf(r.active), System: r.system,
					Conditions: copied(r.doc.object("conditions")), Actions: copied(r.doc.object("actions")),
				})
			}
		}
	}
	for _, z := range o.zones.order {
		seen := Zone{ID: z.id, Name: z.name(), Usage: z.usage(), Status: statusOf(z.active), System: z.system}
		all, _ := z.doc["gateways"].([]any)
		for _, each := range all {
			seen.Gateways = append(seen.Gateways, document(each.(map[string]any)).text("value"))
		}
		state.Zones = append(state.Zones, seen)
	}
	for _, a := range o.assurances.order {
		state.Assurances = append(state.Assurances, Assurance{
			ID: a.id, Name: a.doc.text("name"), Platform: a.platform(), Wants: copied(a.doc.only(attributes()...)),
		})
	}
}

func (p *orgPolicy) snapshot(o *Org) OrgPolicy {
	seen := OrgPolicy{
		ID: p.id, Type: p.kind.name, Name: p.name(), Description: p.doc.text("description"), Priority: p.priority(o),
		Status: statusOf(p.active), System: p.system, Settings: copied(o.shownSettings(p)),
	}
	seen.Groups = append(seen.Groups, p.doc.texts("conditions", "people", "groups", "include")...)
	return seen
}

// copied copies all the way down, so that nobody holds what the org changes.
func copied(d document) map[string]any {
	if d == nil {
		return nil
	}
	copy, err := decodeObject(encode(map[string]any(d)))
	if err != nil {
		panic("copying a document: " + err.Error())
	}
	return copy
}
