package parity

import (
	"slices"
	"strings"

	"github.com/dlclark/regexp2"
)

// The patterns look around what they replace, which package regexp can't.
const (
	// suffix is what generateName appends.
	suffix = `[bcdfghjklmnpqrstvwxz2456789]{5}`
	// wordStart and wordEnd bound a word; "for 5s" is a text, not an age.
	wordStart, wordEnd = `(?<![^\s(,])(?<!for )`, `(?![^\s),\]])`
)

type rule struct {
	pattern     *regexp2.Regexp
	replacement string
}

func (r rule) apply(line string) string {
	replaced, err := r.pattern.Replace(line, r.replacement, -1, -1)
	if err != nil {
		panic(err) // only a time limit, which there is none of, fails
	}
	return replaced
}

func newRule(pattern, replacement string) rule {
	return rule{regexp2.MustCompile(pattern, regexp2.None), replacement}
}

// rules are applied to every line, in this order.
var rules = []rule{
	newRule(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d))?(?: UTC)?`, "TIME"),
	newRule(`\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}`, "TIME"),
	newRule(`^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ `, "$1 TIME "),
	newRule(`\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b`, "UID"),
	newRule(`(resourceVersion"?[:=] ?"?|Resource Version: +)\d+`, "${1}RV"),
	newRule(`\beyJ[\w-]+\.[\w-]+\.[\w-]+`, "TOKEN"),
	newRule(`\b(LIVE|MERGED|kubectl-edit)-\d+`, "${1}-N"),
	newRule(`(?<=[a-z0-9])\.[0-9a-f]{16}\b`, ".EVENT"),
	newRule(`(?<=[a-z0-9]-)`+suffix+`(?![a-z0-9-])`, "xxxxx"),
	newRule(`\b\d{1,3}(?:\.\d{1,3}){3}\b`, "IP"),
	newRule(`(?<![\w.])(?:3[01]\d{3}|32[0-6]\d\d|327[0-5]\d|3276[0-7])(?![\w.])`, "NODEPORT"),
	// A lone "5m" is an age only in a table with an AGE column: elsewhere it may be a quantity.
	newRule(wordStart+`(?:(?:\d+[ydhm])*\d+s|\d+[ydh]\d+[dhm])`+wordEnd, "AGE"),
}

var (
	ageTable = regexp2.MustCompile(`^[A-Z].*\b(?:AGE|LAST SEEN)\b`, regexp2.None)
	ageField = newRule(wordStart+`(?:\d+[ydhms])+`+wordEnd, "AGE")
	repeated = newRule(`AGE \(x\d+ over AGE\)`, "AGE")
	padding  = newRule(`(?<=\S) {2,}`, "  ")
)

// A Replacement is a text of one run, such as a directory's name, and what it
// is called in the fixtures.
type Replacement struct{ Old, New string }

// Normalise returns the lines of a text with everything replaced that differs
// between two runs.
func Normalise(text string, replacements []Replacement) []string {
	for _, r := range replacements {
		text = strings.ReplaceAll(text, r.Old, r.New)
	}
	lines := splitLines(text)
	inAgeTable := false
	for i, line := range lines {
		if line == "" {
			inAgeTable = false
		} else if begins, _ := ageTable.MatchString(line); begins {
			inAgeTable = true
		}
		for _, r := range rules {
			line = r.apply(line)
		}
		if inAgeTable {
			line = ageField.apply(line)
		}
		lines[i] = padding.apply(repeated.apply(line))
	}
	return lines
}

// sorted is for output whose order is random.
func sorted(lines []string) []string { return slices.Sorted(slices.Values(lines)) }

// splitLines splits at the line ends of Python's str.splitlines, with which the
// fixtures were recorded.
func splitLines(text string) []string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	lines := strings.Split(strings.Map(func(r rune) rune {
		switch r {
		case '\r', '\v', '\f', '\x1c', '\x1d', '\x1e', '\u0085', '\u2028', '\u2029':
			return '\n'
		}
		return r
	}, text), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}
