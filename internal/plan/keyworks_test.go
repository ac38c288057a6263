package plan

import (
	"errors"
	"testing"

	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// TestWorks holds when the Secret that an agent has is good whatever else is to be done.
func TestWorks(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		from   func() KeySeen
		want   func(*desired.Key)
		seen   func(*KeySeen)
		works  bool
	}{
		"Complete":    {reason: "nothing is to be done", works: true},
		"Rotating":    {reason: "the old credential stays until the new one is published", from: rotating, works: true},
		"Overlapping": {reason: "the old one is only to be ended", from: overlapping, works: true},
		"Renamed":     {reason: "what an app is called is of no matter to its agent", seen: func(s *KeySeen) { s.Client.Label = "other" }, works: true},
		"Fresh":       {reason: "there is nothing", from: fresh},
		"NoSecret":    {reason: "the agent has nothing", seen: func(s *KeySeen) { s.Published = PublishedSeen{State: Absent} }},
		"Edited":      {reason: "it may have anything", seen: func(s *KeySeen) { s.Published.State = Different }},
		"NotTaken":    {reason: "Okta does not take it", seen: func(s *KeySeen) { s.Client.PublicKeyIDs = []string{"kid-2"} }},
		"Inactive":    {reason: "Okta takes nothing", seen: func(s *KeySeen) { s.Client.Active = false }},
		"Foreign":     {reason: "the client is somebody else's", seen: func(s *KeySeen) { s.Client.Mark.UID = "u2" }},
		"NoRole":      {reason: "it has no role", seen: func(s *KeySeen) { s.RoleMissing = errors.New("none") }},
		"NotListed":   {reason: "the role does not list it", seen: func(s *KeySeen) { s.Role.Grant = &identity.Grant{Permissions: permissions} }},
		"Suspended":   {reason: "it is to have none", want: func(w *desired.Key) { w.Suspended = true }},
		"Expired":     {reason: "it is to have none any more", want: func(w *desired.Key) { w.ExpiresAt = at(0) }},
		"Quarantined": {reason: "it is to be cut off", seen: func(s *KeySeen) { s.Quarantine = "incident" }},
		"Cleansing":   {reason: "others have the credential too", seen: func(s *KeySeen) { s.Staged.Quarantined = []string{"kid-1"} }},
		"Token":       {reason: "its token is valid", want: deliversToken, seen: func(s *KeySeen) { s.Staged.TokenExpires = at(1) }, works: true},
		"OldToken":    {reason: "its token has expired", want: deliversToken, seen: func(s *KeySeen) { s.Staged.TokenExpires = at(0) }},
	} {
		t.Run(name, func(t *testing.T) {
			wish, seen := wishedKey(), complete()
			if tc.from != nil {
				seen = tc.from()
			}
			if tc.want != nil {
				tc.want(&wish)
			}
			if tc.seen != nil {
				tc.seen(&seen)
			}
			if got := Works(wish, seen, at(0)); got != tc.works {
				t.Errorf("%s: it works: %t", tc.reason, got)
			}
		})
	}
}

func deliversToken(w *desired.Key) { w.DeliversToken = true }
