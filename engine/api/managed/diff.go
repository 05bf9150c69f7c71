package managed

import (
	"bytes"
	"reflect"
	"slices"
	"unsafe"
)

// What a comparison writes down: steps down and up in the object, and what has
// become of the field that was stepped to.
const (
	toField byte = iota + 1 // followed by its place among the structure's fields
	toItem                  // followed by its path element, after the element's length
	up
	changed // it was added or has another value
	removed
)

// compare writes down which fields two objects of a type have not in common, as
// Compare of sigs.k8s.io/structured-merge-diff/v6/typed finds them. Equal texts
// say the same; comparing costs a fraction, as what the objects share is not
// looked at and no set is built. ok is false for what only typed can compare:
// items with equal keys, JSON of any form. The text is written into buffer.
func compare(buffer []byte, t *goType, live, next any) (script []byte, ok bool) {
	c := comparison{script: buffer[:0]}
	c.objects(t, live, next)
	return c.script, !c.beyond
}

// compareVarying is compare, but the key of the first item that a list gets, a
// pod's IP for instance, is written down as the placeholder: what differs in it
// alone has the same shape. It returns the key too.
func compareVarying(buffer []byte, t *goType, live, next any) (script []byte, key string, ok bool) {
	c := comparison{script: buffer[:0], varying: true}
	c.objects(t, live, next)
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

func (c *comparison) objects(t *goType, live, next any) {
	p := place{goType: t, size: t.rtype.Size()}
	c.value(&p, reflect.ValueOf(live).UnsafePointer(), reflect.ValueOf(next).UnsafePointer())
}

// into compares below a step, of which the element is written down already;
// nothing is written down where nothing differs.
func (c *comparison) into(step int, p *place, live, next unsafe.Pointer) {
	after := len(c.script)
	c.value(p, live, next)
	if len(c.script) == after {
		c.script = c.script[:step]
		return
	}
	c.script = append(c.script, up)
}

func (c *comparison) intoField(i int, f *field, live, next unsafe.Pointer) {
	step := len(c.script)
	c.script = appendLength(append(c.script, toField), i)
	c.into(step, &f.place, live, next)
}

func (c *comparison) intoItem(element string, p *place, live, next unsafe.Pointer) {
	step := len(c.script)
	c.script = append(appendLength(append(c.script, toItem), len(element)), element...)
	c.into(step, p, live, next)
}

func appendLength(b []byte, n int) []byte {
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// value compares two values, of which one may be absent.
func (c *comparison) value(p *place, live, next unsafe.Pointer) {
	hasLive, hasNext := live != nil, next != nil
	if c.beyond || hasLive && hasNext && p.identical(live, next) {
		return
	}
	var liveNull, nextNull bool
	if hasLive {
		live, liveNull = p.value(live)
	}
	if hasNext {
		next, nextNull = p.value(next)
	}
	leaf := p.shape == scalar || p.shape == list || p.atomic
	if !leaf {
		leaf = (!hasLive || liveNull || p.isEmpty(live)) && (!hasNext || nextNull || p.isEmpty(next))
	}
	if leaf && hasLive && hasNext {
		if !c.same(p.goType, live, next, liveNull, nextNull) {
			c.script = append(c.script, changed)
		}
		return
	}
	if !leaf {
		if liveNull {
			live = nil
		}
		if nextNull {
			next = nil
		}
		c.below(p.goType, live, next)
	}
	switch {
	case !hasLive:
		c.script = append(c.script, changed)
	case !hasNext:
		c.script = append(c.script, removed)
	}
}

// below compares what is in two values, of which one may be absent.
func (c *comparison) below(t *goType, live, next unsafe.Pointer) {
	switch t.shape {
	case structure:
		c.structure(t, live, next)
	case mapping:
		c.mapping(t, live, next)
	case keyed, set:
		c.items(t, live, next)
	default:
		c.beyond = true
	}
}

func (c *comparison) structure(t *goType, live, next unsafe.Pointer) {
	var a, b unsafe.Pointer
	for i := range t.fields {
		f := &t.fields[i]
		if live != nil && next != nil && f.identical(unsafe.Add(live, f.offset), unsafe.Add(next, f.offset)) {
			continue
		}
		if live != nil {
			a = f.of(live)
		}
		if next != nil {
			b = f.of(next)
		}
		if a != nil || b != nil {
			c.intoField(i, f, a, b)
		}
	}
}

func (c *comparison) mapping(t *goType, live, next unsafe.Pointer) {
	if live != nil && next != nil && *(*unsafe.Pointer)(live) == *(*unsafe.Pointer)(next) {
		return
	}
	before, after := t.mapAt(live), t.mapAt(next)
	names := before.names(after.names(nil))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		c.intoItem(fieldElement(name), &t.elem, before.value(name), after.value(name))
	}
}

// items compares lists whose items are told apart by keys or by their values.
func (c *comparison) items(t *goType, live, next unsafe.Pointer) {
	var before, after slice
	if live != nil {
		before = *sliceAt(live)
	}
	if next != nil {
		after = *sliceAt(next)
	}
	if before.data == after.data && before.len == after.len {
		return
	}
	if c.varying && c.key == "" && after.len == 1 && before.len == 0 && c.firstItem(t, after.data) {
		return
	}
	gone, there := c.elements(t, &before), c.elements(t, &after)
	if c.beyond {
		return
	}
	for i, element := range gone {
		was, is := before.item(i, t.elem.size), unsafe.Pointer(nil)
		if j := slices.Index(there, element); j >= 0 {
			is = after.item(j, t.elem.size)
		}
		c.intoItem(element, &t.elem, was, is)
	}
	for j, element := range there {
		if !slices.Contains(gone, element) {
			c.intoItem(element, &t.elem, nil, after.item(j, t.elem.size))
		}
	}
}
