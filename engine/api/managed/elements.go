package managed

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unsafe"
)

// fieldElement is the path element of a structure's field or a mapping's value.
func fieldElement(name string) string { return "f:" + name }

// firstItem compares a list's first item with nothing, if its key can be put
// in the place of the placeholder as it is.
func (c *comparison) firstItem(t *goType, item unsafe.Pointer) bool {
	if t.shape != keyed || len(t.keys) != 1 || t.elem.pointers > 0 || t.elem.shape != structure {
		return false
	}
	k := t.keys[0]
	p := k.of(item)
	if p == nil || k.kind != reflect.String || k.pointers > 0 || stringAt(p) == "" || strings.ContainsFunc(stringAt(p), isSpecial) {
		return false
	}
	c.key = stringAt(p)
	c.intoItem("k:{"+k.opening+`"`+placeholder+`"}`, &t.elem, nil, item)
	return true
}

func isSpecial(r rune) bool {
	return r != '.' && r != ':' && r != '-' && r != '/' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

// elements are the path elements of a list's items.
func (c *comparison) elements(t *goType, items *slice) []string {
	const most = 1000 // which a quadratic search can bear
	if items.len == 0 {
		return nil
	}
	if items.len > most {
		c.beyond = true
		return nil
	}
	elements := make([]string, items.len)
	for i := range elements {
		element, ok := elementOf(t, items.item(i, t.elem.size))
		if !ok || slices.Contains(elements[:i], element) {
			c.beyond = true
			return nil
		}
		elements[i] = element
	}
	return elements
}

func elementOf(t *goType, item unsafe.Pointer) (string, bool) {
	item, null := t.elem.value(item)
	if null {
		return "", false
	}
	var room [128]byte
	if t.shape == set {
		text, ok := appendScalar(append(room[:0], "v:"...), t.elem.at(item))
		return string(text), ok
	}
	text := append(room[:0], "k:{"...)
	some := false
	for _, k := range t.keys {
		p := k.of(item)
		if p == nil && k.absent == nil {
			continue
		}
		if some {
			text = append(text, ',')
		}
		some = true
		text = append(text, k.opening...)
		ok := false
		if p == nil {
			text, ok = appendScalar(text, reflect.ValueOf(k.absent))
		} else if p, null := k.value(p); !null {
			text, ok = k.appendScalar(text, p)
		}
		if !ok {
			return "", false
		}
	}
	return string(append(text, '}')), some
}

// appendScalar appends a key's value.
func (k key) appendScalar(text []byte, p unsafe.Pointer) ([]byte, bool) {
	if k.kind == reflect.String {
		return appendQuoted(text, stringAt(p)), true
	}
	return appendScalar(text, k.at(p))
}

func appendScalar(text []byte, v reflect.Value) ([]byte, bool) {
	switch v.Kind() {
	case reflect.String:
		return appendQuoted(text, v.String()), true
	case reflect.Int, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(text, v.Int(), 10), true
	case reflect.Bool:
		return strconv.AppendBool(text, v.Bool()), true
	}
	return text, false
}

func appendQuoted(text []byte, s string) []byte {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' {
			quoted, _ := json.Marshal(s) // of a string, which can't fail
			return append(text, quoted...)
		}
	}
	return append(append(append(text, '"'), s...), '"')
}
