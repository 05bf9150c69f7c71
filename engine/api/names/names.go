// Package names generates names and UIDs as the API server does
// (k8s.io/apiserver/pkg/storage/names).
package names

import "math/rand/v2"

const (
	suffixLength   = 5
	suffixAlphabet = "bcdfghjklmnpqrstvwxz2456789"
	// LongestPrefix leaves room for the suffix in a name of 63 characters.
	LongestPrefix = 63 - suffixLength
)

// Generate completes a prefix, which it cuts where it is too long, by a random
// suffix.
func Generate(prefix string, random *rand.Rand) string {
	if len(prefix) > LongestPrefix {
		prefix = prefix[:LongestPrefix]
	}
	suffix := make([]byte, suffixLength)
	for i := range suffix {
		suffix[i] = suffixAlphabet[random.IntN(len(suffixAlphabet))]
	}
	return prefix + string(suffix)
}
