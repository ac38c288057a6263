package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
)

// program is built for one platform.
type program struct{ Name, OS, Arch string }

func programs() []program {
	return []program{
		{"manager", "linux", "amd64"},
		{"manager", "linux", "arm64"},
		{"kubectl-agentid", "linux", "amd64"},
		{"kubectl-agentid", "linux", "arm64"},
		{"kubectl-agentid", "darwin", "amd64"},
		{"kubectl-agentid", "darwin", "arm64"},
		{"kubectl-agentid", "windows", "amd64"},
	}
}

// built is a program, and what it is made of.
type built struct {
	program
	Path    string
	Modules []*debug.Module
	Texts   []file // our licence, and those of its modules
}

func (p program) file() string {
	if p.OS == "windows" {
		return p.Name + ".exe"
	}
	return p.Name
}

func (r *release) stem(p program) string {
	return strings.Join([]string{p.Name, r.Version, p.OS, p.Arch}, "_")
}

func (r *release) build(work string) ([]built, error) {
	all := make([]built, 0, len(r.Programs))
	for _, p := range r.Programs {
		fmt.Fprintln(os.Stderr, "release: building", r.stem(p))
		b := built{program: p, Path: filepath.Join(work, r.stem(p), p.file())}
		c := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly",
			"-ldflags", "-s -w -X main.version="+r.Version, "-o", b.Path, "./cmd/"+p.Name)
		c.Dir = r.From
		// What a machine's own settings would change in the bytes has no say here.
		c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.OS, "GOARCH="+p.Arch, "GOAMD64=v1", "GOARM64=v8.0",
			"GOFLAGS=", "GOEXPERIMENT=", "GOWORK=off", "GOFIPS140=off")
		if _, err := output(c); err != nil {
			return nil, fmt.Errorf("building %s: %w", r.stem(p), err)
		}
		info, err := buildinfo.ReadFile(b.Path)
		if err != nil {
			return nil, err
		}
		b.Modules = info.Deps
		if b.Texts, err = r.texts(b.Modules); err != nil {
			return nil, fmt.Errorf("gathering licences for %s: %w", r.stem(p), err)
		}
		all = append(all, b)
	}
	return all, nil
}

// texts are the licences under which a program may be handed on: most of them ask to be handed on with it.
func (r *release) texts(modules []*debug.Module) ([]file, error) {
	own, err := os.ReadFile(filepath.Join(r.From, "LICENSE"))
	if err != nil {
		return nil, err
	}
	args := []string{"list", "-mod=readonly", "-m", "-f", "{{.Path}} {{.Version}}\t{{.Dir}}"}
	for _, m := range modules {
		args = append(args, m.Path)
	}
	c := exec.Command("go", args...)
	c.Dir, c.Env = r.From, append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	listed, err := output(c)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(listed, "\n")
	slices.Sort(lines)
	goroot, err := output(exec.Command("go", "env", "GOROOT"))
	if err != nil {
		return nil, err
	}
	lines = append(lines, "Go's standard library\t"+goroot)
	var notices strings.Builder
	for _, line := range lines {
		name, dir, _ := strings.Cut(line, "\t")
		if err := notice(&notices, name, dir); err != nil {
			return nil, err
		}
	}
	return []file{
		{Name: "LICENSE", Mode: 0o644, Content: own},
		{Name: "THIRD_PARTY_LICENSES", Mode: 0o644, Content: []byte(notices.String())},
	}, nil
}

// legal are the names under which modules keep what has to be handed on.
var legal = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice)`)

func notice(to *strings.Builder, name, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	found := false
	for _, e := range entries {
		if e.IsDir() || !legal.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		found = true
		fmt.Fprintf(to, "=== %s: %s\n\n%s\n\n", name, e.Name(), strings.TrimSpace(string(text)))
	}
	if !found {
		fmt.Fprintf(to, "=== %s: no file of its module tells its licence\n\n", name)
	}
	return nil
}
