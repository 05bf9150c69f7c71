// Package typed is upstream's, except for this file: the type below is built of
// literals here, and schemas can't be read from YAML, which would be parsed
// whenever the engine starts.
package typed

import (
	"sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// ParseableType allows for easy production of typed objects.
type ParseableType struct {
	TypeRef schema.TypeRef
	Schema  *schema.Schema
}

// IsValid reports whether the type can be found in its schema.
func (p ParseableType) IsValid() bool {
	_, ok := p.Schema.Resolve(p.TypeRef)
	return ok
}

// FromUnstructured converts what encoding/json makes of an object.
func (p ParseableType) FromUnstructured(in any, options ...ValidationOptions) (*TypedValue, error) {
	return AsTyped(value.NewValueInterface(in), p.Schema, p.TypeRef, options...)
}

// FromStructured converts a pointer to a Go value.
func (p ParseableType) FromStructured(in any, options ...ValidationOptions) (*TypedValue, error) {
	v, err := value.NewValueReflect(in)
	if err != nil {
		return nil, err
	}
	return AsTyped(v, p.Schema, p.TypeRef, options...)
}

// DeducedParseableType deduces the type from the content of the object.
var DeducedParseableType = ParseableType{
	TypeRef: named("__untyped_deduced_"),
	Schema: &schema.Schema{Types: []schema.TypeDef{
		{Name: "__untyped_atomic_", Atom: untyped("__untyped_atomic_", schema.Atomic)},
		{Name: "__untyped_deduced_", Atom: untyped("__untyped_deduced_", schema.Separable)},
	}},
}

// untyped is a scalar, an atomic list or a map with elements of the named type.
func untyped(elements string, relationship schema.ElementRelationship) schema.Atom {
	scalar := schema.Scalar("untyped")
	return schema.Atom{
		Scalar: &scalar,
		List:   &schema.List{ElementType: named("__untyped_atomic_"), ElementRelationship: schema.Atomic},
		Map:    &schema.Map{ElementType: named(elements), ElementRelationship: relationship},
	}
}

func named(name string) schema.TypeRef { return schema.TypeRef{NamedType: &name} }
