package okta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

// store is where Okta keeps the credentials of a client.
type store struct {
	// name is its part of the path, called what people call what is in it.
	name, called string
	limit        int
	purpose      fault.Purpose
}

// storeOf is the store that counts for the client's method.
func storeOf(c client) store {
	if c.signs() {
		return store{name: "jwks", called: "public keys", limit: 50, purpose: fault.Manage}
	}
	return store{name: "secrets", called: "client secrets", limit: 2, purpose: fault.ManageSecret}
}

func appPath(c client) string { return appsPath + "/" + url.PathEscape(c.seen.ID) }

func (s store) path(c client, more ...string) string {
	path := appPath(c) + "/credentials/" + s.name
	for _, part := range more {
		path += "/" + url.PathEscape(part)
	}
	return path
}

// signs tells that the client authenticates with keys, and not with secrets.
func (c client) signs() bool { return c.seen.Method == identity.PrivateKeyJWT }

// withKeys gives the client other public keys.
func (c client) withKeys(keys []identity.CredentialSeen) client {
	c.seen.PublicKeyIDs = nil
	for _, key := range keys {
		if key.Active {
			c.seen.PublicKeyIDs = append(c.seen.PublicKeyIDs, key.KeyID)
		}
	}
	slices.Sort(c.seen.PublicKeyIDs)
	if c.signs() {
		c.credentials = keys
	}
	return c
}

// with gives the client other credentials of its method.
func (c client) with(credentials []identity.CredentialSeen) client {
	if c.signs() {
		return c.withKeys(credentials)
	}
	c.credentials = credentials
	return c
}

func (c client) withCredential(changed identity.CredentialSeen) client {
	return c.with(append(slices.Clone(c.withoutCredential(changed).credentials), changed))
}

func (c client) withoutCredential(gone identity.CredentialSeen) client {
	return c.with(slices.DeleteFunc(slices.Clone(c.credentials), func(other identity.CredentialSeen) bool {
		return sameRecord(other, gone)
	}))
}

// sameRecord tells that both are the same record of Okta's, of which the id may not be
// known. The same secret can stand twice in a client: that it is unique Okta does not
// say, so a request that is carried out late may repeat one that was made again.
func sameRecord(a, b identity.CredentialSeen) bool {
	return a.KeyID == b.KeyID && (a.ID == b.ID || a.ID == "" || b.ID == "")
}

// credential gives the credential of that name, an active record of it if there is one.
func (c client) credential(keyID string) (identity.CredentialSeen, bool) {
	found, has := identity.CredentialSeen{}, false
	for _, credential := range c.credentials {
		if credential.KeyID == keyID && (!has || credential.Active && !found.Active) {
			found, has = credential, true
		}
	}
	return found, has
}

// repeated gives a record of a credential of which there is another: an inactive one,
// or the last in the list.
func (c client) repeated() (identity.CredentialSeen, bool) {
	for _, credential := range slices.Backward(c.credentials) {
		first, _ := c.credential(credential.KeyID)
		if first != credential {
			return credential, true
		}
	}
	return identity.CredentialSeen{}, false
}

// onlyActive tells that the client could not authenticate without the credential.
func (c client) onlyActive(credential identity.CredentialSeen) bool {
	return credential.Active && !slices.ContainsFunc(c.credentials, func(other identity.CredentialSeen) bool {
		return other.Active && other.KeyID != credential.KeyID
	})
}

func (c client) shownCredentials() []identity.CredentialSeen {
	shown := slices.Clone(c.credentials)
	slices.SortFunc(shown, func(a, b identity.CredentialSeen) int {
		return strings.Compare(a.KeyID+" "+a.ID, b.KeyID+" "+b.ID)
	})
	return shown
}

// hasListed tells that the secrets of the client are known.
func (c client) hasListed() bool { return !c.listed.IsZero() }

// known gives the client with its credentials, and tells whether it has just looked.
// Those of a client that signs come with every list of apps; secrets have been listed
// a moment ago, or are listed now: a secret whose addition brought no answer must not
// be added twice.
func (d *Directory) known(ctx context.Context, have client) (client, bool, error) {
	if have.signs() || have.hasListed() && d.clock.Since(have.listed) < lagging {
		return have, false, nil
	}
	now, err := d.look(ctx, have)
	return now, true, err
}

