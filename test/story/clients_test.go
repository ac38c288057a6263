package story

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestClientsSurviveRotation: the client samples of the docs call an API while their credential
// is replaced and the one before ended, also when it ends between the moment in which they
// read it and that in which Okta is asked; no call fails. They ask for a token once while it lasts.
func TestClientsSurviveRotation(t *testing.T) {
	examples := filepath.Join(root, "docs", "examples")
	program := filepath.Join(t.TempDir(), "client")
	if out, err := exec.Command("go", "build", "-o", program, "./"+filepath.Join(examples, "client")).CombinedOutput(); err != nil {
		t.Fatalf("building the Go sample: %v\n%s", err, out)
	}
	for language, command := range map[string]func(t *testing.T, early string, arguments ...string) []string{
		"Go": func(_ *testing.T, early string, arguments ...string) []string {
			return append([]string{program, "--early", early + "s"}, arguments...)
		},
		"Python": func(t *testing.T, early string, arguments ...string) []string {
			return append(append([]string{pythonWithJWT(t), filepath.Join(examples, "agent_client.py")}, arguments...), early)
		},
	} {
		for _, delivery := range deliveries {
			t.Run(language+"/"+string(delivery), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, oktasim.Options{})
				var arrived sync.Mutex
				arrives := func() {}
				w.asked = func() {
					arrived.Lock()
					defer arrived.Unlock()
					arrives()
				}
				w.start(impatient)
				key := w.key("bot", "chat", delivery)
				key.Spec.Rotation = &v1alpha1.Rotation{Overlap: &metav1.Duration{}, MaxOverlap: &metav1.Duration{}}
				w.create(w.role("chat", "a", "b"), key)
				key = readyKey(w, "bot")
				mount := newMount(w, "bot-okta")
				api := w.api("bot-okta")

				caching := w.runs(command(t, "60", mount.directory, "a b", api)...)
				if first, second := caching("once"), caching("again"); first != second {
					t.Errorf("the second call has another token: %q, %q", first, second)
				}
				asking := w.runs(command(t, "3600", mount.directory, "a b", api)...)
				asking("at first")

				w.requestRotation("bot", "unnoticed")
				w.rotated("bot", "unnoticed")
				before := w.refusals(key.Status.ClientID)
				arrived.Lock()
				arrives = mount.update // the kubelet is late: the credential that is asked with has ended
				arrived.Unlock()
				asking("after a rotation that the files showed too late")
				if refused := w.refusals(key.Status.ClientID) - before; refused != 1 {
					t.Errorf("%d refusals, want the one after which the files are read again", refused)
				}
				w.requestRotation("bot", "noticed")
				w.rotated("bot", "noticed")
				mount.update()
				asking("after a rotation that the files show")
				if refused := w.refusals(key.Status.ClientID) - before; refused != 1 {
					t.Errorf("%d refusals although the files were new", refused-1)
				}
			})
		}
	}
}

// refusals counts the times that a client got no token.
func (w *world) refusals(clientID string) (refused int) {
	for _, op := range w.org.Operations() {
		if strings.HasSuffix(op.Template, "/v1/token") && op.Status == http.StatusUnauthorized && op.Principal == clientID {
			refused++
		}
	}
	return refused
}

// mount is a Secret in a directory as the kubelet keeps it: all files change at once.
type mount struct {
	w                 *world
	directory, secret string

	mu       sync.Mutex
	versions int
}

func newMount(w *world, secret string) *mount {
	w.Helper()
	m := &mount{w: w, directory: w.TempDir(), secret: secret}
	m.update()
	for name := range w.agent(secret).files {
		w.must(nil, os.Symlink(filepath.Join("..data", name), filepath.Join(m.directory, name)))
	}
	return m
}

// update shows what the Secret says now.
func (m *mount) update() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.versions++
	version := fmt.Sprintf("..version-%d", m.versions)
	m.w.must(nil, os.Mkdir(filepath.Join(m.directory, version), 0o700))
	for name, text := range m.w.agent(m.secret).files {
		m.w.must(nil, os.WriteFile(filepath.Join(m.directory, version, name), []byte(text), 0o600))
	}
	fresh := filepath.Join(m.directory, "..fresh")
	m.w.must(nil, os.Symlink(version, fresh))
	m.w.must(nil, os.Rename(fresh, filepath.Join(m.directory, "..data")))
}

// api is what an agent calls: it says which token it was called with.
func (w *world) api(secret string) string {
	w.Helper()
	issuer := w.agent(secret)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		claims, err := issuer.verified(token)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusUnauthorized)
			return
		}
		_, _ = fmt.Fprintln(rw, claims["jti"], claims["scp"])
	}))
	w.Cleanup(server.Close)
	return server.URL
}

// runs starts a program that answers each line with one, and gives what asks it.
func (w *world) runs(command ...string) (call func(what string) string) {
	w.Helper()
	program := exec.Command(command[0], command[1:]...)
	program.Stderr = os.Stderr
	asks, err := program.StdinPipe()
	w.must(nil, err)
	says, err := program.StdoutPipe()
	w.must(nil, err)
	w.must(nil, program.Start())
	w.Cleanup(func() {
		_ = asks.Close()
		if err := program.Wait(); err != nil {
			w.Errorf("%s ends with %v", command[0], err)
		}
	})
	answers := bufio.NewReader(says)
	return func(what string) string {
		w.Helper()
		_, err := io.WriteString(asks, what+"\n")
		w.must(nil, err)
		line, err := answers.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "200 ") || !strings.Contains(line, "[a b]") {
			w.Fatalf("%s: %q, %v", what, line, err)
		}
		return line
	}
}
