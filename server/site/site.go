// Package site is the website of a server as one handler: the pages, and for
// them the Kubernetes API and the view stream under the same origin.
package site

import (
	"encoding/json"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"tidepool.dev/tidepool/engine/api/authentication"
	"tidepool.dev/tidepool/server/stream"
)

// apiPrefix is where pages find the Kubernetes API.
const apiPrefix = "/cluster"

// Config says what the site is made of.
type Config struct {
	// Hosts are the names of the server besides those of the loopback.
	Hosts []string
	// Pages serves everything that is not named below.
	Pages http.Handler
	// API is the Kubernetes API, which authenticates requests itself.
	API http.Handler
	// Stream is the view stream.
	Stream stream.Handler
}

// New returns the site's handler.
func New(config Config) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", config.Pages)
	mux.Handle(apiPrefix+"/", http.StripPrefix(apiPrefix, withAgent(onlyWithToken(config.API))))
	mux.Handle("/stream", config.Stream)
	return onlyHosts(config.Hosts, mux)
}

// onlyWithToken lets only requests with a bearer token through, which a page of
// another site can't make a browser send. Others are refused as the API refuses.
func onlyWithToken(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, ok := authentication.BearerToken(r.Header.Get("Authorization"))
		if token, err := authentication.WebSocketToken(r.Header); ok || err == nil && token != "" {
			next.ServeHTTP(w, r)
			return
		}
		status := apierrors.NewUnauthorized("Unauthorized").Status()
		status.Kind, status.APIVersion = "Status", "v1"
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(int(status.Code))
		json.NewEncoder(w).Encode(status) // it fails only if the client is gone
	})
}
