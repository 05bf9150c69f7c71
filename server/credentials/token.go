// Package credentials keeps the secrets by which clients of a server identify
// themselves, in files of the data directory that only their owner can read.
// Nothing here is ever logged.
package credentials

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Token is a bearer token.
type Token string

// OpenToken returns the token that is kept in a file; it makes one there the
// first time.
func OpenToken(path string) (Token, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		token := Token(rand.Text())
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return "", err
		}
		return token, os.WriteFile(path, []byte(token+"\n"), 0o600)
	}
	if err != nil {
		return "", err
	}
	token := Token(strings.TrimSpace(string(data)))
	if token == "" {
		return "", errors.New(path + " is empty: remove it to make a new token")
	}
	return token, nil
}

// Is compares in constant time.
func (t Token) Is(presented string) bool {
	return subtle.ConstantTimeCompare([]byte(t), []byte(presented)) == 1
}
