package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// block is what one fence of a page shows, or what stands in backquotes in its text.
type block struct {
	page    string
	section string
	line    int
	// language is what the fence says; inline are commands in backquotes.
	language string
	inline   bool
	lines    []string
}

// commandLine begins a command that a person types.
var commandLine = regexp.MustCompile(`^(?:kubectl|make|helm|kind|curl|flux|argocd|ln|export|go|git|docker)(?: |$)`)

// typed are commands in backquotes that are whole.
var typed = regexp.MustCompile("`((?:kubectl|make) [^`…]*[^`… ])`")

// pages gives README.md and all below docs, but what is generated and the decision records.
func pages(t *testing.T) (found []string) {
	t.Helper()
	found = []string{"README.md"}
	err := fs.WalkDir(os.DirFS(root), "docs", func(path string, entry fs.DirEntry, err error) error {
		if entry.IsDir() && (entry.Name() == "reference" || entry.Name() == "adr") {
			return fs.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			found = append(found, path)
		}
		return err
	})
	if err != nil || len(found) < 15 {
		t.Fatalf("finding the pages: %v, %v", found, err)
	}
	return found
}

// blocks reads a page.
func blocks(t *testing.T, page string) (found []block) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	section, fenced, number := "", (*block)(nil), 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimRight(line, "\n")
		mark, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && fenced != nil:
			found, fenced = append(found, *fenced), nil
		case isFence:
			fenced = &block{page: page, section: section, line: number, language: mark}
		case fenced != nil:
			fenced.lines = append(fenced.lines, line)
		default:
			if heading := strings.TrimLeft(line, "#"); heading != line {
				section = strings.TrimSpace(heading)
			}
			for _, command := range typed.FindAllStringSubmatch(line, -1) {
				found = append(found, block{page: page, section: section, line: number, inline: true, lines: command[1:]})
			}
		}
	}
	return found
}

// script is what a person types of a block: where lines begin with a prompt these only, else
// all of it, if it begins with a command, or a function for one.
func (b block) script() (commands []string) {
	prompted := strings.Contains("\n"+strings.ReplaceAll(strings.Join(b.lines, "\n"), " ", ""), "\n$")
	shown := b.lines
	for i := 0; i < len(shown); i++ {
		line := strings.TrimSpace(shown[i])
		if typed, isTyped := strings.CutPrefix(line, "$ "); isTyped {
			line = typed
		} else if prompted {
			continue
		}
		for strings.HasSuffix(line, `\`) && i+1 < len(shown) {
			i++
			line = strings.TrimSuffix(line, `\`) + strings.TrimSpace(shown[i])
		}
		line = strings.TrimSpace(regexp.MustCompile(` # .*$`).ReplaceAllString(line, ""))
		commands = append(commands, line)
	}
	if len(commands) == 0 || !commandLine.MatchString(commands[0]) && !strings.Contains(commands[0], "() {") {
		return nil
	}
	return commands
}
