package shell

import (
	"errors"
	"strings"
)

var errQuote = errors.New("unterminated quoted string")

// operators, the longest first.
var operators = []string{"2>&1", "&&", "||", ";;", ">>", ">&2", "2>", "&>", ";", "\n", "|", "&", "(", ")", ">", "<"}

// scan splits a script into tokens.
func scan(script string) ([]token, error) {
	var tokens []token
	for i := 0; i < len(script); {
		c := script[i]
		switch {
		case c == ' ' || c == '\t' || c == '\r':
			i++
			continue
		case c == '\\' && i+1 < len(script) && script[i+1] == '\n':
			i += 2
			continue
		case c == '#':
			for i < len(script) && script[i] != '\n' {
				i++
			}
			continue
		}
		if op := operator(script[i:]); op != "" {
			tokens = append(tokens, token{op: op})
			i += len(op)
			continue
		}
		t, n, err := scanWord(script[i:])
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
		i += n
	}
	return tokens, nil
}

func operator(text string) string {
	for _, op := range operators {
		if strings.HasPrefix(text, op) {
			return op
		}
	}
	return ""
}

// scanWord reads the word at the beginning of a text.
func scanWord(text string) (token, int, error) {
	var t token
	var run strings.Builder
	bare := true
	flush := func(quoted bool) {
		if run.Len() > 0 || quoted {
			t.word = append(t.word, part{kind: literal, text: run.String(), quoted: quoted})
			run.Reset()
		}
	}
	i := 0
	for i < len(text) {
		switch c := text[i]; {
		case strings.IndexByte(" \t\r\n;|&()<>", c) >= 0:
			flush(false)
			t.plain = plain(t.word, bare)
			return t, i, nil
		case c == '\\' && i+1 < len(text):
			bare = false
			if text[i+1] != '\n' {
				run.WriteByte(text[i+1])
			}
			i += 2
		case c == '`':
			end := strings.IndexByte(text[i+1:], '`')
			if end < 0 {
				return t, 0, errQuote
			}
			bare = false
			flush(false)
			t.word = append(t.word, part{kind: output, text: text[i+1 : i+1+end]})
			i += end + 2
		case c == '\'':
			bare = false
			end := strings.IndexByte(text[i+1:], '\'')
			if end < 0 {
				return t, 0, errQuote
			}
			flush(false)
			run.WriteString(text[i+1 : i+1+end])
			flush(true)
			i += end + 2
		case c == '"':
			bare = false
			flush(false)
			n, err := scanQuoted(text[i+1:], &t.word)
			if err != nil {
				return t, 0, err
			}
			i += n + 1
		case c == '$':
			p, n, err := scanDollar(text[i:])
			if err != nil {
				return t, 0, err
			}
			if n == 0 {
				run.WriteByte('$')
				i++
				continue
			}
			bare = false
			flush(false)
			t.word = append(t.word, p)
			i += n
		default:
			run.WriteByte(c)
			i++
		}
	}
	flush(false)
	t.plain = plain(t.word, bare)
	return t, i, nil
}

func plain(w word, bare bool) string {
	if bare && len(w) == 1 {
		return w[0].text
	}
	return ""
}

// scanQuoted reads up to the closing " and returns how far that is.
func scanQuoted(text string, w *word) (int, error) {
	var run strings.Builder
	flush := func() {
		*w = append(*w, part{kind: literal, text: run.String(), quoted: true})
		run.Reset()
	}
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '"':
			flush()
			return i + 1, nil
		case c == '\\' && i+1 < len(text) && strings.IndexByte("\"\\$`\n", text[i+1]) >= 0:
			if text[i+1] != '\n' {
				run.WriteByte(text[i+1])
			}
			i += 2
		case c == '`':
			end := strings.IndexByte(text[i+1:], '`')
			if end < 0 {
				return 0, errQuote
			}
			flush()
			*w = append(*w, part{kind: output, text: text[i+1 : i+1+end], quoted: true})
			i += end + 2
		case c == '$':
			p, n, err := scanDollar(text[i:])
			if err != nil {
				return 0, err
			}
			if n == 0 {
				run.WriteByte('$')
				i++
				continue
			}
			flush()
			p.quoted = true
			*w = append(*w, p)
			i += n
		default:
			run.WriteByte(c)
			i++
		}
	}
	return 0, errQuote
}

// scanDollar reads what a $ begins and returns how long that is, 0 if the $
// stands for itself.
func scanDollar(text string) (part, int, error) {
	rest := text[1:]
	switch {
	case strings.HasPrefix(rest, "(("):
		end := strings.Index(rest, "))")
		if end < 0 {
			return part{}, 0, errors.New("missing '))'")
		}
		return part{kind: sum, text: rest[2:end]}, end + 3, nil
	case strings.HasPrefix(rest, "("):
		depth := 0
		for i := range len(rest) {
			switch rest[i] {
			case '(':
				depth++
			case ')':
				if depth--; depth == 0 {
					return part{kind: output, text: rest[1:i]}, i + 2, nil
				}
			}
		}
		return part{}, 0, errors.New("missing ')'")
	case strings.HasPrefix(rest, "{"):
		end := strings.IndexByte(rest, '}')
		if end < 2 {
			return part{}, 0, errors.New("bad substitution")
		}
		return part{kind: variable, text: rest[1:end]}, end + 2, nil
	case rest == "":
		return part{}, 0, nil
	case strings.IndexByte("?#@*$", rest[0]) >= 0 || rest[0] >= '0' && rest[0] <= '9':
		return part{kind: variable, text: rest[:1]}, 2, nil
	}
	end := 0
	for end < len(rest) && nameByte(rest[end]) {
		end++
	}
	if end == 0 {
		return part{}, 0, nil
	}
	return part{kind: variable, text: rest[:end]}, end + 1, nil
}
