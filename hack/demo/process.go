package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// process is a program of the demo that runs until it is stopped. Its output
// goes to a file.
type process struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{}
}

// start runs a program of bin/. Should it end by itself, the demo has failed.
func (s *stage) start(name string, environment []string, args ...string) (*process, error) {
	p := &process{name: name, log: filepath.Join(s.dir, "logs", name+".log"), done: make(chan struct{})}
	file, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	// No context ends it: tearDown does, in order.
	p.cmd = exec.CommandContext(context.Background(), filepath.Join("bin", name), args...)
	p.cmd.Env = append(os.Environ(), environment...)
	p.cmd.Stdout, p.cmd.Stderr = file, file
	// A group of its own: Ctrl-C reaches the demo only, which stops the rest in order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	s.processes = append(s.processes, p)
	go func() {
		err := p.cmd.Wait()
		_ = file.Close()
		s.fail(fmt.Errorf("bin/%s ended by itself: %w", name, errors.Join(err, errors.New("see its log"))))
		close(p.done)
	}()
	return p, nil
}

// stop asks the program to end and insists after a while.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(15 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// says waits until the program has written what the pattern finds, and returns
// the pattern's group.
func (p *process) says(ctx context.Context, pattern *regexp.Regexp) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		text, err := os.ReadFile(p.log)
		if err != nil {
			return "", err
		}
		if found := pattern.FindSubmatch(text); found != nil {
			return string(found[1]), nil
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return "", fmt.Errorf("waiting for bin/%s to say it is ready: %w", p.name, err)
		}
	}
}

// stack is the part of a log line that fills the screen and helps nobody here.
var stack = regexp.MustCompile(`,"stacktrace":"[^"]*"`)

// tail returns the last lines of the program's output.
func (p *process) tail(lines int) string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(stack.ReplaceAllString(string(text), "")), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
