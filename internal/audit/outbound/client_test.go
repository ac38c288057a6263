package outbound

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

func home() Guard { return Guard{Allowed: prefixes("127.0.0.0/8", "::1/128")} }

func trusting(server *httptest.Server) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return &tls.Config{RootCAs: pool}
}

func TestClientVerifies(t *testing.T) {
	var reached atomic.Int64
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	current, old := httptest.NewTLSServer(handler), httptest.NewUnstartedServer(handler)
	t.Cleanup(current.Close)
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	old.StartTLS()
	t.Cleanup(old.Close)
	careless := trusting(old)
	careless.MinVersion, careless.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	for name, test := range map[string]struct {
		reason string
		server *httptest.Server
		config *tls.Config
		want   bool
	}{
		"Trusted":  {"its authority is known", current, trusting(current), true},
		"Stranger": {"nobody vouches for it", current, nil, false},
		"Careless": {"no configuration turns verification off", current, &tls.Config{InsecureSkipVerify: true}, false},
		"Old":      {"nor TLS back", old, careless, false},
	} {
		t.Run(name, func(t *testing.T) {
			reached.Store(0)
			client := home().Client(test.config)
			defer client.CloseIdleConnections()
			resp, err := client.Get(test.server.URL)
			if err == nil {
				resp.Body.Close()
			}
			if (err == nil) != test.want || (reached.Load() == 1) != test.want {
				t.Errorf("%s: got %v and %d requests", test.reason, err, reached.Load())
			}
		})
	}
}

func TestClientFollowsNoRedirect(t *testing.T) {
	var followed atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
	t.Cleanup(elsewhere.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, status))
		resp, err := home().Client(nil).Post(server.URL, "application/json", bytes.NewReader([]byte("{}")))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != status || followed.Load() != 0 {
			t.Errorf("a redirect of %d: got %d, followed %d times", status, resp.StatusCode, followed.Load())
		}
		server.Close()
	}
}

func TestClientUsesNoProxy(t *testing.T) {
	var asked atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(proxy.Close)
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	t.Setenv("NO_PROXY", "")
	// The environment's proxy is read once by net/http: what counts is that nobody reads it.
	client := home().Client(nil)
	if client.Transport.(bounded).next.Proxy != nil {
		t.Error("a proxy is used")
	}
	resp, err := client.Get("http://192.0.0.192/")
	if err == nil {
		resp.Body.Close()
		t.Error("a forbidden address answered")
	}
	if asked.Load() != 0 {
		t.Error("the proxy was asked")
	}
}

func TestClientReadsLittle(t *testing.T) {
	zeros := func(w io.Writer, size int) { _, _ = io.CopyN(w, endless{}, int64(size)) }
	var bomb bytes.Buffer
	packer := gzip.NewWriter(&bomb)
	zeros(packer, 100<<20)
	packer.Close()
	for name, test := range map[string]struct {
		reason string
		answer http.HandlerFunc
		want   int
		long   bool
	}{
		"Short": {"it is read whole", func(w http.ResponseWriter, _ *http.Request) { zeros(w, 1000) }, 1000, false},
		"Huge":  {"it is cut off", func(w http.ResponseWriter, _ *http.Request) { zeros(w, 100<<20) }, maxBody, true},
		"Bomb": {"it is not unpacked, asked for or not", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") != "" {
				t.Errorf("compression was asked for: %s", r.Header.Get("Accept-Encoding"))
			}
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(bomb.Bytes())
		}, min(maxBody, bomb.Len()), bomb.Len() > maxBody},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(test.answer)
			defer server.Close()
			client := home().Client(nil)
			defer client.CloseIdleConnections()
			resp, err := client.Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			got, err := io.ReadAll(resp.Body)
			if len(got) != test.want || errors.Is(err, errLong) != test.long {
				t.Errorf("%s: read %d bytes and %v, want %d", test.reason, len(got), err, test.want)
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
