package jwt

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"math/rand/v2"
	"strings"
	"testing"
)

type claims struct {
	Name string `json:"name"`
}

func key(seed uint64) *Key { return FromRandom(rand.New(rand.NewPCG(seed, 0))) }

func TestTokens(t *testing.T) {
	ours := key(1)
	token, err := ours.Sign(claims{"bot"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := key(1).Sign(claims{"bot"})
	if err != nil || again != token {
		t.Errorf("the same key and claims make %s and %s", token, again)
	}
	other, err := key(2).Sign(claims{"bot"})
	if err != nil {
		t.Fatal(err)
	}
	body := encoding.EncodeToString([]byte(`{"name":"admin"}`))
	parts := strings.Split(token, ".")
	none := encoding.EncodeToString([]byte(`{"alg":"none"}`))
	for name, test := range map[string]struct {
		token string
		valid bool
	}{
		"ours":                    {token, true},
		"another key's":           {other, false},
		"changed claims":          {parts[0] + "." + body + "." + parts[2], false},
		"no signature":            {parts[0] + "." + parts[1] + ".", false},
		"no algorithm":            {none + "." + body + ".", false},
		"a part":                  {parts[0], false},
		"nothing":                 {"", false},
		"no JSON":                 {"a.b." + parts[2], false},
		"a signature of nothing":  {parts[0] + "." + parts[1] + "." + encoding.EncodeToString(make([]byte, 64)), false},
		"a signature of too much": {token + parts[2], false},
	} {
		var got claims
		if err := ours.Verify(test.token, &got); (err == nil) != test.valid || test.valid && got.Name != "bot" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestSignatures: numbers that begin with zeros are as long as others.
func TestSignatures(t *testing.T) {
	k := key(3)
	for range 600 { // one in 128 signatures has such a number
		token, err := k.Sign(claims{crand.Text()})
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Verify(token, &claims{}); err != nil {
			t.Fatalf("%s: %v", token, err)
		}
	}
}

func TestOtherCurvesAreRefused(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P384(), crand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(private); err == nil {
		t.Error("a key on P-384 was accepted")
	}
}

func FuzzVerify(f *testing.F) {
	k := key(1)
	token, err := k.Sign(claims{"bot"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add("..")
	f.Fuzz(func(t *testing.T, presented string) {
		var got claims
		if err := k.Verify(presented, &got); err == nil && got.Name != "bot" {
			t.Errorf("%q was accepted", presented)
		}
	})
}
