//go:build !unix

package server

import (
	"os"
	"path/filepath"
)

// lock opens the lock file alone: where there is no flock, nothing keeps two
// servers from sharing a data directory.
func lock(dir string) (*os.File, error) {
	return os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
}
