package managed

import (
	"bytes"
	"reflect"
	"unsafe"
)

// same compares values as JSON has them, lists item by item.
func (c *comparison) same(t *goType, a, b unsafe.Pointer, aNull, bNull bool) bool {
	if aNull || bNull {
		return aNull == bNull
	}
	if t.equal != nil {
		return t.equal(a, b)
	}
	switch t.shape {
	case structure:
		return c.sameFields(t, a, b)
	case mapping:
		return c.sameKeys(t, a, b)
	case list, keyed, set:
		return c.sameItems(t, sliceAt(a), sliceAt(b))
	case anything:
		if reflect.DeepEqual(t.at(a).Interface(), t.at(b).Interface()) {
			return true
		}
		c.beyond = true // the texts differ, but maybe not what they say
		return false
	}
	switch t.kind {
	case reflect.String:
		return stringAt(a) == stringAt(b)
	case reflect.Slice:
		return bytes.Equal(*(*[]byte)(a), *(*[]byte)(b))
	}
	return t.at(a).Equal(t.at(b))
}

func (c *comparison) sameAt(p *place, a, b unsafe.Pointer) bool {
	if p.identical(a, b) {
		return true
	}
	a, aNull := p.value(a)
	b, bNull := p.value(b)
	return c.same(p.goType, a, b, aNull, bNull)
}

func (c *comparison) sameFields(t *goType, a, b unsafe.Pointer) bool {
	for i := range t.fields {
		f := &t.fields[i]
		if c.inList {
			if !c.sameAt(&f.place, unsafe.Add(a, f.offset), unsafe.Add(b, f.offset)) {
				return false
			}
			continue
		}
		x, y := f.of(a), f.of(b)
		if (x == nil) != (y == nil) || x != nil && !c.sameAt(&f.place, x, y) {
			return false
		}
	}
	return true
}

func (c *comparison) sameKeys(t *goType, a, b unsafe.Pointer) bool {
	before, after := t.mapAt(a), t.mapAt(b)
	names := before.names(nil)
	if len(names) != len(after.names(nil)) {
		return false
	}
	for _, name := range names {
		if other := after.value(name); other == nil || !c.sameAt(&t.elem, before.value(name), other) {
			return false
		}
	}
	return true
}

func (c *comparison) sameItems(t *goType, a, b *slice) bool {
	if a.len != b.len {
		return false
	}
	defer func(before bool) { c.inList = before }(c.inList)
	c.inList = true
	for i := range a.len {
		if !c.sameAt(&t.elem, a.item(i, t.elem.size), b.item(i, t.elem.size)) {
			return false
		}
	}
	return true
}
