// Program seeded plants known bugs, one after another, in a copy of this repository,
// and shows which test catches each. It is run by `make seeded`, not in CI.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// bug is one that was made often enough elsewhere to be named.
type bug struct {
	name string
	// file, old and new plant it: the first occurrence of old is replaced.
	file, old, new string
	// test is the package and the pattern of the tests that must fail with it.
	pkg, test string
	// args are further ones of go test.
	args []string
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "seeded:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "seeded-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if out, err := exec.CommandContext(ctx, "git", "worktree", "add", "--detach", dir, "HEAD").CombinedOutput(); err != nil {
		return fmt.Errorf("making a copy: %w: %s", err, out)
	}
	defer func() { _ = exec.CommandContext(ctx, "git", "worktree", "remove", "--force", dir).Run() }()
	missed := 0
	for _, b := range bugs() {
		caught, err := b.try(ctx, dir)
		if err != nil {
			return err
		}
		if caught == "" {
			missed++
			caught = "NOT CAUGHT"
		}
		fmt.Fprintf(os.Stdout, "%-40s %s\n", b.name, caught)
	}
	if missed > 0 {
		return fmt.Errorf("%d planted bugs are not caught", missed)
	}
	return nil
}

// try plants the bug, runs its test, and takes it out again. It gives what failed.
func (b bug) try(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, b.file)
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if !bytes.Contains(text, []byte(b.old)) {
		return "", fmt.Errorf("planting %q: %s has changed, mend hack/seeded/bugs.go", b.name, b.file)
	}
	planted := bytes.Replace(text, []byte(b.old), []byte(b.new), 1)
	if err := os.WriteFile(path, planted, 0o600); err != nil {
		return "", err
	}
	defer func() { _ = os.WriteFile(path, text, 0o600) }()
	// The table of this program is where the arguments come from.
	args := append([]string{"test", "-count=1", b.pkg, "-run", b.test}, b.args...)
	test := exec.CommandContext(ctx, "go", args...)
	test.Dir = dir
	out, err := test.CombinedOutput()
	if err == nil {
		return "", nil
	}
	caught := failure(string(out))
	if caught == "" {
		return "", fmt.Errorf("planting %q: no test ran: %s", b.name, bytes.TrimSpace(out))
	}
	return caught, nil
}

// failure is the first test that failed; a build that failed is none.
func failure(out string) string {
	for line := range strings.Lines(out) {
		if name, found := strings.CutPrefix(strings.TrimSpace(line), "--- FAIL: "); found {
			return strings.Fields(name)[0]
		}
	}
	return ""
}
