package directorytest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// rotate does what a controller would, without waiting for agents in between: it puts
// one credential in the place of another.
func (r role) rotate(ctx context.Context, d identity.Directory, to identity.Credential) error {
	client, err := d.ObserveClient(ctx, r.client.ClientID, identity.ClientHint{Label: r.client.Label})
	if err != nil {
		return err
	}
	if client == nil {
		return &identity.Error{Kind: identity.Waiting, Reason: identity.ReasonWaiting, Message: "the client is not seen", RetryAfter: time.Second}
	}
	if err := d.AddCredential(ctx, *client, to); err != nil {
		return err
	}
	return d.RemoveCredential(ctx, *client, r.client.Credential.KeyID)
}

// mustHave holds which credentials a client has, all of them active.
func mustHave(t *testing.T, d identity.Directory, r role, want ...identity.Credential) {
	t.Helper()
	client := mustSeeClient(t, d, r)
	seen, err := d.ObserveCredentials(t.Context(), client)
	if err != nil {
		t.Fatalf("observing the credentials: %v", err)
	}
	names, has := []string{}, []string{}
	for _, c := range seen {
		if has = append(has, c.KeyID); !c.Active || c.ID == "" {
			t.Errorf("a credential is inactive, or has no id: %+v", c)
		}
	}
	for _, c := range want {
		names = append(names, c.KeyID)
	}
	slices.Sort(names)
	slices.Sort(has)
	if diff := cmp.Diff(names, has); diff != "" {
		t.Errorf("credentials (-want +got):\n%s", diff)
	}
	if client.Method == identity.PrivateKeyJWT {
		if diff := cmp.Diff(names, mustSeeClient(t, d, r).PublicKeyIDs); diff != "" {
			t.Errorf("public keys (-want +got):\n%s", diff)
		}
	}
}

func testRotated(t *testing.T, newHarness func(*testing.T) Harness) {
	for _, method := range []identity.AuthMethod{identity.PrivateKeyJWT, identity.ClientSecretBasic} {
		t.Run(string(method), func(t *testing.T) {
			h, r := built(t, newHarness, "rotated", method)
			d, old, next := h.Directory, r.client.Credential, h.Credential(method)
			seen, err := d.ObserveRole(t.Context(), r.mark, r.group.Name)
			if err != nil {
				t.Fatalf("observing the role: %v", err)
			}
			probe := func(credential identity.Credential) error {
				return d.Probe(t.Context(), *seen.Server, r.client.ClientID, credential, r.names())
			}
			client := mustSeeClient(t, d, r)
			mustHave(t, d, r, old)
			twice(t, h, "adding", func() error { return d.AddCredential(t.Context(), client, next) })
			mustHave(t, d, r, old, next)
			mustHave(t, h.Reopen(), r, old, next)
			for _, credential := range []identity.Credential{old, next} {
				if err := probe(credential); err != nil {
					t.Errorf("while both are there, one is refused: %v", err)
				}
			}
			twice(t, h, "removing", func() error { return d.RemoveCredential(t.Context(), client, old.KeyID) })
			mustHave(t, d, r, next)
			mustHave(t, h.Reopen(), r, next)
			mustBeKind(t, "probing what was removed", probe(old), identity.Waiting)
			if err := probe(next); err != nil {
				t.Errorf("after the rotation the new one is refused: %v", err)
			}
			if seen := mustSeeClient(t, d, r); seen.Registered != old.KeyID {
				t.Errorf("the client was registered with %s, now with %s", old.KeyID, seen.Registered)
			}
			// A fresh process, too, finds done what is done.
			fresh, writes := h.Reopen(), h.Writes()
			if err := r.rotate(t.Context(), fresh, next); err != nil || h.Writes() != writes {
				t.Errorf("rotating again: %v after %d writes, want success without", err, h.Writes()-writes)
			}
			wrong := h.Credential(otherThan(method))
			mustBeKind(t, "adding one of another method", d.AddCredential(t.Context(), client, wrong), identity.Rejected)
		})
	}
}

