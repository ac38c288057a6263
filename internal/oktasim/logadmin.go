package oktasim

// logApp writes down what an admin has changed of an app, its keys and secrets included.
func (o *Org) logApp(a *app, before App) {
	after := a.snapshot()
	kinds := []string{appUpdated, clientUpdated}
	if before.Status != after.Status {
		kinds = []string{appDeactivated, clientDeactivated}
		if a.active {
			kinds = []string{appActivated, clientActivated}
		}
	}
	for _, kind := range kinds {
		o.log(o.console(), kind, a)
	}
	was, is := credentials(before), credentials(after)
	for _, id := range credentialIDs(before) {
		kind := ""
		switch {
		case was[id] == is[id]:
			continue
		case is[id] == "":
			kind = credentialDeleted
		case is[id] == statusOf(true):
			kind = credentialActivated
		default:
			kind = credentialDeactivated
		}
		o.log(o.console(), kind, o.credential(a, id), a)
	}
}

// credentials are the statuses of an app's keys and secrets.
func credentials(a App) map[string]string {
	all := map[string]string{}
	for _, k := range a.Keys {
		all[k.ID] = k.Status
	}
	for _, s := range a.Secrets {
		all[s.ID] = s.Status
	}
	return all
}

// credentialIDs gives the ids of the keys and secrets an app had, as they stood.
func credentialIDs(before App) []string {
	var ids []string
	for _, k := range before.Keys {
		ids = append(ids, k.ID)
	}
	for _, s := range before.Secrets {
		ids = append(ids, s.ID)
	}
	return ids
}

// credential names a key or a secret that may be gone.
func (o *Org) credential(a *app, id string) subject {
	if found, exists := o.within(a, id); exists {
		return found
	}
	return party{ID: id, Type: "OAuth2ClientCredential", AlternateID: unknownText, DisplayName: unknownText}
}

// logAppMade writes down an app made in the console.
func (o *Org) logAppMade(a *app) {
	o.log(o.console(), appCreated, a)
	o.log(o.console(), clientCreated, a)
}

// logAppGone writes down an app deleted in the console, which deactivates it first.
func (o *Org) logAppGone(a *app) {
	if a.active {
		o.log(o.console(), appDeactivated, a)
		o.log(o.console(), clientDeactivated, a)
	}
	o.log(o.console(), appDeleted, a)
	o.log(o.console(), clientDeleted, a)
}

// logSwitched writes down a policy or a rule that an admin has changed.
func (o *Org) logSwitched(was, is bool, changed, on, off string, targets ...subject) {
	kind := changed
	switch {
	case is && !was:
		kind = on
	case was && !is:
		kind = off
	}
	o.log(o.console(), kind, targets...)
}
