package credentials

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/server/pki"
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

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// certificate returns one that an authority in a directory has signed.
func certificate(t *testing.T, dir string, made func(*pki.Authority) (pki.Pair, error)) (*pki.Authority, *x509.Certificate) {
	t.Helper()
	authority, err := pki.Open(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := made(authority)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := pair.TLS()
	if err != nil {
		t.Fatal(err)
	}
	return authority, parsed.Leaf
}

func admin(a *pki.Authority) (pki.Pair, error) {
	return a.Client("kubernetes-admin", "system:masters", now)
}

func TestAuthenticate(t *testing.T) {
	dir, at := t.TempDir(), now
	authority, ours := certificate(t, dir, admin)
	_, servers := certificate(t, dir, func(a *pki.Authority) (pki.Pair, error) {
		return a.Server("kube-apiserver", []string{"localhost"}, now)
	})
	_, foreign := certificate(t, t.TempDir(), admin)
	authenticator := NewAuthenticator(authority.Pool(), func() time.Time { return at }, nil)
	for _, test := range []struct {
		name        string
		certificate *x509.Certificate
		at          time.Time
		want        string
		invalid     bool
	}{
		{"nothing", nil, now, "", false},
		{"a certificate", ours, now, "kubernetes-admin", false},
		{"a certificate, once more", ours, now, "kubernetes-admin", false},
		{"a certificate that has expired since", ours, now.AddDate(2, 0, 0), "", true},
		{"a certificate of another authority", foreign, now, "", true},
		{"a server's certificate", servers, now, "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			at = test.at
			r := httptest.NewRequest(http.MethodGet, "/api", nil)
			if test.certificate != nil {
				r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{test.certificate}}
			}
			user, ok, err := authenticator.Authenticate(r)
			if ok != (test.want != "") || user.Name != test.want || (err != nil) != test.invalid {
				t.Errorf("got %v, %v, %v; want %q", user, ok, err, test.want)
			}
			if groups := []string{"system:masters"}; ok && !reflect.DeepEqual(user.Groups, groups) {
				t.Errorf("got groups %v, want %v", user.Groups, groups)
			}
		})
	}
}

func TestByToken(t *testing.T) {
	authenticator := NewAuthenticator(nil, nil, map[Token]identity.User{"secret": {Name: "page", Groups: []string{"system:masters"}}})
	for token, want := range map[string]string{"secret": "page", "guess": "", "sec": "", "": ""} {
		user, ok := authenticator.ByToken(token)
		if user.Name != want || ok != (want != "") {
			t.Errorf("%q is that of %v, %v; want %q", token, user, ok, want)
		}
	}
}
