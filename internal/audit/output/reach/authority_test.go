package reach

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"
)

// future and past are ends of certificates.
var future, past = time.Now().Add(time.Hour), time.Now().Add(-time.Hour)

// authority issues certificates.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pool *x509.CertPool
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	a := authority{key: newKey(t), pool: x509.NewCertPool()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: canary}, NotAfter: future, IsCA: true, BasicConstraintsValid: true,
	}
	a.cert = a.sign(t, template, template, a.key)
	a.pool.AddCert(a.cert)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a authority) sign(t *testing.T, template, parent *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// issue makes a certificate for a name or an address, good for servers and clients.
func (a authority) issue(t *testing.T, name string, until time.Time) tls.Certificate {
	t.Helper()
	return a.with(t, name, until, x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth)
}

// certificate makes one that no server may show.
func (a authority) certificate(t *testing.T) tls.Certificate {
	t.Helper()
	return a.with(t, "127.0.0.1", future, x509.ExtKeyUsageCodeSigning)
}

func (a authority) with(t *testing.T, name string, until time.Time, usage ...x509.ExtKeyUsage) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: canary}, NotAfter: until, ExtKeyUsage: usage,
	}
	if address := net.ParseIP(name); address != nil {
		template.IPAddresses = []net.IP{address}
	} else {
		template.DNSNames = []string{name}
	}
	key := newKey(t)
	return tls.Certificate{Certificate: [][]byte{a.sign(t, template, a.cert, key).Raw}, PrivateKey: key}
}
