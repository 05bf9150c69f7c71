package image

import (
	"math/big"
	"strconv"
	"strings"
	"time"
)

// perl is the image of the Job in Kubernetes' own documentation, which calculates
// pi. Its interpreter knows the few statements that such examples are made of.
func perl() *Image {
	return &Image{
		Name: "docker.io/library/perl",
		Size: func(tag string) int64 {
			version, variant, _ := strings.Cut(tag, "-")
			switch major, _, _ := strings.Cut(version, "."); {
			case major != "5" && major != "latest" && major != "slim":
				return 0
			case variant != "" || major == "slim":
				return 56_000_000
			}
			return 352_000_000
		},
		Command:   []string{"perl5.40.0", "-de0"},
		Env:       []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		Programs:  with(tools(), map[string]Program{"perl": runPerl, "perl5.40.0": runPerl}),
		Files:     files(release("Debian GNU/Linux", "debian", "12"), nil),
		Debian:    always,
		MilliCPU:  900,
		Memory:    megabytes(6),
		StartTime: 20 * time.Millisecond,
	}
}

// runPerl runs what follows -e. It does not read programs from files or the
// standard input: without one it ends, as perl does at the end of its input.
func runPerl(c *Call) {
	var program []string
	newline := ""
	for words := c.Args[1:]; len(words) > 0; words = words[1:] {
		flags, ok := strings.CutPrefix(words[0], "-")
		if !ok {
			c.Complain("Can't open perl script \"" + words[0] + "\": No such file or directory\n")
			c.Exit(2)
			return
		}
		if strings.HasPrefix(flags, "M") || strings.HasPrefix(flags, "d") {
			continue
		}
		if strings.Contains(flags, "l") {
			newline = "\n"
		}
		if !strings.HasSuffix(flags, "e") && !strings.HasSuffix(flags, "E") {
			continue
		}
		if len(words) == 1 {
			c.Complain("No code specified for -e.\n")
			c.Exit(29)
			return
		}
		program = append(program, words[1])
		words = words[1:]
	}
	perlStatements(c, strings.Split(strings.Join(program, ";"), ";"), newline)
}

// perlStatements runs one statement after another.
func perlStatements(c *Call, statements []string, newline string) {
	for i, statement := range statements {
		word, rest, _ := strings.Cut(strings.TrimSpace(statement), " ")
		value, known := perlValue(strings.TrimSpace(rest))
		number, err := strconv.Atoi(value)
		switch {
		case word == "":
		case word == "print" && known:
			c.Print(value + newline)
		case word == "say" && known:
			c.Print(value + "\n")
		case word == "die" && known:
			c.Complain(value + " at -e line 1.\n")
			c.Exit(255)
			return
		case word == "exit" && (err == nil || rest == ""):
			c.Exit(number & 255)
			return
		case word == "sleep" && err == nil && number >= 0:
			c.After(time.Duration(number)*time.Second, func() { perlStatements(c, statements[i+1:], newline) })
			return
		default:
			c.Complain("syntax error at -e line 1, near \"" + statement + "\" (the simulated perl knows print, say, sleep, exit, die, numbers, strings and bpi)\n")
			c.Exit(255)
			return
		}
	}
	c.Exit(0)
}

// piDigits is how many digits of pi the simulated perl calculates at most: more
// would keep everybody else waiting.
const piDigits = 10_000

// perlValue reads a string, a number or a call of bpi.
func perlValue(text string) (value string, ok bool) {
	if digits, ok := strings.CutPrefix(text, "bpi("); ok {
		n, err := strconv.Atoi(strings.TrimSuffix(digits, ")"))
		if err != nil || n < 1 || n > piDigits {
			return "", false
		}
		return pi(n), true
	}
	if len(text) >= 2 && (text[0] == '"' || text[0] == '\'') && text[len(text)-1] == text[0] {
		value = text[1 : len(text)-1]
		if text[0] == '"' {
			value = strings.ReplaceAll(value, `\n`, "\n")
		}
		return value, true
	}
	_, err := strconv.ParseFloat(text, 64)
	return text, err == nil
}

// pi returns its first digits, the last one rounded, by Machin's formula:
// 16 atan(1/5) - 4 atan(1/239).
func pi(digits int) string {
	const guard = 10
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits-1+guard)), nil)
	sum := new(big.Int).Mul(big.NewInt(16), arctangent(5, unit))
	sum.Sub(sum, new(big.Int).Mul(big.NewInt(4), arctangent(239, unit)))
	half := new(big.Int).Exp(big.NewInt(10), big.NewInt(guard), nil)
	sum.Add(sum, new(big.Int).Rsh(half, 1)).Quo(sum, half)
	text := sum.String()
	if digits == 1 {
		return text
	}
	return text[:1] + "." + text[1:]
}

// arctangent is that of 1/x, in units.
func arctangent(x int64, unit *big.Int) *big.Int {
	sum, power := new(big.Int), new(big.Int).Quo(unit, big.NewInt(x))
	square, term := big.NewInt(x*x), new(big.Int)
	for n := int64(1); power.Sign() != 0; n += 2 {
		term.Quo(power, big.NewInt(n))
		if n%4 == 1 {
			sum.Add(sum, term)
		} else {
			sum.Sub(sum, term)
		}
		power.Quo(power, square)
	}
	return sum
}
