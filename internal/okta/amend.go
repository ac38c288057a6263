package okta

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

// UpdateClient implements identity.Clients.
func (d *Directory) UpdateClient(ctx context.Context, c identity.ClientSeen, r identity.Registration) error {
	key, err := addition(r.Credential)
	if err != nil {
		return err
	}
	return d.amend(ctx, c, amendment{
		may:  r.Mark.MayChange,
		fit:  key.fits,
		gone: vanished(),
		write: func(whole document, now app) error {
			if err := key.write(whole); err != nil {
				return err
			}
			return writeRegistration(whole, now, r)
		},
	})
}

// addedKey is a public key that an app is to take too; nil for none. It costs no call of its own
// when the app is written anyway, and none of those of which Okta allows the fewest.
type addedKey map[string]any

// addition is the public key of the credential, if it has one.
func addition(credential identity.Credential) (addedKey, error) {
	if len(credential.PublicJWK) == 0 {
		return nil, nil
	}
	return publicKey(credential)
}

// fits holds that the app may have the key.
func (k addedKey) fits(a app) error {
	if k == nil {
		return nil
	}
	have := a.client()
	if !have.signs() {
		return invalid(fmt.Sprintf("client %s authenticates with %s in Okta, and cannot have a public key", have.seen.ClientID, have.seen.Method))
	}
	there := slices.ContainsFunc(a.Settings.Client.Keys.Keys, func(other appKey) bool { return other.KeyID == k["kid"] })
	if !there && len(a.Settings.Client.Keys.Keys) >= storeOf(have).limit {
		return full(have)
	}
	return nil
}

// write puts the key among those of the app, or makes it active there.
func (k addedKey) write(whole document) error {
	if k == nil {
		return nil
	}
	keys := []map[string]any{}
	if raw := whole.at(keysPath()...); raw != nil {
		if err := json.Unmarshal(raw, &keys); err != nil {
			return err
		}
	}
	at := slices.IndexFunc(keys, func(other map[string]any) bool { return other["kid"] == k["kid"] })
	if at < 0 {
		return whole.set(append(keys, k), keysPath()...)
	}
	keys[at]["status"] = statusActive
	return whole.set(keys, keysPath()...)
}

func keysPath() []string { return []string{"settings", "oauthClient", "jwks", "keys"} }

// AdoptClient implements identity.Clients.
func (d *Directory) AdoptClient(ctx context.Context, c identity.ClientSeen, r identity.Registration) error {
	return d.amend(ctx, c, amendment{
		may: func(have identity.Mark) bool {
			return r.Mark == have || have == c.Mark && (have.IsZero() || have.Cluster == d.cluster)
		},
		fit:   func(a app) error { return adoptable(a, r.Mark) },
		gone:  vanished(),
		write: func(whole document, now app) error { return writeRegistration(whole, now, r) },
	})
}

// DisownClient implements identity.Clients.
func (d *Directory) DisownClient(ctx context.Context, c identity.ClientSeen) error {
	return d.amend(ctx, c, amendment{
		may: func(have identity.Mark) bool {
			return have.IsZero() || have == c.Mark && have.Cluster == d.cluster
		},
		write: leave,
	})
}

// amendment is a change of an app that leaves alone what it does not name.
type amendment struct {
	// gone is the answer when there is no client.
	gone error
	// may tells that an app with the mark may be changed.
	may func(have identity.Mark) bool
	// fit gives an error for an app that must not be changed for what it is; may be nil.
	fit func(app) error
	// write makes the change.
	write func(document, app) error
}

// amend reads an app, changes it and writes it back: Okta replaces an app by what it
// is sent, with keys and all, and knows no other way. An app that is as it should be
// is not written.
func (d *Directory) amend(ctx context.Context, c identity.ClientSeen, change amendment) error {
	have, found, err := d.clients.get(ctx, c.ClientID, query[client]{
		hint: hint{id: c.ID, label: c.Label}, blocks: func(have client) bool { return !change.may(have.seen.Mark) },
	})
	if err != nil {
		return err
	}
	if !found {
		return change.gone
	}
	if !change.may(have.seen.Mark) {
		return notSeenWith(c)
	}
	before := d.clients.peek(c.ClientID)
	whole, now, err := d.readWhole(ctx, have)
	if err != nil {
		return err
	}
	if !change.may(now.ownership().mark()) {
		d.clients.saw(c.ClientID, before, now.client())
		return notSeenWith(c)
	}
	if change.fit != nil {
		if err := change.fit(now); err != nil {
			return err
		}
	}
	return d.replace(ctx, have, whole, now, before, change)
}

// replace writes the app back, if the change makes a difference.
func (d *Directory) replace(
	ctx context.Context, have client, whole document, now app, before *entry[client], change amendment,
) error {
	was, err := json.Marshal(whole)
	if err != nil {
		return unwritable()
	}
	if err := change.write(whole, now); err != nil {
		return unwritable()
	}
	body, err := json.Marshal(whole)
	if err != nil {
		return unwritable()
	}
	if string(body) == string(was) {
		d.clients.saw(have.seen.ClientID, before, now.client())
		return nil
	}
	// Of the answer, which may hold a client secret, only the ids of keys are read.
	var answer registered
	if _, err := d.org.call(ctx, http.MethodPut, appPath(have), body, &answer); err != nil {
		return d.clientFailed(have.seen.ClientID, err)
	}
	var written app
	if err := typedJSON(json.Unmarshal(body, &written)); err != nil {
		d.clients.question(have.seen.ClientID)
		return err
	}
	written.ID, written.Status = now.ID, now.Status
	result := written.client()
	if keys := keysSeen(answer.Settings.Client.Keys.Keys); len(keys) > 0 && result.signs() {
		result = result.withKeys(keys)
	}
	d.changed(have, func(c client) client {
		// What goes on meanwhile by other calls is not undone here.
		result.seen.Active = c.seen.Active
		if !result.signs() {
			result.credentials, result.listed = c.credentials, c.listed
		}
		return result
	})
	return nil
}