// testRenewed holds that a client which signs is given its next key, and the name of it, by one
// write.
func testRenewed(t *testing.T, newHarness func(*testing.T) Harness) {
	h, r := built(t, newHarness, "renewed", identity.PrivateKeyJWT)
	d, old, renewed := h.Directory, r.client.Credential, r.client
	renewed.Credential = h.Credential(identity.PrivateKeyJWT)
	next := renewed.Credential
	before := h.Writes()
	until(t, h, "renewing", func() error { return d.UpdateClient(t.Context(), mustSeeClient(t, d, r), renewed) })
	if n := h.Writes() - before; n != 1 {
		t.Errorf("%d writes, want one", n)
	}
	twice(t, h, "renewing again", func() error { return d.UpdateClient(t.Context(), mustSeeClient(t, d, r), renewed) })
	for _, d := range []identity.Directory{d, h.Reopen()} {
		mustHave(t, d, r, old, next)
		if seen := mustSeeClient(t, d, r); seen.Registered != next.KeyID || !slices.Equal(seen.Earlier, []string{old.KeyID}) {
			t.Errorf("the client names %s, and before it %v", seen.Registered, seen.Earlier)
		}
	}
	until(t, h, "removing", func() error { return d.RemoveCredential(t.Context(), mustSeeClient(t, d, r), old.KeyID) })
	mustHave(t, d, r, next)
	mustHave(t, h.Reopen(), r, next)

	var given identity.Credential
	for range h.Limit(identity.PrivateKeyJWT) - 1 {
		given = h.Credential(identity.PrivateKeyJWT)
		h.Hand.Give(r.client.ClientID, given)
	}
	renewed.Credential = h.Credential(identity.PrivateKeyJWT)
	err := h.Reopen().UpdateClient(t.Context(), mustSeeClient(t, h.Reopen(), r), renewed)
	mustBeKind(t, "one too many", err, identity.Rejected)
	if typed := mustBeTyped(t, "one too many", err); typed.Reason != identity.ReasonCredentialLimit {
		t.Errorf("got %#v, want %s", typed, identity.ReasonCredentialLimit)
	}
	renewed.Credential = given
	until(t, h, "naming one that is there", func() error { return d.UpdateClient(t.Context(), mustSeeClient(t, d, r), renewed) })

	secret := r.client
	secret.ClientID += "-secret"
	secret.Credential = h.Credential(identity.ClientSecretBasic)
	until(t, h, "registering", func() error { return d.RegisterClient(t.Context(), secret) })
	seen, err := d.ObserveClient(t.Context(), secret.ClientID, identity.ClientHint{Label: secret.Label})
	if err != nil || seen == nil {
		t.Fatalf("observing: %v, %v", seen, err)
	}
	secret.Credential = next
	mustBeKind(t, "a key for a client that does not sign", d.UpdateClient(t.Context(), *seen, secret), identity.Rejected)
}

// testReplaced holds that the client tells which credentials were replaced, as long as it
// may still take them, whoever it was that brought one back.
func testReplaced(t *testing.T, newHarness func(*testing.T) Harness) {
	for _, method := range []identity.AuthMethod{identity.PrivateKeyJWT, identity.ClientSecretBasic} {
		t.Run(string(method), func(t *testing.T) {
			h, r := built(t, newHarness, "replaced", method)
			mustTell := func(what string, d identity.Directory, want ...string) {
				t.Helper()
				if diff := cmp.Diff(want, mustSeeClient(t, d, r).Earlier); diff != "" {
					t.Errorf("%s, the earlier ones are (-want +got):\n%s", what, diff)
				}
			}
			d, old := h.Directory, r.client.Credential
			var gone []string // what a client with secrets goes on naming
			replace := func(next identity.Credential) {
				until(t, h, "adding", func() error { return d.AddCredential(t.Context(), mustSeeClient(t, d, r), next) })
				named := r.client
				named.Credential = identity.Credential{KeyID: next.KeyID}
				until(t, h, "naming", func() error { return d.UpdateClient(t.Context(), mustSeeClient(t, d, r), named) })
			}
			for range 6 {
				next := h.Credential(method)
				replace(next)
				mustTell("while both are there", d, append(gone, old.KeyID)...)
				mustTell("while both are there, to another", h.Reopen(), append(gone, old.KeyID)...)
				until(t, h, "removing", func() error { return d.RemoveCredential(t.Context(), mustSeeClient(t, d, r), old.KeyID) })
				if method != identity.PrivateKeyJWT {
					gone = append(gone, old.KeyID)
					gone = gone[max(0, len(gone)-3):]
					old = next
					continue
				}
				mustTell("after one is gone", d)
				mustTell("after one is gone, to another", h.Reopen())
				h.Hand.Give(r.client.ClientID, old)
				mustTell("when it is back", h.Reopen(), old.KeyID)
				d = h.Reopen()
				until(t, h, "removing it again", func() error { return d.RemoveCredential(t.Context(), mustSeeClient(t, d, r), old.KeyID) })
				old = next
			}
		})
	}
}

func otherThan(method identity.AuthMethod) identity.AuthMethod {
	if method == identity.PrivateKeyJWT {
		return identity.ClientSecretBasic
	}
	return identity.PrivateKeyJWT
}

// twice holds that a step succeeds, and succeeds again without a write.
func twice(t *testing.T, h Harness, what string, do func() error) {
	t.Helper()
	until(t, h, what, do)
	writes := h.Writes()
	if err := do(); err != nil || h.Writes() != writes {
		t.Errorf("%s twice: %v after %d writes, want success without", what, err, h.Writes()-writes)
	}
}

