package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net"
	"slices"
	"testing"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
)

// requestFor is a request (PKCS#10, PEM) with a key of its own.
func requestFor(t *testing.T, subject pkix.Name) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: subject, DNSNames: []string{"node-1"}, IPAddresses: []net.IP{net.IPv4(10, 0, 0, 1)},
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

func TestSign(t *testing.T) {
	authority, err := Open(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	request := requestFor(t, pkix.Name{CommonName: "jane", Organization: []string{"team"}})
	parsed, err := authority.Parse(request)
	if err != nil || parsed.CommonName != "jane" || !slices.Equal(parsed.Organizations, []string{"team"}) ||
		!slices.Equal(parsed.DNSNames, []string{"node-1"}) || !slices.Equal(parsed.IPs, []string{"10.0.0.1"}) {
		t.Errorf("%+v, %v", parsed, err)
	}
	usages := []certificatesv1.KeyUsage{certificatesv1.UsageClientAuth, certificatesv1.UsageDigitalSignature}
	for _, test := range []struct{ lifetime, want time.Duration }{{time.Hour, time.Hour}, {24 * time.Hour, 24*time.Hour - backdate}, {100 * 365 * 24 * time.Hour, 0}} {
		signed, err := authority.Sign(request, usages, test.lifetime)
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(signed)
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := certificate.Verify(x509.VerifyOptions{Roots: authority.Pool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
			t.Error(err)
		}
		if certificate.Subject.CommonName != "jane" || certificate.KeyUsage != x509.KeyUsageDigitalSignature || certificate.IsCA {
			t.Errorf("%+v", certificate)
		}
		want := certificate.NotBefore.Add(backdate + test.want)
		if test.want == 0 {
			want = authority.certificate.NotAfter
		}
		if end, ok := authority.NotAfter(signed); !ok || !end.Equal(want) {
			t.Errorf("ends at %v, want %v", end, want)
		}
	}
	if _, err := authority.Sign(request, []certificatesv1.KeyUsage{"magic"}, time.Hour); err == nil {
		t.Error("an unknown usage was signed")
	}
	block, _ := pem.Decode(request)
	block.Bytes[len(block.Bytes)-1] ^= 1 // the signature is no longer the key's
	for _, broken := range [][]byte{nil, []byte("x"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: []byte{1}}), pem.EncodeToMemory(block)} {
		if _, err := authority.Parse(broken); err == nil {
			t.Errorf("%q is a request", broken)
		}
		if _, err := authority.Sign(broken, usages, time.Hour); err == nil {
			t.Errorf("%q was signed", broken)
		}
	}
	if _, ok := authority.NotAfter([]byte("x")); ok {
		t.Error("no certificate has an end")
	}
}
