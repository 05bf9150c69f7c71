package managed

import (
	"reflect"
	"unsafe"
)

// goMap is a Go map whose keys are strings; the zero value is absent.
type goMap struct {
	texts map[string]string // of labels and the like
	other reflect.Value
}

var textMap = reflect.TypeFor[map[string]string]()

func (t *goType) mapAt(p unsafe.Pointer) goMap {
	switch {
	case p == nil:
		return goMap{}
	case t.rtype == textMap:
		return goMap{texts: *(*map[string]string)(p)}
	}
	return goMap{other: t.at(p)}
}

// names appends the keys.
func (m goMap) names(names []string) []string {
	for name := range m.texts {
		names = append(names, name)
	}
	if m.other.IsValid() {
		for entries := m.other.MapRange(); entries.Next(); {
			names = append(names, entries.Key().String())
		}
	}
	return names
}

// value is a copy of the value of a key, nil if there is none.
func (m goMap) value(name string) unsafe.Pointer {
	if text, ok := m.texts[name]; ok {
		return unsafe.Pointer(&text)
	}
	if !m.other.IsValid() {
		return nil
	}
	v := m.other.MapIndex(reflect.ValueOf(name).Convert(m.other.Type().Key()))
	if !v.IsValid() {
		return nil
	}
	copied := reflect.New(v.Type())
	copied.Elem().Set(v)
	return copied.UnsafePointer()
}
