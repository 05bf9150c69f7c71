package credentials

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"tidepool.dev/tidepool/engine/api/rest"
)

func TestOpenTokenKeepsItsToken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "token")
	first, err := OpenToken(path)
	if err != nil {
		t.Fatal(err)
	}
	second, err := OpenToken(path)
	if err != nil || second != first || len(first) < 20 {
		t.Errorf("got %q, then %q, %v", first, second, err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("the token's file has mode %v", info.Mode())
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenToken(path); err == nil {
		t.Error("an empty token was accepted")
	}
}

func TestAuthenticate(t *testing.T) {
	authenticator := Authenticator{Tokens: map[Token]rest.User{"secret": {Name: "page", Groups: []string{"system:masters"}}}}
	chain := [][]*x509.Certificate{{{Subject: pkix.Name{CommonName: "kubernetes-admin", Organization: []string{"system:masters"}}}}}
	for _, test := range []struct {
		name   string
		header string
		tls    *tls.ConnectionState
		want   string
	}{
		{"nothing", "", nil, ""},
		{"a valid token", "Bearer secret", nil, "page"},
		{"another token", "Bearer guess", nil, ""},
		{"an empty token", "Bearer ", nil, ""},
		{"another scheme", "Basic secret", nil, ""},
		{"a verified certificate", "", &tls.ConnectionState{VerifiedChains: chain}, "kubernetes-admin"},
		{"an unverified certificate", "", &tls.ConnectionState{PeerCertificates: chain[0]}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/api", nil)
			r.TLS = test.tls
			if test.header != "" {
				r.Header.Set("Authorization", test.header)
			}
			user, ok := authenticator.Authenticate(r)
			if ok != (test.want != "") || user.Name != test.want {
				t.Errorf("got %v, %v; want %q", user, ok, test.want)
			}
			if groups := []string{"system:masters", "system:authenticated"}; ok && !reflect.DeepEqual(user.Groups, groups) {
				t.Errorf("got groups %v, want %v", user.Groups, groups)
			}
		})
	}
}
