package authentication

import (
	"encoding/base64"
	"net/http"
	"testing"
)

func TestWebSocketToken(t *testing.T) {
	secret := ProtocolPrefix + base64.RawURLEncoding.EncodeToString([]byte("secret"))
	for _, test := range []struct {
		protocols []string
		want      string
		valid     bool
	}{
		{nil, "", true},
		{[]string{"v5.channel.k8s.io"}, "", true},
		{[]string{"v5.channel.k8s.io, " + secret}, "secret", true},
		{[]string{secret, "v5.channel.k8s.io"}, "secret", true},
		{[]string{secret}, "", false},
		{[]string{"a", secret, secret}, "", false},
		{[]string{"a", ProtocolPrefix + "?"}, "", false},
		{[]string{"a", ProtocolPrefix + "_w"}, "", false}, // no text
	} {
		got, err := WebSocketToken(http.Header{protocolHeader: test.protocols})
		if got != test.want || (err == nil) != test.valid {
			t.Errorf("%q: %q, %v", test.protocols, got, err)
		}
	}
}
