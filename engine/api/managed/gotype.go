package managed

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"tidepool.dev/tidepool/engine/api/openapi"
)

// shape is how values of a type merge.
type shape uint8

const (
	scalar    shape = iota
	structure       // by its fields
	mapping         // by its keys
	list            // as one piece
	keyed           // a list whose items are told apart by fields of theirs
	set             // a list of values
	anything        // JSON of whatever form
)

// goType describes a Go type in the place that it has in an object.
type goType struct {
	shape
	// atomic structures and mappings merge as one piece.
	atomic bool
	rtype  reflect.Type
	kind   reflect.Kind // rtype's
	name   string       // of a structure, in OpenAPI documents
	fields []field      // of a structure, by name
	elem   place        // of lists and mappings
	keys   []key        // of keyed lists, by name
	// equal compares scalars that are structs in Go; nil for others.
	equal func(a, b unsafe.Pointer) bool
	// untyped scalars may be numbers or strings in JSON.
	untyped bool
}

// place is where values of a type lie, or pointers to such values: in a field, in
// a list, in a mapping.
type place struct {
	*goType
	pointers int     // to follow
	size     uintptr // of what lies there, in bytes
}

func placeOf(t reflect.Type) place {
	p := place{size: t.Size()}
	for ; t.Kind() == reflect.Pointer; t = t.Elem() {
		p.pointers++
	}
	p.goType = describe(t)
	return p
}

type field struct {
	place
	name    string
	offset  uintptr
	absence absence
	omitted func(unsafe.Pointer) bool // by the option omitzero, nil without it
	// absent is the value that a telling field has where it is absent, nil
	// if there is none.
	absent any
}

// key is a field by which the items of a list are told apart.
type key struct {
	*field
	opening string // `"name":`, as paths show it
}

// types are described once. The table of openapi.Merging says what Go types do
// not.
var types struct {
	sync.Mutex
	known  map[reflect.Type]*goType
	merges map[string][]string // the words of openapi.Merging, by type
}

// typeOf describes the type of an object, which is a pointer to a struct.
func typeOf(object any) *goType {
	types.Lock()
	defer types.Unlock()
	if types.known == nil {
		types.known = map[reflect.Type]*goType{}
		types.merges = map[string][]string{}
		for line := range strings.Lines(openapi.Merging) {
			if words := strings.Fields(line); len(words) > 0 {
				types.merges[words[0]] = words[1:]
			}
		}
	}
	return describe(reflect.TypeOf(object).Elem())
}

var special = map[reflect.Type]goType{
	reflect.TypeFor[metav1.Time]():               {untyped: true, equal: equalAs(equalTimes)},
	reflect.TypeFor[metav1.MicroTime]():          {untyped: true, equal: equalAs(equalMicroTimes)},
	reflect.TypeFor[metav1.Duration]():           {equal: equalAs(func(a, b *metav1.Duration) bool { return a.Duration == b.Duration })},
	reflect.TypeFor[resource.Quantity]():         {untyped: true, equal: equalAs(equalQuantities)},
	reflect.TypeFor[intstr.IntOrString]():        {untyped: true, equal: equalAs(equalIntOrStrings)},
	reflect.TypeFor[runtime.RawExtension]():      {shape: anything, atomic: true},
	reflect.TypeFor[metav1.FieldsV1]():           {shape: anything},
	reflect.TypeFor[[]byte]():                    {},
	reflect.TypeFor[metav1.ManagedFieldsEntry](): {shape: anything},
}

func equalAs[T any](equal func(a, b *T) bool) func(a, b unsafe.Pointer) bool {
	return func(a, b unsafe.Pointer) bool { return equal((*T)(a), (*T)(b)) }
}

// Times are compared as JSON has them, by seconds.
func equalTimes(a, b *metav1.Time) bool {
	return a.IsZero() == b.IsZero() && (a.IsZero() || a.Unix() == b.Unix())
}

func equalMicroTimes(a, b *metav1.MicroTime) bool {
	return a.IsZero() == b.IsZero() && (a.IsZero() || a.UnixMicro() == b.UnixMicro())
}

func equalQuantities(a, b *resource.Quantity) bool {
	return a.Cmp(*b) == 0 && (a.Format == b.Format || a.String() == b.String())
}

