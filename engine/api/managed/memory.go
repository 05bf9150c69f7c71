package managed

import (
	"bytes"
	"reflect"
	"unsafe"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// Each write compares two states of an object, so the comparison reads their
// memory by the offsets that their types have, which takes a third of what
// reflection does. A nil pointer stands for a value that is absent. Only maps and
// JSON of any form are left to reflection.

// slice is how Go keeps a slice.
type slice struct {
	data     unsafe.Pointer
	len, cap int
}

func sliceAt(p unsafe.Pointer) *slice { return (*slice)(p) }

func stringAt(p unsafe.Pointer) string { return *(*string)(p) }

// item is the place of a slice's item.
func (s *slice) item(i int, size uintptr) unsafe.Pointer { return unsafe.Add(s.data, uintptr(i)*size) }

// at is the value as reflection has it.
func (t *goType) at(p unsafe.Pointer) reflect.Value { return reflect.NewAt(t.rtype, p).Elem() }

// bytesAt is the memory of a place.
func (p *place) bytesAt(at unsafe.Pointer) []byte { return unsafe.Slice((*byte)(at), p.size) }

// identical places have the same bits, which is quickly seen of what two states
// of an object share.
func (p *place) identical(a, b unsafe.Pointer) bool {
	return a == b || bytes.Equal(p.bytesAt(a), p.bytesAt(b))
}

// value follows the pointers of a place; null says that there is nothing, which
// is JSON's null.
func (p *place) value(at unsafe.Pointer) (_ unsafe.Pointer, null bool) {
	for range p.pointers {
		if at = *(*unsafe.Pointer)(at); at == nil {
			return nil, true
		}
	}
	switch p.kind {
	case reflect.Map, reflect.Slice:
		return at, *(*unsafe.Pointer)(at) == nil
	case reflect.Interface:
		return at, p.at(at).IsNil()
	}
	return at, false
}

// isEmpty says that there is nothing in a structure, a list or a mapping.
func (t *goType) isEmpty(p unsafe.Pointer) bool {
	switch t.shape {
	case structure:
		for i := range t.fields {
			if t.fields[i].of(p) != nil {
				return false
			}
		}
		return true
	case mapping:
		return t.at(p).Len() == 0
	case anything:
		return false
	}
	return sliceAt(p).len == 0
}

// absence is what lets JSON leave a field out.
type absence uint8

const (
	never  absence = iota
	ifZero         // all of its memory
	ifNoText
	ifNoItems
	ifNoKeys
)

// absenceOf is that of the type's fields with the option omitempty.
func absenceOf(t reflect.Type) absence {
	switch t.Kind() {
	case reflect.Struct:
		return never
	case reflect.String:
		return ifNoText
	case reflect.Slice:
		return ifNoItems
	case reflect.Map:
		return ifNoKeys
	}
	return ifZero
}

// omittedAs says when the option omitzero leaves out a value of a type.
func omittedAs(t reflect.Type) func(unsafe.Pointer) bool {
	if t == reflect.TypeFor[metav1.Time]() {
		return func(p unsafe.Pointer) bool { return (*metav1.Time)(p).IsZero() }
	}
	isZero := value.OmitZeroFunc(t)
	return func(p unsafe.Pointer) bool { return isZero(reflect.NewAt(t, p).Elem()) }
}

var zeros [64]byte

// of is where a structure has the field; nil if JSON leaves it out.
func (f *field) of(structure unsafe.Pointer) unsafe.Pointer {
	p := unsafe.Add(structure, f.offset)
	omitted := false
	switch f.absence {
	case ifZero:
		omitted = bytes.Equal(f.bytesAt(p), zeros[:f.size])
	case ifNoText:
		omitted = stringAt(p) == ""
	case ifNoItems:
		omitted = sliceAt(p).len == 0
	case ifNoKeys:
		omitted = *(*unsafe.Pointer)(p) == nil || f.at(p).Len() == 0
	}
	if omitted || f.omitted != nil && f.omitted(p) {
		return nil
	}
	return p
}
