package story

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestShapes: the Secret has the shape that the key asks for and no other, an agent can
// work with it, and it comes back to the byte when somebody edits it, without Okta.
func TestShapes(t *testing.T) {
	tests := map[string]struct {
		delivery v1alpha1.Delivery
		shape    v1alpha1.SecretTarget
		kind     corev1.SecretType
		keys     []string
	}{
		"Environment": {
			delivery: v1alpha1.DeliveryPrivateKeyJWT, shape: v1alpha1.SecretTarget{Preset: v1alpha1.PresetEnvironment}, kind: "Opaque",
			keys: []string{
				"OKTA_OAUTH2_AUDIENCE", "OKTA_OAUTH2_CLIENT_ID", "OKTA_OAUTH2_ISSUER", "OKTA_OAUTH2_JWK", "OKTA_OAUTH2_KEY_ID",
				"OKTA_OAUTH2_PRIVATE_KEY", "OKTA_OAUTH2_SCOPES", "OKTA_OAUTH2_TOKEN_URL",
			},
		},
		"ServiceBinding": {
			delivery: v1alpha1.DeliveryClientSecret, shape: v1alpha1.SecretTarget{Preset: v1alpha1.PresetServiceBinding},
			kind: "servicebinding.io/oauth2",
			keys: []string{
				"audience", "authorization-grant-type", "client-authentication-method", "client-id", "client-secret", "issuer-uri",
				"provider", "scope", "token-uri", "type",
			},
		},
		"Template": {
			delivery: v1alpha1.DeliveryClientSecret, kind: "Opaque", keys: []string{"files.json"},
			shape: v1alpha1.SecretTarget{Template: map[string]v1alpha1.TemplateText{"files.json": filesTemplate}},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, oktasim.Options{})
			w.start(impatient)
			key := w.key("bot", "chat", tc.delivery)
			tc.shape.Name = key.Spec.Secret.Name
			key.Spec.Secret = tc.shape
			w.create(w.role("chat", "a"), key)
			readyKey(w, "bot")
			secret := &corev1.Secret{}
			w.get("bot-okta", secret)
			if diff := cmp.Diff(tc.keys, slices.Sorted(maps.Keys(secret.Data))); diff != "" || secret.Type != tc.kind {
				t.Errorf("a Secret of type %s, its keys (-want +got):\n%s", secret.Type, diff)
			}
			w.mustWork(w.shapedAgent(secret), []string{"a"}, "b")
			w.quiet()
			before, calls := w.secretBytes(), count(w.org.Operations())
			for _, edit := range []func(*corev1.Secret){
				func(s *corev1.Secret) { s.Data["added"] = []byte("by a person") },
				func(s *corev1.Secret) { s.Data[tc.keys[0]] = []byte("changed by a person") },
				func(s *corev1.Secret) { delete(s.Data, tc.keys[0]) },
				nil,
			} {
				w.harm("bot-okta", edit)
				w.waitForBytes(before)
			}
			w.quiet()
			if after := count(w.org.Operations()); after.management != calls.management {
				t.Errorf("%d calls to Okta to restore a Secret", after.management-calls.management)
			}
		})
	}
}

const filesTemplate = `{{ dict "client_id" .clientID "client_secret" .clientSecret "token_url" .tokenURL "issuer" .issuer "audience" .audience | toJson }}`

// shapedAgent reads any of the shapes of these stories.
func (w *world) shapedAgent(secret *corev1.Secret) agent {
	w.Helper()
	files := asFiles(filesOf(secret))
	if text, templated := secret.Data["files.json"]; templated {
		if err := json.Unmarshal(text, &files); err != nil {
			w.Fatal(err)
		}
	}
	return agent{files: files, now: w.now}
}

// TestReshaped: another shape is another way to say the same credential.
func TestReshaped(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.start(impatient)
	w.create(w.role("chat", "a"), w.key("bot", "chat", v1alpha1.DeliveryClientSecret))
	key := readyKey(w, "bot")
	w.quiet()
	files, calls := w.agent("bot-okta").files, count(w.org.Operations())
	for _, shape := range []v1alpha1.SecretTarget{
		{Preset: v1alpha1.PresetEnvironment}, {Template: map[string]v1alpha1.TemplateText{"files.json": filesTemplate}},
	} {
		w.editKey("bot", func(s *v1alpha1.AgentAPIKeySpec) { s.Secret.Preset, s.Secret.Template = shape.Preset, shape.Template })
		now := readyKey(w, "bot")
		secret := &corev1.Secret{}
		w.get("bot-okta", secret)
		a := w.shapedAgent(secret)
		if a.files["client_secret"] != files["client_secret"] || now.Status.KeyID != key.Status.KeyID {
			t.Error("another shape has another credential")
		}
		w.mustWork(a, []string{"a"}, "b")
	}
	w.editKey("bot", func(s *v1alpha1.AgentAPIKeySpec) { s.Secret.Preset, s.Secret.Template = "", nil })
	readyKey(w, "bot")
	if diff := cmp.Diff(files, w.agent("bot-okta").files); diff != "" {
		t.Error("the first shape does not come back as it was")
	}
	if after := count(w.org.Operations()); after.writes != calls.writes {
		t.Errorf("%d writes to Okta for a shape", after.writes-calls.writes)
	}
}

// TestInvalidTemplate: what cannot be rendered is said with the key and the place, before
// anything is made in Okta; a key that works goes on working.
func TestInvalidTemplate(t *testing.T) {
	for name, tc := range map[string]struct {
		text v1alpha1.TemplateText
		says []string
	}{
		"Syntax":     {"{\n  {{ .clientID", []string{`key "app.conf"`, "line 2"}},
		"Field":      {"ok\n{{ .privateKey }}", []string{`key "app.conf"`, "line 2", "privateKey"}},
		"Function":   {"{{ now }}", []string{`key "app.conf"`, "line 1", "now"}},
		"WrongInput": {"a\nb\n{{ .scopes }}", []string{`key "app.conf"`, "line 3", "column"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, oktasim.Options{})
			w.start(impatient)
			template := map[string]v1alpha1.TemplateText{"app.conf": tc.text}
			fresh := w.key("fresh", "chat", v1alpha1.DeliveryClientSecret)
			fresh.Spec.Secret.Template = template
			w.create(w.role("chat", "a"), w.key("bot", "chat", v1alpha1.DeliveryClientSecret), fresh)
			key := readyKey(w, "bot")
			before := w.secretBytes()
			w.editKey("bot", func(s *v1alpha1.AgentAPIKeySpec) { s.Secret.Template = template })
			for _, k := range []*v1alpha1.AgentAPIKey{key, fresh} {
				w.waitReason(k.Name, k, v1alpha1.ReasonInvalidSpec)
				for _, part := range tc.says {
					if message := messageOfReady(k); !strings.Contains(message, part) {
						t.Errorf("the message does not say %s: %s", part, message)
					}
				}
			}
			w.quiet()
			if diff := cmp.Diff(before, w.secretBytes()); diff != "" || len(w.ours().Apps) != 1 {
				t.Errorf("the Secrets have changed, or there are %d apps", len(w.ours().Apps))
			}
			w.mustWork(w.agent("bot-okta"), []string{"a"}, "b")
			for _, k := range []string{"bot", "fresh"} {
				w.editKey(k, func(s *v1alpha1.AgentAPIKeySpec) { s.Secret.Template = nil })
				readyKey(w, k)
				w.mustWork(w.agent(k+"-okta"), []string{"a"}, "b")
			}
		})
	}
}
