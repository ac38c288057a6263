package keysecret

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"strings"
	"testing"

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

func setUp(t *testing.T, method identity.AuthMethod, objects ...client.Object) (*Store, *v1alpha1.AgentAPIKey, desired.Key) {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	owner := &v1alpha1.AgentAPIKey{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "bot", UID: "u1"}}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
	want := desired.Key{ClientID: "aik-1", Method: method, StagingName: "bot.staged", SecretName: "bot-okta"}
	return &Store{Client: c, Live: c}, owner, want
}

func observe(t *testing.T, s *Store, owner *v1alpha1.AgentAPIKey, want desired.Key) *Stored {
	t.Helper()
	stored, err := s.Observe(context.Background(), owner, want, document)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// issue mints and publishes, as a controller would.
func issue(t *testing.T, s *Store, owner *v1alpha1.AgentAPIKey, want desired.Key) *Stored {
	t.Helper()
	stored := observe(t, s, owner, want)
	if err := s.Mint(context.Background(), owner, want, stored); err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(context.Background(), owner, want, document, stored); err != nil {
		t.Fatal(err)
	}
	return observe(t, s, owner, want)
}

func secretData(t *testing.T, s *Store, name string) *corev1.Secret {
	t.Helper()
	secret := &corev1.Secret{}
	if err := s.Client.Get(context.Background(), client.ObjectKey{Namespace: "ns", Name: name}, secret); err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestIssue(t *testing.T) {
	for _, method := range []identity.AuthMethod{identity.PrivateKeyJWT, identity.ClientSecretBasic} {
		t.Run(string(method), func(t *testing.T) {
			s, owner, want := setUp(t, method)
			stored := issue(t, s, owner, want)
			keyID := stored.Credential().KeyID
			intact := plan.SecretSeen{State: plan.Intact, KeyID: keyID}
			if keyID == "" || stored.Staged != intact || stored.Published != intact {
				t.Errorf("after issuing: staged %+v, published %+v, want both %+v", stored.Staged, stored.Published, intact)
			}
			data := secretData(t, s, "bot-okta").Data
			plain := map[string]string{}
			for _, key := range []string{KeyClientID, KeyTokenURL, KeyIssuer, KeyAudience, KeyScopes} {
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
	if err := errors.Join(json.Unmarshal(data[KeyJWK], &private), json.Unmarshal(credential.PublicJWK, &public)); err != nil {
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
	if string(data[KeyKeyID]) != public.KeyID || private.KeyID != public.KeyID || !public.IsPublic() {
		t.Error("the key ids differ, or the public key is not public")
	}
	if len(data) != 8 {
		t.Errorf("the Secret has %d keys, want 8", len(data))
	}
}

func TestEditedSecretIsRestored(t *testing.T) {
	s, owner, want := setUp(t, identity.PrivateKeyJWT)
	issue(t, s, owner, want)
	original := secretData(t, s, "bot-okta")
	edited := original.DeepCopy()
	edited.Data[KeyPrivateKey] = []byte("somebody else's")
	if err := s.Client.Update(context.Background(), edited); err != nil {
		t.Fatal(err)
	}
	stored := observe(t, s, owner, want)
	if stored.Published.State != plan.Different {
		t.Fatalf("an edited Secret is %s, want %s", stored.Published.State, plan.Different)
	}
	if err := s.Publish(context.Background(), owner, want, document, stored); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(original.Data, secretData(t, s, "bot-okta").Data); diff != "" {
		t.Error("the restored Secret differs from the one published first")
	}
}

func TestRestage(t *testing.T) {
	for _, method := range []identity.AuthMethod{identity.PrivateKeyJWT, identity.ClientSecretBasic} {
		s, owner, want := setUp(t, method)
		before := issue(t, s, owner, want)
		if err := s.Client.Delete(context.Background(), secretData(t, s, "bot.staged")); err != nil {
			t.Fatal(err)
		}
		stored := observe(t, s, owner, want)
		if stored.Staged.State != plan.Absent || stored.Published.State != plan.Intact {
			t.Fatalf("%s: staged %s, published %s; want Absent and Intact", method, stored.Staged.State, stored.Published.State)
		}
		if err := s.Restage(context.Background(), owner, want, stored); err != nil {
			t.Fatal(err)
		}
		after := observe(t, s, owner, want)
		if after.Credential().KeyID != before.Credential().KeyID || after.Published.State != plan.Intact {
			t.Errorf("%s: restaging changed the credential", method)
		}
	}
}

func TestSwappedStagingIsAnotherCredential(t *testing.T) {
	s, owner, want := setUp(t, identity.PrivateKeyJWT)
	issue(t, s, owner, want)
	other, err := mint(identity.PrivateKeyJWT)
	if err != nil {
		t.Fatal(err)
	}
	staged := secretData(t, s, "bot.staged")
	staged.Data[KeyPrivateKey] = other.Material.Reveal()
	if err := s.Client.Update(context.Background(), staged); err != nil {
		t.Fatal(err)
	}
	if stored := observe(t, s, owner, want); stored.Staged.KeyID != other.KeyID || stored.Published.State != plan.Different {
		t.Errorf("a swapped private key is seen as %+v, want the name of the other key", stored.Staged)
	}
}

// TestNamesFollowContent: what a person edits is another credential or none,
// whatever the annotation goes on saying; the copy that is good can be told.
func TestNamesFollowContent(t *testing.T) {
	for _, method := range []identity.AuthMethod{identity.PrivateKeyJWT, identity.ClientSecretBasic} {
		for _, harmed := range []string{"bot.staged", "bot-okta"} {
			t.Run(string(method)+" "+harmed, func(t *testing.T) {
				s, owner, want := setUp(t, method)
				good := issue(t, s, owner, want).Credential().KeyID
				secret := secretData(t, s, harmed)
				for _, name := range []string{KeyPrivateKey, KeyClientSecret} {
					if secret.Data[name] != nil {
						secret.Data[name] = []byte("edited by a person")
					}
				}
				if err := s.Client.Update(context.Background(), secret); err != nil {
					t.Fatal(err)
				}
				stored := observe(t, s, owner, want)
				staged, published := stored.Staged.KeyID == good, stored.Published.KeyID == good
				if staged != (harmed != "bot.staged") || published != (harmed != "bot-okta") {
					t.Errorf("after editing %s: staged %+v, published %+v, the good one is %s", harmed, stored.Staged, stored.Published, good)
				}
			})
		}
	}
}

// TestLabelsComeBack: without its label a Secret of ours is out of the cache's sight.
func TestLabelsComeBack(t *testing.T) {
	s, owner, want := setUp(t, identity.PrivateKeyJWT)
	issue(t, s, owner, want)
	secret := secretData(t, s, "bot-okta")
	delete(secret.Labels, LabelPart)
	if err := s.Client.Update(context.Background(), secret); err != nil {
		t.Fatal(err)
	}
	live := s.Client
	s.Client = interceptor.NewClient(live.(client.WithWatch), interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
			if err := c.Get(ctx, key, obj, opts...); err != nil || obj.GetLabels()[LabelPart] != "" {
				return err
			}
			return apierrors.NewNotFound(corev1.Resource("secrets"), key.Name)
		},
	})
	var e *identity.Error
	if _, err := s.Observe(context.Background(), owner, want, document); !errors.As(err, &e) || e.Kind != identity.Waiting {
		t.Fatalf("the first look gives %v, want Waiting", err)
	}
	if stored := observe(t, s, owner, want); stored.Published.State != plan.Intact {
		t.Errorf("the second look sees %+v, want the Secret again", stored.Published)
	}
}

// TestForeignSecretsStay holds that a Secret is ours by the owner's UID and our
// label together, and that nothing else is changed or deleted.
func TestForeignSecretsStay(t *testing.T) {
	yes := true
	owned := []metav1.OwnerReference{{APIVersion: "agentidentity.dev/v1alpha1", Kind: "AgentAPIKey", Name: "bot", UID: "u0", Controller: &yes}}
	tests := map[string]struct {
		reason string
		meta   metav1.ObjectMeta
	}{
		"Unowned":      {"somebody's own Secret", metav1.ObjectMeta{}},
		"Labelled":     {"a label is no proof", metav1.ObjectMeta{Labels: map[string]string{labelManagedBy: managedBy, LabelPart: partPublished}}},
		"OfANamesake":  {"the UID of a key that lived before is another's", metav1.ObjectMeta{OwnerReferences: owned, Labels: map[string]string{LabelPart: partPublished}}},
		"OtherManager": {"cert-manager's", metav1.ObjectMeta{Labels: map[string]string{labelManagedBy: "cert-manager"}}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			secret := &corev1.Secret{ObjectMeta: tc.meta, Data: map[string][]byte{"x": []byte("theirs")}}
			secret.Namespace, secret.Name = "ns", "bot-okta"
			s, owner, want := setUp(t, identity.ClientSecretBasic, secret)
			stored := observe(t, s, owner, want)
			if stored.Published.State != plan.Foreign {
				t.Fatalf("%s: the Secret is seen as %s, want Foreign", tc.reason, stored.Published.State)
			}
			if err := s.Mint(context.Background(), owner, want, stored); err != nil {
				t.Fatal(err)
			}
			var e *identity.Error
			if err := s.Publish(context.Background(), owner, want, document, stored); !errors.As(err, &e) || e.Kind != identity.Waiting {
				t.Errorf("%s: publishing over it gives %v, want an error of kind Waiting", tc.reason, err)
			}
			if err := s.Delete(context.Background(), owner, want); err != nil {
				t.Fatal(err)
			}
			if got := secretData(t, s, "bot-okta"); string(got.Data["x"]) != "theirs" || len(got.Data) != 1 {
				t.Errorf("%s: the Secret was changed", tc.reason)
			}
		})
	}
}

func TestDeleteRemovesBoth(t *testing.T) {
	s, owner, want := setUp(t, identity.PrivateKeyJWT)
	issue(t, s, owner, want)
	for range 2 {
		if err := s.Delete(context.Background(), owner, want); err != nil {
			t.Fatalf("deleting, also what is gone already: %v", err)
		}
	}
	if stored := observe(t, s, owner, want); stored.Staged.State != plan.Absent || stored.Published.State != plan.Absent {
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
