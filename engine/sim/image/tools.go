package image

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

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

// builtins are what a shell does by itself, whether there is a program or not.
var builtins = map[string]Program{"kill": kill, "echo": echo, "printf": printf, "test": test, "[": test, "true": exits(0), "false": exits(1), "pwd": pwd}

// tools are the programs that every image with a shell has.
func tools() map[string]Program {
	return map[string]Program{
		"sh": sh, "ash": sh, "bash": sh,
		"sleep": sleep, "echo": echo, "printf": printf, "true": exits(0), "false": exits(1),
		"cat": cat, "touch": touch, "rm": rm, "ls": ls, "test": test, "[": test, "mkdir": mkdir, "cp": cp, "mv": mv,
		"ps": ps, "kill": kill, "which": which, "whoami": whoami, "tar": tarTool, "clear": clearScreen,
		"date": date, "hostname": hostname, "env": printEnv, "printenv": printEnv,
		"seq": seq, "grep": grep, "head": head, "tail": tail, "wc": wc, "id": id, "uname": uname, "pwd": pwd,
		"sort": sortTool, "uniq": uniq, "tee": tee, "tr": tr, "cut": cut, "base64": base64Tool, "basename": baseName, "dirname": baseName,
		"sed": sed, "chmod": changeMode, "chown": changeMode, "ip": ip, "ifconfig": ip,
	}
}

func exits(code int) Program { return func(c *Call) { c.Exit(code) } }

// sh runs the script behind -c, a file, or what it reads, line by line.
func sh(c *Call) {
	args, interactive := c.Args[1:], c.Terminal
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		flag := args[0]
		args = args[1:]
		if strings.Contains(flag, "c") {
			if len(args) == 0 {
				c.Complain("sh: -c requires an argument\n")
				c.Exit(2)
				return
			}
			params := []string{path.Base(c.Args[0])}
			if len(args) > 1 {
				params = args[1:]
			}
			runScript(c, args[0], params)
			return
		}
		interactive = interactive || strings.Contains(flag, "i")
	}
	if len(args) > 0 { // a file to run
		content, err := c.Dir().Read(args[0])
		if err != nil {
			c.Complain(fmt.Sprintf("sh: can't open '%s': %v\n", args[0], err))
			c.Exit(2)
			return
		}
		runScript(c, content, args)
		return
	}
	var prompt func(string) string
	if interactive {
		prompt = promptOf(c)
	}
	h := newHost(c)
	session := shell.Interact(h, []string{"sh"}, c.Env, shell.IO{In: c.Input, Out: c.Print, Err: c.Complain}, prompt, c.Exit)
	if c.OnInterrupt != nil {
		c.OnInterrupt(func() { session.Interrupt(h.interrupt) })
	}
	if c.OnResize != nil {
		c.OnResize(session.Prompt)
	}
}

func runScript(c *Call, script string, params []string) {
	shell.Run(newHost(c), script, params, c.Env, shell.IO{In: c.Input, Out: c.Print, Err: c.Complain}, c.Exit)
}

// promptOf is what a shell prints before each line: busybox's, or bash's.
func promptOf(c *Call) func(dir string) string {
	home := c.Var("HOME")
	return func(dir string) string {
		if dir == home && home != "/" {
			dir = "~"
		}
		if path.Base(c.Args[0]) == "bash" {
			return "root@" + c.Hostname() + ":" + dir + "# "
		}
		if c.IsDebian() {
			return "# "
		}
		return dir + " # "
	}
}

// clearScreen does it as terminals understand it.
func clearScreen(c *Call) {
	c.Print("\x1b[H\x1b[J")
	c.Exit(0)
}

// host lets the shell use its container.
type host struct {
	*Call
	// running are the programs that the shell has started, in order.
	running *[]*task
}

func newHost(c *Call) host { return host{c, new([]*task)} }

// task is the container as a program of a shell sees it: once the program has
// been killed, nothing of it goes on.
type task struct {
	System
	over bool
	end  func(code int)
}

func (t *task) After(d time.Duration, f func()) {
	t.System.After(d, func() {
		if !t.over {
			f()
		}
	})
}

func (t *task) Send(address string, port int, request Request, done func(Response, error)) {
	t.System.Send(address, port, request, func(response Response, err error) {
		if !t.over {
			done(response, err)
		}
	})
}

func (t *task) Lookup(name string, done func(Answer)) {
	t.System.Lookup(name, func(answer Answer) {
		if !t.over {
			done(answer)
		}
	})
}

// OnTerminate is for the main process alone: a signal ends the others.
func (t *task) OnTerminate(func()) {}

func (h host) Run(args []string, env []string, io shell.IO, done func(code int)) {
	program, ok := h.Program(path.Base(args[0]))
	if builtin := builtins[args[0]]; builtin != nil {
		program, ok = builtin, true
	}
	if !ok {
		io.Err(notFound(h.Call, args[0]))
		done(127)
		return
	}
	t := &task{System: h.System}
	forget := h.Fork(args, func(code int) { t.end(code) })
	t.end = func(code int) {
		if !t.over {
			t.over = true
			io.In.Abandon()
			forget()
			*h.running = slices.DeleteFunc(*h.running, func(other *task) bool { return other == t })
			done(code)
		}
	}
	*h.running = append(*h.running, t)
	unlessOver := func(write func(string)) func(string) {
		return func(text string) {
			if !t.over {
				write(text)
			}
		}
	}
	program(&Call{
		System: t, Args: args, Env: env, Terminal: h.Terminal,
		Input: io.In, Print: unlessOver(io.Out), Complain: unlessOver(io.Err), Exit: t.end,
	})
}

// Exec lets a program take the shell's place.
func (h host) Exec(args []string, env []string, io shell.IO, done func(code int)) {
	next := *h.Call
	next.Env, next.Input, next.Print, next.Complain, next.Exit = env, io.In, io.Out, io.Err, done
	Exec(&next, args)
}

// interrupt ends what runs in the foreground.
func (h host) interrupt() {
	for _, t := range slices.Clone(*h.running) {
		t.end(130)
	}
}

func (h host) IsDir(name string) bool { return h.Files().IsDir(name) }

func (h host) List(dir string) []string { return h.Files().List(dir) }

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

// Dir is the container's file system, from the program's working directory.
func (c *Call) Dir() Dir {
	dir := c.Var("PWD")
	if dir == "" {
		dir = c.WorkingDir()
	}
	return Dir{c.System.Files(), dir}
}

// Var is the value of an environment variable, the last one of its name.
func (c *Call) Var(name string) string {
	value := ""
	for _, v := range c.Env {
		if n, text, _ := strings.Cut(v, "="); n == name {
			value = text
		}
	}
	return value
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

// read passes on the content of the files that are named, or the input.
func read(c *Call, files []string, then func(content string, code int)) {
	if len(files) == 0 {
		files = []string{"-"}
	}
	content, code := "", 0
	var next func(i int)
	next = func(i int) {
		if i == len(files) {
			then(content, code)
			return
		}
		if files[i] == "-" {
			c.Input.All(func(text string) {
				content += text
				next(i + 1)
			})
			return
		}
		text, err := c.Dir().Read(files[i])
		if err != nil {
			complain(c, "can't open '%s'", map[bool]string{true: "cannot open '%s' for reading", false: "%s"}[c.Args[0] == "head" || c.Args[0] == "tail"], files[i], err)
			code = 1
		}
		content += text
		next(i + 1)
	}
	next(0)
}
