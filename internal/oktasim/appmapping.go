package oktasim

// interactive tells an app that people sign in to.
func (a *app) interactive() bool { return a.settings().text("application_type") != "service" }

// mapApp puts an app under an app sign-in policy, in place of the one it was under.
// Service apps have a link to a policy at Okta, which decides nothing; that one can
// map them to another is not known, and is refused.
func (o *Org) mapApp(c *call) (*reply, error) {
	if o.options.Classic {
		return nil, featureMissing()
	}
	a, err := o.findApp(c)
	if err != nil {
		return nil, err
	}
	p, err := o.findOrgPolicy(c)
	if err != nil {
		return nil, err
	}
	if p.kind.name != accessPolicy {
		return nil, notFound(p.id, "RuleSetEntity")
	}
	if !a.interactive() {
		return nil, wrongState("Nobody signs in to the app " + a.id + ": it is a service.")
	}
	a.accessPolicy = p.id
	a.touch(c.now)
	return noContent()
}

// accessPolicyOf finds the policy an app is under; on Classic Engine there is none.
func (o *Org) accessPolicyOf(a *app) *orgPolicy {
	if o.options.Classic {
		return nil
	}
	for _, p := range o.policies {
		if p.id == a.accessPolicy {
			return p
		}
	}
	return o.defaultAccessPolicy()
}

// mapped gives the apps that are under a policy, services not among them.
func (o *Org) mapped(c *call) (*orgPolicy, []*app, error) {
	p, err := o.findOrgPolicy(c)
	if err != nil {
		return nil, nil, err
	}
	var apps []*app
	for _, a := range o.apps.order {
		if a.interactive() && o.accessPolicyOf(a) == p && o.listed(a, c.now) {
			apps = append(apps, a)
		}
	}
	return p, apps, nil
}

func (o *Org) listMappings(c *call) (*reply, error) {
	p, apps, err := o.mapped(c)
	if err != nil {
		return nil, err
	}
	rendered := []any{}
	for _, a := range apps {
		rendered = append(rendered, o.renderMapping(p, a))
	}
	return ok(rendered)
}

func (o *Org) getMapping(c *call) (*reply, error) {
	p, apps, err := o.mapped(c)
	if err != nil {
		return nil, err
	}
	for _, a := range apps {
		if mappingID(a) == c.params["mappingId"] {
			return ok(o.renderMapping(p, a))
		}
	}
	return nil, notFound(c.params["mappingId"], "PolicyMapping")
}

// mappingID is one of its own kind, as recorded.
func mappingID(a *app) string { return "rsm" + a.id[3:] }

func (o *Org) renderMapping(p *orgPolicy, a *app) map[string]any {
	self := "/api/v1/policies/" + p.id
	return map[string]any{"id": mappingID(a), "_links": map[string]any{
		"self":        o.link(self+"/mappings/"+mappingID(a), "GET", "DELETE"),
		"application": o.link("/api/v1/apps/"+a.id, "GET", "PUT", "DELETE"),
		"policy":      o.link(self, "GET", "PUT", "DELETE"),
	}}
}

// listMappedApps is deprecated at Okta, and still there.
func (o *Org) listMappedApps(c *call) (*reply, error) {
	_, apps, err := o.mapped(c)
	if err != nil {
		return nil, err
	}
	rendered := []any{}
	for _, a := range apps {
		rendered = append(rendered, o.renderApp(a, false))
	}
	return ok(rendered)
}
