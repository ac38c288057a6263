package plugin

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocs: every command that people are shown is one that there is, with its flags.
func TestDocs(t *testing.T) {
	shown := regexp.MustCompile(`(?m)kubectl agentid [^\n|#` + "`" + `]*`)
	quoted := regexp.MustCompile(`"[^"]*"|\$\([^)]*\)`)
	var checked int
	for _, path := range []string{"README.md", filepath.Join("docs", "kubectl-agentid.md")} {
		text, err := os.ReadFile(filepath.Join("..", "..", path))
		if err != nil {
			t.Fatal(err)
		}
		for _, command := range shown.FindAllString(string(text), -1) {
			args := strings.Fields(quoted.ReplaceAllString(command, "x"))[2:]
			root := (&plugin{}).root()
			verb, rest, err := root.Find(args)
			if err == nil {
				err = verb.ParseFlags(rest)
			}
			if err == nil && verb.Args != nil {
				err = verb.Args(verb, verb.Flags().Args())
			}
			if err != nil || verb == root || verb.HasSubCommands() && verb.Long == "" {
				t.Errorf("%s shows %q, which is no verb: %v", path, command, err)
			}
			checked++
		}
	}
	if checked < 20 {
		t.Errorf("only %d commands were found", checked)
	}
}
