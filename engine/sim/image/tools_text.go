package image

import (
	"fmt"
	"strconv"
	"strings"
)

// Tools that print and filter text.

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

func cat(c *Call) {
	files := operands(c)
	if len(files) == 0 { // as it comes
		var next func(text string, ended bool)
		next = func(text string, ended bool) {
			if text != "" {
				c.Print(text)
			}
			if ended {
				c.Exit(0)
				return
			}
			c.Input.Next(next)
		}
		c.Input.Next(next)
		return
	}
	read(c, files, func(content string, code int) {
		if content != "" {
			c.Print(content)
		}
		c.Exit(code)
	})
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
	read(c, args[1:], func(content string, code int) {
		if code != 0 {
			c.Exit(2)
			return
		}
		c.grep(args[0], content)
	})
}

func (c *Call) grep(pattern, content string) {
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
	read(c, files, func(content string, code int) {
		list := lines(content)
		printLines(c, list[:min(n, len(list))], code)
	})
}

// tail shows the end of a file; tail -f shows nothing more and goes on for
// ever, which is what containers use it for.
func tail(c *Call) {
	n, files := count(c)
	if flag(c, "f") || flag(c, "F") {
		if len(files) == 1 && !c.Dir().Exists(files[0]) && files[0] != "/dev/null" {
			fail(c, 1, "can't open '%s': %v", files[0], errNoFile)
		}
		return // unless it has failed, it never ends
	}
	read(c, files, func(content string, code int) {
		list := lines(content)
		printLines(c, list[max(len(list)-n, 0):], code)
	})
}

func printLines(c *Call, list []string, code int) {
	if len(list) > 0 {
		c.Print(strings.Join(list, "\n") + "\n")
	}
	c.Exit(code)
}

func wc(c *Call) {
	read(c, operands(c), func(content string, code int) {
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
	})
}
