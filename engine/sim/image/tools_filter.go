package image

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Tools that change the text that flows through them.

func sortTool(c *Call) {
	read(c, operands(c), func(content string, code int) {
		list := lines(content)
		slices.SortStableFunc(list, func(a, b string) int {
			if flag(c, "n") {
				return cmp.Or(cmp.Compare(leadingNumber(a), leadingNumber(b)), strings.Compare(a, b))
			}
			return strings.Compare(a, b)
		})
		if flag(c, "r") {
			slices.Reverse(list)
		}
		if flag(c, "u") {
			list = slices.Compact(list)
		}
		printLines(c, list, code)
	})
}

func leadingNumber(line string) float64 {
	line = strings.TrimSpace(line)
	end := 0
	for end < len(line) && (line[end] >= '0' && line[end] <= '9' || line[end] == '.' || end == 0 && line[end] == '-') {
		end++
	}
	n, _ := strconv.ParseFloat(line[:end], 64)
	return n
}

func uniq(c *Call) {
	read(c, operands(c), func(content string, code int) {
		var list []string
		all := lines(content)
		for i := 0; i < len(all); {
			count := 1
			for i+count < len(all) && all[i+count] == all[i] {
				count++
			}
			line := all[i]
			if flag(c, "c") {
				line = fmt.Sprintf("%7d %s", count, line)
			}
			list = append(list, line)
			i += count
		}
		printLines(c, list, code)
	})
}

func tee(c *Call) {
	c.Input.All(func(content string) {
		code := 0
		for _, name := range operands(c) {
			if err := c.Dir().Write(name, content, flag(c, "a")); err != nil {
				complain(c, "%s", "%s", name, err)
				code = 1
			}
		}
		if content != "" {
			c.Print(content)
		}
		c.Exit(code)
	})
}

// tr replaces or, with -d, deletes characters.
func tr(c *Call) {
	sets := operands(c)
	if len(sets) == 0 || len(sets) == 1 && !flag(c, "d") {
		fail(c, 1, "missing operand")
		return
	}
	from := []rune(charSet(sets[0]))
	var to []rune
	if len(sets) > 1 {
		to = []rune(charSet(sets[1]))
	}
	c.Input.All(func(content string) {
		c.Print(strings.Map(func(r rune) rune {
			i := slices.Index(from, r)
			switch {
			case i < 0:
				return r
			case flag(c, "d"):
				return -1
			case len(to) == 0:
				return r
			}
			return to[min(i, len(to)-1)]
		}, content))
		c.Exit(0)
	})
}

// charSet writes out ranges and classes.
func charSet(text string) string {
	const lower, upper, digits = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	text = strings.NewReplacer("[:lower:]", lower, "[:upper:]", upper, "[:digit:]", digits, "[:alpha:]", upper+lower, "[:space:]", " \t\n").Replace(unescape(text))
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if i+2 < len(text) && text[i+1] == '-' && text[i] <= text[i+2] {
			for b := int(text[i]); b <= int(text[i+2]); b++ {
				out.WriteByte(byte(b))
			}
			i += 2
			continue
		}
		out.WriteByte(text[i])
	}
	return out.String()
}

// cut prints fields: cut -d: -f1,3.
func cut(c *Call) {
	delimiter, wanted := "\t", ""
	var files []string
	for i := 1; i < len(c.Args); i++ {
		arg := c.Args[i]
		value := func() string {
			if len(arg) == 2 && i+1 < len(c.Args) {
				i++
				return c.Args[i]
			}
			return arg[2:]
		}
		switch {
		case strings.HasPrefix(arg, "-d"):
			delimiter = value()
		case strings.HasPrefix(arg, "-f"):
			wanted = value()
		case strings.HasPrefix(arg, "-") && arg != "-":
			fail(c, 1, "the simulated cut knows -d and -f only")
			return
		default:
			files = append(files, arg)
		}
	}
	if wanted == "" || delimiter == "" {
		fail(c, 1, "expected a list of bytes, characters, or fields")
		return
	}
	read(c, files, func(content string, code int) {
		list := lines(content)
		for i, line := range list {
			if strings.Contains(line, delimiter) {
				list[i] = strings.Join(chosen(strings.Split(line, delimiter), wanted), delimiter)
			}
		}
		printLines(c, list, code)
	})
}

// chosen are the fields of a list like 1,3-5.
func chosen(fields []string, wanted string) []string {
	var out []string
	for part := range strings.SplitSeq(wanted, ",") {
		first, last, isRange := strings.Cut(part, "-")
		from, err := strconv.Atoi(first)
		if err != nil {
			from = 1
		}
		to := from
		if isRange {
			if to, err = strconv.Atoi(last); err != nil {
				to = len(fields)
			}
		}
		for n := max(from, 1); n <= min(to, len(fields)); n++ {
			out = append(out, fields[n-1])
		}
	}
	return out
}

func base64Tool(c *Call) {
	read(c, operands(c), func(content string, code int) {
		if !flag(c, "d") {
			text := base64.StdEncoding.EncodeToString([]byte(content))
			for len(text) > 76 && !flag(c, "w") {
				c.Print(text[:76] + "\n")
				text = text[76:]
			}
			c.Print(text + "\n")
			c.Exit(code)
			return
		}
		data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(content), ""))
		c.Print(string(data))
		if err != nil {
			fail(c, 1, "invalid input")
			return
		}
		c.Exit(code)
	})
}

func baseName(c *Call) {
	names := operands(c)
	if len(names) == 0 {
		fail(c, 1, "missing operand")
		return
	}
	name := path.Base(names[0])
	if c.Args[0] == "dirname" {
		name = path.Dir(names[0])
	} else if len(names) > 1 {
		name = strings.TrimSuffix(name, names[1])
	}
	c.Print(name + "\n")
	c.Exit(0)
}

// sed knows s/from/to/ with g, for words and not for regular expressions, and
// -i.
func sed(c *Call) {
	args := operands(c)
	if len(args) == 0 {
		fail(c, 1, "no script")
		return
	}
	script := args[0]
	if len(script) < 4 || script[0] != 's' {
		fail(c, 1, "the simulated sed knows s/from/to/ only")
		return
	}
	parts := strings.Split(script[2:], script[1:2])
	if len(parts) != 3 || strings.ContainsAny(parts[0], `*[]\.+?^$`) {
		fail(c, 1, "the simulated sed replaces words, not regular expressions: '%s'", script)
		return
	}
	times := 1
	if strings.Contains(parts[2], "g") {
		times = -1
	}
	change := func(content string) string {
		var out strings.Builder
		for line := range strings.Lines(content) {
			out.WriteString(strings.Replace(line, parts[0], parts[1], times))
		}
		return out.String()
	}
	if !flag(c, "i") {
		read(c, args[1:], func(content string, code int) {
			c.Print(change(content))
			c.Exit(code)
		})
		return
	}
	code := 0
	for _, name := range args[1:] {
		content, err := c.Dir().Read(name)
		if err == nil {
			err = c.Dir().Write(name, change(content), false)
		}
		if err != nil {
			complain(c, "%s", "can't read %s", name, err)
			code = 1
		}
	}
	c.Exit(code)
}
