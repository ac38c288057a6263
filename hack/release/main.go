// Command release makes what a release consists of: programs in archives, the image, manifests, the chart, what is
// in each program, and the manifest for krew. All of it follows from the sources, the version and Go alone, so that
// anybody can make the same bytes: times are the commit's, and owners and order are fixed. It signs and sends
// nothing, except that "release push" takes the image to a registry. "release certificates" writes those that the image
// trusts into a directory, for make docker-build.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 3 && args[0] == "push" {
		pushed, err := push(args[1], args[2])
		if err == nil {
			fmt.Println(pushed)
		}
		return err
	}
	if len(args) == 2 && args[0] == "certificates" {
		return spread(args[1], certificates())
	}
	r := &release{Programs: programs(), Kubectl: os.Getenv("KUBECTL"), Helm: os.Getenv("HELM"), SBOM: os.Getenv("CYCLONEDX")}
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	flags.StringVar(&r.From, "from", "", "the tree that is released")
	flags.StringVar(&r.To, "to", "", "where it is put; what is there is removed")
	flags.StringVar(&r.Version, "version", "", "such as v0.1.0")
	flags.StringVar(&r.Image, "image", "", "where the image will be, without a tag")
	flags.StringVar(&r.Home, "home", "", "the project's address; archives are below it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := r.date(); err != nil {
		return err
	}
	return r.make()
}

// date has the release be of its commit: its time and name, or those that SOURCE_DATE_EPOCH and REVISION
// tell where there is no git.
func (r *release) date() error {
	epoch, revision := os.Getenv("SOURCE_DATE_EPOCH"), os.Getenv("REVISION")
	var err error
	if epoch == "" {
		if epoch, err = r.git("log", "-1", "--format=%ct"); err != nil {
			return err
		}
	}
	if revision == "" {
		if revision, err = r.git("rev-parse", "HEAD"); err != nil {
			return err
		}
		changes, err := r.git("status", "--porcelain")
		if err != nil {
			return err
		}
		if changes != "" {
			revision += "-dirty"
			fmt.Fprintln(os.Stderr, "release: the tree has changes that are in no commit: nobody else can make these bytes")
		}
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return fmt.Errorf("reading SOURCE_DATE_EPOCH: %w", err)
	}
	r.Time, r.Revision = time.Unix(seconds, 0).UTC(), revision
	return nil
}

func (r *release) git(args ...string) (string, error) {
	return output(exec.Command("git", append([]string{"-C", r.From}, args...)...))
}

// output is what a command writes; what it complains of is seen, and is part of the error's story.
func output(c *exec.Cmd) (string, error) {
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("running %s: %w", filepath.Base(c.Path), err)
	}
	return strings.TrimSpace(string(out)), nil
}
