package okta

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

// twin gives a server of ours beside the one we use. Two come to be when a request is
// carried out long after it was sent, by a process that had stopped meanwhile.
func (d *Directory) twin(own server) (server, bool) {
	twin, has := d.servers.last(d.serverName() + "+")
	return twin, has && twin.ID != own.ID && !twin.used
}

// DropTwin implements identity.Roles.
func (d *Directory) DropTwin(ctx context.Context) error {
	own, err := d.need(ctx)
	if err != nil {
		return err
	}
	twin, has := d.twin(own)
	if !has {
		return nil
	}
	if !d.granting.TryLock() {
		return busy()
	}
	defer d.granting.Unlock()
	key, path := d.serverName()+"+", "/api/v1/authorizationServers/"+url.PathEscape(twin.ID)
	var granted []policy
	if _, err := d.org.call(ctx, http.MethodGet, path+"/policies", nil, &granted); err != nil {
		return d.notDropped(key, err)
	}
	if len(granted) > 0 {
		d.servers.refine(key, func(s *server) { s.used = true })
		return &identity.Error{
			Kind: identity.Rejected, Reason: "TwinServerInUse",
			Message: fmt.Sprintf("authorization server %s is a second one of this operator's in Okta and holds %d access policies, beside %s "+
				"which is in use; delete it in Okta once no agent asks it for tokens", twin.ID, len(granted), own.ID),
		}
	}
	// Okta deletes only what is inactive.
	if _, err := d.org.call(ctx, http.MethodPost, path+"/lifecycle/deactivate", nil, nil); err != nil {
		return d.notDropped(key, err)
	}
	if _, err := d.org.call(ctx, http.MethodDelete, path, nil, nil); err != nil {
		return d.notDropped(key, err)
	}
	d.servers.drop(key)
	return nil
}

// notDropped takes a twin that is gone for dropped.
func (d *Directory) notDropped(key string, err error) error {
	if !fault.IsGone(err) {
		return err
	}
	d.servers.drop(key)
	return nil
}
