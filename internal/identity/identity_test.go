package identity

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestMarkRoundTrip(t *testing.T) {
	mark := Mark{Cluster: "prod-1", Kind: "AgentAPIKey", Namespace: "team-a", Name: "bot", UID: "0b1c", Since: 1_700_000_000}
	tests := map[string]struct {
		reason string
		text   string
		want   Mark
		ok     bool
	}{
		"Alone":        {"a mark reads back", mark.String(), mark, true},
		"BelowWords":   {"people's words may stand above it", "Chatbot: talks\n" + mark.String(), mark, true},
		"Unmarked":     {"words are no mark", "managed-by=terraform", Mark{}, false},
		"NoUID":        {"half a mark is none", "managed-by=agent-identity-operator;cluster=c;ref=K/n/m;uid=;since=1", Mark{}, false},
		"NoSince":      {"a mark that does not say since when is half of one", "managed-by=agent-identity-operator;cluster=c;ref=K/n/m;uid=u", Mark{}, false},
		"BadSince":     {"a time is a number", "managed-by=agent-identity-operator;cluster=c;ref=K/n/m;uid=u;since=monday", Mark{}, false},
		"BadRef":       {"half a reference is none", "managed-by=agent-identity-operator;cluster=c;ref=K/n;uid=u;since=1", Mark{}, false},
		"WithinALine":  {"a mark quoted in a sentence claims nothing", "see " + mark.String(), Mark{}, false},
		"NotPairs":     {"garbage is none", "managed-by=agent-identity-operator;cluster", Mark{}, false},
		"OtherManager": {"a longer name is another manager", "managed-by=agent-identity-operator2;cluster=c;ref=K/n/m;uid=u;since=1", Mark{}, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, ok := ParseMark(tc.text)
			if got != tc.want || ok != tc.ok {
				t.Errorf("%s: ParseMark(%q) = %+v, %v; want %+v, %v", tc.reason, tc.text, got, ok, tc.want, tc.ok)
			}
		})
	}
}

func TestWhoMayChange(t *testing.T) {
	mine := Mark{Cluster: "c", Kind: "K", Namespace: "n", Name: "m", UID: "u", Since: 10}
	change := func(do func(*Mark)) Mark {
		other := mine
		do(&other)
		return other
	}
	for name, test := range map[string]struct {
		reason        string
		other         Mark
		namesake, may bool
	}{
		"Own":          {"an owner may change what is its own", mine, true, true},
		"Predecessor":  {"it succeeds a namesake created earlier", change(func(m *Mark) { m.UID, m.Since = "v", 9 }), true, true},
		"Twin":         {"of two of one moment neither succeeds", change(func(m *Mark) { m.UID = "v" }), true, false},
		"Successor":    {"nothing is taken back", change(func(m *Mark) { m.UID, m.Since = "v", 11 }), true, false},
		"Mistold":      {"one owner has one time", change(func(m *Mark) { m.Since = 9 }), true, false},
		"OtherName":    {"another name is another owner", change(func(m *Mark) { m.Name, m.UID, m.Since = "o", "v", 9 }), false, false},
		"OtherCluster": {"another cluster is another world", change(func(m *Mark) { m.Cluster, m.UID, m.Since = "d", "v", 9 }), false, false},
		"Unmarked":     {"what carries no mark is nobody's", Mark{}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			if mine.Namesake(test.other) != test.namesake || mine.MayChange(test.other) != test.may {
				t.Errorf("%s: namesake %v, may change %v", test.reason, mine.Namesake(test.other), mine.MayChange(test.other))
			}
		})
	}
}

func TestSecretName(t *testing.T) {
	one, other := SecretName(NewSecret([]byte("one"))), SecretName(NewSecret([]byte("other")))
	if one == other || one != SecretName(NewSecret([]byte("one"))) || !strings.HasPrefix(one, "sec-") || strings.Contains(one, "one") {
		t.Errorf("two secrets are named %s and %s", one, other)
	}
}

func TestMarkConsent(t *testing.T) {
	mark := Mark{Cluster: "c", Kind: "AgentAPIKey", Namespace: "ns", Name: "bot", UID: "u1", Since: 5}
	later, other := mark, mark
	later.UID, later.Since, other.Name = "u2", 9, "bot2"
	note := "Written by hand.\n  " + mark.Consent() + "\nMore."
	for name, tc := range map[string]struct {
		reason string
		mark   Mark
		note   string
		want   bool
	}{
		"Named":   {"the line lets it", mark, note, true},
		"Anew":    {"a key that was created anew has the same name", later, note, true},
		"Another": {"and nobody else", other, note, false},
		"Quoted":  {"a sentence is no consent", mark, "do not write " + mark.Consent(), false},
		"Without": {"nor is silence", mark, "", false},
	} {
		if got := tc.mark.ConsentedIn(tc.note); got != tc.want {
			t.Errorf("%s: %s: ConsentedIn = %v, want %v", name, tc.reason, got, tc.want)
		}
	}
}

