// Package stream serves the view stream of engine/view over WebSockets: the
// same text frames that the page's own engine posts to it. It only moves
// frames; what they say is decided in engine/view.
package stream

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/gorilla/websocket"
)

const (
	// protocol is the subprotocol of the stream.
	protocol = "tidepool.stream.v1"
	// TokenPrefix precedes the client's token, in a second subprotocol, since
	// browsers can't set headers on a WebSocket. Kubernetes' API server takes
	// tokens in the same way.
	TokenPrefix = "base64url.bearer.authorization.k8s.io."
)

// Token returns the bearer token that a WebSocket request carries among its
// subprotocols; empty if there is none.
func Token(r *http.Request) string {
	for _, offered := range websocket.Subprotocols(r) {
		if encoded, ok := strings.CutPrefix(offered, TokenPrefix); ok {
			token, err := base64.RawURLEncoding.DecodeString(encoded)
			if err != nil {
				return ""
			}
			return string(token)
		}
	}
	return ""
}

// sameOrigin accepts clients that are not browsers and pages of this server.
func sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}
