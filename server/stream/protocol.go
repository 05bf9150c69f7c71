// Package stream serves the view stream of engine/view over WebSockets: the
// same text frames that the page's own engine posts to it. It only moves
// frames; what they say is decided in engine/view.
package stream

import (
	"net/http"
	"net/url"
	"strings"
)

// protocol is the subprotocol of the stream.
const protocol = "tidepool.stream.v1"

// sameOrigin accepts clients that are not browsers and pages of this server.
func sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}
