package identity

import "time"

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
	// KeyID names the credential the client was registered with.
	KeyID string
	// PublicKeyIDs are the kids of the client's active keys, sorted.
	PublicKeyIDs []string
	// Active is false when the client was deactivated, here or by a person.
	Active bool
	// FirstSeen is when this process first knew of the client.
	FirstSeen time.Time
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
