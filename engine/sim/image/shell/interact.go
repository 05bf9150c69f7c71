package shell

import (
	"errors"
	"strings"
)

// Session is a shell that runs what it reads, line by line.
type Session struct {
	shell  *shell
	io     IO
	prompt func(dir string) string
	line   *shell // runs the line that has been read
	typed  string // the lines of a command that is not complete yet
}

// Interact starts a session that ends with its input, or with the command exit.
// prompt, which may be nil, makes what is shown before each line.
func Interact(host Host, params, env []string, io IO, prompt func(dir string) string, exit func(code int)) *Session {
	s := &Session{shell: newShell(host, params, env, exit), io: io, prompt: prompt}
	s.read()
	return s
}

// Interrupt ends the command that runs, as Ctrl-C does, and forgets what has
// been typed; kill ends the programs.
func (s *Session) Interrupt(kill func()) {
	if s.shell.ended {
		return
	}
	if s.line != nil {
		s.line.ended = true
		s.line = nil
	}
	kill()
	s.io.In.Abandon()
	s.typed = ""
	s.shell.code = 130
	s.read()
}

// Prompt is what is shown before the line that is typed; empty while a command
// runs.
func (s *Session) Prompt() string {
	switch {
	case s.prompt == nil || s.line != nil || s.shell.ended:
		return ""
	case s.typed == "":
		return s.prompt(s.shell.dir())
	}
	return "> "
}

func (s *Session) read() {
	if s.prompt != nil {
		s.io.Err(s.Prompt())
	}
	s.io.In.Line(func(line string, ended bool) {
		if ended {
			s.shell.end(s.shell.code)
			return
		}
		s.typed += line + "\n"
		s.run()
	})
}

func (s *Session) run() {
	list, err := parse(s.typed)
	if incomplete(err) {
		s.read()
		return
	}
	s.typed = ""
	if err != nil {
		s.io.Err(s.shell.params[0] + ": syntax error: " + err.Error() + "\n")
		s.shell.code = 2
		s.read()
		return
	}
	line := *s.shell // it shares the variables
	s.line = &line
	line.exit = func(code int) { s.shell.end(code) }
	line.list(list, s.io, func(code int) {
		if !line.ended {
			s.shell.code = code
			s.line = nil
			s.read()
		}
	})
}

// incomplete says whether more lines can make sense of what is wrong.
func incomplete(err error) bool {
	return err != nil && (errors.Is(err, errQuote) || strings.HasPrefix(err.Error(), "unexpected end of file"))
}
