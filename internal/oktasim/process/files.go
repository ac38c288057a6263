package process

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/go-jose/go-jose/v4"
	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

const (
	operatorClientID = "oktasim-operator"
	operatorKeyID    = "oktasim-operator-key"
)

// operatorScopes are what the operator is granted: all that the simulated API knows.
func operatorScopes() []string {
	return []string{
		"okta.apps.read", "okta.apps.manage", "okta.groups.read", "okta.groups.manage",
		"okta.authorizationServers.read", "okta.authorizationServers.manage", "okta.orgs.read", "okta.users.read",
		"okta.policies.read", "okta.policies.manage", "okta.networkZones.read", "okta.networkZones.manage",
		"okta.deviceAssurance.read", "okta.deviceAssurance.manage", "okta.users.manage", "okta.authenticators.read",
		"okta.logs.read",
	}
}

// bootstrap registers an operator and writes what it needs to get in: url, client_id,
// key_id, private_key.pem, and an API token for people.
func bootstrap(org *oktasim.Org, dir, url string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("making the operator's key: %w", err)
	}
	jwk, err := json.Marshal(jose.JSONWebKey{Key: key.Public(), KeyID: operatorKeyID, Algorithm: string(jose.ES256), Use: "sig"})
	if err != nil {
		return fmt.Errorf("encoding the operator's public key: %w", err)
	}
	if err := org.AddServiceClient(operatorClientID, jwk, operatorScopes()...); err != nil {
		return fmt.Errorf("registering the operator: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encoding the operator's key: %w", err)
	}
	return write(dir, 0o600, map[string][]byte{
		"url": []byte(url), "client_id": []byte(operatorClientID), "key_id": []byte(operatorKeyID),
		"private_key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		"api_token":       []byte(org.AddAPIToken()),
	})
}

// write replaces files.
func write(dir string, mode os.FileMode, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("making %s: %w", dir, err)
	}
	for name, content := range files {
		path := filepath.Join(dir, name)
		// A file of an earlier run may be open to others; writing does not change that.
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("replacing %s: %w", path, err)
		}
		if err := os.WriteFile(path, content, mode); err != nil {
			return fmt.Errorf("writing %s: %w", path, err)
		}
	}
	return nil
}

// certificateLifetime is longer than any demo.
const certificateLifetime = 365 * 24 * time.Hour

// newCertificate makes an authority and a certificate of it for host. The private
// keys never leave memory; dir gets the authority's certificate.
func newCertificate(host, dir string) (tls.Certificate, error) {
	// Clients judge certificates by real time, whatever the clock of the org says.
	now := clock.RealClock{}.Now()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "oktasim"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLifetime),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	authorityKey, authorityDER, err := issue(authority, authority, nil)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("making an authority: %w", err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if ip := net.ParseIP(host); ip != nil {
		leaf.IPAddresses = append(leaf.IPAddresses, ip)
	} else {
		leaf.DNSNames = append(leaf.DNSNames, host)
	}
	leafKey, leafDER, err := issue(leaf, authority, authorityKey)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("making a certificate: %w", err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authorityDER})
	if err := write(dir, 0o644, map[string][]byte{"ca.crt": public}); err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{leafDER, authorityDER}, PrivateKey: leafKey}, nil
}

// issue signs a certificate with its parent's key, or with its own when there is none.
func issue(template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making a key: %w", err)
	}
	if parentKey == nil {
		parentKey = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	return key, der, err
}
