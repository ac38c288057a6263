package oktasim

// AdminRole is a custom admin role.
type AdminRole struct {
	ID          string   `json:"id"`
	Label       string   `json:"label"`
	Description string   `json:"description"`
	Permissions []string `json:"permissions"`
}

// ResourceSet is what custom admin roles are over.
type ResourceSet struct {
	ID          string `json:"id"`
	Label       string `json:"label"`
	Description string `json:"description"`
	// Resources are Okta's names of them.
	Resources []string       `json:"resources"`
	Bindings  []AdminBinding `json:"bindings,omitempty"`
}

// AdminBinding assigns a custom role over the set.
type AdminBinding struct {
	RoleID string `json:"roleID"`
	// Members are ids of users and groups.
	Members []string `json:"members"`
}

func (o *Org) snapshotAdmins(state *State) {
	for _, r := range o.customRoles.order {
		seen := AdminRole{ID: r.id, Label: r.label, Description: r.description}
		for _, p := range r.permissions {
			seen.Permissions = append(seen.Permissions, p.name)
		}
		state.AdminRoles = append(state.AdminRoles, seen)
	}
	for _, s := range o.resourceSets.order {
		seen := ResourceSet{ID: s.id, Label: s.label, Description: s.description}
		for _, r := range s.resources.order {
			seen.Resources = append(seen.Resources, r.orn)
		}
		for _, b := range s.bindings.order {
			one := AdminBinding{RoleID: b.role.id}
			for _, m := range b.members.order {
				one.Members = append(one.Members, m.who.party().ID)
			}
			seen.Bindings = append(seen.Bindings, one)
		}
		state.ResourceSets = append(state.ResourceSets, seen)
	}
}
