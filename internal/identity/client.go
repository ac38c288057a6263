package identity

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"time"
)

// AuthMethod is how a client proves itself at the token endpoint
// (OAuth 2.0, RFC 6749 section 2.3 and RFC 7523).
type AuthMethod string

const (
	// PrivateKeyJWT signs an assertion with a key that never leaves the cluster.
	PrivateKeyJWT AuthMethod = "private_key_jwt"
	// ClientSecretBasic sends a shared secret with HTTP Basic authentication.
	ClientSecretBasic AuthMethod = "client_secret_basic"
)

// Credential is what a client authenticates with.
type Credential struct {
	// KeyID names the credential, for ever and without telling it: the kid of a
	// key pair, or a random name given to a secret when it was made.
	KeyID  string
	Method AuthMethod
	// PublicJWK is the public half of a key pair (RFC 7517), in JSON; empty for a secret.
	PublicJWK []byte
	// Material is the private key in PEM (PKCS #8), or the client secret.
	Material Secret
	// Bound tells that tokens are bound to a key which their holder proves to have
	// (RFC 9449): who asks for one with this credential must prove it too.
	Bound bool
}

// TokenConditions say from where and how a client gets tokens.
type TokenConditions struct {
	// FromZones and NotFromZones are ids of network zones, sorted; one of them at most
	// is given.
	FromZones, NotFromZones []string
	// Bound asks for a proof of possession (RFC 9449), to which tokens are bound.
	Bound bool
}

// Zoned tells that it matters from where the client asks.
func (c TokenConditions) Zoned() bool { return len(c.FromZones)+len(c.NotFromZones) > 0 }

// Equal tells that both say the same.
func (c TokenConditions) Equal(other TokenConditions) bool {
	return c.Bound == other.Bound && slices.Equal(c.FromZones, other.FromZones) && slices.Equal(c.NotFromZones, other.NotFromZones)
}

// SecretName names a client secret by a digest of it, so that one that was edited no
// longer fits its name, and one that the directory holds can be told without being
// shown. A digest of 256 random bits tells nothing of them.
func SecretName(secret Secret) string {
	sum := sha256.Sum256(secret.Reveal())
	return "sec-" + base64.RawURLEncoding.EncodeToString(sum[:12])
}

// Registration is a wish for a client in the directory: in Okta an OIDC service
// app with the client_credentials grant.
type Registration struct {
	Mark Mark
	// ClientID is chosen by us, so that a repeated registration cannot make a
	// second client: the directory holds client ids unique.
	ClientID string
	// Label is what people see in the directory's console; at most 100 bytes.
	Label string
	// Note tells people what the agent is for and who answers for it.
	Note       string
	Credential Credential
	Conditions TokenConditions
}

// ClientSeen is what the directory holds for one client.
type ClientSeen struct {
	// ID is the directory's own id, in Okta the app id.
	ID       string
	ClientID string
	Mark     Mark
	Label    string
	Note     string
	Method   AuthMethod
	// Registered names the credential the client was registered with, or the one that
	// UpdateClient has named since.
	Registered string
	// Earlier names those it was registered with or that UpdateClient has named before,
	// the oldest first, as far as the client may still take them: of one that signs
	// exactly those that are active.
	Earlier []string
	// Conditions are those that were written last through this port; what somebody else
	// made of them is told by Altered.
	Conditions TokenConditions
	// PublicKeyIDs are the kids of the client's active keys, sorted.
	PublicKeyIDs []string
	// Altered names the settings that are not as RegisterClient writes them, in the
	// directory's own words, sorted. The mark, the label and the note are not among
	// them, nor is the method.
	Altered []string
	// Touched tells that the label, the note or the settings (Altered) are not as they
	// were last written through this port: somebody else changed them.
	Touched bool
	// Active is false when the client was deactivated, here or by a person.
	Active bool
	// FirstSeen is when this process first knew of the client.
	FirstSeen time.Time
	// LookAgain is in how much time to look again at a client that the directory did not
	// list any more, for only then it is certain what became of it; zero when it did.
	LookAgain time.Duration
}

// CredentialSeen is one credential that a client in the directory has.
type CredentialSeen struct {
	// ID is the directory's own id of it.
	ID string
	// KeyID is the kid of a key, or the SecretName of a secret.
	KeyID string
	// Active tells that the client can authenticate with it.
	Active bool
}

// ClientHint is what a client that lists do not show may be found by.
type ClientHint struct {
	// Label is the one it was registered with.
	Label string
	// ID is the directory's id of it, as far as anybody remembers; may be empty.
	ID string
	// Tried tells that a registration may have been sent, by whichever process.
	Tried bool
}

// AccessToken is a token that was granted to a client.
type AccessToken struct {
	Token Secret
	// Expires is when it ends, by the directory's clock.
	Expires time.Time
}
