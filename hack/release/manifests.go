package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// replaced puts words in the place of others, which must be there exactly once: a release that
// names no image of its own must not come to be.
func replaced(text, old, with string) (string, error) {
	if n := strings.Count(text, old); n != 1 {
		return "", fmt.Errorf("%q is there %d times, and not once", old, n)
	}
	return strings.Replace(text, old, with, 1), nil
}

// manifests are what kubectl apply takes: everything, by the image's digest.
func (r *release) manifests(image v1.Hash) error {
	text, err := output(exec.Command(r.Kubectl, "kustomize", filepath.Join(r.From, "config/default")))
	if err != nil {
		return err
	}
	if text, err = replaced(text, "image: agent-identity-operator:dev\n", "image: "+r.Image+"@"+image.String()+"\n"); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.To, "install.yaml"), []byte(text+"\n"), 0o644)
}

// chart packs a copy of the chart that names the release and its image.
func (r *release) chart(work string, image v1.Hash) error {
	files, err := tree(filepath.Join(r.From, "charts/agent-identity-operator"))
	if err != nil {
		return err
	}
	for i, f := range files {
		if f.Name != "values.yaml" {
			continue
		}
		text, err := r.values(string(f.Content), image)
		if err != nil {
			return err
		}
		files[i].Content = []byte(text)
	}
	dir := filepath.Join(work, "agent-identity-operator")
	if err := errors.Join(os.MkdirAll(dir, 0o755), spread(dir, files)); err != nil {
		return err
	}
	for _, f := range files {
		if err := os.Chtimes(filepath.Join(dir, f.Name), r.Time, r.Time); err != nil { // helm packs the times of files
			return err
		}
	}
	version := strings.TrimPrefix(r.Version, "v")
	_, err = output(exec.Command(r.Helm, "package", dir, "--version", version, "--app-version", version, "--destination", r.To))
	return err
}

func (r *release) values(text string, image v1.Hash) (string, error) {
	text, err := replaced(text, "  repository: agent-identity-operator\n", "  repository: "+r.Image+"\n")
	if err != nil {
		return "", err
	}
	return replaced(text, "  digest: \"\"\n", "  digest: "+image.String()+"\n")
}
