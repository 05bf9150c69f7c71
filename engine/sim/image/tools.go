package image

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"tidepool.dev/tidepool/engine/sim/image/shell"
)

// with adds programs to others.
func with(programs, more map[string]Program) map[string]Program {
	maps.Copy(programs, more)
	return programs
}

// Exec lets another program take the place of the one that calls it.
func Exec(c *Call, args []string) {
	if len(args) == 0 {
		c.Exit(0)
		return
	}
	program, ok := c.Program(path.Base(args[0]))
	if !ok {
		c.Complain(fmt.Sprintf("exec: %s: not found\n", args[0]))
		c.Exit(127)
		return
	}
	next := *c
	next.Args = args
	program(&next)
}

// tools are the programs that every image with a shell has.
func tools() map[string]Program {
	return map[string]Program{
		"sh": sh, "ash": sh, "bash": sh,
		"sleep": sleep, "echo": echo, "printf": printf, "true": exits(0), "false": exits(1),
		"cat": cat, "touch": touch, "rm": rm, "ls": ls, "test": test, "[": test, "mkdir": exits(0),
		"date": date, "hostname": hostname, "env": printEnv, "printenv": printEnv,
		"seq": seq, "grep": grep, "head": head, "tail": tail, "wc": wc, "id": id, "uname": uname, "pwd": pwd,
	}
}

func exits(code int) Program { return func(c *Call) { c.Exit(code) } }

// sh runs the script behind -c, or what it reads, which is nothing in a
// container without a terminal.
func sh(c *Call) {
	script, params := c.Input, []string{"sh"}
	args := c.Args[1:]
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		flag := args[0]
		args = args[1:]
		if strings.Contains(flag, "c") {
			if len(args) == 0 {
				c.Complain("sh: -c requires an argument\n")
				c.Exit(2)
				return
			}
			script = args[0]
			if len(args) > 1 {
				params = args[1:]
			}
			args = nil
			break
		}
	}
	if len(args) > 0 { // a file to run
		content, err := c.Files().Read(args[0])
		if err != nil {
			c.Complain(fmt.Sprintf("sh: can't open '%s': %v\n", args[0], err))
			c.Exit(2)
			return
		}
		script, params = content, args
	}
	shell.Run(host{c}, script, params, c.Env, shell.IO{In: c.Input, Out: c.Print, Err: c.Complain}, c.Exit)
}

// host lets the shell use its container.
type host struct{ *Call }

func (h host) Run(args []string, env []string, io shell.IO, done func(code int)) {
	program, ok := h.Program(path.Base(args[0]))
	if !ok {
		io.Err("sh: " + args[0] + ": not found\n")
		done(127)
		return
	}
	ended := false
	program(&Call{
		System: h.System, Args: args, Env: env,
		Input: io.In, Print: io.Out, Complain: io.Err,
		Exit: func(code int) {
			if !ended {
				ended = true
				done(code)
			}
		},
	})
}

func (h host) ReadFile(name string) (string, error) { return h.Files().Read(name) }

func (h host) WriteFile(name, content string, more bool) error {
	switch name {
	case "/dev/null":
	case "/dev/stdout", "/proc/1/fd/1":
		h.Print(content)
	case "/dev/stderr", "/proc/1/fd/2":
		h.Complain(content)
	default:
		return h.Files().Write(name, content, more)
	}
	return nil
}

// OnTerminate is for the main process alone: nobody signals the others.
func (h host) OnTerminate(f func()) {
	if h.Main {
		h.System.OnTerminate(f)
	}
}

// fail ends a tool with a complaint.
func fail(c *Call, code int, format string, args ...any) {
	c.Complain(c.Args[0] + ": " + fmt.Sprintf(format, args...) + "\n")
	c.Exit(code)
}

// operands are the arguments that are not flags.
func operands(c *Call) []string {
	var list []string
	for _, arg := range c.Args[1:] {
		if !strings.HasPrefix(arg, "-") || arg == "-" {
			list = append(list, arg)
		}
	}
	return list
}

func flag(c *Call, letter string) bool {
	return slices.ContainsFunc(c.Args[1:], func(arg string) bool {
		return strings.HasPrefix(arg, "-") && strings.Contains(arg, letter)
	})
}

// read returns the content of the files that are named, or the input.
func read(c *Call, files []string) (content string, code int) {
	if len(files) == 0 {
		return c.Input, 0
	}
	for _, name := range files {
		if name == "-" {
			content += c.Input
			continue
		}
		text, err := c.Files().Read(name)
		if err != nil {
			c.Complain(fmt.Sprintf("%s: can't open '%s': %v\n", c.Args[0], name, err))
			code = 1
		}
		content += text
	}
	return content, code
}
