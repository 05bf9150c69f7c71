package shell

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

func sortStrings(list []string) { slices.Sort(list) }

// words expands words into arguments: an unquoted expansion is split at blanks.
func (s *shell) words(words []word, io IO, then func(args []string)) {
	var args []string
	var next func(i int)
	next = func(i int) {
		if i == len(words) {
			then(args)
			return
		}
		s.fields(words[i], io, func(fields []string) {
			args = append(args, fields...)
			next(i + 1)
		})
	}
	next(0)
}

// fields expands one word into arguments.
func (s *shell) fields(w word, io IO, then func([]string)) {
	var fields []string
	var current, pattern strings.Builder // pattern is current with what is quoted escaped
	open := false                        // current holds an argument, even if it is empty
	finish := func() {
		if open {
			fields = append(fields, s.matching(pattern.String(), current.String())...)
		}
		current.Reset()
		pattern.Reset()
		open = false
	}
	var next func(i int)
	next = func(i int) {
		if i == len(w) {
			finish()
			then(fields)
			return
		}
		part := w[i]
		s.part(part, io, func(value string) {
			if part.quoted || part.kind == literal {
				current.WriteString(value)
				if part.quoted {
					pattern.WriteString(quoteMeta.Replace(value))
				} else {
					pattern.WriteString(value)
				}
				open = true
				next(i + 1)
				return
			}
			for value != "" {
				blank := strings.IndexAny(value, " \t\n")
				if blank < 0 {
					current.WriteString(value)
					pattern.WriteString(value)
					open = true
					break
				}
				if blank > 0 {
					current.WriteString(value[:blank])
					pattern.WriteString(value[:blank])
					open = true
				}
				finish()
				value = strings.TrimLeft(value[blank:], " \t\n")
			}
			next(i + 1)
		})
	}
	next(0)
}

// matching are the files that a pattern matches; the word itself if there are
// none.
func (s *shell) matching(pattern, word string) []string {
	if !strings.ContainsAny(pattern, "*?[") {
		return []string{word}
	}
	found := []string{""}
	if strings.HasPrefix(pattern, "/") {
		found[0] = "/"
	}
	for segment := range strings.SplitSeq(strings.Trim(pattern, "/"), "/") {
		var next []string
		for _, dir := range found {
			for _, name := range s.host.List(s.path(dir)) {
				if ok, err := path.Match(segment, name); ok && err == nil && (name[0] != '.' || segment[0] == '.') {
					next = append(next, path.Join(dir, name))
				}
			}
		}
		found = next
	}
	if len(found) == 0 {
		return []string{word}
	}
	return found
}

// expand expands a word into one string.
func (s *shell) expand(w word, io IO, then func(string)) {
	var out strings.Builder
	var next func(i int)
	next = func(i int) {
		if i == len(w) {
			then(out.String())
			return
		}
		s.part(w[i], io, func(value string) {
			out.WriteString(value)
			next(i + 1)
		})
	}
	next(0)
}

func (s *shell) part(p part, io IO, then func(string)) {
	switch p.kind {
	case literal:
		then(p.text)
	case variable:
		then(s.variable(p.text))
	case sum:
		then(strconv.Itoa(s.sum(p.text)))
	case output:
		list, err := parse(p.text)
		if err != nil {
			io.Err(s.params[0] + ": syntax error: " + err.Error() + "\n")
			s.end(2)
			return
		}
		var out strings.Builder
		s.list(list, IO{Out: func(text string) { out.WriteString(text) }, Err: io.Err}, func(int) {
			then(strings.TrimRight(out.String(), "\n"))
		})
	}
}

// variable is the value of what stands behind a $, with :- and a default
// perhaps.
func (s *shell) variable(name string) string {
	name, otherwise, hasDefault := strings.Cut(name, ":-")
	value := ""
	switch {
	case name == "?":
		value = strconv.Itoa(s.code)
	case name == "#":
		value = strconv.Itoa(len(s.params) - 1)
	case name == "@" || name == "*":
		value = strings.Join(s.params[1:], " ")
	case name == "$":
		value = "1"
	case name[0] >= '0' && name[0] <= '9':
		if i, err := strconv.Atoi(name); err == nil && i < len(s.params) {
			value = s.params[i]
		}
	default:
		value = s.vars[name]
	}
	if value == "" && hasDefault {
		return otherwise
	}
	return value
}

// sum computes with whole numbers: + - * / % and parentheses are enough for
// counters; what it does not understand counts 0.
func (s *shell) sum(text string) int {
	p := &sumParser{shell: s, text: text}
	return p.terms()
}

type sumParser struct {
	shell *shell
	text  string
}

func (p *sumParser) peek() byte {
	p.text = strings.TrimLeft(p.text, " \t\n")
	if p.text == "" {
		return 0
	}
	return p.text[0]
}

func (p *sumParser) terms() int {
	value := p.factors()
	for {
		switch p.peek() {
		case '+':
			p.text = p.text[1:]
			value += p.factors()
		case '-':
			p.text = p.text[1:]
			value -= p.factors()
		default:
			return value
		}
	}
}

func (p *sumParser) factors() int {
	value := p.value()
	for {
		op := p.peek()
		if op != '*' && op != '/' && op != '%' {
			return value
		}
		p.text = p.text[1:]
		other := p.value()
		switch {
		case op == '*':
			value *= other
		case other == 0:
			value = 0
		case op == '/':
			value /= other
		default:
			value %= other
		}
	}
}

func (p *sumParser) value() int {
	switch c := p.peek(); {
	case c == '(':
		p.text = p.text[1:]
		value := p.terms()
		if p.peek() == ')' {
			p.text = p.text[1:]
		}
		return value
	case c == '-':
		p.text = p.text[1:]
		return -p.value()
	case c == '$':
		p.text = p.text[1:]
		return p.value()
	}
	end := 0
	for end < len(p.text) && nameByte(p.text[end]) {
		end++
	}
	name := p.text[:end]
	p.text = p.text[end:]
	if n, err := strconv.Atoi(name); err == nil {
		return n
	}
	n, _ := strconv.Atoi(p.shell.vars[name])
	return n
}
