package identity

import "context"

// Directory is where identities live. Whoever implements it promises, and the
// contract suite in directorytest holds it to this:
//
//   - Observations come from a snapshot that costs a few list calls for all objects
//     together, never a call per object. What was written through the same Directory
//     is seen at once, whatever the lag of the directory behind it.
//   - Every writing method may be repeated: after a lost answer, a crash or a restart
//     the second call ends in the state the first one would have, with no twin.
//   - An object that carries no mark, or a foreign one, is never changed; the answer
//     is an error of kind Conflict. The mark of an owner that the caller succeeds
//     (Mark.MayChange) is not foreign. AdoptClient alone goes further.
//   - Every error is an *Error, or the context's own.
type Directory interface {
	Roles
	People
	Admission
	Clients
	Access
	Tokens
	Inventory
}

// Roles keeps what a role consists of.
type Roles interface {
	// ObserveRole tells what there is for the role. group is the role's group name.
	ObserveRole(ctx context.Context, role Mark, group string) (RoleSeen, error)
	Servers
	// PutPermission creates the permission or mends its description.
	PutPermission(ctx context.Context, permission Permission) error
	// PutGroup creates the group or mends its name and description.
	PutGroup(ctx context.Context, group Group) error
	// PutGrant creates the grant or makes it equal to grant.
	PutGrant(ctx context.Context, grant Grant) error
	// DeleteGrant removes the role's grant; gone already is success.
	DeleteGrant(ctx context.Context, role Mark) error
	// DeleteGroup removes the role's group; gone already is success.
	DeleteGroup(ctx context.Context, role Mark, name string) error
}

// Servers keeps the one authorization server on which all roles stand.
type Servers interface {
	// CreateServer creates the operator's authorization server, unless it is there. tried
	// tells that an earlier process may have made it, so that not to have heard of it is
	// no proof; when that was done too lately to show yet is for the caller to mind. about,
	// if any, is called when nothing is in the way any more; what it refuses is not requested.
	CreateServer(ctx context.Context, tried bool, about func(context.Context) error) error
	// DropTwin deletes the server that RoleSeen calls a twin, as long as nothing is
	// granted on it; gone already is success. One that holds a grant is an error of
	// kind Rejected, and is not called a twin again until the directory is listed anew.
	DropTwin(ctx context.Context) error
}

// Clients keeps the clients.
type Clients interface {
	// ObserveClient tells what there is under the client id; nil when nothing is
	// seen. A client that a list does not show, but whose id the hint knows, is
	// looked up by itself before it is taken for gone.
	ObserveClient(ctx context.Context, clientID string, hint ClientHint) (*ClientSeen, error)
	// ConfirmNoClient gives nil when it is certain that no client of ours has the
	// id, and an error of kind Waiting while a registration or a deletion whose
	// answer was lost may still show.
	ConfirmNoClient(ctx context.Context, clientID string, hint ClientHint) error
	// RegisterClient creates the client, active, with the credential. A client of
	// that id that exists already is an error of kind Conflict, or of kind Waiting
	// when it may be the trace of an earlier try whose answer was lost: observe again.
	RegisterClient(ctx context.Context, registration Registration) error
	// UpdateClient gives a client that exists the registration's mark, label and note,
	// and makes every setting that RegisterClient writes (Altered) what it would be.
	// All else stays: whether it is active, its method, its credentials and those of
	// others, and what other people have set. Of the registration's credential the
	// name is taken, for ClientSeen.Registered, and the one named until then is kept in
	// ClientSeen.Earlier; an empty name leaves both as they are. A public key that comes
	// with it is added in the same write, unless the client takes it already; for a client
	// that does not sign that is an error of kind Rejected, and for one that has as many keys
	// as it can one with ReasonCredentialLimit.
	UpdateClient(ctx context.Context, client ClientSeen, registration Registration) error
	// AdoptClient does the same with a client that carries no mark, or the mark of
	// another owner of the same cluster, as it was seen. A mark of another cluster,
	// or one that has changed since, is an error of kind Conflict.
	AdoptClient(ctx context.Context, client ClientSeen, registration Registration) error
	// DisownClient takes the mark off and leaves the client to people. The note then
	// says that an owner of that name may adopt it (Mark.Consent).
	DisownClient(ctx context.Context, client ClientSeen) error
	// DeleteClient removes a deactivated client; gone already is success.
	DeleteClient(ctx context.Context, client ClientSeen) error
}

// Access gives clients access and takes it away: all of it, or one credential's.
// The client is one that was seen; it must still carry the mark it was seen with.
type Access interface {
	// ActivateClient lets tokens be issued again; active already is success.
	ActivateClient(ctx context.Context, client ClientSeen) error
	// DeactivateClient ends the issue of tokens; gone or inactive is success.
	DeactivateClient(ctx context.Context, client ClientSeen) error
	// ObserveCredentials lists the credentials of the client, by a call of its own.
	// Of a client with secrets the directory shows their values to list them, and
	// its log says that somebody read them: ask only while a secret is being replaced.
	ObserveCredentials(ctx context.Context, client ClientSeen) ([]CredentialSeen, error)
	// AddCredential lets the client authenticate with one more credential of its
	// method; one that it has and that is active is success. A client that has as
	// many as it can is an error of kind Rejected with ReasonCredentialLimit.
	AddCredential(ctx context.Context, client ClientSeen, credential Credential) error
	// RemoveCredential ends the credential of that name and deletes it; gone already
	// is success. The last active one of a client is an error of kind Rejected.
	RemoveCredential(ctx context.Context, client ClientSeen, keyID string) error
}

// Tokens proves credentials, and obtains tokens in the place of agents.
type Tokens interface {
	// Probe obtains a token with the credential and all the permissions and throws
	// it away. A refusal that may be the directory's lag is of kind Waiting.
	Probe(ctx context.Context, server Server, clientID string, credential Credential, permissions []string) error
	// ObtainToken does the same and keeps the token.
	ObtainToken(ctx context.Context, server Server, clientID string, credential Credential, permissions []string) (AccessToken, error)
	// RevokeToken makes the directory call the token inactive (RFC 7009); who checks
	// tokens by their signature alone takes it until it expires. A token that is
	// unknown or expired is success.
	RevokeToken(ctx context.Context, server Server, clientID string, credential Credential, token Secret) error
}

// Inventory tells everything that carries a mark of the operator's cluster, from the
// snapshot, so that what belongs to nobody any more can be found.
type Inventory interface {
	OwnedClients(ctx context.Context) ([]ClientSeen, error)
	// OwnedRoles are the marks of roles of which there is a group or a grant, sorted.
	// Where only a grant is left, the end of a very long name may have been replaced
	// by a digest after a tilde: it is the uid that tells whose it is.
	OwnedRoles(ctx context.Context) ([]Mark, error)
}
