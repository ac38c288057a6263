package okta

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

// ActivateClient implements identity.Access.
func (d *Directory) ActivateClient(ctx context.Context, c identity.ClientSeen) error {
	have, found, err := d.ours(ctx, c)
	if err != nil {
		return err
	}
	if !found {
		return vanished()
	}
	if have.seen.Active {
		return nil
	}
	if _, err = d.org.call(ctx, http.MethodPost, appPath(have)+"/lifecycle/activate", nil, nil); err != nil {
		return d.clientFailed(c.ClientID, err)
	}
	d.changed(have, switched(true))
	return nil
}

// DeactivateClient implements identity.Access. It looks at the client first, for that it
// was ours when it was listed, hours ago, is no proof; what follows, deleting, looks at
// what is inactive anyway.
func (d *Directory) DeactivateClient(ctx context.Context, c identity.ClientSeen) error {
	have, found, err := d.oursWhen(ctx, c, always[client])
	if err != nil || !found || !have.seen.Active {
		return err
	}
	_, err = d.org.client.Application.DeactivateApplication(ctx, url.PathEscape(have.seen.ID))
	if err = typed(ctx, err); err != nil {
		if fault.IsGone(err) && !d.clients.young(c.ClientID) {
			d.clients.drop(c.ClientID)
			return nil
		}
		return d.clientFailed(c.ClientID, err)
	}
	d.changed(have, switched(false))
	return nil
}

func switched(active bool) func(client) client {
	return func(c client) client {
		c.seen.Active = active
		return c
	}
}

// ObserveCredentials implements identity.Access.
func (d *Directory) ObserveCredentials(ctx context.Context, c identity.ClientSeen) ([]identity.CredentialSeen, error) {
	have, found, err := d.ours(ctx, c)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, vanished()
	}
	have, err = d.look(ctx, have)
	return have.shownCredentials(), err
}

// AddCredential implements identity.Access.
func (d *Directory) AddCredential(ctx context.Context, c identity.ClientSeen, credential identity.Credential) error {
	have, found, err := d.ours(ctx, c)
	if err != nil {
		return err
	}
	if !found {
		return vanished()
	}
	name, body, err := credentialRequest(have, credential)
	if err != nil {
		return err
	}
	if have, _, err = d.known(ctx, have); err != nil {
		return err
	}
	if there, has := have.credential(name); has {
		return d.admit(ctx, have, there)
	}
	if have, err = d.room(ctx, have); err != nil {
		return err
	}
	store := storeOf(have)
	var made struct {
		ID string `json:"id"`
	}
	_, err = d.org.call(fault.WithPurpose(ctx, store.purpose), http.MethodPost, store.path(have), body, &made)
	if err == nil && made.ID == "" {
		err = incomplete()
	}
	if err != nil {
		return d.notAdded(ctx, have, name, err)
	}
	d.changed(have, with(identity.CredentialSeen{ID: made.ID, KeyID: name, Active: true}))
	return nil
}

// room holds that the client has room for one more credential. A record that says the
// same as another takes none.
func (d *Directory) room(ctx context.Context, have client) (client, error) {
	for have.hasListed() && len(have.credentials) >= storeOf(have).limit {
		again, is := have.repeated()
		if !is {
			return have, full(have)
		}
		var err error
		if have, err = d.end(ctx, have, again); err != nil {
			return have, err
		}
	}
	return have, nil
}

// admit makes a credential that the client has active.
func (d *Directory) admit(ctx context.Context, have client, there identity.CredentialSeen) error {
	if there.Active {
		return nil
	}
	if _, err := d.org.call(ctx, http.MethodPost, storeOf(have).path(have, there.ID, "lifecycle", "activate"), nil, nil); err != nil {
		return d.clientFailed(have.seen.ClientID, err)
	}
	there.Active = true
	d.changed(have, with(there))
	return nil
}

