package layout

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// made are fields of a delivery whose every value is told apart from any other text.
func made(delivery Delivery) Fields {
	secret := func(text string) identity.Secret { return identity.NewSecret([]byte(text)) }
	fields := Fields{
		ClientID: "cid-7301", TokenURL: "https://idp-7302/token", Issuer: "https://idp-7302", Audience: "aud-7303",
		Scopes: []string{"scope-7304", "scope-7305"},
	}
	switch delivery {
	case PrivateKeyJWT:
		fields.PrivateKey, fields.KeyID, fields.JWK = secret("pem-7306\nsecond line\n"), "kid-7307", secret(`{"jwk":"7308"}`)
	case ClientSecret:
		fields.ClientSecret = secret("secret-7309")
	case AccessToken:
		fields.AccessToken = secret("token-7310")
		fields.ExpiresAt = time.Date(2027, time.May, 1, 14, 30, 0, 999, time.FixedZone("", 2*60*60))
	}
	return fields
}

func deliveries() []Delivery { return []Delivery{PrivateKeyJWT, ClientSecret, AccessToken} }

func presets() []Preset { return []Preset{Files, Environment, ServiceBinding} }

// readable is data that can be read in a difference.
func readable(data map[string][]byte) map[string]string {
	text := map[string]string{}
	for key, value := range data {
		text[key] = string(value)
	}
	return text
}

func TestHalfACredentialIsRefused(t *testing.T) {
	secret := identity.NewSecret([]byte("x"))
	for name, test := range map[string]struct {
		reason string
		fields Fields
	}{
		"none":           {"a Secret without a credential is of no use", Fields{ClientID: "c"}},
		"two":            {"nobody could say which delivery it is", Fields{ClientSecret: secret, AccessToken: secret}},
		"key not named":  {"an assertion needs the kid", Fields{PrivateKey: secret, JWK: secret}},
		"key not as JWK": {"libraries that read the JWK would find none", Fields{PrivateKey: secret, KeyID: "k"}},
		"token for ever": {"an agent must know when to read again", Fields{AccessToken: secret}},
	} {
		t.Run(name, func(t *testing.T) {
			if data, err := Render(Shape{}, test.fields); err == nil {
				t.Errorf("%s: got %v", test.reason, readable(data))
			}
		})
	}
}

// TestSamplesAreLikeTheRealThing holds that Check sees what Render will see.
func TestSamplesAreLikeTheRealThing(t *testing.T) {
	for _, delivery := range deliveries() {
		fields, err := sample(delivery)
		if err != nil {
			t.Fatal(err)
		}
		for _, preset := range presets() {
			sampled, err := Render(Shape{Preset: preset}, fields)
			if err != nil {
				t.Fatal(err)
			}
			whole, err := Render(Shape{Preset: preset}, made(delivery))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(keysOf(whole), keysOf(sampled)); diff != "" {
				t.Errorf("%s %s: (-real +sample)\n%s", delivery, preset, diff)
			}
		}
	}
	if _, err := sample("Carrier pigeon"); err == nil {
		t.Error("there is a sample of a delivery that there is not")
	}
}

func keysOf(data map[string][]byte) map[string]bool {
	keys := map[string]bool{}
	for key := range data {
		keys[key] = true
	}
	return keys
}
