package story

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

const legacySecret = "a-secret-that-a-person-made-long-ago-01"

// legacyApp is an app that a person made for a bot, before there was an operator.
func (w *world) legacyApp(delivery v1alpha1.Delivery) oktasim.App {
	w.Helper()
	wish := oktasim.NewApp{Label: "Legacy bot"}
	if delivery == v1alpha1.DeliveryClientSecret {
		wish.Secret = legacySecret
	} else {
		wish.PublicJWK = foreignKey(w)
	}
	app, err := w.org.AdminCreateApp(wish)
	if err != nil {
		w.Fatal(err)
	}
	return app
}

func (w *world) adopting(name, clientID string, delivery v1alpha1.Delivery) *v1alpha1.AgentAPIKey {
	key := w.key(name, "chat", delivery)
	key.Spec.Adopt = &v1alpha1.Adoption{ClientID: clientID}
	return key
}

// TestAdoption: a person's app becomes the key's when an administrator of Okta allows it,
// by the line that the condition gives. What it let in before it goes on letting in.
func TestAdoption(t *testing.T) {
	for _, delivery := range deliveries {
		t.Run(string(delivery), func(t *testing.T) {
			t.Parallel()
			w := newStandingWorld(t, time.Now(), oktasim.Options{})
			app := w.legacyApp(delivery)
			w.start(impatient)
			key := w.adopting("bot", app.ClientID, delivery)
			w.create(w.role("chat", "a"), key)
			w.waitReason("bot", key, "AdoptionFailed")
			w.quiet()
			if now := w.ours().Apps; len(now) != 1 || now[0].Label != "Legacy bot" || now[0].Profile != nil {
				t.Errorf("an app is taken over without permission: %+v", now)
			}
			line := regexp.MustCompile(`adoptable-by=\S+`).FindString(messageOfReady(key))
			w.must(nil, w.org.AdminUpdateApp(app.ID, func(a *oktasim.App) { a.Note = "Ask Eve.\n" + line }))
			w.pass(5 * time.Minute)
			key = readyKey(w, "bot")
			w.waitEvent("Adopted")

			now := w.ours().Apps
			if len(now) != 1 || now[0].ID != app.ID || key.Status.ClientID != app.ClientID {
				t.Fatalf("the apps are %+v, want app %s", now, app.ID)
			}
			if _, mark := w.appState(app.ID); !strings.Contains(mark, string(key.UID)) {
				t.Errorf("the app is not marked for the key: %s", mark)
			}
			a := w.agent("bot-okta")
			w.mustWork(a, []string{"a"}, "b")
			if delivery == v1alpha1.DeliveryClientSecret {
				legacy := agent{files: map[string]string{}, now: w.now}
				for name, text := range a.files {
					legacy.files[name] = text
				}
				legacy.files["client_secret"] = legacySecret
				w.mustWork(legacy, []string{"a"}, "b")
				return
			}
			if message := messageOf(key, v1alpha1.ConditionForeignCredential); !strings.Contains(message, foreignKeyID) {
				t.Errorf("the legacy key is not told of: %s", conditionsOf(key))
			}
			w.waitEvent("AddedBySomebodyElse")
		})
	}
}

// TestTwoClaimants: of two keys that both may adopt an app one has it, for ever, and the
// other one says who; nobody writes any more.
func TestTwoClaimants(t *testing.T) {
	w := newStandingWorld(t, time.Now(), oktasim.Options{})
	app := w.legacyApp("")
	for _, name := range []string{"one", "two"} {
		w.consent(app.ID, name)
	}
	w.start(impatient)
	w.create(w.role("chat", "a"), w.adopting("one", app.ClientID, ""), w.adopting("two", app.ClientID, ""))
	one, two := w.currentKey("one"), w.currentKey("two")
	w.eventually("one has the app", func() bool {
		one, two = w.currentKey("one"), w.currentKey("two")
		w.waitOutLag(one) // which of them comes first decides what the other has to wait for
		w.waitOutLag(two)
		return ready(one) != ready(two)
	})
	winner, loser := one, two
	if ready(two) {
		winner, loser = two, one
	}
	w.waitReason(loser.Name, loser, v1alpha1.ReasonDirectoryConflict)
	if message := messageOfReady(loser); !strings.Contains(message, winner.Name) {
		t.Errorf("the message does not name the owner: %s", message)
	}
	if message := messageOf(loser, v1alpha1.ConditionForeignCredential); message != "" {
		t.Errorf("who has lost is told to delete the owner's credentials: %s", message)
	}
	w.quiet()
	before, versions := count(w.org.Operations()), w.versions()
	const looks = 20
	for range looks {
		w.pass(6 * time.Minute)
		w.quiet()
	}
	after := count(w.org.Operations())
	t.Logf("%d looks in two hours: %d writes, %d tokens", looks, after.writes-before.writes, after.tokens-before.tokens)
	if after.writes != before.writes || after.tokens != before.tokens || !sameVersions(versions, w.versions()) {
		t.Error("the two claimants go on writing")
	}
	if _, mark := w.appState(app.ID); !strings.Contains(mark, string(winner.UID)) {
		t.Errorf("the app has another owner: %s", mark)
	}
	w.mustWork(w.agent(winner.Name+"-okta"), []string{"a"}, "b")
}

func sameVersions(before, after map[string]string) bool {
	for name, version := range before {
		if after[name] != version {
			return false
		}
	}
	return len(before) == len(after)
}

// TestAdoptRetained: what a key with deletionPolicy Retain has left is taken over by a
// key of its name at once, and by another one when an administrator of Okta allows it.
func TestAdoptRetained(t *testing.T) {
	for name, tc := range map[string]struct {
		heir    string
		consent bool
	}{
		"SameName": {heir: "bot"}, "AnotherName": {heir: "heir", consent: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newStandingWorld(t, time.Now(), oktasim.Options{})
			w.start(impatient)
			key := w.key("bot", "chat", "")
			key.Spec.DeletionPolicy = v1alpha1.DeletionRetain
			w.create(w.role("chat", "a"), key)
			key = readyKey(w, "bot")
			old := w.agent("bot-okta")
			w.deleteAndWait(key)

			heir := w.adopting(tc.heir, key.Status.ClientID, "")
			heir.Spec.Secret.Name = "inherited"
			w.create(heir)
			if tc.consent {
				w.waitReason(tc.heir, heir, "AdoptionFailed")
				w.consent(key.Status.AppID, tc.heir)
				w.pass(5 * time.Minute)
			}
			heir = readyKey(w, tc.heir)
			if heir.Status.AppID != key.Status.AppID || len(w.ours().Apps) != 1 {
				t.Errorf("the key has app %s, want %s", heir.Status.AppID, key.Status.AppID)
			}
			w.mustWork(w.agent("inherited"), []string{"a"}, "b")
			w.mustWork(old, []string{"a"}, "b") // until somebody ends what was retained
			if message := messageOf(heir, v1alpha1.ConditionForeignCredential); !strings.Contains(message, keyIDOf(w, old)) {
				t.Errorf("the retained credential is not told of: %s", conditionsOf(heir))
			}
		})
	}
}

// keyIDOf is the name of the key that an agent has.
func keyIDOf(w *world, a agent) string {
	w.Helper()
	var key jose.JSONWebKey
	if err := json.Unmarshal([]byte(a.files["jwk"]), &key); err != nil {
		w.Fatal(err)
	}
	return key.KeyID
}
