package image

import (
	"fmt"
	"strconv"
	"strings"
)

// Tools that deal with files, and test.

func touch(c *Call) {
	code := 0
	for _, name := range operands(c) {
		if err := c.Files().Write(name, "", true); err != nil {
			c.Complain(fmt.Sprintf("touch: %s: %v\n", name, err))
			code = 1
		}
	}
	c.Exit(code)
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
		case dir != "/" && dir != "/tmp" && !c.Files().IsDir(dir):
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
			ok = c.Files().IsDir(args[1])
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
