// Package pki makes and keeps the certificates of a control plane: an authority
// of its own, the API server's certificate and those of its clients. Private
// keys are ECDSA P-256 and never leave the directory, whose files only their
// owner can read.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	authorityYears   = 10
	certificateYears = 1
	// renewBefore is how long before its end a certificate is made anew.
	renewBefore = 30 * 24 * time.Hour
	// backdate allows for clients whose clocks are behind.
	backdate = 5 * time.Minute
)

// Authority signs certificates.
type Authority struct {
	dir         string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	// PEM is the authority's certificate, for clients to trust.
	PEM []byte
}

// Pair is a certificate with its key, PEM-encoded.
type Pair struct {
	Certificate, Key []byte
}

// TLS parses the pair for a server or client.
func (p Pair) TLS() (tls.Certificate, error) { return tls.X509KeyPair(p.Certificate, p.Key) }

// Open returns the authority that is kept in a directory; it makes one there
// the first time.
func Open(dir string, now time.Time) (*Authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	pair, err := read(dir, "ca")
	if errors.Is(err, fs.ErrNotExist) {
		pair, err = makeAuthority(dir, now)
	}
	if err != nil {
		return nil, fmt.Errorf("the certificate authority in %s: %w", dir, err)
	}
	parsed, err := pair.TLS()
	if err != nil {
		return nil, fmt.Errorf("the certificate authority in %s: %w (remove the directory to make a new one)", dir, err)
	}
	key, ok := parsed.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("the certificate authority in %s: its key is not ECDSA (remove the directory to make a new one)", dir)
	}
	return &Authority{dir: dir, certificate: parsed.Leaf, key: key, PEM: pair.Certificate}, nil
}

func makeAuthority(dir string, now time.Time) (Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, err
	}
	template, err := template(pkix.Name{CommonName: "tidepool-ca"}, now, authorityYears)
	if err != nil {
		return Pair{}, err
	}
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	return sign(dir, "ca", template, template, key, key)
}

// Server returns the certificate of a server that is reached under hosts, names
// or IP addresses. It is kept in the directory and made anew when it is about
// to expire or the hosts have changed.
func (a *Authority) Server(name string, hosts []string, now time.Time) (Pair, error) {
	return a.pair(name, now, func(leaf *x509.Certificate) bool {
		for _, host := range hosts {
			if leaf.VerifyHostname(host) != nil {
				return false
			}
		}
		return true
	}, func(template *x509.Certificate) {
		template.Subject = pkix.Name{CommonName: name}
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		for _, host := range hosts {
			if ip := net.ParseIP(host); ip != nil {
				template.IPAddresses = append(template.IPAddresses, ip)
			} else {
				template.DNSNames = append(template.DNSNames, host)
			}
		}
	})
}

// Client returns the certificate of a user in a group, as Kubernetes reads it:
// the common name is the user, the organization the group. It is kept in the
// directory and made anew when it is about to expire.
func (a *Authority) Client(user, group string, now time.Time) (Pair, error) {
	return a.pair(user, now, func(leaf *x509.Certificate) bool {
		return leaf.Subject.CommonName == user && len(leaf.Subject.Organization) == 1 && leaf.Subject.Organization[0] == group
	}, func(template *x509.Certificate) {
		template.Subject = pkix.Name{CommonName: user, Organization: []string{group}}
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	})
}

// Pool trusts what the authority has signed.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

func (a *Authority) pair(name string, now time.Time, fits func(*x509.Certificate) bool, describe func(*x509.Certificate)) (Pair, error) {
	if pair, err := read(a.dir, name); err == nil {
		if parsed, err := pair.TLS(); err == nil && a.valid(parsed.Leaf, now) && fits(parsed.Leaf) {
			return pair, nil
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, err
	}
	template, err := template(pkix.Name{}, now, certificateYears)
	if err != nil {
		return Pair{}, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	describe(template)
	return sign(a.dir, name, template, a.certificate, key, a.key)
}

func (a *Authority) valid(leaf *x509.Certificate, now time.Time) bool {
	return leaf.CheckSignatureFrom(a.certificate) == nil && now.Add(renewBefore).Before(leaf.NotAfter)
}

func template(subject pkix.Name, now time.Time, years int) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      subject,
		NotBefore:    now.Add(-backdate),
		NotAfter:     now.AddDate(years, 0, 0),
	}, nil
}

func sign(dir, name string, template, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) (Pair, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		return Pair{}, err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return Pair{}, err
	}
	pair := Pair{
		Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		Key:         pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}),
	}
	return pair, write(dir, name, pair)
}

func read(dir, name string) (pair Pair, err error) {
	if pair.Certificate, err = os.ReadFile(filepath.Join(dir, name+".crt")); err != nil {
		return Pair{}, err
	}
	pair.Key, err = os.ReadFile(filepath.Join(dir, name+".key"))
	return pair, err
}

func write(dir, name string, pair Pair) error {
	if err := os.WriteFile(filepath.Join(dir, name+".key"), pair.Key, 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name+".crt"), pair.Certificate, 0o600)
}
