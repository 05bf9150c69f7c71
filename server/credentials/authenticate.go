package credentials

import (
	"net/http"
	"strings"

	"tidepool.dev/tidepool/engine/api/rest"
)

// Authenticator tells who makes a request by its client certificate or its
// bearer token.
type Authenticator struct {
	// Tokens are the valid bearer tokens with their users.
	Tokens map[Token]rest.User
}

// Authenticate returns the request's user; false when it shows no valid
// credential.
func (a Authenticator) Authenticate(r *http.Request) (rest.User, bool) {
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 { // the TLS server has checked it against the authority
		subject := r.TLS.VerifiedChains[0][0].Subject
		return authenticated(rest.User{Name: subject.CommonName, Groups: subject.Organization}), true
	}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return a.ByToken(token)
	}
	return rest.User{}, false
}

// ByToken returns a bearer token's user; false when it is not valid.
func (a Authenticator) ByToken(presented string) (rest.User, bool) {
	for token, user := range a.Tokens {
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
