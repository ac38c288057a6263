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
	mark := Mark{Cluster: "prod-1", Kind: "AgentAPIKey", Namespace: "team-a", Name: "bot", UID: "0b1c"}
	tests := map[string]struct {
		reason string
		text   string
		want   Mark
		ok     bool
	}{
		"Alone":        {"a mark reads back", mark.String(), mark, true},
		"BelowWords":   {"people's words may stand above it", "Chatbot: talks\n" + mark.String(), mark, true},
		"Unmarked":     {"words are no mark", "managed-by=terraform", Mark{}, false},
		"NoUID":        {"half a mark is none", "managed-by=agent-identity-operator;cluster=c;ref=K/n/m;uid=", Mark{}, false},
		"BadRef":       {"half a reference is none", "managed-by=agent-identity-operator;cluster=c;ref=K/n;uid=u", Mark{}, false},
		"WithinALine":  {"a mark quoted in a sentence claims nothing", "see " + mark.String(), Mark{}, false},
		"NotPairs":     {"garbage is none", "managed-by=agent-identity-operator;cluster", Mark{}, false},
		"OtherManager": {"a longer name is another manager", "managed-by=agent-identity-operator2;cluster=c;ref=K/n/m;uid=u", Mark{}, false},
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

// TestRevealIsCalledInTwoRooms holds that nobody but the directory's adapter and
// the writer of Secrets opens key material.
func TestRevealIsCalledInTwoRooms(t *testing.T) {
	allowed := []string{"internal/okta/", "internal/keysecret/", "internal/identity/"}
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