func TestMarkSucceeds(t *testing.T) {
	mark := Mark{Cluster: "c", Kind: "AgentAPIKey", Namespace: "ns", Name: "bot", UID: "u2", Since: 5}
	for name, tc := range map[string]struct {
		reason string
		change func(*Mark)
		want   bool
	}{
		"Earlier":    {"a namesake created earlier is gone", func(m *Mark) { m.UID, m.Since = "u1", 4 }, true},
		"Later":      {"of two that are alive by mistake only one can succeed the other", func(m *Mark) { m.UID, m.Since = "u3", 6 }, false},
		"AtOnce":     {"and neither when nobody can tell", func(m *Mark) { m.UID = "u1" }, false},
		"Itself":     {"nobody succeeds themselves", func(*Mark) {}, false},
		"OtherNames": {"another name is another owner", func(m *Mark) { m.UID, m.Since, m.Name = "u1", 4, "x" }, false},
		"OtherPlace": {"so is another cluster's", func(m *Mark) { m.UID, m.Since, m.Cluster = "u1", 4, "d" }, false},
	} {
		other := mark
		tc.change(&other)
		if got := mark.Succeeds(other); got != tc.want {
			t.Errorf("%s: %s: Succeeds = %v, want %v", name, tc.reason, got, tc.want)
		}
		if got := mark.MayChange(other); got != (tc.want || other == mark) {
			t.Errorf("%s: %s: MayChange = %v", name, tc.reason, got)
		}
	}
}

func TestSecretCannotPrintItself(t *testing.T) {
	const canary = "c4n4ry-material"
	secret := NewSecret([]byte(canary))
	marshalled, err := json.Marshal(map[string]any{"s": secret, "p": &secret})
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "secret", secret, "in", struct{ S Secret }{secret})
	outputs := map[string]string{
		"%v": fmt.Sprintf("%v", secret), "%+v": fmt.Sprintf("%+v", secret), "%#v": fmt.Sprintf("%#v", secret),
		"%s": fmt.Sprintf("%s", secret), "%q": fmt.Sprintf("%q", secret), "%x": fmt.Sprintf("%x", secret),
		"%d": fmt.Sprintf("%d", secret), "pointer": fmt.Sprintf("%v", &secret),
		"in a struct": fmt.Sprintf("%+v", Credential{KeyID: "k", Material: secret}),
		"json":        string(marshalled), "slog": logged.String(),
		"MarshalLog": fmt.Sprint(secret.MarshalLog()), "error": fmt.Errorf("x: %v", secret).Error(),
	}
	for how, output := range outputs {
		if strings.Contains(output, canary) || strings.Contains(output, fmt.Sprintf("%x", canary)) {
			t.Errorf("%s shows the material: %s", how, output)
		}
	}
	if string(secret.Reveal()) != canary || !secret.Equal(NewSecret([]byte(canary))) || secret.Equal(Secret{}) {
		t.Error("the secret does not hold its material")
	}
}

// TestRevealIsCalledInThreeRooms holds that nobody but the directory's adapter, the outputs of audit events and
// the writer of Secrets opens key material.
func TestRevealIsCalledInThreeRooms(t *testing.T) {
	allowed := []string{"internal/okta/", "internal/keysecret/", "internal/identity/", "internal/audit/output/"}
	root := filepath.Join("..", "..")
	calls := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil || !strings.Contains(string(text), ".Reveal()") {
			return err
		}
		calls++
		if !slices.ContainsFunc(allowed, func(room string) bool { return strings.HasPrefix(filepath.ToSlash(rel), room) }) {
			t.Errorf("%s opens a secret; only %v may", rel, allowed)
		}
		return nil
	})
	if err != nil || calls == 0 {
		t.Fatalf("looked at the tree and found %d files that open secrets: %v", calls, err)
	}
}

// TestStandardLibraryOnly holds the bottom of the house.
func TestStandardLibraryOnly(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			if strings.Contains(strings.SplitN(spec.Path.Value, "/", 2)[0], ".") {
				t.Errorf("%s imports %s", file, spec.Path.Value)
			}
		}
	}
}

func TestReserved(t *testing.T) {
	for permission, reserved := range map[string]bool{
		"openid": true, "offline_access": true, "okta.users.read": true, "okta.": true,
		"chat": false, "oktagon": false, "agents:openid": false,
	} {
		if got := Reserved(permission) != ""; got != reserved {
			t.Errorf("Reserved(%q) = %v, want %v", permission, got, reserved)
		}
	}
}

func TestKindOf(t *testing.T) {
	inner := &Error{Kind: Throttled, Reason: ReasonThrottled, Message: "m", RequestID: "r1", Err: errors.New("cause")}
	if got := KindOf(fmt.Errorf("registering: %w", inner)); got != Throttled {
		t.Errorf("KindOf a wrapped error = %v, want %v", got, Throttled)
	}
	if got := KindOf(errors.New("foreign")); got != Unavailable {
		t.Errorf("KindOf a foreign error = %v, want %v", got, Unavailable)
	}
	if got, want := inner.Error(), "m (request r1): cause"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}
