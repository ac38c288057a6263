package oktasim

import "slices"

// inGroup tells whether a user is in a group; everybody is in the one that is built in.
func (o *Org) inGroup(u *user, id string) bool {
	g, found := o.groups.get(id)
	return found && (g.builtIn || slices.Contains(g.members, u.id))
}

func (o *Org) inAny(u *user, groups []string) bool {
	return slices.ContainsFunc(groups, func(id string) bool { return o.inGroup(u, id) })
}

// matchesPeople holds a user against the people of a rule. A rule that includes
// nobody is for everybody; one that includes both groups and users is for those users
// that are in the groups.
func (o *Org) matchesPeople(people document, u *user) bool {
	groups, users := people.object("groups"), people.object("users")
	included := groups.texts("include")
	named := users.texts("include")
	switch {
	case slices.Contains(users.texts("exclude"), u.id), o.inAny(u, groups.texts("exclude")):
		return false
	case len(included) > 0 && !o.inAny(u, included):
		return false
	}
	return len(named) == 0 || slices.Contains(named, u.id)
}

func matchesRisk(risk document, level string) bool {
	wanted := risk.text("level")
	return wanted == "" || wanted == "ANY" || wanted == level
}

// matchesSession holds an attempt against the conditions of a session rule. Nobody
// comes by RADIUS here.
func (o *Org) matchesSession(r *orgRule, v visit) bool {
	conditions := r.doc.object("conditions")
	return o.matchesPeople(conditions.object("people"), v.user) && o.inNetwork(conditions.object("network"), v.ip) &&
		matchesRisk(conditions.object("riskScore"), v.Risk) && conditions.text("authContext", "authType") != "RADIUS"
}

// matchesAccess holds an attempt against the conditions of a rule of an app's policy.
// The catch-all rule has none.
func (o *Org) matchesAccess(r *orgRule, v visit) bool {
	conditions := r.doc.object("conditions")
	return o.matchesPeople(conditions.object("people"), v.user) && o.inNetwork(conditions.object("network"), v.ip) &&
		matchesRisk(conditions.object("riskScore"), v.Risk) && o.matchesUserType(conditions.object("userType")) &&
		matchesPlatform(conditions.object("platform"), v.Device) && o.matchesDevice(conditions.object("device"), v.Device)
}

func (o *Org) matchesUserType(types document) bool {
	included := types.texts("include")
	return !slices.Contains(types.texts("exclude"), o.userType()) && (len(included) == 0 || slices.Contains(included, o.userType()))
}

// matchesPlatform holds a device against the platforms of a rule.
func matchesPlatform(platform document, d Device) bool {
	within := func(list string) bool {
		all, _ := platform[list].([]any)
		return slices.ContainsFunc(all, func(each any) bool { return d.isOf(each.(map[string]any)) })
	}
	included, _ := platform["include"].([]any)
	return !within("exclude") && (len(included) == 0 || within("include"))
}

// isOf tells whether a device is of a platform, as rules write it.
func (d Device) isOf(platform document) bool {
	kind, system := platform.text("type"), platform.text("os", "type")
	return (kind == "" || kind == "ANY" || kind == d.kind()) && (system == "" || system == "ANY" || system == d.system())
}

func (d Device) system() string {
	if slices.Contains([]string{"ANDROID", "CHROMEOS", "IOS", "LINUX", "MACOS", "WINDOWS"}, d.Platform) {
		return d.Platform
	}
	return "OTHER"
}

func (d Device) kind() string {
	switch d.system() {
	case "ANDROID", "IOS":
		return "MOBILE"
	case "OTHER":
		return "OTHER"
	}
	return "DESKTOP"
}

// matchesDevice holds a device against what a rule says of it. Of the assurances, one
// is enough: each is for one platform.
func (o *Org) matchesDevice(wanted document, d Device) bool {
	if wanted["registered"] != nil && wanted.flag("registered") != d.Registered {
		return false
	}
	if wanted["managed"] != nil && wanted.flag("managed") != d.Managed {
		return false
	}
	assurances := wanted.texts("assurance", "include")
	return len(assurances) == 0 || slices.ContainsFunc(assurances, func(id string) bool {
		a, found := o.assurances.get(id)
		return found && a.holds(d)
	})
}
