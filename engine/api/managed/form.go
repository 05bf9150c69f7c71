package managed

import (
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/store"
)

// served is a kind with the forms in which it is served, by apiVersion.
type served struct {
	kind  *kind.Kind
	forms map[string]*form
}

type form struct {
	kind.Version // without Show and Read: the stored form
	served       *served
	apiVersion   string
	empty        store.Object
	// goType is nil for objects of no Go type of their own.
	goType  *goType
	parsing *typed.ParseableType // made when it is first needed
}

func (t *Tracker) served(k *kind.Kind) *served {
	s, ok := t.kinds[k]
	if !ok {
		s = &served{kind: k, forms: map[string]*form{}}
		s.add(kind.Version{GroupVersionKind: k.GroupVersionKind, New: k.New})
		for _, version := range k.Versions {
			s.add(version)
		}
		t.kinds[k] = s
	}
	return s
}

func (s *served) add(version kind.Version) {
	f := &form{Version: version, served: s, apiVersion: version.GroupVersion().String(), empty: version.New()}
	f.empty.GetObjectKind().SetGroupVersionKind(version.GroupVersionKind)
	if _, untyped := f.empty.(runtime.Unstructured); !untyped {
		f.goType = typeOf(f.empty)
	}
	s.forms[f.apiVersion] = f
}

// form is that of a version, the stored one if it is empty; nil if there is none.
func (t *Tracker) form(k *kind.Kind, version string) *form {
	s := t.served(k)
	if version == "" {
		version = k.GroupVersion().String()
	}
	return s.forms[version]
}

// shown is a stored object in this form.
func (f *form) shown(obj store.Object) store.Object {
	if f.Show == nil {
		return obj
	}
	return f.Show(obj)
}

// read is the stored object of one in this form.
func (f *form) read(obj store.Object) store.Object {
	if f.Read == nil {
		return obj
	}
	return f.Read(obj)
}

// reset keeps out the fields that a write of a subresource resets to what they
// were, which are therefore nobody's by it; nil keeps out none.
func (f *form) reset(subresource string) fieldpath.Filter {
	if part := f.served.kind.Part(subresource); part != nil {
		return only(part.Fields)
	}
	paths := f.served.kind.ResetFields(subresource)
	if len(paths) == 0 {
		return nil
	}
	out := fieldpath.NewSet()
	for _, path := range paths {
		var p fieldpath.Path
		for i := range path {
			p = append(p, fieldpath.PathElement{FieldName: &path[i]})
		}
		out.Insert(p)
	}
	return fieldpath.NewExcludeSetFilter(out)
}

// only keeps out all but some fields and what is in them.
func only(paths [][]string) fieldpath.Filter {
	matchers := make([]*fieldpath.SetMatcher, len(paths))
	for i, path := range paths {
		parts := make([]any, len(path))
		for j, name := range path {
			parts[j] = name
			if name == "*" {
				parts[j] = fieldpath.MatchAnyPathElement()
			}
		}
		matchers[i] = fieldpath.MakePrefixMatcherOrDie(parts...)
	}
	return fieldpath.NewIncludeMatcherFilter(matchers...)
}

// parser is the type as structured-merge-diff knows it.
func (f *form) parser() *typed.ParseableType {
	if f.parsing == nil {
		switch {
		case f.goType != nil:
			f.parsing = parseable(f.goType)
		case f.served.kind.Merging != nil:
			f.parsing = f.served.kind.Merging(f.apiVersion)
		default:
			f.parsing = &typed.DeducedParseableType
		}
	}
	return f.parsing
}

// typed is an object of this form, as it is or as JSON, for structured-merge-diff.
func (f *form) typed(obj any, options ...typed.ValidationOptions) (*typed.TypedValue, error) {
	switch o := obj.(type) {
	case map[string]any:
		return f.parser().FromUnstructured(o, options...)
	case runtime.Unstructured:
		return f.parser().FromUnstructured(o.UnstructuredContent(), options...)
	}
	return f.parser().FromStructured(obj, options...)
}

// object is the object of this form that a value describes.
func (f *form) object(value *typed.TypedValue) (store.Object, error) {
	obj := f.New()
	content, _ := value.AsValue().Unstructured().(map[string]any)
	if u, is := obj.(runtime.Unstructured); is {
		u.SetUnstructuredContent(content)
		return obj, nil
	}
	return obj, runtime.DefaultUnstructuredConverter.FromUnstructured(content, obj)
}
