package identity

import "time"

// Tombstone stands for a key that was let go while its client may still be in the
// directory. It is the last trace of it, and allows the client to be deactivated and deleted.
type Tombstone struct {
	// Mark is the key's; only a client that still carries it may be touched.
	Mark     Mark
	ClientID string
	// AppID is the directory's id of the client, as far as it was known; may be empty.
	AppID string
	// Keep tells that the client is to be deactivated and not deleted, as the key wanted.
	Keep bool
	// Why says to people how it came to this; never a secret.
	Why string
	// Since is when the key was let go.
	Since time.Time
}

// Of tells whether the tombstone stands for exactly this client: the client id, and
// the owner whose mark it carries.
func (t Tombstone) Of(client ClientSeen) bool {
	return t.ClientID == client.ClientID && t.Mark.UID == client.Mark.UID && t.Mark.Namesake(client.Mark)
}
