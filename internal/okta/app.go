package okta

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const (
	statusDeleted = "DELETED"
	// profileKey is where in an app's profile we keep what the app has no field for.
	profileKey = "agentidentity.dev"
	appType    = "service"
	signOnMode = "OPENID_CONNECT"
)

// app is an OIDC app as listed. The SDK's list drops the OAuth client, and its own
// type the elliptic keys and the profile.
type app struct {
	ID          string `json:"id"`
	Label       string `json:"label"`
	Status      string `json:"status"`
	SignOnMode  string `json:"signOnMode"`
	Credentials struct {
		Client struct {
			ID     string `json:"client_id"`
			Method string `json:"token_endpoint_auth_method"`
		} `json:"oauthClient"`
	} `json:"credentials"`
	Settings struct {
		Notes struct {
			Admin string `json:"admin"`
		} `json:"notes"`
		Client struct {
			Type       string   `json:"application_type"`
			GrantTypes []string `json:"grant_types"`
			Keys       struct {
				Keys []appKey `json:"keys"`
			} `json:"jwks"`
		} `json:"oauthClient"`
	} `json:"settings"`
	Profile json.RawMessage `json:"profile"`

	// altered are the settings that are not as we write them.
	altered []appSetting
}

// appKey is a public key of an app.
type appKey struct {
	ID     string `json:"id"`
	KeyID  string `json:"kid"`
	Use    string `json:"use"`
	Status string `json:"status"`
}

// UnmarshalJSON implements json.Unmarshaler: what we write is compared as it came,
// for what is absent means something else from setting to setting.
func (a *app) UnmarshalJSON(raw []byte) error {
	type plain app
	if err := json.Unmarshal(raw, (*plain)(a)); err != nil {
		return err
	}
	var whole map[string]any
	if err := json.Unmarshal(raw, &whole); err != nil {
		return err
	}
	a.altered = alteredSettings(whole, a.ownership().conditions())
	return nil
}

// ownership is what stands in an app's profile: the mark, and the name of the
// credential, so that both come back with a list and no secret is ever read.
type ownership struct {
	Cluster    string `json:"cluster"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
	UID        string `json:"uid"`
	Since      int64  `json:"since"`
	Credential string `json:"credential"`
	// Earlier are the names of those before it, divided by spaces, the oldest first.
	Earlier string `json:"earlier,omitempty"`
	// From, NotFrom and Bound are the conditions on tokens as we wrote them, ids of zones
	// divided by spaces.
	From    string `json:"from,omitempty"`
	NotFrom string `json:"notFrom,omitempty"`
	Bound   bool   `json:"bound,omitempty"`
	// Written stands for the label and the note as we wrote them.
	Written string `json:"written"`
}

func ownershipOf(r identity.Registration) ownership {
	mark := r.Mark
	return ownership{
		Cluster: mark.Cluster, Kind: mark.Kind, Namespace: mark.Namespace, Name: mark.Name, UID: mark.UID, Since: mark.Since,
		Credential: r.Credential.KeyID, Written: written(r.Label, r.Note),
		From: strings.Join(r.Conditions.FromZones, " "), NotFrom: strings.Join(r.Conditions.NotFromZones, " "), Bound: r.Conditions.Bound,
	}
}

func (o ownership) conditions() identity.TokenConditions {
	return identity.TokenConditions{FromZones: fields(o.From), NotFromZones: fields(o.NotFrom), Bound: o.Bound}
}

// fields gives nil for none, so that conditions can be compared.
func fields(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Fields(text)
}

// remembered is how many earlier names an app keeps of which it cannot be told whether
// it still has them: twice what it can have (see storeOf).
const remembered = 4

// after gives what is to stand in the app as it is now: with the names of the credentials
// that the newest has replaced, and that of the newest so far when it names none.
func (o ownership) after(now app) ownership {
	before := now.ownership()
	if o.Credential == "" || o.Credential == before.Credential {
		o.Credential, o.Earlier = before.Credential, before.Earlier
		return o
	}
	seen := now.client()
	names := append(strings.Fields(before.Earlier), before.Credential)
	names = seen.stillTaken(slices.DeleteFunc(names, func(name string) bool { return name == "" || name == o.Credential }))
	if !seen.signs() {
		names = names[max(0, len(names)-remembered):]
	}
	o.Earlier = strings.Join(names, " ")
	return o
}

// stillTaken gives those of the names that the client may still take; nil for none. Of
// a client with secrets that cannot be told here.
func (c client) stillTaken(names []string) []string {
	var taken []string
	for _, name := range names {
		if !c.signs() || slices.Contains(c.seen.PublicKeyIDs, name) {
			taken = append(taken, name)
		}
	}
	return taken
}

// written is a digest of what people may read and change.
func written(label, note string) string {
	sum := sha256.Sum256([]byte(label + "\x00" + note))
	return hex.EncodeToString(sum[:8])
}

func (o ownership) mark() identity.Mark {
	return identity.Mark{Cluster: o.Cluster, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name, UID: o.UID, Since: o.Since}
}

func profilePath() []string { return []string{"profile", profileKey} }

func notePath() []string { return []string{"settings", "notes", "admin"} }

// ownership reads what we wrote; an app whose profile is not as we write it carries
// no mark.
func (a app) ownership() ownership {
	var profile map[string]json.RawMessage
	var owner ownership
	if json.Unmarshal(a.Profile, &profile) != nil || json.Unmarshal(profile[profileKey], &owner) != nil {
		return ownership{}
	}
	return owner
}

// client is the app in the terms of the port.
func (a app) client() client {
	owner := a.ownership()
	c := client{seen: identity.ClientSeen{
		ID: a.ID, ClientID: a.Credentials.Client.ID, Mark: owner.mark(), Label: a.Label, Note: a.Settings.Notes.Admin,
		Method: identity.AuthMethod(a.Credentials.Client.Method), Altered: namesOf(a.altered),
		Registered: owner.Credential, Earlier: strings.Fields(owner.Earlier), Conditions: owner.conditions(),
		Touched: owner.Written != written(a.Label, a.Settings.Notes.Admin) || len(a.altered) > 0,
		Active:  a.Status == statusActive,
	}}
	return c.withKeys(keysSeen(a.Settings.Client.Keys.Keys))
}

// keysSeen gives the keys a client can authenticate with, or could if they were active.
func keysSeen(keys []appKey) []identity.CredentialSeen {
	var seen []identity.CredentialSeen
	for _, key := range keys {
		if key.Use != "enc" {
			seen = append(seen, identity.CredentialSeen{
				ID: key.ID, KeyID: key.KeyID, Active: key.Status == "" || key.Status == statusActive,
			})
		}
	}
	return seen
}

// publicKey reads the public half and lets nothing of a private one through.
func publicKey(c identity.Credential) (map[string]any, error) {
	var key map[string]any
	if err := json.Unmarshal(c.PublicJWK, &key); err != nil || key["kty"] == nil {
		return nil, invalid("the public key of the credential is no JSON Web Key")
	}
	for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		if _, there := key[private]; there {
			return nil, invalid("the public key of the credential holds private parts")
		}
	}
	key["kid"], key["status"] = c.KeyID, statusActive
	return key, nil
}

func invalid(message string) error {
	return &identity.Error{Kind: identity.Rejected, Reason: identity.ReasonInvalidRequest, Message: message}
}
