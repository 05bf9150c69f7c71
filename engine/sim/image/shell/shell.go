// Package shell is the simulated containers' /bin/sh: a small, honest part of
// the POSIX shell. It knows lists (; && ||), pipes, redirections, quotes,
// variables, $(commands), $((sums)), if, while, until, for, case, functions, file
// name patterns, trap of TERM and a few builtins; whatever else a script asks for is a syntax error and not
// something that seems to work.
//
// It runs without goroutines: each command gets a function to call when it
// ends, possibly much later.
package shell

import (
	"cmp"
	"path"
	"strconv"
	"strings"
	"time"
)

// Host is where a script runs.
type Host interface {
	// Run starts a program; done is called with its exit code when it ends.
	Run(args []string, env []string, io IO, done func(code int))
	// Exec starts a program that takes the shell's place.
	Exec(args []string, env []string, io IO, done func(code int))
	// After calls f later.
	After(d time.Duration, f func())
	// ReadFile, WriteFile serve redirections.
	ReadFile(name string) (string, error)
	WriteFile(name, content string, more bool) error
	// IsDir and List are for cd and for patterns of file names.
	IsDir(name string) bool
	List(dir string) []string
	// OnTerminate asks for SIGTERM.
	OnTerminate(f func())
}

// IO is where a command reads and writes. Text is passed with its line breaks.
type IO struct {
	In       *Input
	Out, Err func(text string)
}

// breath: after so many steps a script pauses for a moment, so that an endless
// loop neither stops the world nor slows it down.
const (
	breath = 100
	pause  = 10 * time.Millisecond
)

type shell struct {
	host   Host
	vars   map[string]string
	export map[string]bool
	params []string // $0, $1, ...
	code   int      // $?
	steps  int
	exit   func(code int)
	ended  bool
	// functions are shared by the shells of one session.
	functions map[string]command
	// leave is what is to be left: loops by break and continue, a function by
	// return.
	leave leaving
	depth int // of functions that call each other
	// strict ends the script when a command fails (set -e).
	strict bool
	trap   string
	signal bool // TERM has come and the trap has not run yet
}

// Run runs a script; params are $0 and the arguments, env is "NAME=value". exit
// is called when it ends.
func Run(host Host, script string, params, env []string, io IO, exit func(code int)) {
	list, err := parse(script)
	if err != nil {
		io.Err(params[0] + ": syntax error: " + err.Error() + "\n")
		exit(2)
		return
	}
	s := newShell(host, params, env, exit)
	s.list(list, io, s.end)
}

func newShell(host Host, params, env []string, exit func(code int)) *shell {
	s := &shell{host: host, vars: map[string]string{}, export: map[string]bool{}, functions: map[string]command{}, params: params, exit: exit}
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		s.vars[name], s.export[name] = value, true
	}
	s.vars["PWD"], s.export["PWD"] = s.dir(), true
	return s
}

// dir is the working directory.
func (s *shell) dir() string { return cmp.Or(s.vars["PWD"], "/") }

// path makes a path absolute.
func (s *shell) path(name string) string {
	if path.IsAbs(name) {
		return name
	}
	return path.Join(s.dir(), name)
}

// end ends the script.
func (s *shell) end(code int) {
	if !s.ended {
		s.ended = true
		s.exit(code)
	}
}

// step goes on with the script, now or after a breath, unless it has ended.
func (s *shell) step(next func()) {
	if s.ended {
		return
	}
	s.steps++
	if s.steps%breath == 0 {
		s.host.After(pause, func() { s.trapped(IO{Out: func(string) {}, Err: func(string) {}}, next) })
		return
	}
	next()
}

// trapped runs the trap first if its signal has come.
func (s *shell) trapped(io IO, next func()) {
	if !s.signal {
		s.step2(next)
		return
	}
	s.signal = false
	list, err := parse(s.trap)
	if err != nil {
		next()
		return
	}
	s.list(list, io, func(int) { s.step2(next) })
}

func (s *shell) step2(next func()) {
	if !s.ended {
		next()
	}
}

// list runs the commands of a list one after the other.
func (s *shell) list(list []*andOr, io IO, done func(code int)) {
	if len(list) == 0 || s.leave.what != nothing {
		done(s.code)
		return
	}
	s.step(func() {
		first := list[0]
		if first.background {
			s.andOr(first, io, func(int) {})
			s.code = 0
			s.list(list[1:], io, done)
			return
		}
		s.andOr(first, io, func(code int) {
			s.code = code
			if s.strict && code != 0 && first.next == nil && !first.not && s.leave.what == nothing {
				s.end(code)
				return
			}
			s.trapped(io, func() { s.list(list[1:], io, done) })
		})
	})
}

