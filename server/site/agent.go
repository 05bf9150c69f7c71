package site

import "net/http"

// agentHeader is how a page names the program that asks, because browsers set
// the User-Agent of its requests themselves. Lessons tell kubectl by it.
const agentHeader = "Tidepool-User-Agent"

// withAgent takes over the user agent that the page gave.
func withAgent(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if agent := r.Header.Get(agentHeader); agent != "" {
			r.Header.Set("User-Agent", agent)
			r.Header.Del(agentHeader)
		}
		next.ServeHTTP(w, r)
	})
}
