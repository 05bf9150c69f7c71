package pki

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func open(t *testing.T, dir string, at time.Time) *Authority {
	t.Helper()
	authority, err := Open(dir, at)
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

func must(t *testing.T, pair Pair, err error) (Pair, *x509.Certificate) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := pair.TLS()
	if err != nil {
		t.Fatal(err)
	}
	return pair, parsed.Leaf
}

func TestCertificatesVerify(t *testing.T) {
	authority := open(t, t.TempDir(), now)
	pair, err := authority.Server("kube-apiserver", []string{"127.0.0.1", "localhost"}, now)
	_, server := must(t, pair, err)
	if _, err := server.Verify(x509.VerifyOptions{DNSName: "localhost", Roots: authority.Pool(), CurrentTime: now}); err != nil {
		t.Error(err)
	}
	if server.VerifyHostname("127.0.0.1") != nil || server.VerifyHostname("example.org") == nil {
		t.Error("the server's certificate is for other hosts")
	}
	pair, err = authority.Client("kubernetes-admin", "system:masters", now)
	_, client := must(t, pair, err)
	usages := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if _, err := client.Verify(x509.VerifyOptions{Roots: authority.Pool(), KeyUsages: usages, CurrentTime: now}); err != nil {
		t.Error(err)
	}
	if client.Subject.CommonName != "kubernetes-admin" || client.Subject.Organization[0] != "system:masters" {
		t.Errorf("the client is %v", client.Subject)
	}
}

func TestCertificatesAreKeptUntilTheyMustChange(t *testing.T) {
	hosts := []string{"127.0.0.1"}
	for _, test := range []struct {
		name  string
		at    time.Time
		hosts []string
		kept  bool
	}{
		{"later", now.AddDate(0, 6, 0), hosts, true},
		{"about to expire", now.AddDate(0, 11, 15), hosts, false},
		{"other hosts", now, []string{"127.0.0.1", "192.0.2.1"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			pair, err := open(t, dir, now).Server("kube-apiserver", hosts, now)
			first, _ := must(t, pair, err)
			pair, err = open(t, dir, test.at).Server("kube-apiserver", test.hosts, test.at)
			second, _ := must(t, pair, err)
			if kept := string(first.Certificate) == string(second.Certificate); kept != test.kept {
				t.Errorf("kept: %v, want %v", kept, test.kept)
			}
		})
	}
}

func TestKeysAreTheirOwnersAlone(t *testing.T) {
	dir := t.TempDir()
	if _, err := open(t, dir, now).Client("kubernetes-admin", "system:masters", now); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 4 {
		t.Fatalf("files: %v, %v", files, err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", file, info.Mode())
		}
	}
}

func TestOpenRefusesGarbage(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"ca.crt", "ca.key"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("garbage"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(dir, now); err == nil {
		t.Error("opened an authority of garbage")
	}
}
