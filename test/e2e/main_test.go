package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience is how long something may take on a small machine.
const patience = 3 * time.Minute

// Images that make e2e has loaded.
const (
	operatorImage = "local/agent-identity-operator"
	agentImage    = "local/agent-identity-e2e-agent:e2e"
	tag           = "e2e"
)

// The namespaces of the test.
const (
	home = "agent-identity-system"
	team = "e2e-team"
	gone = "e2e-gone"
	okta = "e2e-okta"
)

// shell runs a program of this machine with the cluster's configuration.
func shell(ctx context.Context, input, name string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = filepath.Join("..", "..")
	command.Stdin = strings.NewReader(input)
	var out, problems bytes.Buffer
	command.Stdout, command.Stderr = &out, &problems
	if err := command.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, problems.String())
	}
	return out.String(), nil
}

// kubectl is what people type, and gives what it prints.
func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := shell(t.Context(), "", os.Getenv("KUBECTL"), args...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

// asked is kubectl where it may fail for now.
func asked(t *testing.T, args ...string) string {
	t.Helper()
	out, err := shell(t.Context(), "", os.Getenv("KUBECTL"), args...)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(out)
}

// apply makes objects.
func apply(t *testing.T, text string) {
	t.Helper()
	if _, err := shell(t.Context(), text, os.Getenv("KUBECTL"), "apply", "--server-side", "-f", "-"); err != nil {
		t.Fatal(err)
	}
}

func helm(t *testing.T, args ...string) {
	t.Helper()
	if _, err := shell(t.Context(), "", os.Getenv("HELM"), args...); err != nil {
		t.Fatal(err)
	}
}

// agentid is the plugin.
func agentid(t *testing.T, args ...string) string {
	t.Helper()
	out, err := shell(t.Context(), "", os.Getenv("AGENTID"), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// eventually waits until it is so, and gives how long that took.
func eventually(t *testing.T, what string, so func() bool) time.Duration {
	t.Helper()
	begun := time.Now()
	for ; time.Since(begun) < patience; <-time.After(200 * time.Millisecond) {
		if so() {
			return time.Since(begun)
		}
	}
	t.Fatalf("it does not come to be that %s\n%s", what, asked(t, "get", "pods,agentidentity", "-A", "-o", "wide"))
	return 0
}
