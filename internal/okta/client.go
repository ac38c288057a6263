package okta

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

const appsPath = "/api/v1/apps"

// client is what is remembered of an app.
type client struct{ seen identity.ClientSeen }

func (d *Directory) labelPrefix() string { return "k8s/" + d.cluster + "/" }

func (d *Directory) listClients(ctx context.Context) (map[string]client, time.Time, error) {
	return d.clientWalk.by(ctx, d.labelPrefix())
}

// findClient looks one client up: by the id of its app, if that is known, for a
// person may have changed the label; else by the label.
func (d *Directory) findClient(ctx context.Context, clientID string, by hint) (client, bool, error) {
	if known, present := d.clients.last(clientID); present || by.id == "" {
		by.id = known.seen.ID
	}
	if by.id != "" {
		c, found, err := d.readClient(ctx, clientID, by.id)
		if err != nil || found || !by.wide {
			return c, found, err
		}
	}
	if by.label == "" {
		by.label = d.labelPrefix()
	}
	w := clientWalk{d: d}
	found, _, err := w.by(ctx, by.label)
	c, ok := found[clientID]
	return c, ok, err
}

// readClient reads the app of that id.
func (d *Directory) readClient(ctx context.Context, clientID, id string) (client, bool, error) {
	var a app
	_, err := d.org.call(ctx, http.MethodGet, appsPath+"/"+url.PathEscape(id), nil, &a)
	if fault.IsGone(err) {
		return client{}, false, nil
	}
	if err != nil || a.Status == statusDeleted || a.Credentials.Client.ID != clientID {
		return client{}, false, err
	}
	return client{seen: a.seen()}, true, nil
}

// clientWalk lists apps by the beginning of their label.
type clientWalk struct {
	d    *Directory
	walk *walk[app]
}

func (w *clientWalk) by(ctx context.Context, label string) (map[string]client, time.Time, error) {
	if w.walk == nil {
		w.walk = &walk[app]{org: w.d.org, clock: w.d.clock, id: func(a app) string { return a.ID }}
	}
	listed, begun, err := w.walk.all(ctx, appsPath+"?limit=200&q="+url.QueryEscape(label))
	if err != nil {
		return nil, begun, err
	}
	byID := make(map[string]client, len(listed))
	for _, a := range listed {
		if id := a.Credentials.Client.ID; id != "" && a.Status != statusDeleted {
			byID[id] = client{seen: a.seen()}
		}
	}
	return byID, begun, nil
}

// ObserveClient implements identity.Clients. It does not ask for the org's setting:
// a client must be seen to be deleted, whatever the setting is.
func (d *Directory) ObserveClient(ctx context.Context, clientID string, by identity.ClientHint) (*identity.ClientSeen, error) {
	c, found, err := d.clients.get(ctx, clientID, query[client]{
		hint: hint{id: by.ID, label: by.Label}, blocks: d.inTheWay,
	})
	if err != nil || !found {
		return nil, err
	}
	seen := c.seen
	seen.PublicKeyIDs = append([]string(nil), seen.PublicKeyIDs...)
	seen.FirstSeen = d.firsts.of(clientID, d.clock.Now())
	return &seen, nil
}

// inTheWay tells that a person must do something about the client before it is of use.
func (d *Directory) inTheWay(c client) bool {
	return !c.seen.Active || c.seen.Mark.Cluster != d.cluster
}

// ConfirmNoClient implements identity.Clients.
func (d *Directory) ConfirmNoClient(ctx context.Context, clientID string, by identity.ClientHint) error {
	c, found, err := d.clients.get(ctx, clientID, query[client]{
		hint: hint{id: by.ID, label: by.Label}, blocks: d.inTheWay, certain: true,
		tried: by.Tried,
	})
	_, taken := d.clients.suspected(clientID)
	switch {
	case err != nil:
		return err
	case !found && taken && d.clients.open(clientID) == 0:
		return &identity.Error{
			Kind: identity.Conflict, Reason: identity.ReasonConflict,
			Message: fmt.Sprintf("Okta says that client id %s is taken, and shows no app of it under label %q; "+
				"look for it in Okta, deactivate and delete it there", clientID, by.Label),
		}
	case !found:
		return unsettled(d.clients.open(clientID))
	case c.seen.Mark.Cluster == d.cluster:
		return waiting("a client that carries a mark of this operator is there; it is observed again")
	}
	return nil
}

