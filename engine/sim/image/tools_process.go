package image

import (
	"fmt"
	"strconv"
	"strings"
)

// Tools that deal with processes.

func ps(c *Call) {
	var out strings.Builder
	out.WriteString("PID   USER     TIME  COMMAND\n")
	for _, p := range c.Processes() {
		fmt.Fprintf(&out, "%5d root      0:00 %s\n", p.PID, p.Command)
	}
	c.Print(out.String())
	c.Exit(0)
}

// signals are those that can be sent by name.
var signals = map[string]int{"HUP": 1, "INT": 2, "QUIT": 3, "KILL": 9, "USR1": 10, "USR2": 12, "TERM": 15}

func kill(c *Call) {
	args, signal := c.Args[1:], signals["TERM"]
	if len(args) > 1 && args[0] == "-s" {
		args = append([]string{"-" + args[1]}, args[2:]...)
	}
	if len(args) > 0 && strings.HasPrefix(args[0], "-") {
		name := strings.TrimPrefix(strings.ToUpper(args[0][1:]), "SIG")
		number, err := strconv.Atoi(name)
		if byName, ok := signals[name]; ok {
			number = byName
		} else if err != nil || number < 0 || number > 64 {
			fail(c, 1, "bad signal name '%s'", args[0][1:])
			return
		}
		args, signal = args[1:], number
	}
	if len(args) == 0 {
		fail(c, 1, "you need to specify whom to kill")
		return
	}
	code := 0
	for _, arg := range args {
		pid, err := strconv.Atoi(arg)
		switch {
		case err != nil:
			c.Complain(fmt.Sprintf("kill: invalid number '%s'\n", arg))
			code = 1
		case !c.Signal(pid, signal):
			c.Complain(fmt.Sprintf("kill: can't kill pid %d: No such process\n", pid))
			code = 1
		}
	}
	c.Exit(code)
}

// which says where programs are.
func which(c *Call) {
	code := 0
	for _, name := range operands(c) {
		if _, ok := c.Program(name); ok {
			c.Print("/bin/" + name + "\n")
		} else {
			code = 1
		}
	}
	c.Exit(code)
}

func whoami(c *Call) {
	c.Print("root\n")
	c.Exit(0)
}
