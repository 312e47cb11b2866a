package imaptest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// writeCertificate makes a CA (ca.pem) and a certificate of it for localhost
// (cert.pem, key.pem).
func writeCertificate(t testing.TB, dir string) {
	t.Helper()
	caKey, ca := newCertificate(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "Test CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	key, cert := newCertificate(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca, caKey)
	der, err := x509.MarshalECPrivateKey(key)
	check(t, err)
	writePEM(t, filepath.Join(dir, "ca.pem"), "CERTIFICATE", ca.Raw, 0o644)
	writePEM(t, filepath.Join(dir, "cert.pem"), "CERTIFICATE", cert.Raw, 0o644)
	writePEM(t, filepath.Join(dir, "key.pem"), "EC PRIVATE KEY", der, 0o600)
}

// newCertificate signs a certificate, with itself where there is no parent.
func newCertificate(t testing.TB, c, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*ecdsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	if parent == nil {
		parent, parentKey = c, key
	}
	c.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62))
	check(t, err)
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	check(t, err)
	cert, err := x509.ParseCertificate(der)
	check(t, err)
	return key, cert
}

func writePEM(t testing.TB, path, kind string, der []byte, mode os.FileMode) {
	t.Helper()
	check(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode))
}
