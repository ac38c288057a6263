package keysecret

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

var document = Document{
	ClientID:    "aik-1",
	Server:      identity.Server{Issuer: "https://o/oauth2/a", TokenURL: "https://o/oauth2/a/v1/token", Audience: "api://x"},
	Permissions: []string{"chat", "logs"},
}

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// desk is a Store with one key.
type desk struct {
	*Store
	*testing.T
	key  *v1alpha1.AgentAPIKey
	want desired.Key
}

func setUp(t *testing.T, method identity.AuthMethod, objects ...client.Object) *desk {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	owner := &v1alpha1.AgentAPIKey{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "bot", UID: "u1"}}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
	mark := identity.Mark{Cluster: "c", Kind: "AgentAPIKey", Namespace: "ns", Name: "bot", UID: "u1", Since: 100}
	want := desired.Key{Mark: mark, ClientID: "aik-1", Method: method, StagingName: "bot.staged", SecretName: "bot-okta"}
	return &desk{Store: &Store{Client: c, Live: c}, T: t, key: owner, want: want}
}

func (d *desk) must(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

func (d *desk) observe() *Stored {
	d.Helper()
	stored, err := d.Observe(context.Background(), d.key, d.want)
	d.must(err)
	stored.Compare(document)
	return stored
}

// issue mints and publishes, as a controller would.
func (d *desk) issue() *Stored {
	d.Helper()
	stored := d.observe()
	d.must(d.Mint(context.Background(), stored, now, stored.Staged.Newest, nil))
	d.must(d.Publish(context.Background(), stored, document, now))
	return d.observe()
}

func (d *desk) secret(name string) *corev1.Secret {
	d.Helper()
	secret := &corev1.Secret{}
	d.must(d.Client.Get(context.Background(), client.ObjectKey{Namespace: "ns", Name: name}, secret))
	return secret
}

func (d *desk) edit(name string, change func(*corev1.Secret)) {
	d.Helper()
	secret := d.secret(name)
	change(secret)
	d.must(d.Client.Update(context.Background(), secret))
}

func TestIssue(t *testing.T) {
	for _, method := range []identity.AuthMethod{identity.PrivateKeyJWT, identity.ClientSecretBasic} {
		t.Run(string(method), func(t *testing.T) {
			d := setUp(t, method)
			stored := d.issue()
			keyID := stored.Credential().KeyID
			wantStaged := plan.StagedSeen{State: plan.Intact, Owner: d.want.Mark, Newest: keyID, Created: now}
			wantPublished := plan.PublishedSeen{State: plan.Intact, Owner: d.want.Mark, KeyID: keyID, Filled: true, Since: now}
			if diff := cmp.Diff(wantStaged, stored.Staged); keyID == "" || diff != "" {
				t.Errorf("staged (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(wantPublished, stored.Published); diff != "" {
				t.Errorf("published (-want +got):\n%s", diff)
			}
			data := d.secret("bot-okta").Data
			plain := map[string]string{}
			for _, key := range []string{"client_id", "token_url", "issuer", "audience", "scopes"} {
				plain[key] = string(data[key])
			}
			if diff := cmp.Diff(map[string]string{
				"client_id": "aik-1", "token_url": "https://o/oauth2/a/v1/token", "issuer": "https://o/oauth2/a",
				"audience": "api://x", "scopes": "chat logs",
			}, plain); diff != "" {
				t.Errorf("published (-want +got):\n%s", diff)
			}
			if method == identity.PrivateKeyJWT {
				checkKeyPair(t, data, stored.Credential())
				return
			}
			if n := len(data[KeyClientSecret]); n < 14 || n > 100 || len(data) != 6 {
				t.Errorf("client_secret has %d characters (Okta takes 14 to 100), the Secret %d keys, want 6", n, len(data))
			}
		})
	}
}

// checkKeyPair holds that the three forms of the key are one key, and that Okta gets no private half.
func checkKeyPair(t *testing.T, data map[string][]byte, credential identity.Credential) {
	t.Helper()
	var private, public jose.JSONWebKey
	if err := errors.Join(json.Unmarshal(data["jwk"], &private), json.Unmarshal(credential.PublicJWK, &public)); err != nil {
		t.Fatal(err)
	}
	pem, err := parsePrivateKey(data[KeyPrivateKey])
	if err != nil {
		t.Fatal(err)
	}
	jwk, ok := private.Key.(*ecdsa.PrivateKey)
	if !ok || !jwk.Equal(pem) || !pem.PublicKey.Equal(public.Key) {
		t.Error("private_key.pem, jwk and the public key in the directory are not one key")
	}
	if string(data["key_id"]) != public.KeyID || private.KeyID != public.KeyID || !public.IsPublic() {
		t.Error("the key ids differ, or the public key is not public")
	}
	if len(data) != 8 {
		t.Errorf("the Secret has %d keys, want 8", len(data))
	}
}

func TestEditedSecretIsRestored(t *testing.T) {
	d := setUp(t, identity.PrivateKeyJWT)
	d.issue()
	original := d.secret("bot-okta")
	d.edit("bot-okta", func(s *corev1.Secret) { s.Data[KeyPrivateKey] = []byte("somebody else's") })
	stored := d.observe()
	if stored.Published.State != plan.Different {
		t.Fatalf("an edited Secret is %s, want %s", stored.Published.State, plan.Different)
	}
	d.must(d.Publish(context.Background(), stored, document, now.Add(time.Hour)))
	if diff := cmp.Diff(original.Data, d.secret("bot-okta").Data); diff != "" {
		t.Error("the restored Secret differs from the one published first")
	}
	if got := d.observe().Published.Since; !got.Equal(now) {
		t.Errorf("restoring made it published at %v, want %v: the overlap must not begin anew", got, now)
	}
}

func TestRestage(t *testing.T) {
	for _, method := range []identity.AuthMethod{identity.PrivateKeyJWT, identity.ClientSecretBasic} {
		d := setUp(t, method)
		d.want.Request = "first"
		before := d.issue()
		d.must(d.Client.Delete(context.Background(), d.secret("bot.staged")))
		stored := d.observe()
		if stored.Staged.State != plan.Absent || stored.Published.KeyID != before.Staged.Newest {
			t.Fatalf("%s: staged %s, published %+v; want Absent and the credential", method, stored.Staged.State, stored.Published)
		}
		d.must(d.Restage(context.Background(), stored, before.Staged.Newest))
		after := d.observe()
		if diff := cmp.Diff(before.Staged, after.Staged); diff != "" || after.Published.State != plan.Intact {
			t.Errorf("%s: restaging lost something (-before +after):\n%s", method, diff)
		}
	}
}

// TestRotation: both credentials are kept until the new one is published and the old one forgotten.
func TestRotation(t *testing.T) {
	for _, method := range []identity.AuthMethod{identity.PrivateKeyJWT, identity.ClientSecretBasic} {
		t.Run(string(method), func(t *testing.T) {
			d := setUp(t, method)
			first := d.issue().Staged.Newest
			old := d.secret("bot-okta").Data
			stored := d.observe()
			d.must(d.Mint(context.Background(), stored, now.Add(time.Hour), first, []string{first}))
			stored = d.observe()
			second := stored.Staged.Newest
			want := plan.StagedSeen{
				State: plan.Intact, Owner: d.want.Mark, Newest: second, Previous: first, Retiring: []string{first}, Created: now.Add(time.Hour),
			}
			if diff := cmp.Diff(want, stored.Staged); diff != "" || second == first {
				t.Errorf("after minting (-want +got):\n%s", diff)
			}
			if got := stored.Published; got.State != plan.Intact || got.KeyID != first {
				t.Errorf("after minting the published Secret is %+v, want the first, intact", got)
			}
			d.edit("bot-okta", func(s *corev1.Secret) { s.Data = nil })
			d.must(d.PublishOld(context.Background(), d.observe(), document, now.Add(time.Hour)))
			if diff := cmp.Diff(old, d.secret("bot-okta").Data); diff != "" {
				t.Error("the old credential was not restored while the new one is under way")
			}
			d.must(d.Publish(context.Background(), d.observe(), document, now.Add(2*time.Hour)))
			stored = d.observe()
			if got := stored.Published; got.State != plan.Intact || got.KeyID != second || !got.Since.Equal(now.Add(2*time.Hour)) {
				t.Errorf("after publishing: %+v, want the second, intact", got)
			}
			d.must(d.Forget(context.Background(), stored))
			stored = d.observe()
			want.Previous, want.Retiring = "", nil
			if diff := cmp.Diff(want, stored.Staged); diff != "" || len(d.secret("bot.staged").Data) != 1 {
				t.Errorf("after forgetting (-want +got):\n%s", diff)
			}
			if got := stored.Edition().Revision; got != 3 {
				t.Errorf("revision %d after publishing, restoring and rotating, want 3", got)
			}
		})
	}
}

// TestNamesFollowContent: what a person edits is another credential or none,
// whatever the annotation goes on saying; the copy that is good can be told.
func TestNamesFollowContent(t *testing.T) {
	for _, method := range []identity.AuthMethod{identity.PrivateKeyJWT, identity.ClientSecretBasic} {
		other, err := mint(method)
		if err != nil {
			t.Fatal(err)
		}
		for how, material := range map[string][]byte{"edited": []byte("edited by a person"), "swapped": other.Material.Reveal()} {
			for _, harmed := range []string{"bot.staged", "bot-okta"} {
				t.Run(string(method)+" "+how+" "+harmed, func(t *testing.T) {
					d := setUp(t, method)
					good := d.issue().Credential().KeyID
					d.edit(harmed, func(s *corev1.Secret) {
						for _, name := range []string{KeyPrivateKey, KeyClientSecret} {
							if s.Data[name] != nil {
								s.Data[name] = material
							}
						}
					})
					stored := d.observe()
					staged, published := stored.Staged.Newest == good, stored.Published.KeyID == good
					if staged != (harmed != "bot.staged") || published != (harmed != "bot-okta") {
						t.Errorf("staged %+v, published %+v, the good one is %s", stored.Staged, stored.Published, good)
					}
				})
			}
		}
	}
}

// TestLabelsComeBack: without its label a Secret of ours is out of the cache's sight.
func TestLabelsComeBack(t *testing.T) {
	d := setUp(t, identity.PrivateKeyJWT)
	d.issue()
	d.edit("bot-okta", func(s *corev1.Secret) { delete(s.Labels, LabelPart) })
	live := d.Client
	d.Client = interceptor.NewClient(live.(client.WithWatch), interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
			if err := c.Get(ctx, key, obj, opts...); err != nil || obj.GetLabels()[LabelPart] != "" {
				return err
			}
			return apierrors.NewNotFound(corev1.Resource("secrets"), key.Name)
		},
	})
	var e *identity.Error
	if _, err := d.Observe(context.Background(), d.key, d.want); !errors.As(err, &e) || e.Kind != identity.Waiting {
		t.Fatalf("the first look gives %v, want Waiting", err)
	}
	if stored := d.observe(); stored.Published.State != plan.Intact {
		t.Errorf("the second look sees %+v, want the Secret again", stored.Published)
	}
}