// look reads the credentials of a client. Keys come with the app, by a call of which
// Okta allows more than of those for keys.
func (d *Directory) look(ctx context.Context, have client) (client, error) {
	id := have.seen.ClientID
	now, found, err := have, true, error(nil)
	before := d.clients.peek(id)
	if have.signs() {
		now, found, err = d.readClient(ctx, id, have.seen.ID)
	} else {
		now.credentials, err = d.listSecrets(ctx, have)
		now.listed = d.clock.Now()
	}
	if fault.IsGone(err) || err == nil && !found {
		d.clients.question(id)
		return client{}, vanished()
	}
	if err != nil {
		return client{}, err
	}
	young := d.clients.young(id)
	if now.seen.Mark != have.seen.Mark && young {
		return client{}, waiting("Okta does not yet show the client as it was written last; it is looked at again")
	}
	if young {
		now = now.newer(have)
	}
	d.clients.saw(id, before, now)
	if now.seen.Mark != have.seen.Mark {
		return client{}, notSeenWith(have.seen)
	}
	return now, nil
}

// newer adds what we wrote a moment ago and what may not have come through.
func (c client) newer(written client) client {
	for _, credential := range written.credentials {
		shown := slices.ContainsFunc(c.credentials, func(other identity.CredentialSeen) bool { return sameRecord(other, credential) })
		if !shown {
			c = c.withCredential(credential)
		}
	}
	return c
}

// changed keeps the result of a write and gives the client with it.
func (d *Directory) changed(c client, change func(client) client) client {
	d.clients.rewrite(c.seen.ClientID, change)
	return change(c)
}

func with(credential identity.CredentialSeen) func(client) client {
	return func(c client) client { return c.withCredential(credential) }
}

// listSecrets lists the secrets of a client by name.
func (d *Directory) listSecrets(ctx context.Context, c client) ([]identity.CredentialSeen, error) {
	var secrets []struct {
		ID     string     `json:"id"`
		Status string     `json:"status"`
		Name   secretName `json:"client_secret"`
	}
	ctx = fault.WithPurpose(ctx, fault.ManageSecret)
	if _, err := d.org.call(ctx, http.MethodGet, storeOf(c).path(c), nil, &secrets); err != nil {
		return nil, err
	}
	var seen []identity.CredentialSeen
	for _, s := range secrets {
		if s.Name == "" {
			return nil, &identity.Error{
				Kind: identity.Rejected, Reason: identity.ReasonPermissionDenied, RetryAfter: revisit,
				Message: fmt.Sprintf("Okta does not show the operator the secrets of client %s, so that it cannot tell its own; "+
					"add the permission okta.apps.clientCredentials.read to its admin role", c.seen.ClientID),
			}
		}
		seen = append(seen, identity.CredentialSeen{ID: s.ID, KeyID: string(s.Name), Active: s.Status == statusActive})
	}
	return seen, nil
}

// secretName is a secret of which nothing is kept but its name.
type secretName string

// UnmarshalJSON implements json.Unmarshaler.
func (n *secretName) UnmarshalJSON(raw []byte) error {
	var value string
	if json.Unmarshal(raw, &value) != nil {
		return errSecretShape
	}
	if value != "" {
		*n = secretName(identity.SecretName(identity.NewSecret([]byte(value))))
	}
	return nil
}

// credentialRequest writes a credential for the client, and gives its name.
func credentialRequest(c client, credential identity.Credential) (string, []byte, error) {
	if credential.Method != c.seen.Method {
		return "", nil, invalid(fmt.Sprintf("client %s authenticates with %s in Okta, and cannot have a credential for %s",
			c.seen.ClientID, c.seen.Method, credential.Method))
	}
	name, fields := credential.KeyID, map[string]any{}
	switch credential.Method {
	case identity.PrivateKeyJWT:
		key, err := publicKey(credential)
		if err != nil {
			return "", nil, err
		}
		fields = key
	case identity.ClientSecretBasic:
		name = identity.SecretName(credential.Material)
		fields["client_secret"], fields["status"] = string(credential.Material.Reveal()), statusActive
	default:
		return "", nil, invalid(fmt.Sprintf("a credential cannot be added with the method %q", credential.Method))
	}
	body, err := json.Marshal(fields)
	if err != nil {
		return "", nil, invalid("the credential cannot be written as JSON")
	}
	return name, body, nil
}

// errSecretShape does not quote what it could not read.
var errSecretShape = errors.New("a secret is no text")

// clientFailed is failed for a client, whose absence says nothing about the server.
func (d *Directory) clientFailed(clientID string, err error) error {
	if fault.IsGone(err) {
		d.clients.question(clientID)
		return err
	}
	return d.failed(d.clients, clientID, err)
}

// vanished is the answer to a change of a client that is not there.
func vanished() error {
	return waiting("Okta does not show the client that was there; it is looked at again")
}
