package image

import (
	"strconv"
	"strings"
	"time"
)

// Tools that deal with time, names and variables.

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
	c.Print(c.Dir().Path(".") + "\n")
	c.Exit(0)
}
