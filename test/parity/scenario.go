package parity

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The kinds of steps, which are the headers in a scenario's file.
const (
	fileStep  = "file"  // writes its text to the file that the argument names
	runStep   = "run"   // runs its text with bash; what comes out is compared
	sortStep  = "sort"  // the same, with the output's lines sorted
	quietStep = "quiet" // runs its text, which has to succeed
	untilStep = "until" // runs its text until it succeeds, for the argument's number of seconds
	afterStep = "after" // runs its text at the end, whatever has happened
)

// header is the first line of a step or of a part of its recorded result.
var header = regexp.MustCompile(`^--- (file|run|sort|quiet|until|after|exit|stdout|stderr)(?: (.*))?$`)

// A Step is one block of a scenario.
type Step struct {
	// Number counts all steps of the scenario, from 1.
	Number         int
	Kind, Argument string
	Text           string
	// Recorded is what came out of a run or sort step.
	Recorded Result
}

// compared says whether the step's result is.
func (s Step) compared() bool { return s.Kind == runStep || s.Kind == sortStep }

// A Result is what a command left behind, line by line and normalised.
type Result struct {
	Exit           int
	Stdout, Stderr []string
}

// Lines are the result as it is written in a fixture.
func (r Result) Lines() []string {
	lines := []string{fmt.Sprintf("--- exit %d", r.Exit)}
	for _, stream := range []struct {
		name  string
		lines []string
	}{{"stdout", r.Stdout}, {"stderr", r.Stderr}} {
		if len(stream.lines) > 0 {
			lines = append(lines, "--- "+stream.name)
		}
		for _, line := range stream.lines {
			if line == "" {
				lines = append(lines, "|")
			} else {
				lines = append(lines, "| "+line)
			}
		}
	}
	return lines
}

func (r Result) equal(other Result) bool { return slices.Equal(r.Lines(), other.Lines()) }

// A Scenario is a fixture's file.
type Scenario struct {
	Name, Title string
	Steps       []Step
}

// Parse reads a fixture.
func Parse(name, text string) (Scenario, error) {
	scenario := Scenario{Name: name}
	var block []string            // the lines since the last header
	end := func(lines []string) { // what to do with them
		scenario.Title = strings.TrimSpace(strings.Join(lines, "\n"))
	}
	for number, line := range splitLines(text) {
		match := header.FindStringSubmatch(line)
		if match == nil {
			block = append(block, line)
			continue
		}
		end(block)
		block = nil
		next, err := scenario.begin(match[1], match[2])
		if err != nil {
			return Scenario{}, fmt.Errorf("%s, line %d: %w", name, number+1, err)
		}
		end = next
	}
	end(block)
	return scenario, nil
}

// begin handles a header and returns what is to be done with the lines that
// follow it.
func (s *Scenario) begin(kind, argument string) (end func(lines []string), err error) {
	switch kind {
	case "exit", "stdout", "stderr":
		if len(s.Steps) == 0 || !s.Steps[len(s.Steps)-1].compared() {
			return nil, fmt.Errorf("%s belongs to no run or sort step", kind)
		}
		step := &s.Steps[len(s.Steps)-1]
		switch kind {
		case "stdout":
			return func(lines []string) { step.Recorded.Stdout = unquote(lines) }, nil
		case "stderr":
			return func(lines []string) { step.Recorded.Stderr = unquote(lines) }, nil
		}
		step.Recorded.Exit, err = strconv.Atoi(argument)
		return func([]string) {}, err
	case untilStep:
		if _, err := strconv.ParseFloat(argument, 64); err != nil {
			return nil, fmt.Errorf("until needs a number of seconds: %w", err)
		}
	case fileStep:
		if argument == "" {
			return nil, fmt.Errorf("file needs a name")
		}
	}
	s.Steps = append(s.Steps, Step{Number: len(s.Steps) + 1, Kind: kind, Argument: argument})
	step := &s.Steps[len(s.Steps)-1]
	return func(lines []string) { step.Text = strings.Trim(strings.Join(lines, "\n"), "\n") + "\n" }, nil
}

// unquote takes the marks away that begin the lines of a recorded stream.
func unquote(lines []string) []string {
	unquoted := make([]string, len(lines))
	for i, line := range lines {
		unquoted[i] = line[min(2, len(line)):]
	}
	return unquoted
}
