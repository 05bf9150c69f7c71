package parity

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Known are the steps that are known to differ, by scenario and number, with
// the reasons.
type Known map[string]map[int]string

// sometimes begins the reason of a step that differs in some runs only: what it
// prints depends on who comes first.
const sometimes = "sometimes: "

var knownRow = regexp.MustCompile(`^\| *([a-z0-9-]+) *\| *([0-9, -]+?) *\| *(.*?) *\|$`)

// ParseKnown reads the tables of KNOWN.md, whose rows are
//
//	| scenario | steps, such as 3, 5-7 | reason |
func ParseKnown(text string) (Known, error) {
	known := Known{}
	for number, line := range strings.Split(text, "\n") {
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "| scenario ") || strings.HasPrefix(line, "| ---") {
			continue
		}
		row := knownRow.FindStringSubmatch(line)
		if row == nil {
			return nil, fmt.Errorf("KNOWN.md, line %d: %q is not | scenario | steps | reason |", number+1, line)
		}
		steps, err := parseSteps(row[2])
		if err == nil && row[3] == "" {
			err = fmt.Errorf("there is no reason")
		}
		if err != nil {
			return nil, fmt.Errorf("KNOWN.md, line %d: %w", number+1, err)
		}
		if known[row[1]] == nil {
			known[row[1]] = map[int]string{}
		}
		for _, step := range steps {
			if _, twice := known[row[1]][step]; twice {
				return nil, fmt.Errorf("KNOWN.md, line %d: step %d of %s is listed twice", number+1, step, row[1])
			}
			known[row[1]][step] = row[3]
		}
	}
	return known, nil
}

// parseSteps reads numbers and ranges: "3, 5-7".
func parseSteps(text string) (steps []int, err error) {
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			to = from
		}
		first, err := strconv.Atoi(from)
		if err != nil {
			return nil, err
		}
		last, err := strconv.Atoi(to)
		if err != nil {
			return nil, err
		}
		if first < 1 || last < first || last > 1000 {
			return nil, fmt.Errorf("%q is not a range of steps", part)
		}
		for step := first; step <= last; step++ {
			steps = append(steps, step)
		}
	}
	return steps, nil
}
