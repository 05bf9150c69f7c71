// Package jwt signs and reads JSON Web Tokens with ES256 (ECDSA on P-256): all
// that a cluster needs for its service accounts' tokens, without what a library
// for every algorithm would add to the browser's engine. The cryptography is
// the standard library's.
package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"math/rand/v2"
	"strings"
	"sync"
)

// Algorithm is the one that is used and accepted.
const Algorithm = "ES256"

// coordinate is the length of a number of the curve.
const coordinate = 32

// Key signs tokens and verifies them. It is safe for concurrent use.
type Key struct{ pair func() pair }

// pair is a key and the name by which tokens refer to it.
type pair struct {
	private *ecdsa.PrivateKey
	id      string
}

var encoding = base64.RawURLEncoding

// New returns the key that wraps an ECDSA key on P-256.
func New(private *ecdsa.PrivateKey) (*Key, error) {
	named, err := identify(private)
	if err != nil {
		return nil, err
	}
	return &Key{func() pair { return named }}, nil
}

func identify(private *ecdsa.PrivateKey) (pair, error) {
	if private.Curve != elliptic.P256() {
		return pair{}, errors.New("jwt: the key is not on the curve P-256")
	}
	point, err := private.PublicKey.Bytes()
	if err != nil {
		return pair{}, err
	}
	// The beginning of every such key in PKIX form (RFC 5480).
	prefix, err := hex.DecodeString("3059301306072a8648ce3d020106082a8648ce3d030107034200")
	if err != nil {
		return pair{}, err
	}
	sum := sha256.Sum256(append(prefix, point...))
	return pair{private, encoding.EncodeToString(sum[:])}, nil
}

// FromRandom returns a key that depends on nothing but what it draws: it is for
// simulations, whose runs must repeat, and is as secret as their seed. The key is
// calculated when it is needed for the first time: many a simulation never does,
// and a browser takes a while for it.
func FromRandom(random *rand.Rand) *Key {
	var seed [coordinate]byte
	for i := range seed {
		seed[i] = byte(random.Uint32())
	}
	return &Key{sync.OnceValue(func() pair {
		for {
			if private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:]); err == nil {
				if named, err := identify(private); err == nil {
					return named
				}
			}
			seed = sha256.Sum256(seed[:]) // it was not a number of the curve, which hardly ever happens
		}
	})}
}

type header struct {
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid"`
}

// Sign makes a token of claims. The same claims make the same token.
func (k *Key) Sign(claims any) (string, error) {
	head, err := json.Marshal(header{Algorithm, k.pair().id})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed := encoding.EncodeToString(head) + "." + encoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(signed))
	der, err := k.pair().private.Sign(nil, sum[:], crypto.SHA256) // without randomness: RFC 6979
	if err != nil {
		return "", err
	}
	signature, err := plain(der)
	if err != nil {
		return "", err
	}
	return signed + "." + encoding.EncodeToString(signature), nil
}

// plain is a signature in ASN.1 as JWT has it: two numbers of 32 bytes.
func plain(der []byte) ([]byte, error) {
	malformed := errors.New("jwt: malformed signature")
	if len(der) < 2 || der[0] != 0x30 || int(der[1]) != len(der)-2 {
		return nil, malformed
	}
	der = der[2:]
	signature := make([]byte, 0, 2*coordinate)
	for range 2 {
		if len(der) < 2 || der[0] != 0x02 || len(der) < 2+int(der[1]) {
			return nil, malformed
		}
		number := new(big.Int).SetBytes(der[2 : 2+der[1]])
		if number.BitLen() > 8*coordinate {
			return nil, malformed
		}
		signature = append(signature, number.FillBytes(make([]byte, coordinate))...)
		der = der[2+der[1]:]
	}
	return signature, nil
}

// ErrInvalid is what a token is that the key has not signed.
var ErrInvalid = errors.New("jwt: invalid token")

// Verify reads the claims of a token that the key has signed.
func (k *Key) Verify(token string, claims any) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ErrInvalid
	}
	var head header
	if err := decode(parts[0], &head); err != nil || head.Algorithm != Algorithm || head.KeyID != "" && head.KeyID != k.pair().id {
		return ErrInvalid
	}
	signature, err := encoding.DecodeString(parts[2])
	if err != nil || len(signature) != 2*coordinate {
		return ErrInvalid
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	r, s := new(big.Int).SetBytes(signature[:coordinate]), new(big.Int).SetBytes(signature[coordinate:])
	if !ecdsa.Verify(&k.pair().private.PublicKey, sum[:], r, s) || decode(parts[1], claims) != nil {
		return ErrInvalid
	}
	return nil
}

func decode(part string, into any) error {
	data, err := encoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// PublicKey is how others get to know the key (RFC 7517).
type PublicKey struct {
	Use       string `json:"use"`
	Type      string `json:"kty"`
	ID        string `json:"kid"`
	Curve     string `json:"crv"`
	Algorithm string `json:"alg"`
	X         string `json:"x"`
	Y         string `json:"y"`
}

// Public is the part of the key that is not secret.
func (k *Key) Public() PublicKey {
	point, err := k.pair().private.PublicKey.Bytes()
	if err != nil {
		panic(err) // New has seen that it can't be
	}
	x, y := point[1:1+coordinate], point[1+coordinate:]
	return PublicKey{
		Use: "sig", Type: "EC", ID: k.pair().id, Curve: "P-256", Algorithm: Algorithm,
		X: encoding.EncodeToString(x), Y: encoding.EncodeToString(y),
	}
}
