package managed

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unsafe"
)

// What a comparison writes down: steps down and up in the object, and what has
// become of the field that was stepped to.
const (
	down    byte = iota + 1 // followed by the path element, after its length
	up                      //
	changed                 // it was added or has another value
	removed
)

// compare writes down which fields two objects of a type have not in common, as
// Compare of sigs.k8s.io/structured-merge-diff/v6/typed finds them. Equal texts
// say the same; comparing costs a fraction, as what the objects share is not
// looked at and no set is built. ok is false for what only typed can compare:
// items with equal keys, JSON of any form. The text is written into buffer.
func compare(buffer []byte, t *goType, live, next any) (script []byte, ok bool) {
	c := comparison{script: buffer[:0]}
	c.value(t, reflect.ValueOf(live), reflect.ValueOf(next), true, true)
	return c.script, !c.beyond
}

// compareVarying is compare, but the key of the first item that a list gets, a
// pod's IP for instance, is written down as the placeholder: what differs in it
// alone has the same shape. It returns the key too.
func compareVarying(buffer []byte, t *goType, live, next any) (script []byte, key string, ok bool) {
	c := comparison{script: buffer[:0], varying: true}
	c.value(t, reflect.ValueOf(live), reflect.ValueOf(next), true, true)
	if c.key != "" && bytes.Count(c.script, []byte(placeholder)) != 1 {
		c.beyond = true
	}
	return c.script, c.key, !c.beyond
}

// placeholder is a character that is none.
const placeholder = "\ufdd0"

type comparison struct {
	script  []byte
	beyond  bool
	varying bool
	key     string
	// inList: structured-merge-diff compares lists as Go does, to which nil and
	// empty are not the same.
	inList bool
}

// into compares below a path element; nothing is written down where nothing
// differs.
func (c *comparison) into(element []byte, t *goType, live, next reflect.Value, hasLive, hasNext bool) {
	before := len(c.script)
	c.script = append(c.script, down)
	c.script = appendLength(c.script, len(element))
	c.script = append(c.script, element...)
	after := len(c.script)
	c.value(t, live, next, hasLive, hasNext)
	if len(c.script) == after {
		c.script = c.script[:before]
		return
	}
	c.script = append(c.script, up)
}

func appendLength(b []byte, n int) []byte {
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// value compares two values, of which one may be absent. A nil that is there is
// JSON's null.
func (c *comparison) value(t *goType, live, next reflect.Value, hasLive, hasNext bool) {
	if c.beyond || hasLive && hasNext && identical(live, next) {
		return
	}
	live, liveNull := pointee(live, hasLive)
	next, nextNull := pointee(next, hasNext)
	leaf := t.shape == scalar || t.shape == list || t.atomic
	if !leaf {
		leaf = (!hasLive || liveNull || t.isEmpty(live)) && (!hasNext || nextNull || t.isEmpty(next))
	}
	switch {
	case leaf && hasLive && hasNext:
		if !c.same(t, live, next, liveNull, nextNull) {
			c.script = append(c.script, changed)
		}
		return
	case leaf:
	case t.shape == structure:
		c.structure(t, live, next, hasLive && !liveNull, hasNext && !nextNull)
	case t.shape == mapping:
		c.mapping(t, live, next, hasLive && !liveNull, hasNext && !nextNull)
	case t.shape == keyed || t.shape == set:
		c.items(t, live, next, hasLive && !liveNull, hasNext && !nextNull)
	default:
		c.beyond = true
	}
	switch {
	case !hasLive:
		c.script = append(c.script, changed)
	case !hasNext:
		c.script = append(c.script, removed)
	}
}

// identical values are the same bits at least, which is quickly seen of what two
// states of an object share.
func identical(a, b reflect.Value) bool {
	if !a.CanAddr() || !b.CanAddr() {
		return false
	}
	size := a.Type().Size()
	return bytes.Equal(
		unsafe.Slice((*byte)(a.Addr().UnsafePointer()), size),
		unsafe.Slice((*byte)(b.Addr().UnsafePointer()), size))
}

// memory is where a struct is; nil where that can't be told.
func memory(v reflect.Value, has bool) unsafe.Pointer {
	if !has || !v.CanAddr() {
		return nil
	}
	return v.Addr().UnsafePointer()
}

var zeros [256]byte

// sameMemory says that nothing is to be said of the field: two structs have the
// same bits in it, or the only one has none and leaves it out.
func (f *field) sameMemory(live, next unsafe.Pointer, hasLive, hasNext bool) bool {
	switch {
	case hasLive && hasNext:
		return live != nil && next != nil && bytes.Equal(f.memory(live), f.memory(next))
	case !f.absentAtZero:
		return false
	case hasLive:
		return live != nil && bytes.Equal(f.memory(live), zeros[:f.size])
	}
	return next != nil && bytes.Equal(f.memory(next), zeros[:f.size])
}

func (f *field) memory(of unsafe.Pointer) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(of, f.offset)), f.size)
}

