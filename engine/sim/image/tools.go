package image

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
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
func (h host) WriteFile(name, content string, more bool) {
	if name == "/dev/stdout" || name == "/proc/1/fd/1" {
		h.Print(content)
		return
	}
	if name == "/dev/stderr" || name == "/proc/1/fd/2" {
		h.Complain(content)
		return
	}
	h.Files().Write(name, content, more)
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

func sleep(c *Call) {
	if len(c.Args) < 2 {
		fail(c, 1, "missing operand")
		return
	}
	var total time.Duration
	for _, arg := range c.Args[1:] {
		if arg == "infinity" || arg == "inf" {
			return
		}
		d, ok := parseDuration(arg)
		if !ok {
			fail(c, 1, "invalid number '%s'", arg)
			return
		}
		total += d
	}
	c.After(total, func() { c.Exit(0) })
}

// parseDuration reads a number of seconds, or of s, m, h or d.
func parseDuration(arg string) (time.Duration, bool) {
	unit := time.Second
	if arg == "" {
		return 0, false
	}
	switch arg[len(arg)-1] {
	case 's':
		arg = arg[:len(arg)-1]
	case 'm':
		arg, unit = arg[:len(arg)-1], time.Minute
	case 'h':
		arg, unit = arg[:len(arg)-1], time.Hour
	case 'd':
		arg, unit = arg[:len(arg)-1], 24*time.Hour
	}
	n, err := strconv.ParseFloat(arg, 64)
	if err != nil || n < 0 || n > 1e8 {
		return 0, false
	}
	return time.Duration(n * float64(unit)), true
}

func echo(c *Call) {
	words, end := c.Args[1:], "\n"
	escapes := false
	for len(words) > 0 && (words[0] == "-n" || words[0] == "-e" || words[0] == "-ne" || words[0] == "-en") {
		if strings.Contains(words[0], "n") {
			end = ""
		}
		escapes = escapes || strings.Contains(words[0], "e")
		words = words[1:]
	}
	text := strings.Join(words, " ")
	if escapes {
		text = unescape(text)
	}
	c.Print(text + end)
	c.Exit(0)
}

var escapes = strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\r`, "\r", `\\`, `\`)

func unescape(text string) string { return escapes.Replace(text) }

// printf knows %s, %d and %%; the format is used again for further arguments.
func printf(c *Call) {
	if len(c.Args) < 2 {
		fail(c, 1, "missing operand")
		return
	}
	format, values := unescape(c.Args[1]), c.Args[2:]
	for {
		before := len(values)
		var out strings.Builder
		for i := 0; i < len(format); i++ {
			if format[i] != '%' || i+1 == len(format) {
				out.WriteByte(format[i])
				continue
			}
			i++
			switch format[i] {
			case 's', 'd':
				if len(values) > 0 {
					out.WriteString(values[0])
					values = values[1:]
				}
			default:
				out.WriteByte(format[i])
			}
		}
		c.Print(out.String())
		if len(values) == 0 || len(values) == before {
			break
		}
	}
	c.Exit(0)
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

func cat(c *Call) {
	content, code := read(c, operands(c))
	if content != "" {
		c.Print(content)
	}
	c.Exit(code)
}

func touch(c *Call) {
	for _, name := range operands(c) {
		if !c.Files().Exists(name) {
			c.Files().Write(name, "", false)
		}
	}
	c.Exit(0)
}

func rm(c *Call) {
	code := 0
	for _, name := range operands(c) {
		for _, inside := range c.Files().List(name) {
			if flag(c, "r") || flag(c, "R") {
				_ = c.Files().Remove(name + "/" + inside) // it has just been listed
			}
		}
		if err := c.Files().Remove(name); err != nil && !flag(c, "f") && !flag(c, "r") {
			c.Complain(fmt.Sprintf("rm: can't remove '%s': %v\n", name, err))
			code = 1
		}
	}
	c.Exit(code)
}

func ls(c *Call) {
	dirs := operands(c)
	if len(dirs) == 0 {
		dirs = []string{"/"}
	}
	code := 0
	for _, dir := range dirs {
		list := c.Files().List(dir)
		switch {
		case len(list) > 0:
			c.Print(strings.Join(list, "\n") + "\n")
		case c.Files().Exists(dir):
			c.Print(dir + "\n")
		case dir != "/" && dir != "/tmp":
			c.Complain(fmt.Sprintf("ls: %s: %v\n", dir, errNoFile))
			code = 1
		}
	}
	c.Exit(code)
}

// test knows -f, -e, -d, -s, -n, -z and the comparisons of two words.
func test(c *Call) {
	args := c.Args[1:]
	if c.Args[0] == "[" && len(args) > 0 && args[len(args)-1] == "]" {
		args = args[:len(args)-1]
	}
	negated := len(args) > 0 && args[0] == "!"
	if negated {
		args = args[1:]
	}
	ok := false
	switch len(args) {
	case 1:
		ok = args[0] != ""
	case 2:
		switch args[0] {
		case "-f", "-e":
			ok = c.Files().Exists(args[1])
		case "-d":
			ok = len(c.Files().List(args[1])) > 0
		case "-s":
			content, _ := c.Files().Read(args[1])
			ok = content != ""
		case "-n":
			ok = args[1] != ""
		case "-z":
			ok = args[1] == ""
		}
	case 3:
		a, _ := strconv.Atoi(args[0])
		b, _ := strconv.Atoi(args[2])
		switch args[1] {
		case "=", "==":
			ok = args[0] == args[2]
		case "!=":
			ok = args[0] != args[2]
		case "-eq":
			ok = a == b
		case "-ne":
			ok = a != b
		case "-lt":
			ok = a < b
		case "-le":
			ok = a <= b
		case "-gt":
			ok = a > b
		case "-ge":
			ok = a >= b
		}
	}
	if ok == negated {
		c.Exit(1)
		return
	}
	c.Exit(0)
}

// dateFormats are those of date's letters that scripts use.
var dateFormats = map[byte]string{
	'Y': "2006", 'm': "01", 'd': "02", 'H': "15", 'M': "04", 'S': "05",
	'F': "2006-01-02", 'T': "15:04:05", 'y': "06", 'b': "Jan", 'a': "Mon", 'Z': "UTC",
}

func date(c *Call) {
	now := c.Now().UTC()
	for _, arg := range c.Args[1:] {
		format, ok := strings.CutPrefix(arg, "+")
		if !ok {
			continue
		}
		var out strings.Builder
		for i := 0; i < len(format); i++ {
			if format[i] != '%' || i+1 == len(format) {
				out.WriteByte(format[i])
				continue
			}
			i++
			switch layout, known := dateFormats[format[i]]; {
			case known:
				out.WriteString(now.Format(layout))
			case format[i] == 's':
				out.WriteString(strconv.FormatInt(now.Unix(), 10))
			default:
				out.WriteByte(format[i])
			}
		}
		c.Print(out.String() + "\n")
		c.Exit(0)
		return
	}
	c.Print(now.Format("Mon Jan _2 15:04:05 UTC 2006") + "\n")
	c.Exit(0)
}

func hostname(c *Call) {
	if flag(c, "i") {
		c.Print(c.IP() + "\n")
	} else {
		c.Print(c.Hostname() + "\n")
	}
	c.Exit(0)
}

func printEnv(c *Call) {
	names := operands(c)
	code := 0
	if len(names) > 0 && c.Args[0] == "printenv" {
		code = 1
		for _, v := range c.Env {
			if name, value, _ := strings.Cut(v, "="); name == names[0] {
				c.Print(value + "\n")
				code = 0
			}
		}
	} else {
		for _, v := range c.Env {
			c.Print(v + "\n")
		}
	}
	c.Exit(code)
}

// seqLimit bounds what seq prints.
const seqLimit = 10_000

func seq(c *Call) {
	first, step, last := 1, 1, 0
	numbers := make([]int, 0, 3)
	for _, arg := range c.Args[1:] {
		n, err := strconv.Atoi(arg)
		if err != nil {
			fail(c, 1, "invalid number '%s'", arg)
			return
		}
		numbers = append(numbers, n)
	}
	switch len(numbers) {
	case 1:
		last = numbers[0]
	case 2:
		first, last = numbers[0], numbers[1]
	case 3:
		first, step, last = numbers[0], numbers[1], numbers[2]
	default:
		fail(c, 1, "missing operand")
		return
	}
	var out strings.Builder
	for n, i := 0, first; step != 0 && n < seqLimit && (step > 0 && i <= last || step < 0 && i >= last); n, i = n+1, i+step {
		out.WriteString(strconv.Itoa(i) + "\n")
	}
	c.Print(out.String())
	c.Exit(0)
}

func lines(text string) []string {
	text = strings.TrimSuffix(text, "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// grep looks for words, not for regular expressions.
func grep(c *Call) {
	args := operands(c)
	if len(args) == 0 {
		fail(c, 2, "missing pattern")
		return
	}
	content, code := read(c, args[1:])
	if code != 0 {
		c.Exit(2)
		return
	}
	pattern := args[0]
	var out strings.Builder
	for _, line := range lines(content) {
		text := line
		if flag(c, "i") {
			text, pattern = strings.ToLower(text), strings.ToLower(pattern)
		}
		if strings.Contains(text, pattern) != flag(c, "v") {
			out.WriteString(line + "\n")
		}
	}
	if out.Len() == 0 {
		c.Exit(1)
		return
	}
	if !flag(c, "q") {
		c.Print(out.String())
	}
	c.Exit(0)
}

// count is the number behind -n, or as -5; 10 if there is none. The rest are
// the files.
func count(c *Call) (int, []string) {
	n, files := 10, []string{}
	for i := 1; i < len(c.Args); i++ {
		arg := c.Args[i]
		switch {
		case arg == "-n" && i+1 < len(c.Args):
			i++
			n, _ = strconv.Atoi(c.Args[i])
		case strings.HasPrefix(arg, "-"):
			if parsed, err := strconv.Atoi(strings.TrimPrefix(arg[1:], "n")); err == nil {
				n = parsed
			}
		default:
			files = append(files, arg)
		}
	}
	return max(n, 0), files
}

func head(c *Call) {
	n, files := count(c)
	content, code := read(c, files)
	list := lines(content)
	printLines(c, list[:min(n, len(list))], code)
}

// tail shows the end of a file; tail -f shows nothing more and goes on for
// ever, which is what containers use it for.
func tail(c *Call) {
	n, files := count(c)
	if flag(c, "f") || flag(c, "F") {
		if len(files) == 1 && !c.Files().Exists(files[0]) && files[0] != "/dev/null" {
			fail(c, 1, "can't open '%s': %v", files[0], errNoFile)
		}
		return // unless it has failed, it never ends
	}
	content, code := read(c, files)
	list := lines(content)
	printLines(c, list[max(len(list)-n, 0):], code)
}

func printLines(c *Call, list []string, code int) {
	if len(list) > 0 {
		c.Print(strings.Join(list, "\n") + "\n")
	}
	c.Exit(code)
}

func wc(c *Call) {
	content, code := read(c, operands(c))
	switch {
	case flag(c, "l"):
		c.Print(fmt.Sprintln(strings.Count(content, "\n")))
	case flag(c, "w"):
		c.Print(fmt.Sprintln(len(strings.Fields(content))))
	case flag(c, "c"):
		c.Print(fmt.Sprintln(len(content)))
	default:
		c.Print(fmt.Sprintf("%9d %9d %9d\n", strings.Count(content, "\n"), len(strings.Fields(content)), len(content)))
	}
	c.Exit(code)
}

func id(c *Call) {
	c.Print("uid=0(root) gid=0(root) groups=0(root)\n")
	c.Exit(0)
}

func uname(c *Call) {
	if flag(c, "a") {
		c.Print("Linux " + c.Hostname() + " 6.12.0-tidepool x86_64 GNU/Linux\n")
	} else {
		c.Print("Linux\n")
	}
	c.Exit(0)
}

func pwd(c *Call) {
	c.Print("/\n")
	c.Exit(0)
}
