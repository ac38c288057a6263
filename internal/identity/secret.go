package identity

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is material that must never be seen: a private key, a client secret, a
// token. It cannot print itself: every way of formatting, logging or marshalling
// it yields the same fixed word. Only internal/okta, internal/keysecret and internal/audit/output call
// Reveal; a test of this package holds that.
type Secret struct{ material string }

// NewSecret wraps material. The bytes are copied.
func NewSecret(material []byte) Secret { return Secret{material: string(material)} }

// Reveal opens the secret. The result belongs to the caller and must not be kept.
func (s Secret) Reveal() []byte { return []byte(s.material) }

// IsZero tells that there is no material.
func (s Secret) IsZero() bool { return s.material == "" }

// Equal compares in constant time.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.material), []byte(other.material)) == 1
}

// fingerprints is the key of Fingerprint, another one in each process.
var fingerprints = rand.Text() //nolint:gochecknoglobals // it must be the same for all secrets of a process

// Fingerprint is the same for secrets that are equal, within this process. It tells nothing
// of the material.
func (s Secret) Fingerprint() string {
	mac := hmac.New(sha256.New, []byte(fingerprints))
	mac.Write([]byte(s.material))
	return hex.EncodeToString(mac.Sum(nil))
}

// String implements fmt.Stringer without showing the material.
func (Secret) String() string { return redacted }

// GoString implements fmt.GoStringer without showing the material.
func (Secret) GoString() string { return redacted }

// Format implements fmt.Formatter for every verb without showing the material.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalJSON implements json.Marshaler without showing the material.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText implements encoding.TextMarshaler without showing the material.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements slog.LogValuer without showing the material.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalLog implements logr.Marshaler without showing the material.
func (Secret) MarshalLog() any { return redacted }
