package validation

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/custom/schema"
)

// rootFields are the only ones that the root of a schema with a status
// subresource may have, by their names in Go.
var rootFields = []string{"Description", "Type", "Format", "Title", "Maximum", "ExclusiveMaximum", "Minimum", "ExclusiveMinimum", "MaxLength", "MinLength", "Pattern", "MaxItems", "MinItems", "UniqueItems", "MultipleOf", "Required", "Items", "Properties", "ExternalDocs", "Example", "XPreserveUnknownFields", "XValidations"}

func definitionSchema(v *apiextensionsv1.CustomResourceDefinitionVersion, path *field.Path) field.ErrorList {
	if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
		return nil
	}
	root := v.Schema.OpenAPIV3Schema
	path = path.Child("openAPIV3Schema")
	var errs field.ErrorList
	if v.Subresources != nil && v.Subresources.Status != nil {
		errs = append(errs, rootWithStatus(root, path)...)
	}
	if root.Nullable {
		errs = append(errs, field.Forbidden(path.Child("nullable"), "nullable cannot be true at the root"))
	}
	c := structure{}
	c.check(root, rootLevel, path)
	slices.SortFunc(c.errors, func(a, b *field.Error) int { return strings.Compare(a.Error(), b.Error()) })
	errs = append(errs, c.errors...)
	if len(errs) == 0 {
		errs = append(errs, defaults(root, path)...)
	}
	return append(errs, extensions(root, path)...)
}

func rootWithStatus(root *apiextensionsv1.JSONSchemaProps, path *field.Path) field.ErrorList {
	if root.Type != "object" {
		return field.ErrorList{field.Invalid(path.Child("type"), root.Type, `only "object" is allowed as the type at the root of the schema if the status subresource is enabled`)}
	}
	value := reflect.ValueOf(*root)
	for i := range value.NumField() {
		if !value.Field(i).IsZero() && !slices.Contains(rootFields, value.Type().Field(i).Name) {
			return field.ErrorList{field.Invalid(path, *root, fmt.Sprintf("only %v fields are allowed at the root of the schema if the status subresource is enabled", rootFields))}
		}
	}
	return nil
}

// level is where in a schema a node is.
type level uint8

const (
	rootLevel level = iota
	itemLevel
	fieldLevel
)

var missingType = map[level]string{
	rootLevel:  "must not be empty at the root",
	itemLevel:  "must not be empty for specified array items",
	fieldLevel: "must not be empty for specified object fields",
}

// structure checks that a schema is structural
// (k8s.io/apiextensions-apiserver/pkg/apiserver/schema.ValidateStructural).
type structure struct{ errors field.ErrorList }

func (c *structure) forbid(path *field.Path, detail string) {
	c.errors = append(c.errors, field.Forbidden(path, detail))
}

func (c *structure) check(p *apiextensionsv1.JSONSchemaProps, at level, path *field.Path) {
	if p == nil {
		return
	}
	if p.Type == "array" && (p.Items == nil || p.Items.Schema == nil) {
		c.errors = append(c.errors, field.Required(path.Child("items"), "must be specified"))
	}
	if p.Items != nil {
		c.check(p.Items.Schema, itemLevel, path.Child("items"))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Properties)) {
		property := p.Properties[name]
		if name == "metadata" && at == rootLevel {
			c.metadata(&property, path.Child("properties").Key(name))
			continue
		}
		c.check(&property, fieldLevel, path.Child("properties").Key(name))
	}
	if p.AdditionalProperties != nil {
		if at == rootLevel {
			c.forbid(path.Child("additionalProperties"), "must not be used at the root")
		}
		c.check(p.AdditionalProperties.Schema, fieldLevel, path.Child("additionalProperties"))
	}
	preserve := p.XPreserveUnknownFields != nil && *p.XPreserveUnknownFields
	if p.XIntOrString && preserve {
		c.errors = append(c.errors, field.Invalid(path.Child("x-kubernetes-preserve-unknown-fields"), true, "must be false if x-kubernetes-int-or-string is true"))
	}
	if p.XIntOrString && p.XEmbeddedResource {
		c.errors = append(c.errors, field.Invalid(path.Child("x-kubernetes-embedded-resource"), true, "must be false if x-kubernetes-int-or-string is true"))
	}
	c.values(p, intOrString(p.AnyOf) && p.XIntOrString, path)
	c.typed(p, at, preserve, path)
	if at == rootLevel || p.XEmbeddedResource {
		for _, name := range []string{"kind", "apiVersion"} {
			if property, ok := p.Properties[name]; ok && property.Type != "string" {
				c.errors = append(c.errors, field.Invalid(path.Child("properties").Key(name).Child("type"), property.Type, "must be string"))
			}
		}
	}
	if p.XEmbeddedResource && !preserve && len(p.Properties) == 0 {
		c.errors = append(c.errors, field.Required(path.Child("properties"), "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"))
	}
}

func (c *structure) typed(p *apiextensionsv1.JSONSchemaProps, at level, preserve bool, path *field.Path) {
	const embedded = "must be object if x-kubernetes-embedded-resource is true"
	path = path.Child("type")
	switch {
	case p.XEmbeddedResource && p.Type == "":
		c.errors = append(c.errors, field.Required(path, embedded))
	case p.XEmbeddedResource && p.Type != "object":
		c.errors = append(c.errors, field.Invalid(path, p.Type, embedded))
	case p.Type == "" && !p.XIntOrString && !preserve:
		c.errors = append(c.errors, field.Required(path, missingType[at]))
	}
	if at == rootLevel && p.Type != "" && p.Type != "object" {
		c.errors = append(c.errors, field.Invalid(path, p.Type, "must be object at the root"))
	}
}