// pointee is what a pointer points to; null says that there is nothing.
func pointee(v reflect.Value, has bool) (_ reflect.Value, null bool) {
	if !has {
		return v, false
	}
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return v, true
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Map, reflect.Slice, reflect.Interface:
		return v, v.IsNil()
	}
	return v, false
}

func (t *goType) isEmpty(v reflect.Value) bool {
	switch t.shape {
	case structure:
		for i := range t.fields {
			if f := &t.fields[i]; !f.omitted(f.of(v)) {
				return false
			}
		}
		return true
	case anything:
		return false
	}
	return v.Len() == 0
}

func (c *comparison) structure(t *goType, live, next reflect.Value, hasLive, hasNext bool) {
	var a, b reflect.Value
	liveMemory, nextMemory := memory(live, hasLive), memory(next, hasNext)
	for i := range t.fields {
		f := &t.fields[i]
		if f.sameMemory(liveMemory, nextMemory, hasLive, hasNext) {
			continue
		}
		if hasLive {
			a = f.of(live)
		}
		if hasNext {
			b = f.of(next)
		}
		hasA, hasB := hasLive && !f.omitted(a), hasNext && !f.omitted(b)
		if hasA || hasB {
			c.into(f.element, f.goType, a, b, hasA, hasB)
		}
	}
}

func fieldElement(name string) []byte { return append([]byte("f:"), name...) }

func (c *comparison) mapping(t *goType, live, next reflect.Value, hasLive, hasNext bool) {
	if hasLive && hasNext && live.UnsafePointer() == next.UnsafePointer() {
		return
	}
	var names []string
	gather := func(m reflect.Value) {
		for entries := m.MapRange(); entries.Next(); {
			names = append(names, entries.Key().String())
		}
	}
	if hasLive {
		gather(live)
	}
	if hasNext {
		gather(next)
	}
	slices.Sort(names)
	keyType := t.rtype.Key()
	at := func(m reflect.Value, has bool, name string) (reflect.Value, bool) {
		if !has {
			return reflect.Value{}, false
		}
		v := m.MapIndex(reflect.ValueOf(name).Convert(keyType))
		return v, v.IsValid()
	}
	for _, name := range slices.Compact(names) {
		a, hasA := at(live, hasLive, name)
		b, hasB := at(next, hasNext, name)
		c.into(fieldElement(name), t.elem, a, b, hasA, hasB)
	}
}

// items compares lists whose items are told apart by keys or by their values.
func (c *comparison) items(t *goType, live, next reflect.Value, hasLive, hasNext bool) {
	if hasLive && hasNext && live.UnsafePointer() == next.UnsafePointer() && live.Len() == next.Len() {
		return
	}
	if c.varying && c.key == "" && hasNext && next.Len() == 1 && (!hasLive || live.Len() == 0) && c.firstItem(t, next.Index(0)) {
		return
	}
	before, after := c.elements(t, live, hasLive), c.elements(t, next, hasNext)
	if c.beyond {
		return
	}
	for i, element := range before {
		if j := slices.Index(after, element); j >= 0 {
			c.into([]byte(element), t.elem, live.Index(i), next.Index(j), true, true)
		} else {
			c.into([]byte(element), t.elem, live.Index(i), reflect.Value{}, true, false)
		}
	}
	for j, element := range after {
		if !slices.Contains(before, element) {
			c.into([]byte(element), t.elem, reflect.Value{}, next.Index(j), false, true)
		}
	}
}