// TestTokens: the agent gets the token and never the key; the one before is kept for its revocation.
func TestTokens(t *testing.T) {
	d := setUp(t, identity.PrivateKeyJWT)
	d.want.DeliversToken = true
	stored := d.observe()
	d.must(d.Mint(context.Background(), stored, now, "", nil))
	for i, token := range []string{"token-1", "token-2"} {
		expires := now.Add(time.Duration(i+1) * time.Hour)
		granted := identity.AccessToken{Token: identity.NewSecret([]byte(token)), Expires: expires}
		d.must(d.KeepToken(context.Background(), d.observe(), granted, document.Permissions))
		d.must(d.Publish(context.Background(), d.observe(), document, now))
		stored = d.observe()
		if stored.Published.State != plan.Intact || !stored.Staged.TokenExpires.Equal(expires) || len(stored.Tokens()) != i+1 {
			t.Errorf("after %s: staged %+v, published %+v, %d tokens", token, stored.Staged, stored.Published, len(stored.Tokens()))
		}
		data := d.secret("bot-okta").Data
		if string(data[KeyAccessToken]) != token || data[KeyPrivateKey] != nil || data["jwk"] != nil {
			t.Errorf("after %s the Secret holds another token, or the key", token)
		}
	}
	d.must(d.Blank(context.Background(), stored))
	stored = d.observe()
	if len(d.secret("bot-okta").Data) != 0 || len(stored.Tokens()) != 0 || !stored.Staged.TokenExpires.IsZero() || stored.Staged.Newest == "" {
		t.Errorf("after blanking: staged %+v, %d tokens", stored.Staged, len(stored.Tokens()))
	}
}

