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
//     is an error of kind Conflict.
//   - Every error is an *Error, or the context's own.
type Directory interface {
	Roles
	Clients
	Tokens
}

// Roles keeps what a role consists of.
type Roles interface {
	// ObserveRole tells what there is for the role. group is the role's group name.
	ObserveRole(ctx context.Context, role Mark, group string) (RoleSeen, error)
	// CreateServer creates the operator's authorization server.
	CreateServer(ctx context.Context) error
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
	// DeactivateClient ends the issue of tokens; gone or inactive is success.
	DeactivateClient(ctx context.Context, client ClientSeen) error
	// DeleteClient removes a deactivated client; gone already is success.
	DeleteClient(ctx context.Context, client ClientSeen) error
}

// Tokens proves credentials.
type Tokens interface {
	// Probe obtains a token with the credential and all the permissions and throws
	// it away. A refusal that may be the directory's lag is of kind Waiting.
	Probe(ctx context.Context, server Server, clientID string, credential Credential, permissions []string) error
}