// testRotationLost loses the answer of every write of a rotation.
func testRotationLost(t *testing.T, newHarness func(*testing.T) Harness) {
	for _, method := range []identity.AuthMethod{identity.PrivateKeyJWT, identity.ClientSecretBasic} {
		h, r := built(t, newHarness, "rotated", method)
		next, writes := h.Credential(method), h.Writes()
		until(t, h, "rotating", func() error { return r.rotate(t.Context(), h.Directory, next) })
		reference, writes := h.Objects(), h.Writes()-writes
		for _, when := range []Loss{BeforeCommit, AfterCommit} {
			for nth := range writes {
				for _, restart := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s, write %d %s, restarted %v", method, nth+1, when, restart), func(t *testing.T) {
						h := newHarness(t)
						until(t, h, "building", func() error { return r.build(t.Context(), h.Directory) })
						h.Step(time.Hour)
						h.Lose(when, nth+1)
						loseAndGoOn(t, h, restart, func(d identity.Directory) error { return r.rotate(t.Context(), d, next) })
						mustHave(t, h.Reopen(), r, next)
						if diff := cmp.Diff(reference, h.Objects()); diff != "" {
							t.Errorf("(-without loss +with loss):\n%s", diff)
						}
					})
				}
			}
		}
	}
}

// testRotationLags changes a client that has only just been made, and holds that the
// directory's lag costs time and nothing else.
func testRotationLags(t *testing.T, newHarness func(*testing.T) Harness) {
	for _, method := range []identity.AuthMethod{identity.PrivateKeyJWT, identity.ClientSecretBasic} {
		t.Run(string(method), func(t *testing.T) {
			h := newHarness(t)
			until(t, h, "creating the server", func() error { return h.Directory.CreateServer(t.Context(), false, nil) })
			h.Step(time.Hour)
			h.Lag(20 * time.Second)
			r, next := newRole(h, "lagging", method), h.Credential(method)
			until(t, h, "building", func() error { return r.build(t.Context(), h.Directory) })
			changed := r
			changed.client.Note = "Other words"
			until(t, h, "updating", func() error { return changed.register(t.Context(), h.Directory) })
			until(t, h, "rotating", func() error { return r.rotate(t.Context(), h.Directory, next) })
			if seen := mustSeeClient(t, h.Directory, r); seen.Note != "Other words" || !seen.Active {
				t.Errorf("after the lag there is %+v", seen)
			}
			mustHave(t, h.Directory, r, next)
			h.Step(time.Minute)
			mustHave(t, h.Reopen(), r, next)
		})
	}
}

// testOthersCredentials holds that a credential somebody else gave the client is shown,
// and stays.
func testOthersCredentials(t *testing.T, newHarness func(*testing.T) Harness) {
	h, r := built(t, newHarness, "others", identity.PrivateKeyJWT)
	old, others, next := r.client.Credential, h.Credential(identity.PrivateKeyJWT), h.Credential(identity.PrivateKeyJWT)
	h.Hand.Give(r.client.ClientID, others)
	client := mustSeeClient(t, h.Directory, r)
	seen, err := h.Directory.ObserveCredentials(t.Context(), client)
	if err != nil || len(seen) != 2 {
		t.Errorf("observing: got %+v, %v, want two", seen, err)
	}
	until(t, h, "rotating", func() error { return r.rotate(t.Context(), h.Directory, next) })
	mustHave(t, h.Directory, r, others, next)
	mustHave(t, h.Reopen(), r, others, next)
	// It is a credential like any other: who asks for its end by name gets it.
	until(t, h, "removing", func() error { return h.Directory.RemoveCredential(t.Context(), client, others.KeyID) })
	mustHave(t, h.Directory, r, next)
	if slices.Contains(mustSeeClient(t, h.Reopen(), r).PublicKeyIDs, old.KeyID) {
		t.Error("what was removed is seen again")
	}
}