// TestSuspensionIsRemembered: either Secret tells that it was us.
func TestSuspensionIsRemembered(t *testing.T) {
	for _, lost := range []string{"bot.staged", "bot-okta", ""} {
		d := setUp(t, identity.PrivateKeyJWT)
		d.must(d.NoteSuspension(context.Background(), d.issue(), true))
		if lost != "" {
			d.must(d.Client.Delete(context.Background(), d.secret(lost)))
		}
		stored := d.observe()
		if !stored.Staged.Suspended {
			t.Errorf("without %q nobody remembers the suspension", lost)
		}
		d.must(d.NoteSuspension(context.Background(), stored, false))
		if d.observe().Staged.Suspended {
			t.Errorf("without %q the note stays", lost)
		}
	}
}

func TestDeleteRemovesBoth(t *testing.T) {
	d := setUp(t, identity.PrivateKeyJWT)
	d.issue()
	for range 2 {
		if err := d.Delete(context.Background(), d.observe()); err != nil {
			t.Fatalf("deleting, also what is gone already: %v", err)
		}
	}
	if stored := d.observe(); stored.Staged.State != plan.Absent || stored.Published.State != plan.Absent {
		t.Errorf("after deleting: staged %s, published %s", stored.Staged.State, stored.Published.State)
	}
}

// TestReadingErrorsShowNothing holds that a mangled private key is not quoted.
func TestReadingErrorsShowNothing(t *testing.T) {
	const canary = "bm90LWEta2V5" // base64 of words that are no key
	for _, text := range []string{canary, "-----BEGIN PRIVATE KEY-----\n" + canary + "\n-----END PRIVATE KEY-----\n"} {
		_, err := parsePrivateKey([]byte(text))
		if err == nil || strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "not-a-key") {
			t.Errorf("error is %v; want one that does not quote its input", err)
		}
	}
}
