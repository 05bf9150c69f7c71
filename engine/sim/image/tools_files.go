package image

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Tools that deal with files, and test.

func touch(c *Call) {
	code := 0
	for _, name := range operands(c) {
		if err := c.Dir().Write(name, "", true); err != nil {
			complain(c, "%s", "cannot touch '%s'", name, err)
			code = 1
		}
	}
	c.Exit(code)
}

func rm(c *Call) {
	code := 0
	recursive := flag(c, "r") || flag(c, "R")
	for _, name := range operands(c) {
		var inside []string
		isDir := c.Dir().IsDir(name)
		if isDir && !recursive {
			if c.IsDebian() {
				c.Complain(fmt.Sprintf("rm: cannot remove '%s': Is a directory\n", name))
			} else {
				c.Complain(fmt.Sprintf("rm: '%s' is a directory\n", name))
			}
			code = 1
			continue
		}
		c.Dir().Walk(name, func(name string, _ bool) { inside = append(inside, name) })
		slices.Reverse(inside) // what is in a directory goes before it
		for _, name := range inside {
			err := c.Dir().Remove(name)
			if err != nil && (!errors.Is(err, errNoFile) || !flag(c, "f") && !isDir) {
				complain(c, "can't remove '%s'", "cannot remove '%s'", name, err)
				code = 1
			}
		}
	}
	c.Exit(code)
}

func mkdir(c *Call) {
	code := 0
	for _, name := range operands(c) {
		err := error(nil)
		if flag(c, "p") {
			err = makeAll(c.Dir(), c.Dir().Path(name))
		} else {
			err = c.Dir().Mkdir(name)
		}
		if err != nil {
			complain(c, "can't create directory '%s'", "cannot create directory '%s'", name, err)
			code = 1
		}
	}
	c.Exit(code)
}

func cp(c *Call) { c.Exit(copyFile(c)) }

func mv(c *Call) {
	code := copyFile(c)
	if code == 0 {
		if err := c.Dir().Remove(operands(c)[0]); err != nil {
			fail(c, 1, "can't remove '%s': %v", operands(c)[0], err)
			return
		}
	}
	c.Exit(code)
}

// copyFile copies a file to another name or into a directory.
func copyFile(c *Call) (code int) {
	names := operands(c)
	if len(names) != 2 {
		c.Complain(c.Args[0] + ": the simulated " + c.Args[0] + " takes a file and where it goes\n")
		return 1
	}
	from, to := names[0], names[1]
	content, err := c.Dir().Read(from)
	if err != nil {
		complain(c, "can't stat '%s'", "cannot stat '%s'", from, err)
		return 1
	}
	if c.Dir().IsDir(to) {
		to = path.Join(to, path.Base(from))
	}
	if err := c.Dir().Write(to, content, false); err != nil {
		complain(c, "can't create '%s'", "cannot create regular file '%s'", to, err)
		return 1
	}
	return 0
}

func ls(c *Call) {
	names := operands(c)
	if len(names) == 0 {
		names = []string{"."}
	}
	code := 0
	for i, name := range names {
		var list []string
		dir := ""
		switch {
		case c.Dir().IsDir(name):
			dir = name
			for _, inside := range c.Dir().List(name) {
				if !strings.HasPrefix(inside, ".") || flag(c, "a") || flag(c, "A") {
					list = append(list, inside)
				}
			}
		case c.Dir().Exists(name):
			list = []string{name}
		default:
			complain(c, "%s", "cannot access '%s'", name, errNoFile)
			if code = 1; c.IsDebian() {
				code = 2
			}
			continue
		}
		if dir != "" && len(names) > 1 {
			if i > 0 {
				c.Print("\n")
			}
			c.Print(name + ":\n")
		}
		c.Print(listing(c, dir, list))
	}
	c.Exit(code)
}

// listing is what ls prints of some names in a directory.
func listing(c *Call, dir string, names []string) string {
	if !flag(c, "l") {
		if len(names) == 0 {
			return ""
		}
		if c.Terminal && !flag(c, "1") {
			return strings.Join(names, "  ") + "\n"
		}
		return strings.Join(names, "\n") + "\n"
	}
	var out strings.Builder
	if dir != "" {
		fmt.Fprintf(&out, "total %d\n", 4*len(names))
	}
	for _, name := range names {
		at := path.Join(dir, name)
		mode, size := "-rw-r--r--    1", 0
		if c.Dir().IsDir(at) {
			mode, size = "drwxr-xr-x    2", 4096
		} else if content, err := c.Dir().Read(at); err == nil {
			size = len(content)
		}
		fmt.Fprintf(&out, "%s root     root     %9d %s %s\n", mode, size, c.Now().UTC().Format("Jan _2 15:04"), name)
	}
	return out.String()
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
		case "-f":
			ok = c.Dir().Exists(args[1])
		case "-e":
			ok = c.Dir().Exists(args[1]) || c.Dir().IsDir(args[1])
		case "-d":
			ok = c.Dir().IsDir(args[1])
		case "-s":
			content, _ := c.Dir().Read(args[1])
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
