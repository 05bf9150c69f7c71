package view

import (
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// object appends the fields of one JSON object, in the order of the calls.
// Frames are made for every client many times a second, so they are appended by
// hand instead of by reflection.
type object struct {
	buf   []byte
	empty bool
}

func begin(buf []byte) object { return object{append(buf, '{'), true} }

func (o *object) end() []byte { return append(o.buf, '}') }

func (o *object) key(name string) {
	if !o.empty {
		o.buf = append(o.buf, ',')
	}
	o.empty = false
	o.buf = append(o.buf, '"')
	o.buf = append(o.buf, name...) // ours: it needs no escaping
	o.buf = append(o.buf, '"', ':')
}

func (o *object) text(name, value string) {
	o.key(name)
	o.buf = appendText(o.buf, value)
}

// some is text, but nothing if it is empty.
func (o *object) some(name, value string) {
	if value != "" {
		o.text(name, value)
	}
}

func (o *object) number(name string, value int64) {
	o.key(name)
	o.buf = strconv.AppendInt(o.buf, value, 10)
}

// flag is a boolean, but nothing if it is false.
func (o *object) flag(name string, value bool) {
	if value {
		o.key(name)
		o.buf = append(o.buf, "true"...)
	}
}

func (o *object) time(name string, value time.Time) {
	o.key(name)
	o.buf = append(o.buf, '"')
	o.buf = value.UTC().AppendFormat(o.buf, time.RFC3339)
	o.buf = append(o.buf, '"')
}

// list is nothing if there are no values.
func (o *object) list(name string, values []string) {
	if len(values) == 0 {
		return
	}
	o.key(name)
	o.buf = append(o.buf, '[')
	for i, value := range values {
		if i > 0 {
			o.buf = append(o.buf, ',')
		}
		o.buf = appendText(o.buf, value)
	}
	o.buf = append(o.buf, ']')
}

// labels is nothing if there are none.
func (o *object) labels(name string, values map[string]string) {
	if len(values) == 0 {
		return
	}
	o.key(name)
	inner := begin(o.buf)
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !inner.empty {
			inner.buf = append(inner.buf, ',')
		}
		inner.empty = false
		inner.buf = appendText(inner.buf, key)
		inner.buf = append(inner.buf, ':')
		inner.buf = appendText(inner.buf, values[key])
	}
	o.buf = inner.end()
}

const hex = "0123456789abcdef"

// appendText appends a JSON string; bytes that are not UTF-8 become U+FFFD.
func appendText(buf []byte, text string) []byte {
	buf = append(buf, '"')
	plain := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && size == 1 {
				buf = append(buf, text[plain:i]...)
				buf = append(buf, "\ufffd"...)
				plain = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		buf = append(buf, text[plain:i]...)
		switch c {
		case '"', '\\':
			buf = append(buf, '\\', c)
		case '\n':
			buf = append(buf, '\\', 'n')
		default:
			buf = append(buf, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		plain = i
	}
	buf = append(buf, text[plain:]...)
	return append(buf, '"')
}
