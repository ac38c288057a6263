package okta

import (
	"context"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Keeps tells whether the id is that of something in Okta that the operator keeps, as far as
// its snapshot shows: it makes no call.
func (d *Directory) Keeps(id string) bool {
	if id == "" {
		return false
	}
	return d.servers.any(func(s server) bool { return s.ID == id }) ||
		d.scopes.any(func(s scope) bool { return s.ID == id && !s.System }) ||
		d.groups.any(func(g group) bool { return g.ID == id }) ||
		d.clients.any(func(c client) bool {
			return c.seen.Mark.Cluster == d.cluster && (c.seen.ID == id || c.seen.ClientID == id)
		}) ||
		d.policies.any(func(all namesakes) bool {
			for _, p := range all {
				if mark, _ := identity.ParseMark(p.Description); p.ID == id && mark.Cluster == d.cluster {
					return true
				}
			}
			return false
		})
}

// any tells whether something that is present fits.
func (f *family[T]) any(fits func(T) bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.entries {
		if e.present && fits(e.value) {
			return true
		}
	}
	return false
}

// Principal is the client id by which the operator signs in; "" where it does so by an API
// token, of which Okta does not say whose it is.
func (d *Directory) Principal(ctx context.Context) string {
	credentials, err := d.credentials(ctx)
	if err != nil || credentials.IsToken() {
		return ""
	}
	return credentials.ClientID
}
