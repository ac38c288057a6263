package layout

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Delivery is the form in which the agent receives its credential. The words are the
// API's.
type Delivery string

// The deliveries.
const (
	// PrivateKeyJWT delivers a private key, its name and its JSON Web Key.
	PrivateKeyJWT Delivery = "PrivateKeyJWT"
	// ClientSecret delivers a client secret.
	ClientSecret Delivery = "ClientSecret"
	// AccessToken delivers an access token and when it ends.
	AccessToken Delivery = "AccessToken"
)

// Fields is all that a Secret can say. Which credential is in it decides the delivery:
// exactly one of PrivateKey, ClientSecret and AccessToken.
type Fields struct {
	ClientID string
	// PrivateKey is the private key in PEM; KeyID and JWK go with it.
	PrivateKey identity.Secret
	// KeyID is the kid; not looked at with another delivery.
	KeyID string
	// JWK is the private key as a JSON Web Key.
	JWK          identity.Secret
	ClientSecret identity.Secret
	// AccessToken goes with ExpiresAt, which is laid out in UTC (RFC 3339).
	AccessToken identity.Secret
	ExpiresAt   time.Time
	TokenURL    string
	Issuer      string
	Audience    string
	// Scopes may be empty. They are laid out as given, separated by spaces (RFC 6749,
	// section 3.3), or as a list in templates.
	Scopes []string
}

// The fields by their names in templates.
const (
	clientID     = "clientID"
	privateKey   = "privateKey"
	keyID        = "keyID"
	jwk          = "jwk"
	clientSecret = "clientSecret"
	accessToken  = "accessToken"
	expiresAt    = "expiresAt"
	tokenURL     = "tokenURL"
	issuer       = "issuer"
	audience     = "audience"
	scopes       = "scopes"
)

// own are the fields that only this delivery has; none for a delivery there is not.
func (d Delivery) own() []string {
	switch d {
	case PrivateKeyJWT:
		return []string{privateKey, keyID, jwk}
	case ClientSecret:
		return []string{clientSecret}
	case AccessToken:
		return []string{accessToken, expiresAt}
	}
	return nil
}

// names are the fields that a key of that delivery has.
func (d Delivery) names() []string {
	return slices.Concat([]string{clientID}, d.own(), []string{tokenURL, issuer, audience, scopes})
}

// credential is the field that the client authenticates with.
func (d Delivery) credential() string {
	switch d {
	case PrivateKeyJWT:
		return privateKey
	case ClientSecret:
		return clientSecret
	}
	return ""
}

// opened are the fields of one delivery with their secrets open. It does not leave
// this package.
type opened struct {
	delivery Delivery
	// values are by name; a field that the delivery does not have is absent.
	values map[string]string
	scopes []string
}

// open refuses half a credential: a Secret with a key and without its name would be
// taken for whole by whoever mounts it.
func (f Fields) open() (opened, error) {
	delivery, err := f.delivery()
	if err != nil {
		return opened{}, err
	}
	all := map[string]string{
		clientID:     f.ClientID,
		privateKey:   string(f.PrivateKey.Reveal()),
		keyID:        f.KeyID,
		jwk:          string(f.JWK.Reveal()),
		clientSecret: string(f.ClientSecret.Reveal()),
		accessToken:  string(f.AccessToken.Reveal()),
		tokenURL:     f.TokenURL,
		issuer:       f.Issuer,
		audience:     f.Audience,
		scopes:       strings.Join(f.Scopes, " "),
	}
	if !f.ExpiresAt.IsZero() {
		all[expiresAt] = f.ExpiresAt.UTC().Format(time.RFC3339)
	}
	values := map[string]string{}
	for _, name := range delivery.names() {
		if all[name] == "" && slices.Contains(delivery.own(), name) {
			return opened{}, fmt.Errorf("a credential of delivery %s lacks its %s", delivery, name)
		}
		values[name] = all[name]
	}
	return opened{delivery: delivery, values: values, scopes: slices.Clone(f.Scopes)}, nil
}

func (f Fields) delivery() (Delivery, error) {
	var found []Delivery
	if !f.PrivateKey.IsZero() {
		found = append(found, PrivateKeyJWT)
	}
	if !f.ClientSecret.IsZero() {
		found = append(found, ClientSecret)
	}
	if !f.AccessToken.IsZero() {
		found = append(found, AccessToken)
	}
	if len(found) != 1 {
		return "", errors.New("it needs exactly one credential: a private key, a client secret or an access token")
	}
	return found[0], nil
}

// sample is what a key of that delivery could hold.
func sample(delivery Delivery) (Fields, error) {
	secret := func(text string) identity.Secret { return identity.NewSecret([]byte(text)) }
	const server = "https://example.okta.com/oauth2/aus1"
	fields := Fields{
		ClientID: "agent-3f9c2a71", TokenURL: server + "/v1/token", Issuer: server, Audience: "api://agents",
		Scopes: []string{"chat.read", "chat.write"},
	}
	switch delivery {
	case PrivateKeyJWT:
		fields.PrivateKey = secret("-----BEGIN PRIVATE KEY-----\nc2FtcGxl\n-----END PRIVATE KEY-----\n")
		fields.KeyID = "NzbLsXh8uDCcd"
		fields.JWK = secret(`{"kty":"EC","crv":"P-256","kid":"NzbLsXh8uDCcd"}`)
	case ClientSecret:
		fields.ClientSecret = secret("sample-secret")
	case AccessToken:
		fields.AccessToken = secret("sample-token")
		fields.ExpiresAt = time.Date(2030, time.January, 2, 3, 4, 5, 0, time.UTC)
	default:
		return Fields{}, fmt.Errorf("there is no delivery %q", delivery)
	}
	return fields, nil
}
