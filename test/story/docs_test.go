package story

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is that of the repository.
var root = filepath.Join("..", "..")

// TestDocsNameWhatIsNeeded: whatever a condition or an annotation is called is explained.
func TestDocsNameWhatIsNeeded(t *testing.T) {
	specs := read(t, "docs", "spec", "aiagentrole.md") + read(t, "docs", "spec", "agentapikey.md") + read(t, "docs", "spec", "accesspolicy.md")
	names := regexp.MustCompile(`(?m)^\s+(Reason|Condition|Annotation)\w+ += "([^"]+)"`).
		FindAllStringSubmatch(read(t, "api", "v1alpha1", "conditions.go")+read(t, "api", "v1alpha1", "accesspolicy_types.go"), -1)
	if len(names) < 30 {
		t.Fatalf("found %d names in conditions.go: %v", len(names), names)
	}
	for _, name := range names {
		if !strings.Contains(specs, "`"+name[2]+"`") && !strings.Contains(specs, "`"+name[2]+"=") {
			t.Errorf("docs/spec says nothing of the %s %s", strings.ToLower(name[1]), name[2])
		}
	}
}

// TestDocsLead: every link within the repository leads to a file, and to a heading of it.
func TestDocsLead(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]*)(?:#([^)]+))?\)`)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && path != root {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".md" || filepath.Base(filepath.Dir(path)) == "reference" {
			return nil // no prose, or generated
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, found := range link.FindAllStringSubmatch(string(text), -1) {
			target := path
			if found[1] != "" {
				target = filepath.Join(filepath.Dir(path), found[1])
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: the link %s leads nowhere: %v", path, found[0], err)
				continue
			}
			if found[2] != "" && !hasHeading(t, target, found[2]) {
				t.Errorf("%s: %s has no heading for the link %s", path, target, found[0])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// hasHeading tells whether a file has a heading of that anchor, as GitHub makes them.
func hasHeading(t *testing.T, path, anchor string) bool {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	noWord := regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
	for line := range strings.Lines(string(text)) {
		heading, found := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if found && strings.HasPrefix(line, "#") {
			slug := strings.ReplaceAll(noWord.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), ""), " ", "-")
			if slug == anchor {
				return true
			}
		}
	}
	return false
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestDocsNameTests: every test and directory of tests that the threat model leans on is there.
func TestDocsNameTests(t *testing.T) {
	var all strings.Builder
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	model := read(t, "docs", "threat-model.md")
	names := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(model, -1)
	if len(names) < 5 {
		t.Fatalf("only %d tests are named", len(names))
	}
	for _, name := range names {
		if !strings.Contains(all.String(), "func "+name[1]+"(") {
			t.Errorf("docs/threat-model.md leans on %s, which there is not", name[1])
		}
	}
	for _, path := range regexp.MustCompile("`((?:test|internal)/[\\w/.]+)`").FindAllStringSubmatch(model, -1) {
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(path[1]))); err != nil {
			t.Errorf("docs/threat-model.md leans on %s: %v", path[1], err)
		}
	}
}

// TestDocsAreListed: the front of the docs names every page, but the records, which have a front
// of their own.
func TestDocsAreListed(t *testing.T) {
	front, pages := read(t, "docs", "README.md"), 0
	err := fs.WalkDir(os.DirFS(filepath.Join(root, "docs")), ".", func(path string, entry fs.DirEntry, err error) error {
		if entry.IsDir() && entry.Name() == "adr" {
			return fs.SkipDir
		}
		if filepath.Ext(path) == ".md" && path != "README.md" {
			if pages++; !strings.Contains(front, "("+path+")") {
				t.Errorf("docs/README.md does not name docs/%s", path)
			}
		}
		return err
	})
	if err != nil || pages < 15 {
		t.Errorf("%d pages were found: %v", pages, err)
	}
}
