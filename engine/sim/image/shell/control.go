package shell

import (
	"path"
	"strconv"
	"strings"
)

// What lets a script choose and jump: case, functions, break, continue, return,
// and the builtins that run other texts.

type jump uint8

const (
	nothing jump = iota
	breakOut
	goOn
	goBack
)

// leaving is a jump that is under way, through so many loops.
type leaving struct {
	what  jump
	loops int
}

// maxCalls is how deeply functions may call each other.
const maxCalls = 100

// startLeaving begins a break, continue or return.
func (s *shell) startLeaving(args []string, io IO) {
	n, err := 1, error(nil)
	if len(args) > 1 {
		if n, err = strconv.Atoi(args[1]); err != nil || n < 0 {
			io.Err(s.params[0] + ": " + args[0] + ": Illegal number: " + args[1] + "\n")
			s.end(2)
			return
		}
	}
	switch args[0] {
	case "break":
		s.leave = leaving{breakOut, n}
	case "continue":
		s.leave = leaving{goOn, n}
	default:
		s.leave = leaving{what: goBack}
		if len(args) > 1 {
			s.code = n & 255
		}
	}
}

// left says whether a loop ends by a jump, at the end of its body.
func (s *shell) left() bool {
	switch {
	case s.leave.what == nothing:
		return false
	case s.leave.what == goBack:
		return true
	case s.leave.loops > 1:
		s.leave.loops--
		return true
	}
	out := s.leave.what == breakOut
	s.leave = leaving{}
	return out
}

// call runs a function; $1 and on are its arguments.
func (s *shell) call(body command, args []string, io IO, done func(code int)) {
	if s.depth == maxCalls {
		io.Err(s.params[0] + ": " + args[0] + ": functions are nested too deeply for the simulated shell\n")
		s.end(2)
		return
	}
	params := s.params
	s.params = append([]string{params[0]}, args[1:]...)
	s.depth++
	s.step(func() {
		s.command(body, io, func(code int) {
			s.params = params
			s.depth--
			if s.leave.what == goBack {
				s.leave = leaving{}
				code = s.code
			}
			done(code)
		})
	})
}

// choose runs the first case whose pattern matches.
func (s *shell) choose(c *choice, subject string, at int, io IO, done func(code int)) {
	if at == len(c.cases) {
		done(0)
		return
	}
	one := c.cases[at]
	var next func(i int)
	next = func(i int) {
		if i == len(one.words) {
			s.choose(c, subject, at+1, io, done)
			return
		}
		s.expand(escaped(one.words[i]), io, func(pattern string) {
			if ok, err := path.Match(strings.ReplaceAll(pattern, "/", "\x01"), strings.ReplaceAll(subject, "/", "\x01")); ok && err == nil {
				s.code = 0
				s.list(one.list, io, done)
				return
			}
			next(i + 1)
		})
	}
	next(0)
}

// escaped is a word whose quoted parts match only themselves.
func escaped(w word) word {
	out := make(word, len(w))
	copy(out, w)
	for i, p := range out {
		if p.quoted && p.kind == literal {
			out[i].text = quoteMeta.Replace(p.text)
		}
	}
	return out
}

var quoteMeta = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

// read reads a line into variables, the last of which gets the rest.
func (s *shell) read(names []string, io IO, done func(code int)) {
	for len(names) > 0 && strings.HasPrefix(names[0], "-") {
		if names[0] == "-p" && len(names) > 1 {
			io.Err(names[1])
			names = names[1:]
		}
		names = names[1:]
	}
	if len(names) == 0 {
		names = []string{"REPLY"}
	}
	io.In.Line(func(line string, ended bool) {
		rest := strings.TrimSpace(line)
		for i, name := range names {
			value := rest
			if i < len(names)-1 {
				if at := strings.IndexAny(rest, " \t"); at >= 0 {
					value, rest = rest[:at], strings.TrimLeft(rest[at:], " \t")
				} else {
					rest = ""
				}
			}
			s.vars[name] = value
		}
		if ended {
			done(1)
			return
		}
		done(0)
	})
}

// source runs a file's commands in this shell.
func (s *shell) source(args []string, io IO, done func(code int)) {
	if len(args) == 0 {
		io.Err(s.params[0] + ": .: filename argument required\n")
		done(2)
		return
	}
	text, err := s.host.ReadFile(s.path(args[0]))
	if err != nil {
		io.Err(s.params[0] + ": .: can't open '" + args[0] + "': " + err.Error() + "\n")
		done(2)
		return
	}
	s.text(text, io, done)
}

// text runs a text as a part of the script.
func (s *shell) text(text string, io IO, done func(code int)) {
	if s.depth == maxCalls {
		io.Err(s.params[0] + ": eval is nested too deeply for the simulated shell\n")
		s.end(2)
		return
	}
	list, err := parse(text)
	if err != nil {
		io.Err(s.params[0] + ": syntax error: " + err.Error() + "\n")
		done(2)
		return
	}
	s.depth++
	s.step(func() {
		s.list(list, io, func(code int) {
			s.depth--
			done(code)
		})
	})
}

// whichever is command: it says where a command is, or runs it.
func (s *shell) whichever(args []string, io IO, done func(code int)) {
	if len(args) > 1 && (args[0] == "-v" || args[0] == "-V") {
		if _, ok := s.functions[args[1]]; ok {
			io.Out(args[1] + "\n")
			done(0)
			return
		}
		s.host.Run([]string{"which", args[1]}, s.environment(), io, done)
		return
	}
	if len(args) == 0 || s.builtin(args, io, done) {
		if len(args) == 0 {
			done(0)
		}
		return
	}
	s.host.Run(args, s.environment(), io, done)
}
