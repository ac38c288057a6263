package identity

// Doubter is told by who hears of it that something is other than it was seen last. It is looked
// up by itself when it is asked for next.
type Doubter interface {
	// DoubtClient doubts a client with its credentials.
	DoubtClient(clientID string)
	// DoubtGroup doubts a role's group, by its name, and who is in it.
	DoubtGroup(name string)
	// DoubtGrant doubts a role's grant.
	DoubtGrant(role Mark)
}
