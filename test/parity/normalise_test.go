package parity

import (
	"slices"
	"strings"
	"testing"
)

func TestNormalise(t *testing.T) {
	replacements := []Replacement{{"/tmp/x1", "DIR"}, {"https://127.0.0.1:6443", "SERVER"}, {"127.0.0.1:6443", "SERVER"}}
	for name, c := range map[string]struct{ in, want string }{
		"directory and server":       {"in /tmp/x1/a from https://127.0.0.1:6443/api, 127.0.0.1:6443", "in DIR/a from SERVER/api, SERVER"},
		"RFC 3339":                   {"creationTimestamp: \"2026-01-02T03:04:05Z\"", "creationTimestamp: \"TIME\""},
		"RFC 3339 with micros, zone": {"at 2026-01-02T03:04:05.123456+01:00.", "at TIME."},
		"Go's time":                  {"2026-01-02 03:04:05.5 +0000 UTC", "TIME"},
		"long time":                  {"Start Time:   Fri, 02 Jan 2026 03:04:05 +0000", "Start Time:  TIME"},
		"log prefix":                 {"E0102 03:04:05.123456    1234 memcache.go:265] no", "E TIME memcache.go:265] no"},
		"UID":                        {"uid: 0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f", "uid: UID"},
		"resource version":           {"resourceVersion: \"123\", \"resourceVersion\":\"9\", Resource Version:  77", "resourceVersion: \"RV\", \"resourceVersion\":\"RV\", Resource Version:  RV"},
		"token":                      {"token: eyJhbGci.eyJpc3M_.c2ln-nat", "token: TOKEN"},
		"diff's files":               {"--- DIR/LIVE-123/a\tDIR/MERGED-4 kubectl-edit-567.yaml", "--- DIR/LIVE-N/a\tDIR/MERGED-N kubectl-edit-N.yaml"},
		"event's name":               {"web.18a1b2c3d4e5f607", "web.EVENT"},
		"random suffix":              {"web-54fd4d6d4c-x7k2b and job-bcdfg", "web-54fd4d6d4c-xxxxx and job-xxxxx"},
		"vowels are no suffix":       {"web-apple web-x7k2b-y", "web-apple web-x7k2b-y"},
		"addresses":                  {"10.96.0.1,172.18.0.2", "IP,IP"},
		"node ports":                 {"80:30080/TCP 32767 32768 a30080 1.30080", "80:NODEPORT/TCP NODEPORT 32768 a30080 1.30080"},
		"ages":                       {"ready 5s, 2m3s (3h4m) 5d2h", "ready AGE, AGE (AGE) AGE"},
		"a duration that is meant":   {"waited for 5s", "waited for 5s"},
		"a quantity":                 {"cpu: 5m", "cpu: 5m"},
		"repeated events":            {"5s (x3 over 9s)", "AGE"},
		"padding":                    {"NAME     READY\n  a     b", "NAME  READY\n  a  b"},
		"table with ages":            {"NAME  AGE\na     5m\n\na     5m", "NAME  AGE\na  AGE\n\na  5m"},
		"table of events":            {"NAMESPACE  LAST SEEN\na  5m", "NAMESPACE  LAST SEEN\na  AGE"},
		"line ends":                  {"a\r\nb\rc\n\nd", "a\nb\nc\n\nd"},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(Normalise(c.in, replacements), "\n")
			if got != c.want {
				t.Errorf("%q became\n%q, not\n%q", c.in, got, c.want)
			}
			if again := strings.Join(Normalise(got, replacements), "\n"); again != got {
				t.Errorf("%q, normalised again, became %q", got, again)
			}
		})
	}
}

// TestFixturesAreNormalised: the port of the recorder's rules changes nothing
// in what the recorder has written.
func TestFixturesAreNormalised(t *testing.T) {
	for name, scenario := range load(t) {
		for _, step := range scenario.Steps {
			for _, lines := range [][]string{step.Recorded.Stdout, step.Recorded.Stderr} {
				if got := Normalise(strings.Join(lines, "\n")+"\n", nil); len(lines) > 0 && !slices.Equal(got, lines) {
					t.Errorf("%s, step %d became %q", name, step.Number, got)
				}
			}
		}
	}
}
