package gitops

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long something may take to come about.
const patience = 2 * time.Minute

// start runs a program until the test ends, or stop is called.
func start(t *testing.T, environment []string, program string, args ...string) (stop func()) {
	t.Helper()
	said, err := os.Create(filepath.Join(t.TempDir(), "said"))
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, args...)
	command.Env = append(os.Environ(), environment...)
	command.Stdout, command.Stderr = said, said
	if err := command.Start(); err != nil {
		t.Fatalf("starting %s: %v", program, err)
	}
	stop = sync.OnceFunc(func() {
		_ = command.Process.Kill()
		_ = command.Wait() // it was killed, and says so
		_ = said.Close()
	})
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("%s %s said:\n%s", filepath.Base(program), args[0], end(said.Name()))
		}
	})
	return stop
}

// end is the end of what a program said.
func end(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-20_000):])
}

// freePort is one that nobody uses now.
func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// shell runs a command as a person types it, in the project's directory, and gives what it prints.
func shell(t *testing.T, format string, args ...any) string {
	t.Helper()
	text := fmt.Sprintf(format, args...)
	command := exec.CommandContext(t.Context(), "bash", "-euc", text)
	command.Dir = filepath.Join("..", "..")
	command.Env = append(os.Environ(), "KUBECONFIG="+cluster.kubeconfig, "PATH="+os.Getenv("KUBEBUILDER_ASSETS")+":"+os.Getenv("PATH"))
	var problems strings.Builder
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", text, err, out, problems.String())
	}
	return strings.TrimSpace(string(out))
}

func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); <-time.After(50 * time.Millisecond) {
		if so() {
			return
		}
	}
	t.Fatalf("it does not come to be that %s", what)
}
