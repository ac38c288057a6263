package plan

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

var (
	keyMark = identity.Mark{Cluster: "c", Kind: "AgentAPIKey", Namespace: "ns", Name: "k", UID: "u1"}
	wantKey = desired.Key{
		Mark: keyMark, ClientID: "aik-1", Label: "k8s/c/ns/k", Method: identity.PrivateKeyJWT,
		StagingName: "k.staged", SecretName: "k-okta",
	}
	permissions = []string{"chat", "logs"}
)

// complete is a key of which everything stands.
func complete() KeySeen {
	return KeySeen{
		Staged:    SecretSeen{State: Intact, KeyID: "kid-1"},
		Published: SecretSeen{State: Intact, KeyID: "kid-1"},
		Client:    &identity.ClientSeen{ID: "0oa1", ClientID: "aik-1", Mark: keyMark, Method: identity.PrivateKeyJWT, KeyID: "kid-1", PublicKeyIDs: []string{"kid-1"}, Active: true},
		Role: identity.RoleSeen{
			Server: &identity.Server{ID: "aus1"},
			Grant:  &identity.Grant{Clients: []string{"aik-1"}, Permissions: permissions},
		},
		RoleReady: true, RoleRef: "ns/r", Permissions: permissions,
	}
}

func TestKey(t *testing.T) {
	foreign := identity.Mark{Cluster: "c", Kind: "AgentAPIKey", Namespace: "ns", Name: "k", UID: "u0"}
	type want struct {
		verbs  []KeyVerb
		kind   identity.Kind
		reason string
	}
	tests := map[string]struct {
		reason string
		change func(*KeySeen)
		want   want
	}{
		"Complete": {
			reason: "a key of which everything stands needs nothing: the plan of its own result is empty",
			change: func(*KeySeen) {},
		},
		"Fresh": {
			reason: "the credential is staged before the directory hears of it, and published only when it works",
			change: func(s *KeySeen) {
				s.Client, s.Staged, s.Published, s.Role.Grant = nil, SecretSeen{State: Absent}, SecretSeen{State: Absent}, nil
			},
			want: want{verbs: []KeyVerb{Mint, Register}, kind: identity.Waiting, reason: "WaitingForRole"},
		},
		"StagedOnly": {
			reason: "after a crash between staging and registering the staged credential is used, not a second one",
			change: func(s *KeySeen) {
				s.Client, s.Published, s.Role.Grant = nil, SecretSeen{State: Absent}, nil
			},
			want: want{verbs: []KeyVerb{Register}, kind: identity.Waiting, reason: "WaitingForRole"},
		},
		"Registered": {
			reason: "a registered key waits until the role's policy lists it",
			change: func(s *KeySeen) {
				s.Published = SecretSeen{State: Absent}
				s.Role.Grant = &identity.Grant{Clients: []string{"aik-other"}, Permissions: permissions}
			},
			want: want{kind: identity.Waiting, reason: "WaitingForRole"},
		},
		"GrantWithOtherPermissions": {
			reason: "scopes in the Secret that the policy does not grant would be a lie",
			change: func(s *KeySeen) { s.Role.Grant.Permissions = []string{"chat"} },
			want:   want{kind: identity.Waiting, reason: "WaitingForRole"},
		},
		"Granted": {
			reason: "a credential is proved before any agent sees it",
			change: func(s *KeySeen) { s.Published = SecretSeen{State: Absent} },
			want:   want{verbs: []KeyVerb{Probe, Publish}},
		},
		"PublishedRetouched": {
			reason: "a Secret that says something else beside the credential is put right",
			change: func(s *KeySeen) { s.Published.State = Different },
			want:   want{verbs: []KeyVerb{Publish}},
		},
		"PublishedEdited": {
			reason: "a Secret whose credential was edited is restored from the staged one, never by minting",
			change: func(s *KeySeen) { s.Published = SecretSeen{State: Different} },
			want:   want{verbs: []KeyVerb{Probe, Publish}},
		},
		"StagingLost": {
			reason: "the staging Secret is rebuilt from the published one",
			change: func(s *KeySeen) { s.Staged = SecretSeen{State: Absent} },
			want:   want{verbs: []KeyVerb{Restage}},
		},
		"StagingEdited": {
			reason: "also when it holds something else: what Okta knows decides which copy is good",
			change: func(s *KeySeen) { s.Staged = SecretSeen{State: Different, KeyID: "kid-2"} },
			want:   want{verbs: []KeyVerb{Restage}},
		},
		"BothLost": {
			reason: "minting in place of a credential Okta knows would be a rotation nobody asked for",
			change: func(s *KeySeen) { s.Staged, s.Published = SecretSeen{State: Absent}, SecretSeen{State: Absent} },
			want:   want{kind: identity.Rejected, reason: "SecretLost"},
		},
		"BothEdited": {
			reason: "a credential Okta does not know must not be published",
			change: func(s *KeySeen) {
				s.Staged, s.Published = SecretSeen{State: Intact, KeyID: "kid-2"}, SecretSeen{State: Intact, KeyID: "kid-2"}
			},
			want: want{kind: identity.Rejected, reason: "SecretLost"},
		},
		"StagingEditedBeforeRegistering": {
			reason: "an empty credential must not be registered",
			change: func(s *KeySeen) {
				s.Client, s.Published, s.Staged = nil, SecretSeen{State: Absent}, SecretSeen{State: Different}
			},
			want: want{kind: identity.Rejected, reason: "SecretLost"},
		},
		"DeletedInOkta": {
			reason: "a person's deletion is respected: the credential was out already",
			change: func(s *KeySeen) { s.Client = nil },
			want:   want{kind: identity.Rejected, reason: "DeletedInDirectory"},
		},
		"KeyRemovedInOkta": {
			reason: "Ready must not say what Okta would refuse",
			change: func(s *KeySeen) { s.Client.PublicKeyIDs = []string{"planted"} },
			want:   want{kind: identity.Rejected, reason: "RevokedInDirectory"},
		},
		"CredentialNameTakenOff": {
			reason: "no name must not pass for the name of a Secret without a credential",
			change: func(s *KeySeen) {
				s.Client.KeyID, s.Published, s.Staged = "", SecretSeen{State: Absent}, SecretSeen{State: Different}
			},
			want: want{kind: identity.Rejected, reason: "RevokedInDirectory"},
		},
		"MethodChangedInOkta": {
			reason: "nor when the client authenticates otherwise now",
			change: func(s *KeySeen) { s.Client.Method = identity.ClientSecretBasic },
			want:   want{kind: identity.Rejected, reason: "RevokedInDirectory"},
		},
		"ForeignSecret": {
			reason: "nothing is created in Okta while the Secret's name is taken",
			change: func(s *KeySeen) {
				s.Client, s.Staged, s.Published = nil, SecretSeen{State: Absent}, SecretSeen{State: Foreign}
			},
			want: want{kind: identity.Conflict, reason: "SecretConflict"},
		},
		"ForeignStaging": {
			reason: "a Secret that is not ours is never written, whatever its name",
			change: func(s *KeySeen) {
				s.Client, s.Staged, s.Published = nil, SecretSeen{State: Foreign}, SecretSeen{State: Absent}
			},
			want: want{kind: identity.Conflict, reason: "SecretConflict"},
		},
		"ForeignClient": {
			reason: "a client of a namesake, told by its uid, is not touched",
			change: func(s *KeySeen) { s.Client.Mark = foreign },
			want:   want{kind: identity.Conflict, reason: identity.ReasonConflict},
		},
		"Deactivated": {
			reason: "a person's deactivation is respected",
			change: func(s *KeySeen) { s.Client.Active = false },
			want:   want{kind: identity.Rejected, reason: "DeactivatedInDirectory"},
		},
		"RoleNotReady": {
			reason: "nothing is created for a role that is not complete",
			change: func(s *KeySeen) {
				s.RoleReady, s.Client = false, nil
				s.Staged, s.Published = SecretSeen{State: Absent}, SecretSeen{State: Absent}
			},
			want: want{kind: identity.Waiting, reason: "RoleNotReady"},
		},
		"RoleNotReadyLater": {
			reason: "a working key goes on while its role is being changed",
			change: func(s *KeySeen) { s.RoleReady = false },
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			seen := complete()
			tc.change(&seen)
			got := Key(wantKey, seen)
			var verbs []KeyVerb
			for _, step := range got.Steps {
				verbs = append(verbs, step.Verb)
				if step.Reason == "" {
					t.Errorf("%s: step %s has no reason", tc.reason, step.Verb)
				}
			}
			if diff := cmp.Diff(tc.want.verbs, verbs); diff != "" {
				t.Errorf("%s: steps (-want +got):\n%s", tc.reason, diff)
			}
			wantError(t, tc.reason, got.Then, tc.want.kind, tc.want.reason)
		})
	}
}

// wantError compares an error by its properties; reason "" wants none.
func wantError(t *testing.T, why string, err error, kind identity.Kind, reason string) {
	t.Helper()
	if reason == "" {
		if err != nil {
			t.Errorf("%s: unexpected error: %v", why, err)
		}
		return
	}
	var e *identity.Error
	if !errors.As(err, &e) {
		t.Fatalf("%s: error is %v, want an *identity.Error", why, err)
	}
	if e.Kind != kind || e.Reason != reason || e.Message == "" {
		t.Errorf("%s: error is %v %s %q, want %v %s with a message", why, e.Kind, e.Reason, e.Message, kind, reason)
	}
}

// TestKeyChecksInOrder pins the order of the checks: it is the specification. What
// is somebody else's comes first, for it must win over everything we could do.
func TestKeyChecksInOrder(t *testing.T) {
	var got []string
	for _, check := range keyChecks() {
		got = append(got, check.name)
	}
	want := []string{"ClientOurs", "ClientActive", "SecretsOurs", "NotDeleted", "CredentialTaken", "CredentialKnown", "RoleReady"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order of checks (-want +got):\n%s", diff)
	}
}

func at(seconds int) time.Time { return time.Unix(1_800_000_000+int64(seconds), 0) }
