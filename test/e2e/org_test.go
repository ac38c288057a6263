package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// org is a simulated org that pods reach by the name of a Service.
type org struct {
	*oktasim.Org
	url, host string
	port      int
	// authority is the one to trust, in PEM.
	authority []byte

	mu      sync.Mutex
	tallies map[string]tally
	// material is what Secrets have held so far.
	material map[string]string
}

// newOrg serves an org at the address of this machine by which pods reach it.
func newOrg(t *testing.T) *org {
	t.Helper()
	o := &org{Org: oktasim.New(oktasim.Options{Limits: oktasim.LimitsWorkforce.Scaled(60)}), host: "org." + okta + ".svc", tallies: map[string]tally{}, material: map[string]string{}}
	certificate := o.certificate(t)
	listener, err := tls.Listen("tcp", "0.0.0.0:0", &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13})
	if err != nil {
		t.Fatal(err)
	}
	o.port = listener.Addr().(*net.TCPAddr).Port
	o.url = fmt.Sprintf("https://%s", o.host)
	o.SetBaseURL(o.url)
	server := &http.Server{Handler: o, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return o
}

// certificate is one for the host, signed by itself.
func (o *org) certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: o.host}, DNSNames: []string{o.host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	o.authority = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// inCluster makes the org known in the cluster: a Service that leads to this machine, and the
// operator's credentials.
func (o *org) inCluster(t *testing.T) {
	t.Helper()
	host := os.Getenv("E2E_HOST")
	apply(t, fmt.Sprintf(`
apiVersion: v1
kind: Namespace
metadata: {name: %[1]s}
---
apiVersion: v1
kind: Service
metadata: {name: org, namespace: %[1]s}
spec: {ports: [{name: https, port: 443, targetPort: %[2]d}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: org, namespace: %[1]s, labels: {kubernetes.io/service-name: org}}
addressType: IPv4
ports: [{name: https, port: %[2]d}]
endpoints: [{addresses: [%[3]q], conditions: {ready: true}}]
`, okta, o.port, host))
	dir := t.TempDir()
	for name, value := range map[string][]byte{"api_token": []byte(o.AddAPIToken()), "ca.crt": o.authority} {
		if err := os.WriteFile(filepath.Join(dir, name), value, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, namespace := range []string{home, team, gone} {
		apply(t, fmt.Sprintf(`
apiVersion: v1
kind: Namespace
metadata:
  name: %s
  labels: {pod-security.kubernetes.io/enforce: restricted}
`, namespace))
		kubectl(t, "-n", namespace, "create", "configmap", "org-authority", "--from-file="+filepath.Join(dir, "ca.crt"))
	}
	kubectl(t, "-n", home, "create", "secret", "generic", "agent-identity-operator-okta",
		"--from-file="+filepath.Join(dir, "api_token"), "--from-file="+filepath.Join(dir, "ca.crt"))
}

// tally is how clients fared at the token endpoint.
type tally struct{ granted, refused int }

// ServeHTTP is the org's, and keeps the tallies.
func (o *org) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/v1/token") {
		o.Org.ServeHTTP(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := &answered{ResponseWriter: w, status: http.StatusOK}
	o.Org.ServeHTTP(answer, r)
	form, _ := url.ParseQuery(string(body))
	o.mu.Lock()
	defer o.mu.Unlock()
	client := o.tallies[clientOf(form)]
	if answer.status == http.StatusOK {
		client.granted++
	} else {
		client.refused++
	}
	o.tallies[clientOf(form)] = client
}

// clientOf is who asks, by the assertion that it signs.
func clientOf(form url.Values) string {
	parts := strings.Split(form.Get("client_assertion"), ".")
	if len(parts) != 3 {
		return ""
	}
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct{ Sub string }
	_ = json.Unmarshal(payload, &claims)
	return claims.Sub
}

type answered struct {
	http.ResponseWriter
	status int
}

func (a *answered) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// of gives how the client has fared so far.
func (o *org) of(clientID string) tally {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.tallies[clientID]
}