// metadata at the root may restrict names only.
func (c *structure) metadata(p *apiextensionsv1.JSONSchemaProps, path *field.Path) {
	if p.Type != "object" {
		c.errors = append(c.errors, field.Invalid(path.Child("type"), p.Type, "must be object"))
	}
	rest := *p
	rest.Type, rest.Description, rest.Properties, rest.Default = "", p.Description, nil, nil
	for name := range p.Properties {
		if name != "name" && name != "generateName" {
			rest.Properties = p.Properties
		}
	}
	if !reflect.DeepEqual(rest, apiextensionsv1.JSONSchemaProps{Description: p.Description}) || p.Description != "" {
		c.forbid(path, "must not specify anything other than name and generateName, but metadata is implicitly specified")
	}
}

func intOrString(anyOf []apiextensionsv1.JSONSchemaProps) bool {
	return len(anyOf) == 2 && anyOf[0].Type == "integer" && anyOf[1].Type == "string"
}

// values checks what a node says of values in other forms: the types there may
// not be.
func (c *structure) values(p *apiextensionsv1.JSONSchemaProps, exempt bool, path *field.Path) {
	if !exempt {
		for i := range p.AnyOf {
			c.nested(&p.AnyOf[i], false, path.Child("anyOf").Index(i))
		}
	}
	for i := range p.AllOf {
		c.nested(&p.AllOf[i], i == 0 && p.XIntOrString && intOrString(p.AllOf[0].AnyOf), path.Child("allOf").Index(i))
	}
	for i := range p.OneOf {
		c.nested(&p.OneOf[i], false, path.Child("oneOf").Index(i))
	}
	c.nested(p.Not, false, path.Child("not"))
	if _, err := regexp.Compile(p.Pattern); err != nil {
		c.errors = append(c.errors, field.Invalid(path.Child("pattern"), p.Pattern, fmt.Sprintf("must be a valid regular expression, but isn't: %v", err)))
	}
}

func (c *structure) nested(p *apiextensionsv1.JSONSchemaProps, exempt bool, path *field.Path) {
	if p == nil {
		return
	}
	c.values(p, exempt, path)
	if p.Items != nil {
		c.nested(p.Items.Schema, false, path.Child("items"))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Properties)) {
		property := p.Properties[name]
		c.nested(&property, false, path.Child("properties").Key(name))
	}
	for _, forbidden := range []struct {
		name, detail string
		set          bool
	}{
		{"type", "must be empty to be structural", p.Type != ""},
		{"additionalProperties", "must be undefined to be structural", p.AdditionalProperties != nil},
		{"default", "must be undefined to be structural", p.Default != nil},
		{"title", "must be empty to be structural", p.Title != ""},
		{"description", "must be empty to be structural", p.Description != ""},
		{"nullable", "must be false to be structural", p.Nullable},
		{"x-kubernetes-preserve-unknown-fields", "must be false to be structural", p.XPreserveUnknownFields != nil},
		{"x-kubernetes-embedded-resource", "must be false to be structural", p.XEmbeddedResource},
		{"x-kubernetes-int-or-string", "must be false to be structural", p.XIntOrString},
		{"x-kubernetes-list-map-keys", "must be empty to be structural", len(p.XListMapKeys) > 0},
		{"x-kubernetes-list-type", "must be undefined to be structural", p.XListType != nil},
		{"x-kubernetes-map-type", "must be undefined to be structural", p.XMapType != nil},
		{"x-kubernetes-validations", "must be empty to be structural", len(p.XValidations) > 0},
	} {
		if forbidden.set {
			c.forbid(path.Child(forbidden.name), forbidden.detail)
		}
	}
	if _, ok := p.Properties["metadata"]; ok {
		c.forbid(path.Child("properties").Key("metadata"), "must not be specified in a nested context")
	}
}

// defaults checks that every default is valid where it is
// (k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting.ValidateDefaults).
func defaults(p *apiextensionsv1.JSONSchemaProps, path *field.Path) field.ErrorList {
	if p == nil {
		return nil
	}
	var errs field.ErrorList
	if p.Default != nil {
		own := *p
		own.Default = nil
		read := schema.New(&own)
		at, value := path.Child("default"), schema.Value(p.Default)
		if fields, is := value.(map[string]any); is {
			pruned := runtime.DeepCopyJSON(fields)
			if len(read.Prune(pruned)) > 0 {
				errs = append(errs, field.Invalid(at, value, "must not have unknown fields"))
			}
		}
		errs = append(errs, read.Validate(at, value)...)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Properties)) {
		property := p.Properties[name]
		errs = append(errs, defaults(&property, path.Child("properties").Key(name))...)
	}
	if p.AdditionalProperties != nil {
		errs = append(errs, defaults(p.AdditionalProperties.Schema, path.Child("additionalProperties"))...)
	}
	if p.Items != nil {
		errs = append(errs, defaults(p.Items.Schema, path.Child("items"))...)
	}
	return errs
}
