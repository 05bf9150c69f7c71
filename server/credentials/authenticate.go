package credentials

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"tidepool.dev/tidepool/engine/api/identity"
)

// Authenticator tells who makes a request by its client certificate or its
// bearer token. It is safe for concurrent use.
type Authenticator struct {
	authority *x509.CertPool
	now       func() time.Time
	tokens    map[Token]identity.User

	mu sync.Mutex
	// verified remembers the certificates that the authority has signed, with
	// their ends: checking a signature costs more than answering.
	verified map[string]time.Time
}

// maxVerified bounds how many certificates are remembered.
const maxVerified = 1024

// NewAuthenticator accepts certificates that the authority has signed for
// clients, and the tokens of users.
func NewAuthenticator(authority *x509.CertPool, now func() time.Time, tokens map[Token]identity.User) *Authenticator {
	return &Authenticator{authority: authority, now: now, tokens: tokens, verified: map[string]time.Time{}}
}

// errUntrusted is what a certificate is that the authority has not signed for a
// client, or whose time is over.
var errUntrusted = errors.New("the client certificate is not valid")

// Authenticate returns the user of the request's client certificate; false when
// it shows none, an error when it is not valid.
func (a *Authenticator) Authenticate(r *http.Request) (identity.User, bool, error) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return identity.User{}, false, nil
	}
	certificate := r.TLS.PeerCertificates[0]
	if !a.verify(certificate) {
		return identity.User{}, false, errUntrusted
	}
	return identity.User{
		Name: certificate.Subject.CommonName, Groups: certificate.Subject.Organization,
		Extra: map[string][]string{identity.CredentialIDKey: {fingerprint(certificate)}},
	}, true, nil
}

// fingerprint is by which audit tells certificates apart
// (k8s.io/apiserver/pkg/authentication/request/x509 upstream).
func fingerprint(certificate *x509.Certificate) string {
	return fmt.Sprintf("X509SHA256=%x", sha256.Sum256(certificate.Raw))
}

func (a *Authenticator) verify(certificate *x509.Certificate) bool {
	now, key := a.now(), string(certificate.Raw)
	a.mu.Lock()
	end, known := a.verified[key]
	a.mu.Unlock()
	if known {
		return !now.After(end)
	}
	_, err := certificate.Verify(x509.VerifyOptions{
		Roots: a.authority, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.verified) >= maxVerified {
		clear(a.verified)
	}
	a.verified[key] = certificate.NotAfter
	return true
}

// ByToken returns a bearer token's user; false when it is not valid.
func (a *Authenticator) ByToken(presented string) (identity.User, bool) {
	for token, user := range a.tokens {
		if token.Is(presented) {
			return user.Authenticated(), true
		}
	}
	return identity.User{}, false
}
