package shell

import (
	"errors"
	"path"
	"slices"
	"strings"
	"testing"
	"time"
)

// fake is a host whose time passes at once: programs are echo, false, sleep and
// upper; anything else is not found.
type fake struct {
	files   map[string]string
	later   []func()
	slept   time.Duration
	trapped func()
}

func (f *fake) Run(args, env []string, io IO, done func(int)) {
	switch args[0] {
	case "echo":
		io.Out(strings.Join(args[1:], " ") + "\n")
		done(0)
	case "false":
		done(1)
	case "sleep":
		d, _ := time.ParseDuration(args[1] + "s")
		f.After(d, func() { done(0) })
	case "upper":
		io.In.All(func(text string) {
			io.Out(strings.ToUpper(text))
			done(0)
		})
	case "env":
		io.Out(strings.Join(env, "\n") + "\n")
		done(0)
	case "term":
		f.trapped()
		done(0)
	default:
		io.Err("sh: " + args[0] + ": not found\n")
		done(127)
	}
}

func (f *fake) After(d time.Duration, then func()) {
	f.slept += d
	f.later = append(f.later, then)
}

func (f *fake) Exec(args, env []string, io IO, done func(int)) { f.Run(args, env, io, done) }

func (f *fake) IsDir(name string) bool { return name == "/" || name == "/etc" }

func (f *fake) List(dir string) []string {
	var list []string
	for name := range f.files {
		if path.Dir(name) == dir {
			list = append(list, path.Base(name))
		}
	}
	if dir == "/" {
		list = append(list, "etc")
	}
	slices.Sort(list)
	return list
}

func (f *fake) ReadFile(name string) (string, error) {
	if content, ok := f.files[name]; ok {
		return content, nil
	}
	return "", errors.New("no such file")
}

func (f *fake) WriteFile(name, content string, more bool) error {
	if strings.HasPrefix(name, "/ro/") {
		return errors.New("read-only")
	}
	if more {
		content = f.files[name] + content
	}
	f.files[name] = content
	return nil
}

func (f *fake) OnTerminate(then func()) { f.trapped = then }

// run runs a script to its end, or for a thousand rests.
func run(script string, params ...string) (out string, code int, host *fake) {
	host = &fake{files: map[string]string{}}
	var text strings.Builder
	code = -1
	write := func(s string) { text.WriteString(s) }
	Run(host, script, append([]string{"sh"}, params...), []string{"HOME=/root"}, IO{Out: write, Err: write}, func(c int) { code = c })
	for range 1000 {
		if len(host.later) == 0 {
			break
		}
		next := host.later[0]
		host.later = host.later[1:]
		next()
	}
	return text.String(), code, host
}

func TestScripts(t *testing.T) {
	for _, test := range []struct {
		script, out string
		code        int
	}{
		{"", "", 0},
		{"echo a b   c", "a b c\n", 0},
		{`echo 'a  b' "c  d" e\ f`, "a  b c  d e f\n", 0},
		{"echo a; echo b\necho c # d", "a\nb\nc\n", 0},
		{"exit 3; echo never", "", 3},
		{"false; echo $?", "1\n", 0},
		{"false && echo a || echo b", "b\n", 0},
		{"echo a || echo b && echo c", "a\nc\n", 0},
		{"! false && echo yes", "yes\n", 0},
		{"false", "", 1},
		{"nope", "sh: nope: not found\n", 127},
		{"X=5; echo $X ${X}y ${Y:-none} $HOME", "5 5y none /root\n", 0},
		{`X="a b"; echo $X "$X"`, "a b a b\n", 0},
		{"X=1 env", "HOME=/root\nPWD=/\nX=1\n", 0},
		{"export X=1; env", "HOME=/root\nPWD=/\nX=1\n", 0},
		{"i=0; while [ $i ]; do echo $i; i=$((i+1)); if false; then :; fi; exit; done", "sh: [: not found\n", 0},
		{"echo $((2+3*4)) $(( (1+2) * 3 - 10 / 2 ))", "14 4\n", 0},
		{"echo $(echo a; echo b) \"$(echo c)\"", "a b c\n", 0},
		{"for i in 1 2 3; do echo $i; done", "1\n2\n3\n", 0},
		{"if false; then echo a; elif echo b; then echo c; else echo d; fi", "b\nc\n", 0},
		{"if false; then echo a; else echo d; fi", "d\n", 0},
		{"until echo x; do echo never; done", "x\n", 0},
		{"echo hello | upper", "HELLO\n", 0},
		{"echo a > f; echo b >> f; upper < f", "A\nB\n", 0},
		{"upper < none", "sh: can't open none: no such file\n", 1},
		{"echo a > /ro/f; echo $?", "sh: can't create /ro/f: read-only\n1\n", 0},
		{"nope 2>/dev/null; echo $?", "127\n", 0},
		{"nope > f 2>&1; upper < f", "SH: NOPE: NOT FOUND\n", 0},
		{"{ echo a; echo b; } | upper", "A\nB\n", 0},
		{"(exit 2)", "", 2},
		{"exec echo last; echo never", "last\n", 0},
		{"trap 'echo bye; exit 4' TERM; term; echo never", "bye\n", 4},
		{"sleep 5 & echo now", "now\n", 0},
		{"echo 'open", "sh: syntax error: unterminated quoted string\n", 2},
		{"if true; then echo a", "sh: syntax error: unexpected end of file (expecting \"fi\")\n", 2},
		{"echo a | | echo b", "sh: syntax error: unexpected \"|\"\n", 2},
		{"case ab in x|y) echo no;; a*) echo yes;; *) echo other;; esac", "yes\n", 0},
		{"case '*' in a) echo no;; '*') echo star; esac; case x in y) ;; esac; echo $?", "star\n0\n", 0},
		{"case x in\n (x)\n echo a\n false;;\nesac", "a\n", 1},
		{"case x in x) echo", "sh: syntax error: unexpected end of file (expecting \"esac\")\n", 2},
		{"case x x) esac", "sh: syntax error: unexpected word \"x\"\n", 2},
		{"f() { echo f $1 $#; return 3; echo never; }; f a b; echo $? $#", "f a 2\n3 0\n", 0},
		{"f() { f; }; f", "sh: f: functions are nested too deeply for the simulated shell\n", 2},
		{"for i in 1 2 3 4; do case $i in 2) continue;; 4) break;; esac; echo $i; done", "1\n3\n", 0},
		{"while :; do while :; do break 2; done; echo never; done; echo out", "out\n", 0},
		{"echo 1 > /etc/b.txt; echo 2 > /etc/a.txt; echo /etc/*.txt *.none '/etc/*' /e*/a*; for f in /etc/?.txt; do echo $f; done", "/etc/a.txt /etc/b.txt *.none /etc/* /etc/a.txt\n/etc/a.txt\n/etc/b.txt\n", 0},
		{"set -e; if false; then :; fi; while false; do :; done; ! :; echo on; false; echo never", "on\n", 1},
		{"set -e; false || echo a; false; echo never", "a\n", 1},
		{"printf() { :; }; echo a b c | { read x y; echo $y $x; }", "b c a\n", 0},
		{"read x < none; echo a > f; read x < f; echo $x; read x < /dev/null; echo $?", "sh: can't open none: no such file\na\nsh: can't open /dev/null: no such file\n1\n", 0},
		{"eval 'X=1;' echo '$X'; echo 'Y=2' > f; . ./f; echo $Y; . none", "1\n2\nsh: .: can't open 'none': no such file\n", 2},
		{"f() { echo $1; shift; echo $1; }; f a b; echo `echo back`  \"`echo quoted`\"", "a\nb\nback quoted\n", 0},
		{strings.Repeat("{ ", 60), "sh: syntax error: commands are nested too deeply for the simulated shell\n", 2},
		{strings.Repeat("echo a;", 10_000), "sh: syntax error: the script is too long for the simulated shell\n", 2},
	} {
		t.Run(test.script[:min(len(test.script), 40)], func(t *testing.T) {
			out, code, _ := run(test.script)
			if out != test.out || code != test.code {
				t.Errorf("got %q and exit code %d, want %q and %d", out, code, test.out, test.code)
			}
		})
	}
}

