package credentials

import (
	"crypto/x509"
	"net/http"
	"strings"
	"sync"
	"time"

	"tidepool.dev/tidepool/engine/api/rest"
)

// Authenticator tells who makes a request by its client certificate or its
// bearer token. It is safe for concurrent use.
type Authenticator struct {
	authority *x509.CertPool
	now       func() time.Time
	tokens    map[Token]rest.User

	mu sync.Mutex
	// verified remembers the certificates that the authority has signed, with
	// their ends: checking a signature costs more than answering.
	verified map[string]time.Time
}

// maxVerified bounds how many certificates are remembered.
const maxVerified = 1024

// NewAuthenticator accepts certificates that the authority has signed for
// clients, and the tokens of users.
func NewAuthenticator(authority *x509.CertPool, now func() time.Time, tokens map[Token]rest.User) *Authenticator {
	return &Authenticator{authority: authority, now: now, tokens: tokens, verified: map[string]time.Time{}}
}

// Authenticate returns the request's user; false when it shows no valid
// credential.
func (a *Authenticator) Authenticate(r *http.Request) (rest.User, bool) {
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		if certificate := r.TLS.PeerCertificates[0]; a.verify(certificate) {
			subject := certificate.Subject
			return authenticated(rest.User{Name: subject.CommonName, Groups: subject.Organization}), true
		}
	}
	if token, ok := BearerToken(r); ok {
		return a.ByToken(token)
	}
	return rest.User{}, false
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

// BearerToken returns the token in a request's Authorization header.
func BearerToken(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	token = strings.TrimSpace(token)
	return token, ok && token != "" && strings.EqualFold(scheme, "Bearer")
}

// ByToken returns a bearer token's user; false when it is not valid.
func (a *Authenticator) ByToken(presented string) (rest.User, bool) {
	for token, user := range a.tokens {
		if token.Is(presented) {
			return authenticated(user), true
		}
	}
	return rest.User{}, false
}

func authenticated(user rest.User) rest.User {
	user.Groups = append(append([]string(nil), user.Groups...), "system:authenticated")
	return user
}
