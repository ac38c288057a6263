package main

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

const root = "../.."

func inGit(t *testing.T) []string {
	t.Helper()
	listed, err := command(root, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		t.Fatal(listed, err)
	}
	return strings.Split(strings.TrimRight(listed, "\x00"), "\x00")
}

func decoded(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// What is replaced holds only here: whoever runs go install of a released version would get something else, or
// nothing.
func TestTheShippedModuleReplacesNothing(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 0 && (words[0] == "replace" || words[0] == "exclude" || slices.Contains(words, "=>")) {
			t.Errorf("go.mod: %s", line)
		}
	}
}

func TestEveryModuleIsKeptUpToDate(t *testing.T) {
	var config struct {
		Updates []struct {
			Ecosystem   string   `json:"package-ecosystem"`
			Directory   string   `json:"directory"`
			Directories []string `json:"directories"`
		} `json:"updates"`
	}
	decoded(t, ".github/dependabot.yml", &config)
	var got, want []string
	for _, update := range config.Updates {
		if update.Ecosystem != "gomod" {
			continue
		}
		if update.Directory != "" {
			got = append(got, update.Directory)
		}
		got = append(got, update.Directories...)
	}
	for _, file := range inGit(t) {
		if path.Base(file) == "go.mod" {
			want = append(want, path.Join("/", path.Dir(file)))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A workflow starts with no permission, and runs no action that can become another one.
func TestWorkflowsAskForLittle(t *testing.T) {
	pinned := regexp.MustCompile(`uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+\n`)
	files, err := filepath.Glob(filepath.Join(root, ".github/workflows/*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var workflow struct {
			Permissions *map[string]string `json:"permissions"`
			Jobs        map[string]struct {
				Permissions *map[string]string `json:"permissions"`
				Timeout     int                `json:"timeout-minutes"`
			} `json:"jobs"`
		}
		decoded(t, filepath.Join(".github/workflows", filepath.Base(file)), &workflow)
		if workflow.Permissions == nil || len(*workflow.Permissions) != 0 {
			t.Errorf("%s grants permissions to all its jobs", file)
		}
		for name, job := range workflow.Jobs {
			if job.Permissions == nil || job.Timeout == 0 {
				t.Errorf("%s: %s does not say its permissions, or how long it may take", file, name)
			}
		}
		if strings.Count(string(text), "uses:") != len(pinned.FindAll(text, -1)) {
			t.Errorf("%s uses an action by a name that can be moved, or without its version", file)
		}
	}
}

func TestGitHoldsNoPrograms(t *testing.T) {
	for _, file := range inGit(t) {
		text, err := os.ReadFile(filepath.Join(root, file))
		if os.IsNotExist(err) { // deleted, and not yet in git
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, magic := range []string{"\x7fELF", "MZ\x90", "\xcf\xfa\xed\xfe", "\xca\xfe\xba\xbe", "!<arch>\n", "\x1f\x8b", "PK\x03\x04"} {
			if bytes.HasPrefix(text, []byte(magic)) {
				t.Errorf("%s is a program or an archive, which nobody can review", file)
			}
		}
	}
}

// A base by a tag is another one tomorrow; images here have none.
func TestNoImageHasABase(t *testing.T) {
	for _, file := range inGit(t) {
		if !strings.Contains(strings.ToLower(path.Base(file)), "dockerfile") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, from := range regexp.MustCompile(`(?im)^\s*from\s.*$`).FindAllString(string(text), -1) {
			if from != "FROM scratch" {
				t.Errorf("%s: %s", file, from)
			}
		}
	}
}
