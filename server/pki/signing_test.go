package pki

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSigningKeyIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	made, err := SigningKey(dir, "sa")
	if err != nil {
		t.Fatal(err)
	}
	kept, err := SigningKey(dir, "sa")
	if err != nil || !made.Equal(kept) {
		t.Errorf("another key, %v", err)
	}
	path := filepath.Join(dir, "sa.key")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for _, broken := range []string{"", "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"} {
		if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := SigningKey(dir, "sa"); err == nil {
			t.Errorf("%q is a key", broken)
		}
	}
}