func (s *shell) andOr(a *andOr, io IO, done func(code int)) {
	s.pipe(a.pipe, a.not, io, func(code int) {
		s.code = code
		if a.next == nil || s.ended {
			done(code)
			return
		}
		next := a.next
		for next != nil && (a.op == "&&") != (code == 0) {
			// The next command is skipped, and with it its operator decides.
			a, next = next, next.next
		}
		if next == nil {
			done(code)
			return
		}
		s.andOr(next, io, done)
	})
}

// pipe runs the commands of a pipe one after the other, each with the output of
// the one before.
func (s *shell) pipe(commands []command, not bool, io IO, done func(code int)) {
	if len(commands) == 1 {
		s.command(commands[0], io, func(code int) { done(negate(code, not)) })
		return
	}
	var between strings.Builder
	s.command(commands[0], IO{In: io.In, Out: func(text string) { between.WriteString(text) }, Err: io.Err}, func(int) {
		s.pipe(commands[1:], not, IO{In: Text(between.String()), Out: io.Out, Err: io.Err}, done)
	})
}

func negate(code int, not bool) int {
	switch {
	case !not:
		return code
	case code == 0:
		return 1
	}
	return 0
}

func (s *shell) command(c command, io IO, done func(code int)) {
	switch c := c.(type) {
	case *simple:
		s.simple(c, io, done)
	case *loop:
		s.loop(c, io, done)
	case *forLoop:
		s.words(c.words, io, func(items []string) { s.each(c, items, io, done) })
	case *conditional:
		s.conditional(c, 0, io, done)
	case *group:
		s.list(c.list, io, done)
	case *choice:
		s.expand(c.subject, io, func(subject string) { s.choose(c, subject, 0, io, done) })
	case *function:
		s.functions[c.name] = c.body
		done(0)
	}
}

// test runs a list whose failure is no reason to end the script.
func (s *shell) test(list []*andOr, io IO, done func(code int)) {
	strict := s.strict
	s.strict = false
	s.list(list, io, func(code int) {
		s.strict = strict
		done(code)
	})
}

func (s *shell) loop(c *loop, io IO, done func(code int)) {
	s.test(c.condition, io, func(code int) {
		if (code == 0) == c.until {
			done(0)
			return
		}
		s.list(c.body, io, func(code int) {
			if s.left() {
				done(code)
				return
			}
			s.step(func() { s.loop(c, io, done) })
		})
	})
}

func (s *shell) each(c *forLoop, items []string, io IO, done func(code int)) {
	if len(items) == 0 {
		done(s.code)
		return
	}
	s.vars[c.name] = items[0]
	s.list(c.body, io, func(code int) {
		if s.left() {
			done(code)
			return
		}
		s.step(func() { s.each(c, items[1:], io, done) })
	})
}

func (s *shell) conditional(c *conditional, branch int, io IO, done func(code int)) {
	if branch == len(c.conditions) {
		if len(c.otherwise) == 0 {
			done(0)
			return
		}
		s.list(c.otherwise, io, done)
		return
	}
	s.test(c.conditions[branch], io, func(code int) {
		if code == 0 {
			s.list(c.bodies[branch], io, done)
			return
		}
		s.conditional(c, branch+1, io, done)
	})
}

// simple runs one simple command: assignments, redirections, then a builtin or
// a program.
func (s *shell) simple(c *simple, io IO, done func(code int)) {
	s.assignments(c.assign, io, func(values []string) {
		s.words(c.words, io, func(args []string) {
			if len(args) == 0 {
				for i, a := range c.assign {
					s.vars[a.name] = values[i]
				}
				done(0)
				return
			}
			s.redirected(c.redirects, io, done, func(io IO, done func(int)) {
				if body, ok := s.functions[args[0]]; ok {
					s.call(body, args, io, done)
					return
				}
				if s.builtin(args, io, done) {
					return
				}
				env := s.environment()
				for i, a := range c.assign {
					env = append(env, a.name+"="+values[i])
				}
				s.host.Run(args, env, io, done)
			})
		})
	})
}

func (s *shell) assignments(list []assignment, io IO, then func(values []string)) {
	var values []string
	var next func(i int)
	next = func(i int) {
		if i == len(list) {
			then(values)
			return
		}
		s.expand(list[i].value, io, func(value string) {
			values = append(values, value)
			next(i + 1)
		})
	}
	next(0)
}

