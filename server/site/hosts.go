package site

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
)

// onlyHosts refuses requests that were sent to other host names than the
// server's own. A web page elsewhere can make a browser resolve its own name to
// this machine (DNS rebinding), but not forge the Host header.
func onlyHosts(allowed []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		host = strings.ToLower(strings.Trim(host, "[]"))
		if !isLoopback(host) && !slices.Contains(allowed, host) {
			http.Error(w, fmt.Sprintf("This server is not called %q. Open it under an address that it printed, or name the host with --host.", host), http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
