package okta

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

const appsPath = "/api/v1/apps"

// insist is how often a client is registered again whose id Okta says is taken, and
// shows nowhere: only that can tell that it is free.
const insist = 15 * time.Minute

// client is what is remembered of an app.
type client struct {
	seen identity.ClientSeen
	// credentials are the keys of a client that signs, and the secrets of one that
	// has some, as far as they are known.
	credentials []identity.CredentialSeen
	// listed is when its secrets were listed, which no list of apps does.
	listed time.Time
}

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
	return a.client(), true, nil
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
			byID[id] = a.client()
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
	seen := d.shown(c)
	seen.LookAgain = d.clients.missedFor(clientID)
	return &seen, nil
}

// shown is the client as it is handed out: a copy, for what is remembered is shared.
func (d *Directory) shown(c client) identity.ClientSeen {
	seen := c.seen
	seen.PublicKeyIDs, seen.Altered = slices.Clone(seen.PublicKeyIDs), slices.Clone(seen.Altered)
	seen.Earlier = c.stillTaken(seen.Earlier)
	seen.FirstSeen = d.firsts.of(seen.ClientID, d.clock.Now())
	return seen
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
	_, _, taken := d.clients.suspected(clientID)
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
	if err := d.taken(r); err != nil {
		return err
	}
	body, err := appRequest(r)
	if err != nil {
		return err
	}
	// Of the answer, which holds a client secret, only this is read.
	var made registered
	ctx = fault.WithPurpose(ctx, fault.ManageSecret)
	_, err = d.org.call(ctx, http.MethodPost, appsPath+"?activate=true", body, &made)
	if err == nil && made.ID == "" {
		err = incomplete()
	}
	if err != nil {
		return d.notRegistered(r, err)
	}
	d.clients.put(r.ClientID, made.client(r))
	d.firsts.of(r.ClientID, d.clock.Now())
	return nil
}

// registered is what is read of the answer to a registration.
type registered struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Settings struct {
		Client struct {
			Keys struct {
				Keys []appKey `json:"keys"`
			} `json:"jwks"`
		} `json:"oauthClient"`
	} `json:"settings"`
}

func (made registered) client(r identity.Registration) client {
	c := client{seen: identity.ClientSeen{
		ID: made.ID, ClientID: r.ClientID, Mark: r.Mark, Label: r.Label, Note: r.Note,
		Method: r.Credential.Method, Registered: r.Credential.KeyID, Conditions: r.Conditions,
		Active: made.Status == "" || made.Status == statusActive,
	}}
	keys := keysSeen(made.Settings.Client.Keys.Keys)
	if r.Credential.Method == identity.PrivateKeyJWT && len(keys) == 0 {
		keys = []identity.CredentialSeen{{KeyID: r.Credential.KeyID, Active: true}}
	}
	return c.withKeys(keys)
}

// notRegistered judges a registration that failed. A client id that is taken, and
// stays out of sight where ours would be, is somebody else's, or has been given
// another label by a person.
func (d *Directory) notRegistered(r identity.Registration, err error) error {
	status, _ := fault.StatusOf(err)
	if status.Exists {
		d.clients.suspect(r.ClientID)
	}
	if taken := d.taken(r); taken != nil && status.Exists {
		return taken
	}
	err = d.failed(d.clients, r.ClientID, err)
	if status.Exists {
		d.clients.suspect(r.ClientID)
	}
	return err
}

// taken is an error when Okta has said for longer than it may lag, and a moment ago,
// that the client id is taken, while it shows no such client.
func (d *Directory) taken(r identity.Registration) error {
	since, last, suspected := d.clients.suspected(r.ClientID)
	if !suspected || d.clock.Since(since) <= lagging || d.clock.Since(last) >= insist {
		return nil
	}
	// A person who mends it is seen by a lookup, which changes nothing.
	d.clients.question(r.ClientID)
	return &identity.Error{
		Kind: identity.Conflict, Reason: identity.ReasonConflict, RetryAfter: revisit,
		Message: fmt.Sprintf("client %s exists in Okta, but not under the label %q; find its app there by the client id, "+
			"and delete it or give it that label again", r.ClientID, r.Label),
	}
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
	return d.oursWhen(ctx, c, func(have client) bool { return have.seen.Mark != c.Mark || !have.seen.Active })
}

// oursWhen does the same, and looks the client up by itself where blocks says so, unless
// that was done a moment ago.
func (d *Directory) oursWhen(ctx context.Context, c identity.ClientSeen, blocks func(client) bool) (client, bool, error) {
	have, found, err := d.clients.get(ctx, c.ClientID, query[client]{hint: hint{id: c.ID, label: c.Label}, blocks: blocks})
	if err != nil || !found {
		return client{}, false, err
	}
	if have.seen.Mark.IsZero() || have.seen.Mark.Cluster != d.cluster || have.seen.Mark != c.Mark {
		return client{}, false, conflict(fmt.Sprintf("client %s does not carry the mark it was seen with; "+
			"it is left alone, deactivate and delete its app in Okta", c.ClientID))
	}
	return have, true, nil
}
