package tombstone

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// maxWhy bounds the words of an entry, in bytes, so that the ConfigMap has room for
// all others.
const maxWhy = 200

// document is a tombstone as a person reads it in the ConfigMap.
type document struct {
	// Mark is in its written form, which stands on the client in the directory too.
	Mark     string    `json:"mark"`
	ClientID string    `json:"clientID"`
	AppID    string    `json:"appID,omitempty"`
	Keep     bool      `json:"keep,omitempty"`
	Why      string    `json:"why"`
	Since    time.Time `json:"since"`
}

// nameOf is the tombstone's key in the ConfigMap. It begins with the client id, which
// people search for. The uid tells two keys of one name: their client ids are the same.
func nameOf(t identity.Tombstone) string {
	return allowed(t.ClientID) + "." + allowed(t.Mark.UID)
}

// allowed replaces what a key of a ConfigMap cannot hold, and cuts what is too long:
// client ids have at most 100 characters, uids 36.
func allowed(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '.', r == '_':
			return r
		}
		return '_'
	}, text)
	return text[:min(len(text), 100)]
}

// write gives the tombstone's text.
func write(t identity.Tombstone) (string, error) {
	if t.Mark.IsZero() || t.ClientID == "" {
		return "", errors.New("writing a tombstone: it needs a mark and a client id, or it would allow nothing")
	}
	encoded, err := json.Marshal(document{
		Mark: t.Mark.String(), ClientID: t.ClientID, AppID: t.AppID, Keep: t.Keep,
		Why: strings.ToValidUTF8(t.Why[:min(len(t.Why), maxWhy)], ""), Since: t.Since.UTC(),
	})
	if err != nil {
		return "", fmt.Errorf("writing a tombstone: %w", err)
	}
	return string(encoded), nil
}

// read undoes write. What a person has broken is an error: a guess could delete the
// client of somebody else.
func read(text string) (identity.Tombstone, error) {
	var d document
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return identity.Tombstone{}, err
	}
	mark, ok := identity.ParseMark(d.Mark)
	if !ok || d.ClientID == "" {
		return identity.Tombstone{}, errors.New("there is no mark or no client id in it")
	}
	return identity.Tombstone{Mark: mark, ClientID: d.ClientID, AppID: d.AppID, Keep: d.Keep, Why: d.Why, Since: d.Since}, nil
}
