package keysecret

import (
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/keysecret/layout"
)

// Keys under which the staging Secret keeps material.
const (
	KeyPrivateKey   = "private_key.pem"
	KeyClientSecret = "client_secret"
	KeyAccessToken  = "access_token"
)

// Document is all of a published Secret but the credential.
type Document struct {
	ClientID string
	// AppID is the directory's id of the client; "" while it is not known. It stands in an
	// annotation.
	AppID       string
	Server      identity.Server
	Permissions []string
}

// Check tells what of the key's template cannot be rendered, whatever the credential.
func Check(want desired.Key) error { return layout.Check(shapeOf(want), delivery(want)) }

func shapeOf(want desired.Key) layout.Shape {
	return layout.Shape{Preset: layout.Preset(want.Preset), Template: want.Template}
}

func delivery(want desired.Key) layout.Delivery {
	switch {
	case want.DeliversToken:
		return layout.AccessToken
	case want.Method == identity.PrivateKeyJWT:
		return layout.PrivateKeyJWT
	}
	return layout.ClientSecret
}

func (s *Stored) publishedType() corev1.SecretType {
	return corev1.SecretType(layout.SecretType(shapeOf(s.want)))
}

// render lays out the published Secret.
func (s *Stored) render(doc Document, c identity.Credential) (map[string][]byte, error) {
	fields := layout.Fields{
		ClientID: doc.ClientID, TokenURL: doc.Server.TokenURL, Issuer: doc.Server.Issuer, Audience: doc.Server.Audience,
		Scopes: doc.Permissions,
	}
	switch delivery(s.want) {
	case layout.AccessToken:
		fields.AccessToken, fields.ExpiresAt = s.token, s.Staged.TokenExpires.UTC().Truncate(time.Second)
	case layout.PrivateKeyJWT:
		jwk, err := s.keys.jwk(c)
		if err != nil {
			return nil, fmt.Errorf("rendering the Secret: %w", err)
		}
		fields.PrivateKey, fields.KeyID, fields.JWK = c.Material, c.KeyID, jwk
	case layout.ClientSecret:
		fields.ClientSecret = c.Material
	}
	return layout.Render(shapeOf(s.want), fields)
}

// publishedCredential reads the credential out of the published Secret, if its shape
// lets it be found.
func (s *Stored) publishedCredential() (identity.Credential, error) {
	if s.publishedSecret == nil || s.want.DeliversToken {
		return identity.Credential{}, errors.New("the published Secret holds no credential")
	}
	material, ok := layout.Material(shapeOf(s.want), delivery(s.want), s.publishedSecret.Data)
	if !ok {
		return identity.Credential{}, errors.New("the published Secret does not show its credential")
	}
	return s.keys.credentialOf(material, s.want.Method)
}

// credentialIn reads a credential out of the staging Secret's data. What it is called
// follows from what it is, so a credential that was exchanged is another one,
// whatever else the Secret says.
func (s *Stored) credentialIn(data map[string][]byte, prefix string) (identity.Credential, error) {
	if s.want.Method == identity.PrivateKeyJWT {
		return s.keys.credentialOf(data[prefix+KeyPrivateKey], s.want.Method)
	}
	return s.keys.credentialOf(data[prefix+KeyClientSecret], s.want.Method)
}