func equalIntOrStrings(a, b *intstr.IntOrString) bool {
	return a.Type == b.Type && (a.Type == intstr.Int && a.IntVal == b.IntVal || a.Type == intstr.String && a.StrVal == b.StrVal)
}

var marshaler = reflect.TypeFor[json.Marshaler]()

func describe(t reflect.Type) *goType {
	if known, ok := types.known[t]; ok {
		return known
	}
	described := &goType{rtype: t, kind: t.Kind()}
	types.known[t] = described // types may contain themselves
	if known, is := special[t]; is {
		*described = known
		described.rtype, described.kind = t, t.Kind()
		return described
	}
	switch {
	case t.Kind() == reflect.Interface, t.Implements(marshaler), reflect.PointerTo(t).Implements(marshaler):
		described.shape = anything
	case t.Kind() == reflect.Struct:
		described.shape = structure
		described.name = modelName(t)
		words := types.merges[described.name]
		described.atomic = slices.Contains(words, openapi.MergingAtomic)
		described.addFields(t, 0, words)
		slices.SortFunc(described.fields, func(a, b field) int { return cmp.Compare(a.name, b.name) })
	case t.Kind() == reflect.Map:
		described.shape = mapping
		described.elem = placeOf(t.Elem())
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		described.shape = scalar
	case t.Kind() == reflect.Slice:
		described.shape = list
		described.elem = placeOf(t.Elem())
	}
	return described
}

// modelName is what OpenAPI documents call a type, "io.k8s.api.core.v1.Pod".
func modelName(t reflect.Type) string {
	host, path, _ := strings.Cut(t.PkgPath(), "/")
	labels := strings.Split(host, ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "." + strings.ReplaceAll(path, "/", ".") + "." + t.Name()
}

func (d *goType) addFields(t reflect.Type, offset uintptr, words []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || f.PkgPath != "" && !f.Anonymous:
			continue
		case f.Anonymous && name == "":
			d.addFields(f.Type, offset+f.Offset, words)
			continue
		}
		added := field{place: placeOf(f.Type), name: cmp.Or(name, f.Name), offset: offset + f.Offset}
		omitEmpty := strings.Contains(options, "omitempty")
		if omitEmpty {
			added.absence = absenceOf(f.Type)
		}
		if strings.Contains(options, "omitzero") {
			added.omitted = omittedAs(f.Type)
		}
		if !omitEmpty && f.Type.Kind() != reflect.Pointer {
			added.absent = zero(f.Type)
		}
		for _, word := range words {
			if mark, ours := strings.CutPrefix(word, added.name); ours && mark != "" {
				added.merge(mark)
			}
		}
		d.fields = append(d.fields, added)
	}
}

// zero is the value that OpenAPI has as the default of a field that JSON always
// has.
func zero(t reflect.Type) any {
	switch t.Kind() {
	case reflect.String:
		return ""
	case reflect.Bool:
		return false
	case reflect.Int, reflect.Int32, reflect.Int64:
		return int64(0)
	}
	return nil
}

// merge lets the field merge as a word of openapi.Merging says.
func (f *field) merge(mark string) {
	own := *f.goType
	switch {
	case mark == openapi.MergingAtomic:
		own.atomic = true
	case mark == openapi.MergingGranular:
		own.atomic = false
	case mark == openapi.MergingSet:
		own.shape = set
	case strings.HasPrefix(mark, openapi.MergingKeys):
		own.shape = keyed
		for name := range strings.SplitSeq(mark[len(openapi.MergingKeys):], ",") {
			own.keys = append(own.keys, key{field: own.elem.goType.field(name), opening: `"` + name + `":`})
		}
		slices.SortFunc(own.keys, func(a, b key) int { return cmp.Compare(a.opening, b.opening) })
	case strings.HasPrefix(mark, openapi.MergingDefault):
		f.absent = mark[len(openapi.MergingDefault):]
	default:
		return // another field, whose name begins with this one's
	}
	f.goType = &own
}

func (d *goType) field(name string) *field {
	for i := range d.fields {
		if d.fields[i].name == name {
			return &d.fields[i]
		}
	}
	return nil
}
