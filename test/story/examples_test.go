package story

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestExamples runs the client samples of the docs on the files of a Secret.
func TestExamples(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.start()
	w.create(w.role("chat", "a", "b"), w.key("bot", "chat", v1alpha1.DeliveryPrivateKeyJWT))
	readyKey(w, "bot")
	mount := t.TempDir()
	files := w.agent("bot-okta").files
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(mount, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	examples := filepath.Join("..", "..", "docs", "examples")
	for name, command := range map[string][]string{
		"Go":     {"go", "run", "./" + filepath.Join(examples, "token")},
		"Python": {"python3", filepath.Join(examples, "agent_token.py")},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "Python" {
				command[0] = pythonWithJWT(t)
			}
			output, err := exec.Command(command[0], append(command[1:], mount, "a b")...).CombinedOutput()
			if err != nil || !strings.Contains(string(output), files["client_id"]) {
				t.Errorf("the sample ends with %v: %s", err, output)
			}
			output, err = exec.Command(command[0], append(command[1:], mount, "a c")...).CombinedOutput()
			if err == nil || !strings.Contains(string(output), "refused") {
				t.Errorf("a scope outside the role is not refused: %v: %s", err, output)
			}
		})
	}
}

func pythonWithJWT(t *testing.T) string {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import jwt, cryptography").Run() == nil {
			return python
		}
	}
	t.Skip("no python3 with PyJWT and cryptography here: the Python sample is not run")
	return ""
}
