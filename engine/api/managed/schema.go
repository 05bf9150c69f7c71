package managed

import (
	"reflect"

	"sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// parseable is the type as structured-merge-diff knows types: what
// k8s.io/kube-openapi/pkg/schemaconv makes of the OpenAPI documents.
func parseable(d *goType) *typed.ParseableType {
	types.Lock()
	defer types.Unlock()
	s := &schemaOf{done: map[string]bool{}, types: []schema.TypeDef{
		{Name: untypedName, Atom: untypedAtom}, {Name: deducedName, Atom: deducedAtom},
	}}
	ref := s.reference(d)
	return &typed.ParseableType{Schema: &schema.Schema{Types: s.types}, TypeRef: ref}
}

type schemaOf struct {
	types []schema.TypeDef
	done  map[string]bool
}

var (
	untypedName, deducedName = "__untyped_atomic_", "__untyped_deduced_"
	untyped                  = schema.Scalar("untyped")

	untypedAtom = schema.Atom{
		Scalar: &untyped,
		List:   &schema.List{ElementType: schema.TypeRef{NamedType: &untypedName}, ElementRelationship: schema.Atomic},
		Map:    &schema.Map{ElementType: schema.TypeRef{NamedType: &untypedName}, ElementRelationship: schema.Atomic},
	}
	deducedAtom = schema.Atom{
		Scalar: &untyped,
		List:   &schema.List{ElementType: schema.TypeRef{NamedType: &untypedName}, ElementRelationship: schema.Atomic},
		Map:    &schema.Map{ElementType: schema.TypeRef{NamedType: &deducedName}, ElementRelationship: schema.Separable},
	}
)

// reference names the type of a field or item, or spells it out.
func (s *schemaOf) reference(d *goType) schema.TypeRef {
	if d.shape != structure {
		return schema.TypeRef{Inlined: s.atom(d)}
	}
	declared := types.known[d.rtype] // without what a field says of its own
	if !s.done[d.name] {
		s.done[d.name] = true
		s.types = append(s.types, schema.TypeDef{Name: d.name, Atom: s.atom(declared)})
	}
	ref := schema.TypeRef{NamedType: &d.name}
	if d.atomic != declared.atomic {
		own := schema.Separable
		if d.atomic {
			own = schema.Atomic
		}
		ref.ElementRelationship = &own
	}
	return ref
}

func (s *schemaOf) atom(d *goType) schema.Atom {
	switch d.shape {
	case structure:
		m := &schema.Map{ElementRelationship: relationship(d)}
		for i := range d.fields {
			f := &d.fields[i]
			m.Fields = append(m.Fields, schema.StructField{Name: f.name, Type: s.reference(f.goType), Default: f.absent})
		}
		return schema.Atom{Map: m}
	case mapping:
		return schema.Atom{Map: &schema.Map{ElementType: s.reference(d.elem.goType), ElementRelationship: relationship(d)}}
	case list:
		return schema.Atom{List: &schema.List{ElementType: s.reference(d.elem.goType), ElementRelationship: schema.Atomic}}
	case keyed:
		l := &schema.List{ElementType: s.reference(d.elem.goType), ElementRelationship: schema.Associative}
		for _, k := range d.keys {
			l.Keys = append(l.Keys, k.name)
		}
		return schema.Atom{List: l}
	case set:
		return schema.Atom{List: &schema.List{ElementType: s.reference(d.elem.goType), ElementRelationship: schema.Associative}}
	case anything:
		if d.atomic {
			return untypedAtom
		}
		return deducedAtom
	}
	kind := scalarOf(d)
	return schema.Atom{Scalar: &kind}
}

func relationship(d *goType) schema.ElementRelationship {
	if d.atomic {
		return schema.Atomic
	}
	return ""
}

func scalarOf(d *goType) schema.Scalar {
	switch {
	case d.untyped:
		return untyped
	case d.equal != nil: // durations are strings
		return schema.String
	}
	switch d.rtype.Kind() {
	case reflect.Bool:
		return schema.Boolean
	case reflect.String, reflect.Slice:
		return schema.String
	}
	return schema.Numeric
}
