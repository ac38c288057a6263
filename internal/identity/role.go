package identity

import "time"

// Server is the authorization server that issues the agents' tokens.
type Server struct {
	ID       string
	Issuer   string
	TokenURL string
	Audience string
}

// Group is the set of people who hold a role.
type Group struct {
	ID          string
	Mark        Mark
	Name        string
	Description string
	// Managed tells that the role says who is in the group, nobody else.
	Managed bool
	// Enrolling tells that there is, or may be, an Enrollment of the role for the group.
	Enrolling bool
	// Administering tells that there is, or may be, an AdminRole of the role for the group.
	Administering bool
}

// Grant lets clients obtain tokens with permissions: in Okta one access policy
// with one rule. Its clients are every client bound to the role, its permissions
// exactly the role's, so a token can hold any subset of them and nothing else.
type Grant struct {
	Mark Mark
	// Name is unique on the server and stable for the life of the role.
	Name string
	// Clients are client ids, sorted, never empty.
	Clients []string
	// Permissions are scope names, sorted, never empty.
	Permissions []string
	// TokenLifetime is how long an access token lives; whole minutes, 5 to 1440.
	TokenLifetime time.Duration
}

// RoleSeen is what the directory holds for one role.
type RoleSeen struct {
	// Server is nil while the operator has no authorization server yet.
	Server *Server
	// Twin is the id of a second authorization server of the operator's, made by a
	// request that was carried out late; empty when there is none that can go.
	Twin string
	// Permissions are all the scopes on the server that are ours, by name.
	Permissions map[string]Permission
	// Foreign are the names of scopes on the server that somebody else made.
	Foreign map[string]bool
	// Group is nil while there is none with the role's name.
	Group *Group
	// Grant is nil while there is none for a role of that name (Mark.Namesake); its
	// mark may be that of an earlier namesake. A grant that is incomplete (its rule
	// missing or switched off) lists no permissions.
	Grant *Grant
	// Unsettled is how soon to look again because a list has missed something that was
	// there, which is no proof that it is gone; zero when nothing is missed.
	Unsettled time.Duration
	// Shadows are the names of somebody else's active access policies that let every
	// client in and come before the grant, so that Okta does not look at it; sorted.
	Shadows []string
}
