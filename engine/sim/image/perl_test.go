package image

import (
	"strings"
	"testing"
	"time"
)

func TestPerl(t *testing.T) {
	for _, test := range []struct {
		args []string
		out  string
		code int
	}{
		{[]string{"-Mbignum=bpi", "-wle", "print bpi(50)"}, "3.1415926535897932384626433832795028841971693993751\n", 0},
		{[]string{"-Mbignum=bpi", "-e", "print bpi(1)"}, "3", 0},
		{[]string{"-e", "print 3"}, "3", 0},
		{[]string{"-le", `print "a"; print 'b\n'; exit 3; print 4`}, "a\nb\\n\n", 3},
		{[]string{"-e", `die "no"`}, "no at -e line 1.\n", 255},
		{[]string{"-e", "while (1) {}"}, `syntax error at -e line 1, near "while (1) {}"`, 255},
		{[]string{"-Mbignum=bpi", "-e", "print bpi(99999999)"}, "syntax error", 255},
		{[]string{"-e"}, "No code specified for -e.\n", 29},
		{[]string{"/run.pl"}, "Can't open perl script", 2},
		{nil, "", 0},
	} {
		b := newBox(t, "perl:5.34")
		r := b.run(true, append([]string{"perl"}, test.args...)...)
		if !strings.HasPrefix(r.out.String(), test.out) || test.code == 0 && r.out.String() != test.out || r.code != test.code {
			t.Errorf("perl %q: got %q and exit code %d, want %q and %d", test.args, r.out.String(), r.code, test.out, test.code)
		}
	}
	b := newBox(t, "perl:5.34.0-slim")
	began := b.now
	r := b.run(true, "perl", "-e", "sleep 5; print 1")
	if r.code != -1 {
		t.Error("it does not sleep")
	}
	if b.pass(1); r.code != 0 || r.out.String() != "1" || b.now.Sub(began) != 5*time.Second {
		t.Errorf("after its sleep: exit code %d, %q", r.code, r.out.String())
	}
	if digits := pi(1001); len(digits) != 1002 || !strings.HasSuffix(digits, "2164201989") {
		t.Errorf("pi to 1001 digits ends in %s", digits[len(digits)-10:])
	}
}
