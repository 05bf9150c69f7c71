package schema

import (
	"encoding/base64"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
)

// formats check the formats of strings that Kubernetes checks
// (k8s.io/kube-openapi/pkg/validation/strfmt), by their names without dashes.
var formats = map[string]func(string) bool{
	"uri":      func(s string) bool { _, err := url.ParseRequestURI(s); return err == nil },
	"email":    func(s string) bool { address, err := mail.ParseAddress(s); return err == nil && address.Address != "" },
	"hostname": isHostname,
	"ipv4":     func(s string) bool { a, err := netip.ParseAddr(s); return err == nil && a.Is4() },
	"ipv6": func(s string) bool {
		a, err := netip.ParseAddr(s)
		return err == nil && strings.Contains(s, ":") && a.Zone() == ""
	},
	"cidr":     func(s string) bool { _, err := netip.ParsePrefix(s); return err == nil },
	"mac":      matches(`^([0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}([:-][0-9a-fA-F]{2}){0,2}|[0-9a-fA-F]{4}(\.[0-9a-fA-F]{4}){2,3})$`),
	"uuid":     matches(`(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$`),
	"uuid3":    matches(`(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$`),
	"uuid4":    matches(`(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$`),
	"uuid5":    matches(`(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$`),
	"ssn":      matches(`^\d{3}[- ]?\d{2}[- ]?\d{4}$`),
	"hexcolor": matches(`^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$`),
	"rgbcolor": matches(`^rgb\(\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*\)$`),
	"byte":     func(s string) bool { _, err := base64.StdEncoding.DecodeString(s); return err == nil },
	"password": func(string) bool { return true },
	"date":     func(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil },
	"datetime": isDateTime,
	"duration": isDuration,

	"k8s-short-name": func(s string) bool { return len(validation.IsDNS1123Label(s)) == 0 },
	"k8s-long-name":  func(s string) bool { return len(validation.IsDNS1123Subdomain(s)) == 0 },
}

// matches compiles a pattern when it is first needed.
func matches(pattern string) func(string) bool {
	compiled := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
	return func(s string) bool { return compiled().MatchString(s) }
}

var hostname = matches(`^[a-zA-Z0-9\x{00a1}-\x{ffff}]([a-zA-Z0-9\x{00a1}-\x{ffff}-]*[a-zA-Z0-9\x{00a1}-\x{ffff}])?(\.[a-zA-Z0-9\x{00a1}-\x{ffff}]([a-zA-Z0-9\x{00a1}-\x{ffff}-]*[a-zA-Z0-9\x{00a1}-\x{ffff}])?)*$`)

func isHostname(s string) bool {
	if len(s) > 255 || !hostname(s) {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if len(label) > 63 {
			return false
		}
	}
	return true
}

func isDateTime(s string) bool {
	_, err := time.Parse(time.RFC3339Nano, strings.ToUpper(s))
	return err == nil
}

var scalaDuration = matches(`^\s*[0-9]+\s*(ns|nanos?|nanoseconds?|us|µs|micros?|microseconds?|ms|millis?|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hr|hrs|hours?|d|days?|w|weeks?)\s*$`)

// isDuration is a duration of Go's or of Scala's, "22 ns".
func isDuration(s string) bool {
	_, err := time.ParseDuration(s)
	return err == nil || scalaDuration(s)
}
