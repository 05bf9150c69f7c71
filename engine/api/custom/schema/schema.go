// Package schema is what the structural schema of a CustomResourceDefinition
// does to the objects of its kind: it drops the fields that it does not know
// (Prune), fills in defaults (Default), and refuses what does not fit (Validate).
//
// Kubernetes uses k8s.io/kube-openapi's validator and
// k8s.io/apiextensions-apiserver/pkg/apiserver/schema for it, which would add a
// tenth to the browser's engine. Here it is done again, with their messages; the
// tests hold ours against them.
package schema

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	kjson "sigs.k8s.io/json"
)

// Schema is one node of a structural schema, read for use. It is immutable.
type Schema struct {
	props *apiextensionsv1.JSONSchemaProps
	types []string
	// format is that of props where Kubernetes knows it for the type.
	format  string
	pattern *regexp.Regexp
	enum    []any
	// fallback is the default, nil where there is none.
	fallback   any
	names      []string // of the properties, in order
	properties map[string]*Schema
	additional *Schema
	// closed: no properties but the declared ones are valid.
	closed              bool
	items               *Schema
	allOf, anyOf, oneOf []*Schema
	not                 *Schema
	preserve, embedded  bool
}

// New reads a schema; nil, which lets everything through, is one too.
func New(props *apiextensionsv1.JSONSchemaProps) *Schema {
	if props == nil {
		return nil
	}
	s := &Schema{
		props:    props,
		preserve: props.XPreserveUnknownFields != nil && *props.XPreserveUnknownFields,
		embedded: props.XEmbeddedResource,
		not:      New(props.Not),
		allOf:    list(props.AllOf), anyOf: list(props.AnyOf), oneOf: list(props.OneOf),
		properties: map[string]*Schema{},
	}
	if props.Type != "" {
		s.types = []string{props.Type}
	}
	if props.XIntOrString {
		s.types = []string{"integer", "string"}
	}
	s.format = knownFormat(s.types, props.Format)
	if props.Pattern != "" {
		s.pattern, _ = regexp.Compile(props.Pattern) // the definition's validation has compiled it
	}
	for i := range props.Enum {
		s.enum = append(s.enum, Value(&props.Enum[i]))
	}
	if props.Default != nil {
		s.fallback = Value(props.Default)
	}
	s.names = slices.Sorted(maps.Keys(props.Properties))
	for _, name := range s.names {
		property := props.Properties[name]
		s.properties[name] = New(&property)
	}
	if more := props.AdditionalProperties; more != nil {
		s.additional = New(more.Schema)
		if more.Schema == nil && more.Allows {
			s.additional = &Schema{props: &apiextensionsv1.JSONSchemaProps{}, preserve: true}
		}
		s.closed = !more.Allows && more.Schema == nil
	}
	if props.Items != nil {
		s.items = New(props.Items.Schema)
	}
	return s
}

func list(all []apiextensionsv1.JSONSchemaProps) []*Schema {
	var schemas []*Schema
	for i := range all {
		schemas = append(schemas, New(&all[i]))
	}
	return schemas
}

// Value is the value of a piece of JSON in a definition, as objects have values.
func Value(raw *apiextensionsv1.JSON) any {
	var value any
	_ = kjson.UnmarshalCaseSensitivePreserveInts(raw.Raw, &value) // it has been decoded before
	return value
}

// Props is the node as its definition has it; nil for a nil schema.
func (s *Schema) Props() *apiextensionsv1.JSONSchemaProps {
	if s == nil {
		return nil
	}
	return s.props
}

// Property is the schema of a field, nil if there is none.
func (s *Schema) Property(name string) *Schema {
	if s == nil {
		return nil
	}
	return s.properties[name]
}

// field is the schema of a field, declared or additional.
func (s *Schema) field(name string) *Schema {
	if s == nil {
		return nil
	}
	if property, ok := s.properties[name]; ok {
		return property
	}
	return s.additional
}

func (s *Schema) nullable() bool { return s != nil && s.props.Nullable }

// knownFormat drops formats that are not checked.
func knownFormat(types []string, format string) string {
	kind := ""
	if len(types) == 1 {
		kind = types[0]
	}
	switch kind {
	case "", "string":
		if normalized := strings.ReplaceAll(format, "-", ""); formats[normalized] != nil {
			return normalized
		}
		if formats[format] != nil {
			return format
		}
	case "integer":
		if format == "int32" || format == "int64" {
			return format
		}
	case "number":
		if format == "float" || format == "double" {
			return format
		}
	}
	return ""
}

// UnknownFormats are the formats in a schema that are not checked, for warnings.
func UnknownFormats(props *apiextensionsv1.JSONSchemaProps) []string {
	var unknown []string
	Walk(props, func(p *apiextensionsv1.JSONSchemaProps) {
		if p.Format != "" && knownFormat([]string{p.Type}, p.Format) == "" {
			unknown = append(unknown, p.Format)
		}
	})
	return unknown
}

// Walk visits a schema and all below it, in order.
func Walk(props *apiextensionsv1.JSONSchemaProps, visit func(*apiextensionsv1.JSONSchemaProps)) {
	if props == nil {
		return
	}
	visit(props)
	for _, name := range slices.Sorted(maps.Keys(props.Properties)) {
		property := props.Properties[name]
		Walk(&property, visit)
	}
	if props.AdditionalProperties != nil {
		Walk(props.AdditionalProperties.Schema, visit)
	}
	if props.Items != nil {
		Walk(props.Items.Schema, visit)
	}
	for _, all := range [][]apiextensionsv1.JSONSchemaProps{props.AllOf, props.AnyOf, props.OneOf} {
		for i := range all {
			Walk(&all[i], visit)
		}
	}
	Walk(props.Not, visit)
}
