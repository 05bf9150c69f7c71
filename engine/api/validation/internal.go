package validation

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// internal writes a value as Kubernetes shows structures in errors: as JSON of
// its internal types, which have their Go names and leave nothing out. Those
// of k8s.io/apimachinery are the same inside and outside.
func internal(value any) json.RawMessage {
	var text bytes.Buffer
	writeInternal(&text, reflect.ValueOf(value))
	return text.Bytes()
}

func writeInternal(text *bytes.Buffer, v reflect.Value) {
	switch {
	case !v.IsValid():
		text.WriteString("null")
		return
	case keepsItsForm(v.Type()):
		marshalled, err := json.Marshal(v.Interface())
		if err != nil {
			marshalled = []byte("null")
		}
		text.Write(marshalled)
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		writeInternal(text, v.Elem())
	case reflect.Struct:
		text.WriteByte('{')
		writeFields(text, v)
		text.WriteByte('}')
	case reflect.Slice:
		if v.IsNil() {
			text.WriteString("null")
			return
		}
		text.WriteByte('[')
		for i := range v.Len() {
			separate(text)
			writeInternal(text, v.Index(i))
		}
		text.WriteByte(']')
	case reflect.Map:
		writeMap(text, v)
	}
}

// keepsItsForm reports whether a type is written as it is outside.
func keepsItsForm(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map:
		return false
	case reflect.Slice:
		return t.Elem().Kind() == reflect.Uint8
	case reflect.Struct:
		return strings.HasPrefix(t.PkgPath(), "k8s.io/apimachinery/")
	}
	return true
}

func writeFields(text *bytes.Buffer, v reflect.Value) {
	t := v.Type()
	for i := range t.NumField() {
		field := t.Field(i)
		if field.Anonymous && keepsItsForm(field.Type) { // metadata
			inner := bytes.TrimSuffix(bytes.TrimPrefix(internal(v.Field(i).Interface()), []byte("{")), []byte("}"))
			if len(inner) > 0 {
				separate(text)
				text.Write(inner)
			}
			continue
		}
		if field.Anonymous {
			writeFields(text, v.Field(i))
			continue
		}
		separate(text)
		writeString(text, field.Name)
		text.WriteByte(':')
		writeInternal(text, v.Field(i))
	}
}

func writeMap(text *bytes.Buffer, v reflect.Value) {
	if v.IsNil() {
		text.WriteString("null")
		return
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	text.WriteByte('{')
	for _, key := range keys {
		separate(text)
		writeString(text, key.String())
		text.WriteByte(':')
		writeInternal(text, v.MapIndex(key))
	}
	text.WriteByte('}')
}

func writeString(text *bytes.Buffer, s string) {
	quoted, err := json.Marshal(s)
	if err == nil {
		text.Write(quoted)
	}
}

func separate(text *bytes.Buffer) {
	if last := text.Bytes()[text.Len()-1]; last != '{' && last != '[' {
		text.WriteByte(',')
	}
}
