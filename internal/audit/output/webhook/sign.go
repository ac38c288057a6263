package webhook

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Bounds of a symmetric key, by the specification.
const (
	minKey = 24
	maxKey = 64
)

// signingKey opens a key: base64 behind whsec_. As in the libraries of the specification
// the prefix may be missing, so that a receiver which uses one makes the same of the same
// text; anything else is an error, for they would make something else of it.
func signingKey(secret identity.Secret) ([]byte, error) {
	const howTo = `: make one with echo "whsec_$(openssl rand -base64 32)"`
	text := bytes.TrimSpace(secret.Reveal())
	if bytes.HasPrefix(text, []byte("whsk_")) || bytes.HasPrefix(text, []byte("whpk_")) {
		return nil, errors.New("signingKey is a key of an asymmetric signature, but HMAC-SHA256 is what is signed with" + howTo)
	}
	key, err := base64.StdEncoding.Strict().DecodeString(string(bytes.TrimPrefix(text, []byte("whsec_"))))
	if err != nil {
		// The error of base64 would tell where, and so something of the key.
		return nil, errors.New("signingKey is not whsec_ and base64 as Standard Webhooks writes keys" + howTo)
	}
	if len(key) < minKey || len(key) > maxKey {
		return nil, errors.New("signingKey does not hold between 24 and 64 bytes in base64" + howTo)
	}
	return key, nil
}

// sign makes webhook-signature. Neither the id nor the timestamp has a full stop in it.
func sign(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