// readWhole reads an app as it is, without what only Okta writes.
func (d *Directory) readWhole(ctx context.Context, have client) (document, app, error) {
	id := have.seen.ClientID
	var raw json.RawMessage
	var now app
	_, err := d.org.call(ctx, http.MethodGet, appPath(have), nil, &raw)
	if err == nil {
		err = typedJSON(json.Unmarshal(raw, &now))
	}
	if fault.IsGone(err) || err == nil && (now.Status == statusDeleted || now.Credentials.Client.ID != id) {
		d.clients.question(id)
		return nil, app{}, vanished()
	}
	if err != nil {
		return nil, app{}, err
	}
	whole := document{}
	if err := typedJSON(json.Unmarshal(raw, &whole)); err != nil {
		return nil, app{}, err
	}
	for _, name := range []string{
		"id", "orn", "status", "created", "lastUpdated", "features", "universalLogout", "_links", "_embedded",
	} {
		delete(whole, name)
	}
	// Okta tells no secret here, and keeps those it has when it is sent none.
	if err := typedJSON(whole.remove("credentials", "oauthClient", "client_secret")); err != nil {
		return nil, app{}, err
	}
	return whole, now, d.upToDate(have, now.client())
}

// upToDate holds that an app that is to be written back has the keys it had after our
// last write of a moment ago: written back as it was before, it would lose a key that
// was added, or get back one that was taken away.
func (d *Directory) upToDate(have, now client) error {
	if d.clients.young(have.seen.ClientID) && !slices.Equal(have.seen.PublicKeyIDs, now.seen.PublicKeyIDs) {
		return waiting("Okta does not yet show the keys as the client was given them last; it is looked at again")
	}
	return nil
}

func typedJSON(err error) error {
	if err == nil {
		return nil
	}
	return fault.Broken("its JSON has another shape than Okta describes", nil)
}

// writeRegistration makes of an app what RegisterClient would have made of it, as far
// as that is ours.
func writeRegistration(whole document, now app, r identity.Registration) error {
	fields := []field{}
	if now.Label != r.Label {
		fields = append(fields, field{[]string{"label"}, r.Label})
	}
	if now.Settings.Notes.Admin != r.Note {
		fields = append(fields, field{notePath(), r.Note})
	}
	if want := ownershipOf(r).after(now); now.ownership() != want {
		fields = append(fields, field{profilePath(), want})
	}
	settings, err := settingsToWrite(whole, now, r.Conditions)
	if err != nil {
		return err
	}
	for _, s := range settings {
		fields = append(fields, field{s.path, s.value})
	}
	for _, f := range fields {
		if err := whole.set(f.value, f.path...); err != nil {
			return err
		}
	}
	return nil
}

// settingsToWrite are those that are not as the conditions want them. Where clients may
// ask from is given back to people when it is no condition of ours any more.
func settingsToWrite(whole document, now app, conditions identity.TokenConditions) ([]appSetting, error) {
	text, err := json.Marshal(whole)
	if err != nil {
		return nil, err
	}
	var read map[string]any
	if err := json.Unmarshal(text, &read); err != nil {
		return nil, err
	}
	settings := alteredSettings(read, conditions)
	if !conditions.Zoned() && now.ownership().conditions().Zoned() {
		path := at("settings", "oauthClient")("network")
		settings = append(settings, appSetting{name: "network", path: path, value: networkOf(conditions)})
	}
	return settings, nil
}

// leave takes the mark off, and says in the note to whom the app may be given again.
// An app without a mark was left already, or never ours.
func leave(whole document, now app) error {
	owner := now.ownership().mark()
	if owner.IsZero() {
		return nil
	}
	if note := now.Settings.Notes.Admin; !owner.ConsentedIn(note) {
		if err := whole.set(strings.TrimPrefix(note+"\n"+owner.Consent(), "\n"), notePath()...); err != nil {
			return err
		}
	}
	return whole.remove(profilePath()...)
}

// adoptable holds that an app is what we would have made: another kind of app serves
// people too, and they would lose it.
func adoptable(a app, owner identity.Mark) error {
	settings := a.Settings.Client
	if a.ownership().mark() == owner ||
		a.SignOnMode == signOnMode && settings.Type == appType && slices.Equal(settings.GrantTypes, []string{grantType}) {
		return nil
	}
	return &identity.Error{
		Kind: identity.Rejected, Reason: identity.ReasonInvalidRequest, RetryAfter: revisit,
		Message: fmt.Sprintf("app %q (client id %s) cannot be adopted: it must be an OIDC app of the type service "+
			"with the grant type client_credentials and no other; change it in Okta, or adopt another client",
			a.Label, a.Credentials.Client.ID),
	}
}

// notSeenWith is the answer to a change of a client that belongs to somebody else.
func notSeenWith(c identity.ClientSeen) error {
	return conflict(fmt.Sprintf("client %s does not carry a mark that lets it be changed here; it is left alone, "+
		"look in Okta for whom it belongs to", c.ClientID))
}