func TestParameters(t *testing.T) {
	if out, _, _ := run(`echo $0 $1 $# "$@"`, "a", "b"); out != "sh a 2 a b\n" {
		t.Errorf("got %q", out)
	}
}

func TestTimePasses(t *testing.T) {
	_, code, host := run("sleep 5; sleep 2; exit 1")
	if host.slept != 7*time.Second || code != 1 {
		t.Errorf("slept %v, exit code %d", host.slept, code)
	}
}

// TestEndlessLoopsRest: a loop without any rest of its own gives the others
// their turn, and does not pile up calls.
func TestEndlessLoopsRest(t *testing.T) {
	for _, script := range []string{"while :; do :; done", "while :; do i=$((i+1)); done", "until ! :; do : | :; done"} {
		if out, code, host := run(script); code != -1 || host.slept == 0 {
			t.Errorf("%s: it ended with %d after %v: %q", script, code, host.slept, out)
		}
	}
}

func FuzzScripts(f *testing.F) {
	for _, seed := range []string{"echo a", "while :; do :; done", "$(", "${", "$((", "'", `"`, "a=$(b) c | d > e && f", "for x in; do"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, script string) {
		if len(script) > 200 {
			t.Skip()
		}
		run(script) // it must not panic or hang, that is all
	})
}

// TestInteract types at a shell.
func TestInteract(t *testing.T) {
	var screen strings.Builder
	show := func(text string) { screen.WriteString(text) }
	in := NewInput()
	code := -1
	session := Interact(&fake{}, []string{"sh"}, []string{"HOME=/etc"}, IO{In: in, Out: show, Err: show},
		func(dir string) string { return dir + " # " }, func(c int) { code = c })
	for _, typed := range []string{
		"X=5\n", "echo $X\n", "for i in a b; do\n", "echo $i\n", "done\n", "cd\n", "cd none\n", "false\n", "echo $?\n",
		"fi\n", "upper\n", // which waits for the end of the input
	} {
		in.Write(typed)
	}
	session.Interrupt(func() {})
	in.Write("echo $? 'two\n")
	in.Write("lines'\nexit 3\necho not this\n")
	want := `/ # / # 5
/ # > > a
b
/ # /etc # sh: cd: can't cd to none: No such file or directory
/etc # /etc # 1
/etc # sh: syntax error: unexpected word "fi"
/etc # /etc # > 130 two
lines
/etc # `
	if got := screen.String(); got != want {
		t.Errorf("the screen shows\n%s\nnot\n%s", got, want)
	}
	if code != 3 {
		t.Errorf("it ended with %d", code)
	}
}

func TestInteractEndsWithItsInput(t *testing.T) {
	var out strings.Builder
	in := Text("false\necho last") // without a line break
	code := -1
	Interact(&fake{}, []string{"sh"}, nil, IO{In: in, Out: func(text string) { out.WriteString(text) }}, nil, func(c int) { code = c })
	if out.String() != "last\n" || code != 0 {
		t.Errorf("it wrote %q and ended with %d", out.String(), code)
	}
}
