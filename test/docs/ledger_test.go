package docs

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// elsewhere are the commands that TestCommands does not run, and why.
var elsewhere = []struct{ page, begins, why string }{
	{"README.md", "make demo", "TestDemo runs it, with a control plane of its own"},
	{"README.md", "make test", "is what runs this"},
	{"docs/quick-start.md", "make demo", "as in README.md"},
	{"docs/quick-start.md", "make docker-build", "needs a container engine"},
	{"docs/quick-start.md", "kind load", "needs a cluster of kind"},
	{"docs/install.md", "helm ", "TestRelease of test/chart runs this very text"},
	{"docs/release.md", "", "TestRelease of hack/release makes a release; what is signed and downloaded needs one that is published"},
	{"docs/runbook.md", "kubectl -n agent-identity-system logs", "there is no node here on which a pod runs"},
}

// says are words that must be among what a command says, wherever it is shown. That a command
// ends well is held of every one.
var says = []struct{ begins, says string }{
	{"curl -fsS https://example.okta.com/.well-known/okta-organization", `"pipeline":"idx"`},
	{`curl -fsS -H @okta-header https://example.okta.com/api/v1/org/settings`, `"clientPrivilegesSetting":false`},
	{`curl -fsS -u`, `"access_token"`},
	{`curl -u`, `"access_token"`},
	{"helm upgrade", "STATUS: deployed"},
	{"kubectl get agentidentity -A", "True"},
	{"kubectl get agentapikeys -A", "chatbot"},
	{"kubectl get agentapikey -n invoices invoices -o jsonpath", "earlier: "},
	{"kubectl get auditsinks", "security-team"},
	{"kubectl describe -n chatbot agentapikey/chatbot", "Ready"},
	{"kubectl events -n invoices", "Published"},
	{"kubectl -n agent-identity-system get configmap agent-identity-operator-orphans", "orphans.yaml"},
	{"kubectl agentid status -A", "chatbot/chatbot"},
	{"kubectl agentid keys get -A", "chatbot"},
	{"kubectl agentid keys rotate chatbot", "the new credential"},
	{"kubectl agentid keys rotate invoices", "the new credential"},
	{"kubectl agentid keys rotate NAME", "the new credential"},
	{"kubectl agentid mfa status -A", "chatbot"},
	{"kubectl agentid logs -n chatbot", "app.oauth2.as.token.grant"},
	{"kubectl agentid logs --since 7d", "app.oauth2.as.token.grant"},
	{"kubectl agentid logs -A --follow", `"event"`},
	{"kubectl agentid plan -f config/ -R", "2 to create"},
	{"kubectl agentid plan -k overlays/production", "2 to create"},
	{"kubectl agentid least-privilege", "interact_with_chatbot"},
	{"kubectl agentid doctor --no-cluster", "okta.logs.read"},
}

// isElsewhere tells why a command is not run.
func isElsewhere(page, command string) (why string) {
	for _, each := range elsewhere {
		if each.page == page && strings.HasPrefix(command, each.begins) {
			return each.why
		}
	}
	return ""
}

// TestEveryCommandIsRun: each page that shows commands is gone through by TestCommands, section
// by section; what is not run is still shown; and make has what people are told to make.
func TestEveryCommandIsRun(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	used, commands := map[string]bool{}, 0
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			for _, command := range b.script() {
				if target, isMake := strings.CutPrefix(command, "make "); isMake {
					target = strings.Fields(target)[0]
					if !regexp.MustCompile(`(?m)^` + target + `:`).Match(makefile) {
						t.Errorf("%s:%d: there is no `make %s`", page, b.line, target)
					}
				}
				if b.inline && !b.whole() {
					continue
				}
				commands++
				for _, each := range says {
					if strings.HasPrefix(command, each.begins) {
						used["says "+each.begins] = true
					}
				}
				if isElsewhere(page, command) != "" {
					used[page+": "+command] = true
					continue
				}
				if !slices.ContainsFunc(steps(), func(s step) bool { return s.page == page && (s.section == "" || s.section == b.section) }) {
					t.Errorf("%s:%d: nothing runs %q: name the section in steps(), or say in elsewhere why it cannot be run", page, b.line, command)
				}
			}
		}
	}
	for _, each := range elsewhere {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(used)), func(u string) bool { return strings.HasPrefix(u, each.page+": "+each.begins) }) {
			t.Errorf("%s does not show %q any more", each.page, each.begins)
		}
	}
	for _, each := range says {
		if !used["says "+each.begins] {
			t.Errorf("no page shows %q any more", each.begins)
		}
	}
	if commands < 60 {
		t.Errorf("only %d commands were found", commands)
	}
}

// TestEveryCommandInComments: what the comments of config/ tell people to type is shown by a
// page too, and so is run; or it is of the sample whose comments are run.
func TestEveryCommandInComments(t *testing.T) {
	shown, found := map[string]bool{}, 0
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			for _, command := range b.script() {
				shown[command] = true
			}
		}
	}
	err := fs.WalkDir(os.DirFS(root), "config", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" || path == audited {
			return err
		}
		text, err := os.ReadFile(filepath.Join(root, path))
		whole := regexp.MustCompile(`\\\n\s*#\s*`).ReplaceAllString(string(text), "")
		for _, command := range regexp.MustCompile(`(?m)^\s*#   (kubectl .*)$`).FindAllStringSubmatch(whole, -1) {
			if found++; !shown[command[1]] {
				t.Errorf("%s tells to type %q, which no page shows", path, command[1])
			}
		}
		return err
	})
	if err != nil || found < 3 {
		t.Errorf("%d commands were found: %v", found, err)
	}
}

// whole tells that what stands in backquotes is a command, and not the name of a verb.
func (b block) whole() bool {
	words := strings.Fields(b.lines[0])
	if words[0] == "make" || b.page == "docs/kubectl-agentid.md" {
		return false // that there is such a target, or verb, is tested; those who name it say what it does
	}
	return len(words) > 3 || b.page == "docs/quick-reference.md"
}