// firstItem compares a list's first item with nothing, if its key can be put
// in the place of the placeholder as it is.
func (c *comparison) firstItem(t *goType, item reflect.Value) bool {
	if t.shape != keyed || len(t.keys) != 1 || item.Kind() != reflect.Struct {
		return false
	}
	k := t.keys[0]
	v := k.of(item)
	if v.Kind() != reflect.String || v.Len() == 0 || strings.ContainsFunc(v.String(), isSpecial) {
		return false
	}
	c.key = v.String()
	c.into([]byte("k:{"+k.opening+`"`+placeholder+`"}`), t.elem, reflect.Value{}, item, false, true)
	return true
}

func isSpecial(r rune) bool {
	return r != '.' && r != ':' && r != '-' && r != '/' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

// elements are the path elements of a list's items.
func (c *comparison) elements(t *goType, items reflect.Value, has bool) []string {
	const most = 1000 // which a quadratic search can bear
	if !has || items.Len() == 0 {
		return nil
	}
	if items.Len() > most {
		c.beyond = true
		return nil
	}
	elements := make([]string, items.Len())
	for i := range elements {
		element, ok := elementOf(t, items.Index(i))
		if !ok || slices.Contains(elements[:i], element) {
			c.beyond = true
			return nil
		}
		elements[i] = element
	}
	return elements
}

func elementOf(t *goType, item reflect.Value) (string, bool) {
	item, null := pointee(item, true)
	if null {
		return "", false
	}
	var room [128]byte
	if t.shape == set {
		text, ok := appendScalar(append(room[:0], "v:"...), item)
		return string(text), ok
	}
	text := append(room[:0], "k:{"...)
	some := false
	for _, k := range t.keys {
		v := k.of(item)
		omitted := k.omitted(v)
		if omitted && k.absent == nil {
			continue
		}
		if omitted {
			v = reflect.ValueOf(k.absent)
		}
		v, null := pointee(v, true)
		if null {
			return "", false
		}
		if some {
			text = append(text, ',')
		}
		some = true
		ok := false
		if text, ok = appendScalar(append(text, k.opening...), v); !ok {
			return "", false
		}
	}
	return string(append(text, '}')), some
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

// same compares values as JSON has them, lists item by item.
func (c *comparison) same(t *goType, a, b reflect.Value, aNull, bNull bool) bool {
	if aNull || bNull {
		return aNull == bNull
	}
	if t.equal != nil {
		return t.equal(a, b)
	}
	switch t.shape {
	case structure:
		for i := range t.fields {
			f := &t.fields[i]
			x, y := f.of(a), f.of(b)
			if c.inList {
				if !c.sameAt(f.goType, x, y) {
					return false
				}
			} else if omitted := f.omitted(x); omitted != f.omitted(y) || !omitted && !c.sameAt(f.goType, x, y) {
				return false
			}
		}
		return true
	case mapping:
		if a.Len() != b.Len() {
			return false
		}
		for entries := a.MapRange(); entries.Next(); {
			if other := b.MapIndex(entries.Key()); !other.IsValid() || !c.sameAt(t.elem, entries.Value(), other) {
				return false
			}
		}
		return true
	case list, keyed, set:
		if a.Len() != b.Len() {
			return false
		}
		defer func(before bool) { c.inList = before }(c.inList)
		c.inList = true
		for i := range a.Len() {
			if !c.sameAt(t.elem, a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case anything:
		if reflect.DeepEqual(a.Interface(), b.Interface()) {
			return true
		}
		c.beyond = true // the texts differ, but maybe not what they say
		return false
	}
	switch a.Kind() {
	case reflect.String:
		return a.String() == b.String()
	case reflect.Slice:
		return bytes.Equal(a.Bytes(), b.Bytes())
	}
	return a.Equal(b)
}

func (c *comparison) sameAt(t *goType, a, b reflect.Value) bool {
	if identical(a, b) {
		return true
	}
	a, aNull := pointee(a, true)
	b, bNull := pointee(b, true)
	return c.same(t, a, b, aNull, bNull)
}
