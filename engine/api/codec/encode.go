package codec

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// Encoder writes answers in one of the served formats.
type Encoder struct {
	YAML   bool
	Pretty bool // indented JSON, for people
}

// Encode writes one object.
func (e Encoder) Encode(w io.Writer, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return e.write(w, append(data, '\n'))
}

func (e Encoder) write(w io.Writer, data []byte) (err error) {
	switch {
	case e.YAML:
		data, err = yaml.JSONToYAML(data)
	case e.Pretty:
		var indented bytes.Buffer
		err = json.Indent(&indented, bytes.TrimSuffix(data, []byte("\n")), "", "  ")
		data = indented.Bytes()
	}
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// List is an object of many parts, which are written one by one, so that a long
// list is never in memory as text.
type List struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	// Field is what the parts are called: "items" or "rows".
	Field string `json:"-"`
	// Before is written in front of the parts: further fields of the object,
	// by name, in order.
	Before []NamedValue `json:"-"`
	Length int          `json:"-"`
	// Part returns part i.
	Part func(i int) any `json:"-"`
	// ItemKind is removed from the parts that say it first thing, as typed
	// lists of Kubernetes leave it out.
	ItemKind schema.GroupVersionKind `json:"-"`
}

// NamedValue is a field of an object.
type NamedValue struct {
	Name  string
	Value any
}

// EncodeList writes a list.
func (e Encoder) EncodeList(w io.Writer, list *List) error {
	if !e.YAML && !e.Pretty {
		buffered := bufio.NewWriterSize(w, 64<<10)
		if err := list.stream(buffered); err != nil {
			return err
		}
		return buffered.Flush()
	}
	var whole bytes.Buffer
	if err := list.stream(&whole); err != nil {
		return err
	}
	return e.write(w, whole.Bytes())
}

// head is a list without its parts.
type head struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
}

func (l *List) stream(w io.Writer) error {
	opening, err := json.Marshal(head{l.TypeMeta, l.ListMeta})
	if err != nil {
		return err
	}
	out := errWriter{w: w}
	out.write(opening[:len(opening)-1]) // without the closing brace
	for _, field := range l.Before {
		value, err := json.Marshal(field.Value)
		if err != nil {
			return err
		}
		out.write([]byte("," + strconv.Quote(field.Name) + ":"))
		out.write(value)
	}
	out.write([]byte("," + strconv.Quote(l.Field) + ":["))
	kind := kindPrefix(l.ItemKind)
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	for i := range l.Length {
		if i > 0 {
			out.write([]byte{','})
		}
		buffer.Reset()
		if err := encoder.Encode(l.Part(i)); err != nil {
			return err
		}
		part := bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))
		if rest, says := bytes.CutPrefix(part, kind); says && len(kind) > 0 {
			out.write([]byte{'{'})
			part = rest
		}
		out.write(part)
	}
	out.write([]byte("]}\n"))
	return out.err
}

// kindPrefix is how the text of an object of a kind begins.
func kindPrefix(gvk schema.GroupVersionKind) []byte {
	if gvk.Empty() {
		return nil
	}
	return []byte(`{"kind":` + strconv.Quote(gvk.Kind) + `,"apiVersion":` + strconv.Quote(gvk.GroupVersion().String()) + `,`)
}

// errWriter remembers the first error and does nothing after it.
type errWriter struct {
	w   io.Writer
	err error
}

func (e *errWriter) write(data []byte) {
	if e.err == nil {
		_, e.err = e.w.Write(data)
	}
}
