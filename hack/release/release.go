package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// release is what one release is made from.
type release struct {
	From, To      string
	Version       string // v0.1.0
	Revision      string // the commit
	Time          time.Time
	Image, Home   string
	Programs      []program
	Kubectl, Helm string
	SBOM          string // cyclonedx-gomod
}

func (r *release) check() error {
	if !regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`).MatchString(r.Version) {
		return fmt.Errorf("the version is %q, and no semantic version such as v0.1.0", r.Version)
	}
	for name, value := range map[string]string{
		"-from": r.From, "-to": r.To, "-image": r.Image, "-home": r.Home, "KUBECTL": r.Kubectl, "HELM": r.Helm, "CYCLONEDX": r.SBOM,
	} {
		if value == "" {
			return fmt.Errorf("%s is missing; use make release", name)
		}
	}
	return nil
}

func (r *release) make() error {
	if err := r.check(); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := errors.Join(os.RemoveAll(r.To), os.MkdirAll(r.To, 0o755)); err != nil {
		return err
	}
	built, err := r.build(work)
	if err != nil {
		return err
	}
	image, err := r.image(work, built)
	if err != nil {
		return err
	}
	for _, step := range []func() error{
		func() error { return r.archives(built) },
		func() error { return r.boms(built) },
		func() error { return r.manifests(image) },
		func() error { return r.chart(work, image) },
		func() error { return r.krew(built) },
		r.sums,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// sums writes the one file that a signature has to cover.
func (r *release) sums() error {
	files, err := filepath.Glob(filepath.Join(r.To, "*")) // sorted
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, file := range files {
		sum, err := sumOf(file)
		if err != nil {
			return err
		}
		fmt.Fprintf(&lines, "%s  %s\n", sum, filepath.Base(file))
	}
	return os.WriteFile(filepath.Join(r.To, "SHA256SUMS"), []byte(lines.String()), 0o644)
}

func sumOf(file string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]), nil
}