// notAdded judges an addition that failed. Okta's words do not count: what it has
// tells whether it is there from an earlier try, or has no room.
func (d *Directory) notAdded(ctx context.Context, have client, name string, err error) error {
	if status, _ := fault.StatusOf(err); status.HTTP != http.StatusBadRequest {
		return d.clientFailed(have.seen.ClientID, err)
	}
	now, failed := d.look(ctx, have)
	if failed != nil {
		return failed
	}
	if there, has := now.credential(name); has {
		return d.admit(ctx, now, there)
	}
	if len(now.credentials) >= storeOf(now).limit {
		return full(now)
	}
	return err
}

func full(c client) error {
	s := storeOf(c)
	return &identity.Error{
		Kind: identity.Rejected, Reason: identity.ReasonCredentialLimit, RetryAfter: revisit,
		Message: fmt.Sprintf("app %q (client id %s) has %d %s, which is as many as Okta allows; delete one that nobody uses "+
			"in Okta's Admin Console, in the app's General tab under Client Credentials", c.seen.Label, c.seen.ClientID, s.limit, s.called),
	}
}

// RemoveCredential implements identity.Access.
func (d *Directory) RemoveCredential(ctx context.Context, c identity.ClientSeen, keyID string) error {
	have, found, err := d.ours(ctx, c)
	if err != nil || !found {
		return err
	}
	have, looked, err := d.known(ctx, have)
	if err != nil {
		return err
	}
	there, has := have.credential(keyID)
	if !looked && (!has || there.ID == "" || have.onlyActive(there)) {
		// What is remembered may be hours old; no answer is given on that alone.
		if have, err = d.look(ctx, have); err != nil {
			return err
		}
		there, has = have.credential(keyID)
	}
	switch {
	case !has:
		return nil
	case have.onlyActive(there):
		return onlyOne(have)
	}
	_, err = d.end(ctx, have, there)
	return err
}

// end deactivates a record of a credential and deletes it, as Okta wants it, and gives
// the client without it. A call that is repeated takes up where the one before was lost.
func (d *Directory) end(ctx context.Context, have client, there identity.CredentialSeen) (client, error) {
	store := storeOf(have)
	if there.Active {
		if _, err := d.org.call(ctx, http.MethodPost, store.path(have, there.ID, "lifecycle", "deactivate"), nil, nil); err != nil {
			return d.notEnded(ctx, have, there, err)
		}
		there.Active = false
		have = d.changed(have, with(there))
	}
	if _, err := d.org.call(ctx, http.MethodDelete, store.path(have, there.ID), nil, nil); err != nil {
		return d.notEnded(ctx, have, there, err)
	}
	return d.changed(have, func(c client) client { return c.withoutCredential(there) }), nil
}

// notEnded judges a removal that failed, by what Okta has now.
func (d *Directory) notEnded(ctx context.Context, have client, there identity.CredentialSeen, err error) (client, error) {
	status, _ := fault.StatusOf(err)
	if fault.IsGone(err) {
		have = have.withoutCredential(there)
	} else if status.HTTP != http.StatusBadRequest {
		return have, d.clientFailed(have.seen.ClientID, err)
	}
	now, failed := d.look(ctx, have)
	if failed != nil {
		return have, failed
	}
	at := slices.IndexFunc(now.credentials, func(c identity.CredentialSeen) bool { return sameRecord(c, there) })
	switch {
	case at < 0:
		return now, nil
	case now.credentials[at] != there:
		return now, waitingFor(err, "somebody else has changed a credential of the client; it is looked at again")
	case now.onlyActive(there):
		return now, onlyOne(now)
	}
	return now, err
}

func onlyOne(c client) error {
	return &identity.Error{
		Kind: identity.Rejected, Reason: identity.ReasonInvalidRequest, RetryAfter: revisit,
		Message: fmt.Sprintf("the credential is the last active one of app %q (client id %s), without which its agent has no access; "+
			"add another one first, or deactivate the client", c.seen.Label, c.seen.ClientID),
	}
}
