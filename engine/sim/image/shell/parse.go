package shell

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The parts of a script.
type (
	// andOr is a pipe and what follows it by && or ||.
	andOr struct {
		not        bool
		pipe       []command
		op         string
		next       *andOr
		background bool
	}
	command interface{}
	simple  struct {
		assign    []assignment
		words     []word
		redirects []redirect
	}
	loop struct {
		until           bool
		condition, body []*andOr
	}
	forLoop struct {
		name  string
		words []word
		body  []*andOr
	}
	conditional struct {
		conditions, bodies [][]*andOr
		otherwise          []*andOr
	}
	group  struct{ list []*andOr }
	choice struct {
		subject word
		cases   []pattern
	}
	pattern struct {
		words []word
		list  []*andOr
	}
	function struct {
		name string
		body command
	}
	assignment struct {
		name  string
		value word
	}
	redirect struct {
		op     string
		target word
	}
)

type partKind uint8

const (
	literal  partKind = iota
	variable          // $name
	output            // $(command)
	sum               // $((expression))
)

// word is a list of parts that belong together.
type word []part

type part struct {
	kind   partKind
	text   string
	quoted bool
}

// token is an operator or a word.
type token struct {
	op    string // "" for a word
	word  word
	plain string // the word as it stands, if nothing in it is quoted or expanded
}

type parser struct {
	tokens []token
	at     int
	depth  int
}

// Scripts are read and run by recursion, so there is an end to what they may be.
const (
	maxLength = 64 << 10
	maxDepth  = 50
)

func parse(script string) ([]*andOr, error) {
	if len(script) > maxLength {
		return nil, errors.New("the script is too long for the simulated shell")
	}
	tokens, err := scan(script)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	list, err := p.list()
	if err != nil {
		return nil, err
	}
	if p.at < len(p.tokens) {
		return nil, p.unexpected()
	}
	return list, nil
}

func (p *parser) unexpected() error {
	if p.at >= len(p.tokens) {
		return errors.New("unexpected end of file")
	}
	t := p.tokens[p.at]
	if t.op == "\n" {
		return errors.New("unexpected newline")
	}
	if t.op != "" {
		return fmt.Errorf("unexpected %q", t.op)
	}
	return fmt.Errorf("unexpected word %q", t.plain)
}

func (p *parser) op() string {
	if p.at < len(p.tokens) {
		return p.tokens[p.at].op
	}
	return ""
}

// keyword is the reserved word that comes next, if one does.
func (p *parser) keyword() string {
	if p.at < len(p.tokens) && p.tokens[p.at].op == "" && slices.Contains(reserved, p.tokens[p.at].plain) {
		return p.tokens[p.at].plain
	}
	return ""
}

var reserved = []string{"if", "then", "elif", "else", "fi", "while", "until", "do", "done", "for", "in", "{", "}", "!", "case", "esac", "function"}

func (p *parser) skipBreaks() {
	for p.op() == ";" || p.op() == "\n" {
		p.at++
	}
}

// list reads commands up to something that ends them.
func (p *parser) list() ([]*andOr, error) {
	var list []*andOr
	for {
		p.skipBreaks()
		if p.at >= len(p.tokens) || p.op() == ")" || p.op() == ";;" {
			return list, nil
		}
		switch p.keyword() {
		case "then", "elif", "else", "fi", "do", "done", "}", "esac":
			return list, nil
		}
		item, err := p.andOr()
		if err != nil {
			return nil, err
		}
		list = append(list, item)
		switch p.op() {
		case ";", "\n", ";;":
		case "&":
			item.background = true
			p.at++
		default:
			if p.at < len(p.tokens) && p.op() != ")" && p.keyword() == "" {
				return nil, p.unexpected()
			}
		}
	}
}

func (p *parser) andOr() (*andOr, error) {
	item := &andOr{}
	if p.keyword() == "!" {
		item.not = true
		p.at++
	}
	for {
		c, err := p.command()
		if err != nil {
			return nil, err
		}
		item.pipe = append(item.pipe, c)
		if p.op() != "|" {
			break
		}
		p.at++
	}
	if op := p.op(); op == "&&" || op == "||" {
		p.at++
		for p.op() == "\n" {
			p.at++
		}
		next, err := p.andOr()
		if err != nil {
			return nil, err
		}
		item.op, item.next = op, next
	}
	return item, nil
}

func (p *parser) expect(keyword string) error {
	if p.keyword() != keyword {
		if p.at >= len(p.tokens) {
			return fmt.Errorf("unexpected end of file (expecting %q)", keyword)
		}
		return p.unexpected()
	}
	p.at++
	return nil
}

func (p *parser) command() (command, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		return nil, errors.New("commands are nested too deeply for the simulated shell")
	}
	switch word := p.keyword(); word {
	case "while", "until":
		p.at++
		condition, err := p.list()
		if err != nil {
			return nil, err
		}
		body, err := p.body()
		return &loop{until: word == "until", condition: condition, body: body}, err
	case "for":
		return p.forLoop()
	case "if":
		return p.conditional()
	case "case":
		return p.choice()
	case "{":
		p.at++
		list, err := p.list()
		if err != nil {
			return nil, err
		}
		return &group{list}, p.expect("}")
	case "":
		if p.op() == "(" {
			p.at++
			list, err := p.list()
			if err != nil {
				return nil, err
			}
			if p.op() != ")" {
				return nil, p.unexpected()
			}
			p.at++
			return &group{list}, nil
		}
		if c, ok, err := p.function(); ok {
			return c, err
		}
		return p.simple()
	}
	return nil, p.unexpected()
}

