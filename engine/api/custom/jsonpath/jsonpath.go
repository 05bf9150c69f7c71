// Package jsonpath finds values by the simple paths that printer columns and
// selectable fields of CustomResourceDefinitions have:
//
//	.spec.replicas   .metadata.labels.app\.kubernetes\.io/name   .spec['a b']
//	.spec.list[0].name   .spec.list[*].name
//	.status.conditions[?(@.type=="Ready")].status
//
// It is the part of k8s.io/client-go/util/jsonpath that such paths use.
package jsonpath

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Path is a parsed path. The zero Path is the value itself.
type Path []step

// step leads from a value to some below it.
type step struct {
	name     string // a field
	index    int    // an item, from the end if negative
	indexed  bool
	all      bool   // all fields or items
	compare  Path   // the items where it is
	operator string // to
	operand  string
}

// Parse reads a path.
func Parse(text string) (Path, error) {
	var path Path
	for rest := text; rest != ""; {
		var err error
		var next step
		switch {
		case rest == ".":
			return path, nil
		case rest[0] == '.':
			next.name, rest = fieldName(rest[1:])
			next.all = next.name == "*"
			if next.name == "" && !strings.HasPrefix(rest, "[") {
				return nil, fmt.Errorf("%q: a field's name is missing", text)
			}
			if next.name == "" {
				continue
			}
		case rest[0] == '[':
			next, rest, err = bracket(rest[1:])
		default:
			err = fmt.Errorf("unexpected %q", rest)
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		path = append(path, next)
	}
	return path, nil
}

// fieldName reads a name up to the next step; a backslash takes what follows
// literally.
func fieldName(text string) (name, rest string) {
	var read strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			read.WriteByte(text[i])
		case c == '.' || c == '[':
			return read.String(), text[i:]
		default:
			read.WriteByte(c)
		}
	}
	return read.String(), ""
}

func bracket(text string) (next step, rest string, err error) {
	if filter, is := strings.CutPrefix(text, "?("); is {
		condition, after, closed := strings.Cut(filter, ")]")
		if !closed {
			return next, "", fmt.Errorf("unterminated filter")
		}
		return filterStep(condition, after)
	}
	inside, rest, closed := strings.Cut(text, "]")
	if !closed {
		return next, "", fmt.Errorf("unterminated array")
	}
	inside = strings.TrimSpace(inside)
	switch {
	case inside == "*":
		next.all = true
	case len(inside) > 1 && (inside[0] == '\'' || inside[0] == '"'):
		next.name = inside[1 : len(inside)-1]
	default:
		next.indexed = true
		if next.index, err = strconv.Atoi(inside); err != nil {
			err = fmt.Errorf("invalid array index %s", inside)
		}
	}
	return next, rest, err
}

var operators = []string{"==", "!=", "<=", ">=", "<", ">"}

// filterStep reads what is between "[?(" and ")]".
func filterStep(condition, after string) (step, string, error) {
	for _, operator := range operators {
		left, right, found := strings.Cut(condition, operator)
		if !found {
			continue
		}
		path, err := Parse(strings.TrimPrefix(strings.TrimSpace(left), "@"))
		return step{all: true, compare: path, operator: operator, operand: strings.Trim(strings.TrimSpace(right), `"'`)}, after, err
	}
	path, err := Parse(strings.TrimPrefix(strings.TrimSpace(condition), "@"))
	return step{all: true, compare: path, operator: "exists"}, after, err
}

// Find returns what there is at the path, in order.
func (p Path) Find(value any) []any {
	found := []any{value}
	for _, s := range p {
		var next []any
		for _, each := range found {
			next = s.appendTo(next, each)
		}
		found = next
	}
	return found
}

func (s step) appendTo(found []any, value any) []any {
	switch value := value.(type) {
	case map[string]any:
		if s.all {
			for _, name := range slices.Sorted(maps.Keys(value)) {
				found = s.filter(found, value[name])
			}
		} else if field, ok := value[s.name]; ok && !s.indexed {
			found = append(found, field)
		}
	case []any:
		if s.all {
			for _, item := range value {
				found = s.filter(found, item)
			}
		} else if at := s.index; s.indexed {
			if at < 0 {
				at += len(value)
			}
			if at >= 0 && at < len(value) {
				found = append(found, value[at])
			}
		}
	}
	return found
}

func (s step) filter(found []any, value any) []any {
	if s.operator == "" {
		return append(found, value)
	}
	matching := s.compare.Find(value)
	if len(matching) == 0 || s.operator != "exists" && !s.holds(fmt.Sprint(matching[0])) {
		return found
	}
	return append(found, value)
}

func (s step) holds(actual string) bool {
	order := strings.Compare(actual, s.operand)
	x, errX := strconv.ParseFloat(actual, 64)
	y, errY := strconv.ParseFloat(s.operand, 64)
	if errX == nil && errY == nil {
		order = 0
		if x != y {
			order = 1
			if x < y {
				order = -1
			}
		}
	}
	switch s.operator {
	case "==":
		return order == 0
	case "!=":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}
