package event

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// TypeUnreadable is the type of an event that Decode refuses.
const TypeUnreadable = "agentidentity.audit.unreadable"

// Read reads an event of the System Log that was read at that time; what Decode refuses
// becomes an Unreadable event.
func Read(raw []byte, read time.Time) Event {
	e, err := Decode(raw)
	if err != nil {
		return Unreadable(raw, read)
	}
	return e
}

// Unreadable makes an event of what Decode refuses, so that it is not lost: its id is a
// digest of what stands there, and its time when it was read.
func Unreadable(raw []byte, read time.Time) Event {
	digest := sha256.Sum256(raw)
	return Event{
		ID: "sha256-" + hex.EncodeToString(digest[:16]), Type: TypeUnreadable, Published: read, Severity: "WARN",
		Message: "An event of the System Log that cannot be read", Raw: raw,
	}
}
