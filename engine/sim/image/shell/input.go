package shell

import "strings"

// Input is what a program reads: text that is there already, and text that may
// still come. A nil Input is an empty one. One reader at a time waits for it.
type Input struct {
	text   string
	open   bool
	eof    bool // one reader is to find an end
	waiter func()
}

// Text is an input of which all is there.
func Text(text string) *Input { return &Input{text: text} }

// NewInput is one that Write adds to until Close.
func NewInput() *Input { return &Input{open: true} }

// Write adds text; what comes after Close is lost.
func (i *Input) Write(text string) {
	if i.open {
		i.text += text
		i.wake()
	}
}

// Close says that no more will come.
func (i *Input) Close() {
	i.open = false
	i.wake()
}

// End lets the one who reads next find an end after what is there, as Ctrl-D
// does on a terminal.
func (i *Input) End() {
	i.eof = true
	i.wake()
}

// ended says whether there is nothing to wait for; it takes End back.
func (i *Input) ended() bool {
	ended := !i.open || i.eof
	i.eof = false
	return ended
}

// Abandon forgets who waits, because it has been killed.
func (i *Input) Abandon() {
	if i != nil {
		i.waiter = nil
	}
}

func (i *Input) wake() {
	if waiter := i.waiter; waiter != nil {
		i.waiter = nil
		waiter()
	}
}

// Next passes on what is there as soon as there is something, and whether that
// is the end.
func (i *Input) Next(then func(text string, ended bool)) {
	switch {
	case i == nil:
		then("", true)
	case i.text != "":
		text := i.text
		i.text = ""
		then(text, !i.open)
	case i.ended():
		then("", true)
	default:
		i.waiter = func() { i.Next(then) }
	}
}

// Line passes on the next line without its end, and whether the input has ended
// before there was one.
func (i *Input) Line(then func(line string, ended bool)) {
	if i == nil {
		then("", true)
		return
	}
	line, rest, found := strings.Cut(i.text, "\n")
	switch {
	case found:
		i.text = rest
		then(line, false)
	case i.ended():
		i.text = ""
		then(line, line == "")
	default:
		i.waiter = func() { i.Line(then) }
	}
}

// All passes on everything once the input has ended.
func (i *Input) All(then func(text string)) {
	switch {
	case i == nil:
		then("")
	case i.ended():
		text := i.text
		i.text = ""
		then(text)
	default:
		i.waiter = func() { i.All(then) }
	}
}

// Len is the number of bytes that nobody has read yet.
func (i *Input) Len() int {
	if i == nil {
		return 0
	}
	return len(i.text)
}