// testLimit holds what is said of a client that has as many credentials as it can.
func testLimit(t *testing.T, newHarness func(*testing.T) Harness) {
	for _, method := range []identity.AuthMethod{identity.PrivateKeyJWT, identity.ClientSecretBasic} {
		t.Run(string(method), func(t *testing.T) {
			h, r := built(t, newHarness, "limit", method)
			var given identity.Credential
			for range h.Limit(method) - 1 {
				given = h.Credential(method)
				h.Hand.Give(r.client.ClientID, given)
			}
			before := h.Objects()
			for _, d := range []identity.Directory{h.Directory, h.Reopen()} {
				next := h.Credential(method)
				err := d.AddCredential(t.Context(), mustSeeClient(t, d, r), next)
				mustBeKind(t, "adding one too many", err, identity.Rejected)
				if typed := mustBeTyped(t, "adding one too many", err); typed.Reason != identity.ReasonCredentialLimit || typed.RetryAfter == 0 {
					t.Errorf("got %#v, want %s, to be looked at again", typed, identity.ReasonCredentialLimit)
				}
				mustNotShow(t, err, next)
				// One that is there is there, whatever the limit.
				if err := d.AddCredential(t.Context(), mustSeeClient(t, d, r), given); err != nil {
					t.Errorf("adding what is there: %v", err)
				}
			}
			if diff := cmp.Diff(before, h.Objects()); diff != "" {
				t.Errorf("(-before +after):\n%s", diff)
			}
			client, next := mustSeeClient(t, h.Directory, r), h.Credential(method)
			until(t, h, "making room", func() error { return h.Directory.RemoveCredential(t.Context(), client, given.KeyID) })
			until(t, h, "adding", func() error { return h.Directory.AddCredential(t.Context(), client, next) })
		})
	}
}

// testLastCredential holds that a client is not left without a credential.
func testLastCredential(t *testing.T, newHarness func(*testing.T) Harness) {
	for _, method := range []identity.AuthMethod{identity.PrivateKeyJWT, identity.ClientSecretBasic} {
		t.Run(string(method), func(t *testing.T) {
			h, r := built(t, newHarness, "last", method)
			before := h.Objects()
			for _, d := range []identity.Directory{h.Directory, h.Reopen()} {
				err := d.RemoveCredential(t.Context(), mustSeeClient(t, d, r), r.client.Credential.KeyID)
				mustBeKind(t, "removing the last one", err, identity.Rejected)
				if err := d.RemoveCredential(t.Context(), mustSeeClient(t, d, r), "never-was"); err != nil {
					t.Errorf("removing what is not there: %v", err)
				}
			}
			if diff := cmp.Diff(before, h.Objects()); diff != "" {
				t.Errorf("(-before +after):\n%s", diff)
			}
			mustHave(t, h.Directory, r, r.client.Credential)
		})
	}
}

// testRevoked holds that a token is what it is said to be, and can be taken back.
func testRevoked(t *testing.T, newHarness func(*testing.T) Harness) {
	for _, method := range []identity.AuthMethod{identity.PrivateKeyJWT, identity.ClientSecretBasic} {
		t.Run(string(method), func(t *testing.T) {
			h, r := built(t, newHarness, "revoked", method)
			seen, err := h.Directory.ObserveRole(t.Context(), r.mark, r.group.Name)
			if err != nil {
				t.Fatalf("observing the role: %v", err)
			}
			obtain := func(credential identity.Credential) (identity.AccessToken, error) {
				return h.Directory.ObtainToken(t.Context(), *seen.Server, r.client.ClientID, credential, r.names())
			}
			revoke := func(credential identity.Credential, token identity.Secret) error {
				return h.Directory.RevokeToken(t.Context(), *seen.Server, r.client.ClientID, credential, token)
			}
			right, wrong := r.client.Credential, h.Credential(method)
			wrong.KeyID = right.KeyID
			first, err := obtain(right)
			if err != nil {
				t.Fatalf("obtaining a token: %v", err)
			}
			second, err := obtain(right)
			if err != nil || !h.IsActive(first.Token) || !h.IsActive(second.Token) {
				t.Fatalf("two tokens are not both active: %v", err)
			}
			if !first.Expires.Equal(second.Expires) || first.Expires.IsZero() {
				t.Errorf("of two tokens of one moment, one expires at %s and one at %s", first.Expires, second.Expires)
			}
			err = revoke(wrong, first.Token)
			mustBeKind(t, "revoking with another credential", err, identity.Waiting)
			mustNotShow(t, err, wrong)
			for _, try := range []string{"first", "second"} {
				if err := revoke(right, first.Token); err != nil {
					t.Errorf("revoking for the %s time: %v", try, err)
				}
			}
			if err := revoke(right, identity.NewSecret([]byte("no token at all"))); err != nil {
				t.Errorf("revoking what is none: %v", err)
			}
			if h.IsActive(first.Token) || !h.IsActive(second.Token) {
				t.Error("not the token that was revoked is inactive, and no other")
			}
			h.Step(r.lifetime - time.Second)
			if !h.IsActive(second.Token) {
				t.Error("a token ends before it is said to")
			}
			h.Step(2 * time.Second)
			if h.IsActive(second.Token) {
				t.Error("a token outlives what is said of it")
			}
			if err := revoke(right, second.Token); err != nil {
				t.Errorf("revoking what has expired: %v", err)
			}
			_, err = obtain(wrong)
			mustBeKind(t, "obtaining a token with another credential", err, identity.Waiting)
			mustNotShow(t, err, wrong)
		})
	}
}