// function reads name() command, if that is what comes.
func (p *parser) function() (command, bool, error) {
	if p.at+2 >= len(p.tokens) || p.tokens[p.at].plain == "" || p.tokens[p.at+1].op != "(" || p.tokens[p.at+2].op != ")" {
		return nil, false, nil
	}
	name := p.tokens[p.at].plain
	p.at += 3
	for p.op() == "\n" {
		p.at++
	}
	body, err := p.command()
	return &function{name, body}, true, err
}

// choice reads case word in pattern) list;; ... esac.
func (p *parser) choice() (command, error) {
	p.at++
	if p.at >= len(p.tokens) || p.op() != "" {
		return nil, p.unexpected()
	}
	c := &choice{subject: p.tokens[p.at].word}
	p.at++
	p.skipBreaks()
	if err := p.expect("in"); err != nil {
		return nil, err
	}
	for {
		p.skipBreaks()
		if p.keyword() == "esac" {
			p.at++
			return c, nil
		}
		one, err := p.pattern()
		if err != nil {
			return nil, err
		}
		c.cases = append(c.cases, one)
		p.skipBreaks()
		if p.op() == ";;" {
			p.at++
		} else if p.keyword() != "esac" {
			return c, p.expect("esac")
		}
	}
}

// pattern reads one of a choice.
func (p *parser) pattern() (one pattern, err error) {
	if p.op() == "(" {
		p.at++
	}
	for {
		if p.at >= len(p.tokens) {
			return one, fmt.Errorf("unexpected end of file (expecting %q)", "esac")
		}
		if p.op() != "" {
			return one, p.unexpected()
		}
		one.words = append(one.words, p.tokens[p.at].word)
		p.at++
		if p.op() != "|" {
			break
		}
		p.at++
	}
	if p.op() != ")" {
		return one, p.unexpected()
	}
	p.at++
	one.list, err = p.list()
	return one, err
}

// body reads do ... done.
func (p *parser) body() ([]*andOr, error) {
	p.skipBreaks()
	if err := p.expect("do"); err != nil {
		return nil, err
	}
	list, err := p.list()
	if err != nil {
		return nil, err
	}
	return list, p.expect("done")
}

func (p *parser) forLoop() (command, error) {
	p.at++
	if p.at >= len(p.tokens) || p.tokens[p.at].plain == "" {
		return nil, p.unexpected()
	}
	c := &forLoop{name: p.tokens[p.at].plain}
	p.at++
	if p.keyword() == "in" {
		p.at++
		for p.at < len(p.tokens) && p.op() == "" {
			c.words = append(c.words, p.tokens[p.at].word)
			p.at++
		}
	} else {
		c.words = []word{{{kind: variable, text: "@"}}}
	}
	var err error
	c.body, err = p.body()
	return c, err
}

func (p *parser) conditional() (command, error) {
	c := &conditional{}
	for {
		p.at++ // if, elif
		condition, err := p.list()
		if err != nil {
			return nil, err
		}
		if err := p.expect("then"); err != nil {
			return nil, err
		}
		body, err := p.list()
		if err != nil {
			return nil, err
		}
		c.conditions, c.bodies = append(c.conditions, condition), append(c.bodies, body)
		switch p.keyword() {
		case "elif":
			continue
		case "else":
			p.at++
			if c.otherwise, err = p.list(); err != nil {
				return nil, err
			}
		}
		return c, p.expect("fi")
	}
}

var redirects = []string{">", ">>", "<", "2>", "&>", "2>&1", ">&2"}

func (p *parser) simple() (command, error) {
	c := &simple{}
	for p.at < len(p.tokens) {
		t := p.tokens[p.at]
		switch {
		case slices.Contains(redirects, t.op):
			p.at++
			r := redirect{op: t.op}
			if t.op != "2>&1" && t.op != ">&2" {
				if p.at >= len(p.tokens) || p.op() != "" {
					return nil, p.unexpected()
				}
				r.target = p.tokens[p.at].word
				p.at++
			}
			c.redirects = append(c.redirects, r)
			continue
		case t.op != "":
			if len(c.words)+len(c.assign)+len(c.redirects) == 0 {
				return nil, p.unexpected()
			}
			return c, nil
		}
		p.at++
		if name, value, ok := t.word.assignment(); ok && len(c.words) == 0 {
			c.assign = append(c.assign, assignment{name, value})
			continue
		}
		c.words = append(c.words, t.word)
	}
	if len(c.words)+len(c.assign)+len(c.redirects) == 0 {
		return nil, p.unexpected()
	}
	return c, nil
}

// assignment takes a word like NAME=value apart.
func (w word) assignment() (string, word, bool) {
	if len(w) == 0 || w[0].kind != literal || w[0].quoted {
		return "", nil, false
	}
	name, rest, found := strings.Cut(w[0].text, "=")
	if !found || name == "" || name[0] >= '0' && name[0] <= '9' {
		return "", nil, false
	}
	for i := range len(name) {
		if !nameByte(name[i]) {
			return "", nil, false
		}
	}
	return name, append(word{{kind: literal, text: rest}}, w[1:]...), true
}

func nameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
