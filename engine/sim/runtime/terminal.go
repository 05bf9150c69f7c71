package runtime

import (
	"strings"
	"unicode/utf8"

	"tidepool.dev/tidepool/engine/sim/image/shell"
)

// terminal is what lies between a keyboard and a program: it shows what is
// typed, lets it be corrected, and passes it on line by line (termios(3),
// canonical mode).
type terminal struct {
	input *shell.Input
	show  func(text string)
	// interrupt is what Ctrl-C does; nil while there is no program.
	interrupt func()
	// prompt is what stands before the line, empty while nobody reads it; nil
	// without a shell.
	prompt  func() string
	line    []rune
	rest    string // the beginning of a character
	escape  string // the beginning of an escape sequence
	columns int    // 0 until somebody has told
	rows    int
}

// Keys that mean something.
const (
	keyInterrupt  = 0x03
	keyEnd        = 0x04
	keyErase      = 0x08
	keyEraseWord  = 0x17
	keyEraseLine  = 0x15
	keyEscape     = 0x1b
	keyBackspace  = 0x7f
	eraseOnScreen = "\b \b"
)

// typed handles what comes from the keyboard.
func (t *terminal) typed(data string) {
	data = t.rest + data
	for data != "" && (utf8.FullRuneInString(data) || len(data) >= utf8.UTFMax) {
		key, size := utf8.DecodeRuneInString(data)
		data = data[size:]
		if t.escape != "" || key == keyEscape {
			t.sequence(key)
			continue
		}
		t.key(key)
	}
	t.rest = data
}

// sequence swallows an escape sequence, such as an arrow key's.
func (t *terminal) sequence(key rune) {
	t.escape += string(key)
	if len(t.escape) == 1 || len(t.escape) == 2 && (key == '[' || key == 'O') {
		return
	}
	if key >= 0x40 && key <= 0x7e || len(t.escape) > 16 {
		t.escape = ""
	}
}

func (t *terminal) key(key rune) {
	switch key {
	case '\r', '\n':
		t.show("\n")
		t.send(string(t.line) + "\n")
	case keyInterrupt:
		t.show("^C\n")
		t.line = nil
		if t.interrupt != nil {
			t.interrupt()
		}
	case keyEnd:
		if len(t.line) > 0 {
			t.send(string(t.line))
			return
		}
		t.input.End()
	case keyErase, keyBackspace:
		t.erase(1)
	case keyEraseWord:
		text := strings.TrimRight(string(t.line), " ")
		t.erase(len(t.line) - len([]rune(text[:strings.LastIndexByte(text, ' ')+1])))
	case keyEraseLine:
		t.erase(len(t.line))
	case '\t':
	default:
		if key >= ' ' {
			t.line = append(t.line, key)
			t.show(string(key))
		}
	}
}

// redraw shows the line again, as shells do when the terminal's size changes.
func (t *terminal) redraw() {
	if t.prompt == nil {
		return
	}
	if prompt := t.prompt(); prompt != "" {
		t.show("\r" + prompt + string(t.line))
	}
}

func (t *terminal) send(text string) {
	t.line = nil
	t.input.Write(text)
}

func (t *terminal) erase(n int) {
	n = min(n, len(t.line))
	t.line = t.line[:len(t.line)-n]
	t.show(strings.Repeat(eraseOnScreen, n))
}