// redirected runs a command with its redirections in place.
func (s *shell) redirected(redirects []redirect, io IO, done func(int), run func(IO, func(int))) {
	if len(redirects) == 0 {
		run(io, done)
		return
	}
	first := redirects[0]
	rest := func(io IO) { s.redirected(redirects[1:], io, done, run) }
	switch first.op {
	case "2>&1":
		io.Err = io.Out
		rest(io)
		return
	case ">&2":
		io.Out = io.Err
		rest(io)
		return
	}
	s.expand(first.target, io, func(name string) {
		file := s.path(name)
		if first.op == "<" {
			content, err := s.host.ReadFile(file)
			if err != nil {
				io.Err(s.params[0] + ": can't open " + name + ": " + err.Error() + "\n")
				done(1)
				return
			}
			io.In = Text(content)
			rest(io)
			return
		}
		if err := s.host.WriteFile(file, "", first.op == ">>"); err != nil {
			io.Err(s.params[0] + ": can't create " + name + ": " + err.Error() + "\n")
			done(1)
			return
		}
		write := func(text string) { _ = s.host.WriteFile(file, text, true) } // it could be opened, so it can be written
		switch first.op {
		case ">", ">>":
			io.Out = write
		case "2>":
			io.Err = write
		case "&>":
			io.Out, io.Err = write, write
		}
		rest(io)
	})
}

func (s *shell) environment() []string {
	var env []string
	for name := range s.export {
		env = append(env, name+"="+s.vars[name])
	}
	sortStrings(env)
	return env
}

// builtin runs a builtin command; it reports whether there is one of that name.
func (s *shell) builtin(args []string, io IO, done func(code int)) bool {
	switch args[0] {
	case ":":
		done(0)
	case "exit":
		code := s.code
		if len(args) > 1 {
			n, err := strconv.Atoi(args[1])
			if err != nil {
				io.Err(s.params[0] + ": exit: Illegal number: " + args[1] + "\n")
				n = 2
			}
			code = n & 255
		}
		s.end(code)
	case "export":
		for _, arg := range args[1:] {
			name, value, found := strings.Cut(arg, "=")
			if found {
				s.vars[name] = value
			}
			s.export[name] = true
		}
		done(0)
	case "unset":
		for _, name := range args[1:] {
			delete(s.vars, name)
			delete(s.export, name)
		}
		done(0)
	case "set":
		if len(args) > 1 && strings.HasPrefix(args[1], "-") && strings.Contains(args[1], "e") {
			s.strict = true
		}
		done(0)
	case "wait", "umask", "ulimit":
		done(0)
	case "local", "readonly":
		for _, arg := range args[1:] {
			if name, value, found := strings.Cut(arg, "="); found {
				s.vars[name] = value
			}
		}
		done(0)
	case "break", "continue", "return":
		s.startLeaving(args, io)
		done(s.code)
	case "shift":
		if len(s.params) > 1 {
			s.params = append([]string{s.params[0]}, s.params[2:]...)
		}
		done(0)
	case "read":
		s.read(args[1:], io, done)
	case ".", "source":
		s.source(args[1:], io, done)
	case "eval":
		s.text(strings.Join(args[1:], " "), io, done)
	case "command":
		s.whichever(args[1:], io, done)
	case "cd":
		done(s.changeDir(args[1:], io))
	case "exec":
		s.host.Exec(args[1:], s.environment(), io, s.end)
	case "trap":
		s.setTrap(args[1:], io)
		done(0)
	default:
		return false
	}
	return true
}

func (s *shell) changeDir(args []string, io IO) (code int) {
	dir := cmp.Or(s.vars["HOME"], "/")
	if len(args) > 0 {
		dir = args[0]
	}
	to := path.Clean(s.path(dir))
	if !s.host.IsDir(to) {
		io.Err(s.params[0] + ": cd: can't cd to " + dir + ": No such file or directory\n")
		return 2
	}
	s.vars["PWD"] = to
	return 0
}

// setTrap arranges for a command to run when the container is asked to end,
// after the command that runs then.
func (s *shell) setTrap(args []string, io IO) {
	if len(args) < 2 {
		return
	}
	for _, name := range args[1:] {
		switch strings.TrimPrefix(name, "SIG") {
		case "TERM", "15":
			s.trap = args[0]
			s.host.OnTerminate(func() { s.signal = true })
		}
	}
}
