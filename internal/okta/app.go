package okta

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const (
	statusDeleted = "DELETED"
	// profileKey is where in an app's profile we keep what the app has no field for.
	profileKey = "agentidentity.dev"
)

// app is an OIDC app as listed. The SDK's list drops the OAuth client, and its own
// type the elliptic keys and the profile.
type app struct {
	ID          string `json:"id"`
	Label       string `json:"label"`
	Status      string `json:"status"`
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
			Keys struct {
				Keys []struct {
					ID     string `json:"kid"`
					Status string `json:"status"`
				} `json:"keys"`
			} `json:"jwks"`
		} `json:"oauthClient"`
	} `json:"settings"`
	Profile json.RawMessage `json:"profile"`
}

// ownership is what stands in an app's profile: the mark, and the name of the
// credential, so that both come back with a list and no secret is ever read.
type ownership struct {
	Cluster    string `json:"cluster"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
	UID        string `json:"uid"`
	Credential string `json:"credential"`
}

// seen is the app in the terms of the port. An app whose profile is not as we
// write it carries no mark.
func (a app) seen() identity.ClientSeen {
	seen := identity.ClientSeen{
		ID: a.ID, ClientID: a.Credentials.Client.ID, Label: a.Label, Note: a.Settings.Notes.Admin,
		Method: identity.AuthMethod(a.Credentials.Client.Method), Active: a.Status == statusActive,
	}
	for _, key := range a.Settings.Client.Keys.Keys {
		if key.Status == "" || key.Status == statusActive {
			seen.PublicKeyIDs = append(seen.PublicKeyIDs, key.ID)
		}
	}
	slices.Sort(seen.PublicKeyIDs)
	var profile map[string]json.RawMessage
	var owner ownership
	if json.Unmarshal(a.Profile, &profile) != nil || json.Unmarshal(profile[profileKey], &owner) != nil {
		return seen
	}
	seen.KeyID = owner.Credential
	seen.Mark = identity.Mark{
		Cluster: owner.Cluster, Kind: owner.Kind, Namespace: owner.Namespace, Name: owner.Name, UID: owner.UID,
	}
	return seen
}

// appRequest writes the app for a registration. It is written as text here and
// not handed to the SDK as a value, so that nothing keeps the secret in it.
func appRequest(r identity.Registration) ([]byte, error) {
	oauthClient := map[string]any{
		"client_id": r.ClientID, "token_endpoint_auth_method": string(r.Credential.Method),
		"autoKeyRotation": true, "pkce_required": false,
	}
	settings := map[string]any{
		"application_type": "service", "grant_types": []string{grantType}, "response_types": []string{"token"},
		// An org may turn this on for new apps; with it Okta refuses client_credentials.
		"dpop_bound_access_tokens": false,
	}
	switch r.Credential.Method {
	case identity.PrivateKeyJWT:
		key, err := publicKey(r.Credential)
		if err != nil {
			return nil, err
		}
		settings["jwks"] = map[string]any{"keys": []any{key}}
	case identity.ClientSecretBasic:
		oauthClient["client_secret"] = string(r.Credential.Material.Reveal())
	default:
		return nil, invalid(fmt.Sprintf("a client cannot be registered with the method %q", r.Credential.Method))
	}
	body, err := json.Marshal(map[string]any{
		"name": "oidc_client", "label": r.Label, "signOnMode": "OPENID_CONNECT",
		"credentials": map[string]any{"oauthClient": oauthClient},
		"settings":    map[string]any{"notes": map[string]any{"admin": r.Note}, "oauthClient": settings},
		"visibility":  map[string]any{"hide": map[string]any{"iOS": true, "web": true}},
		"profile": map[string]any{profileKey: ownership{
			Cluster: r.Mark.Cluster, Kind: r.Mark.Kind, Namespace: r.Mark.Namespace, Name: r.Mark.Name, UID: r.Mark.UID,
			Credential: r.Credential.KeyID,
		}},
	})
	if err != nil {
		return nil, invalid("the app cannot be written as JSON")
	}
	return body, nil
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

func publicKeyIDs(c identity.Credential) []string {
	if c.Method != identity.PrivateKeyJWT {
		return nil
	}
	return []string{c.KeyID}
}

func invalid(message string) error {
	return &identity.Error{Kind: identity.Rejected, Reason: identity.ReasonInvalidRequest, Message: message}
}
