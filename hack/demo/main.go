// Command demo shows the whole path on one machine, from `kubectl apply` to an
// access token: a real API server with RBAC, a simulated Okta org, the operator
// with the permissions it has in production, and an agent that knows nothing but
// the files of its Secret. `make demo` builds what it needs and runs it from the
// root of the repository.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Getenv("KUBEBUILDER_ASSETS"), os.Getenv("KEEP") != ""); err != nil {
		fmt.Fprintf(os.Stderr, "\nThe demo failed: %v\n", err)
		stop()
		os.Exit(1)
	}
}

// run plays the story on a stage of its own and takes the stage down again. What
// it leaves behind after a failure is the logs.
func run(interrupt context.Context, assets string, keep bool) error {
	if assets == "" {
		return errors.New("KUBEBUILDER_ASSETS names no directory: use `make demo`")
	}
	dir, err := os.MkdirTemp("", "agent-identity-demo-")
	if err != nil {
		return err
	}
	ctx, fail := context.WithCancelCause(interrupt)
	defer fail(nil)
	s := &stage{dir: dir, assets: assets, out: &printer{to: os.Stdout, began: time.Now()}, fail: fail}
	err = s.play(ctx)
	if err == nil && keep {
		s.invite()
		<-ctx.Done()
	}
	err = s.blame(ctx, interrupt, keep, err)
	if err != nil {
		s.showLogs()
	}
	s.tearDown()
	return errors.Join(err, s.tidy(err != nil))
}

// tidy removes the stage's files, keys and tokens among them. After a failure the
// logs stay.
func (s *stage) tidy(keepLogs bool) error {
	if !keepLogs {
		return os.RemoveAll(s.dir)
	}
	entries, err := os.ReadDir(s.dir)
	for _, entry := range entries {
		if entry.Name() != "logs" {
			err = errors.Join(err, os.RemoveAll(filepath.Join(s.dir, entry.Name())))
		}
	}
	return errors.Join(err, fmt.Errorf("all logs are in %s", filepath.Join(s.dir, "logs")))
}

// blame finds the first cause: a program that ended by itself explains better
// than the step that missed it. Ctrl-C is how KEEP=1 is meant to end.
func (s *stage) blame(ctx, interrupt context.Context, keep bool, err error) error {
	switch {
	case interrupt.Err() != nil && err == nil && keep:
		return nil
	case interrupt.Err() != nil:
		return errors.New("interrupted")
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return err
}