// RegisterClient implements identity.Clients.
func (d *Directory) RegisterClient(ctx context.Context, r identity.Registration) error {
	if err := d.setting.check(ctx); err != nil {
		return err
	}
	have, found, err := d.clients.get(ctx, r.ClientID, query[client]{
		hint: hint{label: r.Label}, blocks: func(c client) bool { return c.seen.Mark != r.Mark },
	})
	if err != nil {
		return err
	}
	if found {
		if have.seen.Mark == r.Mark {
			return waiting("the client is registered already, by an earlier try; it is observed again")
		}
		return conflict(fmt.Sprintf("client %s exists in Okta and does not carry the mark of %s; "+
			"deactivate and delete its app in Okta, or rename the key", r.ClientID, r.Mark.Ref()))
	}
	body, err := appRequest(r)
	if err != nil {
		return err
	}
	// Of the answer, which holds a client secret, only this is read.
	var made struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	}
	ctx = fault.WithPurpose(ctx, fault.ManageSecret)
	_, err = d.org.call(ctx, http.MethodPost, appsPath+"?activate=true", body, &made)
	if err == nil && made.ID == "" {
		err = incomplete()
	}
	if err != nil {
		return d.notRegistered(r, err)
	}
	d.clients.put(r.ClientID, client{seen: identity.ClientSeen{
		ID: made.ID, ClientID: r.ClientID, Mark: r.Mark, Label: r.Label, Note: r.Note,
		Method: r.Credential.Method, KeyID: r.Credential.KeyID, PublicKeyIDs: publicKeyIDs(r.Credential),
		Active: made.Status == "" || made.Status == statusActive,
	}})
	d.firsts.of(r.ClientID, d.clock.Now())
	return nil
}

// notRegistered judges a registration that failed. A client id that is taken, and
// stays out of sight where ours would be, is somebody else's, or has been given
// another label by a person.
func (d *Directory) notRegistered(r identity.Registration, err error) error {
	status, _ := fault.StatusOf(err)
	since, suspected := d.clients.suspected(r.ClientID)
	if status.Exists && suspected && d.clock.Since(since) > lagging {
		d.clients.question(r.ClientID)
		return &identity.Error{
			Kind: identity.Conflict, Reason: identity.ReasonConflict, RetryAfter: lagging,
			Message: fmt.Sprintf("client %s exists in Okta, but not under the label %q; find its app there by the client id, "+
				"and delete it or give it that label again", r.ClientID, r.Label),
		}
	}
	err = d.failed(d.clients, r.ClientID, err)
	if status.Exists {
		d.clients.suspect(r.ClientID)
	}
	return err
}

// DeactivateClient implements identity.Clients.
func (d *Directory) DeactivateClient(ctx context.Context, c identity.ClientSeen) error {
	have, found, err := d.ours(ctx, c)
	if err != nil || !found || !have.seen.Active {
		return err
	}
	_, err = d.org.client.Application.DeactivateApplication(ctx, url.PathEscape(have.seen.ID))
	if err = typed(ctx, err); err != nil {
		if fault.IsGone(err) && !d.clients.young(c.ClientID) {
			d.clients.drop(c.ClientID)
			return nil
		}
		return d.failed(d.clients, c.ClientID, err)
	}
	have.seen.Active = false
	d.clients.put(c.ClientID, have)
	return nil
}

// DeleteClient implements identity.Clients.
func (d *Directory) DeleteClient(ctx context.Context, c identity.ClientSeen) error {
	have, found, err := d.ours(ctx, c)
	if err != nil || !found {
		return err
	}
	_, err = d.org.client.Application.DeleteApplication(ctx, url.PathEscape(have.seen.ID))
	err = typed(ctx, err)
	if status, ok := fault.StatusOf(err); ok && status.HTTP == http.StatusInternalServerError && status.Code == "E0000009" {
		d.clients.question(c.ClientID)
		return waitingFor(err, "Okta is still busy with the deactivation of the app; it is deleted as soon as that is done")
	}
	if err != nil && !fault.IsGone(err) {
		return d.failed(d.clients, c.ClientID, err)
	}
	d.clients.drop(c.ClientID)
	d.firsts.forget(c.ClientID)
	return nil
}

// ours gives the client as it is now, and holds that it is the one that was seen.
func (d *Directory) ours(ctx context.Context, c identity.ClientSeen) (client, bool, error) {
	have, found, err := d.clients.get(ctx, c.ClientID, query[client]{
		hint:   hint{id: c.ID, label: c.Label},
		blocks: func(have client) bool { return have.seen.Mark != c.Mark || !have.seen.Active },
	})
	if err != nil || !found {
		return client{}, false, err
	}
	if have.seen.Mark.IsZero() || have.seen.Mark.Cluster != d.cluster || have.seen.Mark != c.Mark {
		return client{}, false, conflict(fmt.Sprintf("client %s does not carry the mark it was seen with; "+
			"it is left alone, deactivate and delete its app in Okta", c.ClientID))
	}
	return have, true, nil
}
