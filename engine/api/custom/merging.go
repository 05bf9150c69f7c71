package custom

import (
	"maps"
	"slices"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	k8sschema "k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// mergingOf is how objects merge in each version, as
// k8s.io/kube-openapi/pkg/schemaconv has it of their schemas.
func mergingOf(versions map[string]*version) func(apiVersion string) *typed.ParseableType {
	var mu sync.Mutex
	made := map[string]*typed.ParseableType{}
	return func(apiVersion string) *typed.ParseableType {
		gv, err := k8sschema.ParseGroupVersion(apiVersion)
		v := versions[gv.Version]
		if err != nil || v == nil || v.schema == nil {
			return &typed.DeducedParseableType
		}
		mu.Lock()
		defer mu.Unlock()
		if made[gv.Version] == nil {
			made[gv.Version] = parseable(v.schema.Props())
		}
		return made[gv.Version]
	}
}

var (
	untypedName, deducedName = "__untyped_atomic_", "__untyped_deduced_"
	untyped                  = schema.Scalar("untyped")
	untypedRef               = schema.TypeRef{NamedType: &untypedName}
	deducedRef               = schema.TypeRef{NamedType: &deducedName}

	untypedAtom = schema.Atom{
		Scalar: &untyped,
		List:   &schema.List{ElementType: untypedRef, ElementRelationship: schema.Atomic},
		Map:    &schema.Map{ElementType: untypedRef, ElementRelationship: schema.Atomic},
	}
	deducedAtom = schema.Atom{
		Scalar: &untyped,
		List:   &schema.List{ElementType: untypedRef, ElementRelationship: schema.Atomic},
		Map:    &schema.Map{ElementType: deducedRef, ElementRelationship: schema.Separable},
	}
)

func parseable(root *apiextensionsv1.JSONSchemaProps) *typed.ParseableType {
	atom := merging(root)
	resource(&atom)
	return &typed.ParseableType{
		Schema:  &schema.Schema{Types: []schema.TypeDef{{Name: untypedName, Atom: untypedAtom}, {Name: deducedName, Atom: deducedAtom}}},
		TypeRef: schema.TypeRef{Inlined: atom},
	}
}

// resource adds what every resource has.
func resource(atom *schema.Atom) {
	if atom.Map == nil {
		return
	}
	own := slices.DeleteFunc(atom.Map.Fields, func(f schema.StructField) bool {
		return f.Name == "apiVersion" || f.Name == "kind" || f.Name == "metadata"
	})
	text := schema.String
	textRef := schema.TypeRef{Inlined: schema.Atom{Scalar: &text}}
	metadata := schema.Atom{Map: &schema.Map{ElementType: deducedRef, Fields: []schema.StructField{
		{Name: "finalizers", Type: schema.TypeRef{Inlined: schema.Atom{List: &schema.List{ElementType: textRef, ElementRelationship: schema.Associative}}}},
		{Name: "ownerReferences", Type: schema.TypeRef{Inlined: schema.Atom{List: &schema.List{
			ElementType: schema.TypeRef{Inlined: untypedAtom}, ElementRelationship: schema.Associative, Keys: []string{"uid"},
		}}}},
	}}}
	atom.Map.Fields = append(own,
		schema.StructField{Name: "apiVersion", Type: textRef},
		schema.StructField{Name: "kind", Type: textRef},
		schema.StructField{Name: "metadata", Type: schema.TypeRef{Inlined: metadata}})
}

func merging(p *apiextensionsv1.JSONSchemaProps) schema.Atom {
	preserve := p.XPreserveUnknownFields != nil && *p.XPreserveUnknownFields
	switch {
	case p.XIntOrString:
		return schema.Atom{Scalar: &untyped}
	case p.Type == "object":
		m := &schema.Map{}
		if p.XMapType != nil && *p.XMapType == "atomic" {
			m.ElementRelationship = schema.Atomic
		}
		for _, name := range slices.Sorted(maps.Keys(p.Properties)) {
			property := p.Properties[name]
			m.Fields = append(m.Fields, schema.StructField{Name: name, Type: schema.TypeRef{Inlined: merging(&property)}})
		}
		switch more := p.AdditionalProperties; {
		case more != nil && more.Schema != nil:
			m.ElementType = schema.TypeRef{Inlined: merging(more.Schema)}
		case preserve || more != nil && more.Allows:
			m.ElementType = deducedRef
		}
		atom := schema.Atom{Map: m}
		if p.XEmbeddedResource {
			resource(&atom)
		}
		return atom
	case p.Type == "array":
		l := &schema.List{ElementRelationship: schema.Atomic, ElementType: deducedRef}
		if p.Items != nil && p.Items.Schema != nil {
			l.ElementType = schema.TypeRef{Inlined: merging(p.Items.Schema)}
		}
		if p.XListType != nil && *p.XListType != "atomic" {
			l.ElementRelationship = schema.Associative
			l.Keys = p.XListMapKeys
		}
		return schema.Atom{List: l}
	case p.Type == "" && preserve:
		return deducedAtom
	}
	kind := untyped
	switch p.Type {
	case "string":
		kind = schema.String
		if p.Format == "int-or-string" {
			kind = untyped
		}
	case "integer", "number":
		kind = schema.Numeric
	case "boolean":
		kind = schema.Boolean
	}
	return schema.Atom{Scalar: &kind}
}
