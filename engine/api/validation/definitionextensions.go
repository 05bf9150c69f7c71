package validation

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/custom/schema"
)

var schemaTypes = []string{"array", "boolean", "integer", "null", "number", "object", "string"}

// extensions checks a schema for what OpenAPI has and Kubernetes has not, and for
// how its own extensions go together
// (ValidateCustomResourceDefinitionOpenAPISchema upstream).
func extensions(p *apiextensionsv1.JSONSchemaProps, path *field.Path) field.ErrorList {
	if p == nil {
		return nil
	}
	errs := unsupported(p, path)
	if p.UniqueItems {
		errs = append(errs, field.Forbidden(path.Child("uniqueItems"), "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"))
	}
	if more := p.AdditionalProperties; more != nil {
		if len(p.Properties) > 0 && (!more.Allows || more.Schema != nil) {
			errs = append(errs, field.Forbidden(path.Child("additionalProperties"), "additionalProperties and properties are mutual exclusive"))
		}
		errs = append(errs, extensions(more.Schema, path.Child("additionalProperties"))...)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Properties)) {
		property := p.Properties[name]
		errs = append(errs, extensions(&property, path.Child("properties").Key(name))...)
	}
	errs = append(errs, extensions(p.Not, path.Child("not"))...)
	for _, each := range []struct {
		name string
		list []apiextensionsv1.JSONSchemaProps
	}{{"allOf", p.AllOf}, {"oneOf", p.OneOf}, {"anyOf", p.AnyOf}} {
		for i := range each.list {
			errs = append(errs, extensions(&each.list[i], path.Child(each.name).Index(i))...)
		}
	}
	if p.Items != nil {
		errs = append(errs, extensions(p.Items.Schema, path.Child("items"))...)
	}
	if p.XPreserveUnknownFields != nil && !*p.XPreserveUnknownFields {
		errs = append(errs, field.Invalid(path.Child("x-kubernetes-preserve-unknown-fields"), false, "must be true or undefined"))
	}
	errs = append(errs, extensionType(p, path, "x-kubernetes-map-type", "object", p.XMapType, "atomic", "granular")...)
	errs = append(errs, extensionType(p, path, "x-kubernetes-list-type", "array", p.XListType, "atomic", "set", "map")...)
	errs = append(errs, listKeys(p, path)...)
	return append(errs, ruleTexts(p, path)...)
}

func unsupported(p *apiextensionsv1.JSONSchemaProps, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if p.Type != "" && !slices.Contains(schemaTypes, p.Type) {
		errs = append(errs, field.NotSupported(path.Child("type"), p.Type, schemaTypes))
	}
	for _, each := range []struct {
		name string
		set  bool
	}{
		{"id", p.ID != ""}, {"additionalItems", p.AdditionalItems != nil}, {"patternProperties", len(p.PatternProperties) > 0},
		{"definitions", len(p.Definitions) > 0}, {"dependencies", p.Dependencies != nil}, {"$ref", p.Ref != nil},
	} {
		if each.set {
			errs = append(errs, field.Forbidden(path.Child(each.name), each.name+" is not supported"))
		}
	}
	if p.Type == "null" {
		errs = append(errs, field.Forbidden(path.Child("type"), "type cannot be set to null, use nullable as an alternative"))
	}
	if p.Items != nil && len(p.Items.JSONSchemas) > 0 {
		errs = append(errs, field.Forbidden(path.Child("items"), "items must be a schema object and not an array"))
	}
	return errs
}

func extensionType(p *apiextensionsv1.JSONSchemaProps, path *field.Path, name, of string, value *string, accepted ...string) field.ErrorList {
	if value == nil {
		return nil
	}
	var errs field.ErrorList
	detail := fmt.Sprintf("must be %s if %s is specified", of, name)
	switch p.Type {
	case of:
	case "":
		errs = append(errs, field.Required(path.Child("type"), detail))
	default:
		errs = append(errs, field.Invalid(path.Child("type"), p.Type, detail))
	}
	if !slices.Contains(accepted, *value) {
		errs = append(errs, field.NotSupported(path.Child(name), *value, accepted))
	}
	return errs
}

// listKeys checks the keys by which a list's items are told apart.
func listKeys(p *apiextensionsv1.JSONSchemaProps, path *field.Path) field.ErrorList {
	const listType, mapKeys = "x-kubernetes-list-type", "x-kubernetes-list-map-keys"
	var errs field.ErrorList
	isMap := p.XListType != nil && *p.XListType == "map"
	switch {
	case len(p.XListMapKeys) > 0 && p.XListType == nil:
		return append(errs, field.Required(path.Child(listType), "must be map if x-kubernetes-list-map-keys is non-empty"))
	case len(p.XListMapKeys) > 0 && !isMap:
		return append(errs, field.Invalid(path.Child(listType), *p.XListType, "must be map if x-kubernetes-list-map-keys is non-empty"))
	case !isMap:
		return nil
	case len(p.XListMapKeys) == 0:
		errs = append(errs, field.Required(path.Child(mapKeys), "must not be empty if x-kubernetes-list-type is map"))
	}
	if p.Items == nil || p.Items.Schema == nil {
		return append(errs, field.Required(path.Child("items"), "must have a schema if x-kubernetes-list-type is map"))
	}
	item := p.Items.Schema
	if item.Type != "object" {
		return append(errs, field.Invalid(path.Child("items", "type"), item.Type, "must be object if parent array's x-kubernetes-list-type is map"))
	}
	if item.Nullable {
		errs = append(errs, field.Forbidden(path.Child("items", "nullable"), "cannot be nullable when x-kubernetes-list-type is map"))
	}
	for i, key := range p.XListMapKeys {
		property, ok := item.Properties[key]
		at := path.Child("items", "properties").Key(key)
		switch {
		case !ok:
			errs = append(errs, field.Invalid(path.Child(mapKeys), p.XListMapKeys, "entries must all be names of item properties"))
		case property.Type == "array" || property.Type == "object":
			errs = append(errs, field.Invalid(at.Child("type"), item.Type, "must be a scalar type if parent array's x-kubernetes-list-type is map"))
		case !slices.Contains(item.Required, key) && property.Default == nil:
			errs = append(errs, field.Required(at.Child("default"), "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"))
		case property.Nullable:
			errs = append(errs, field.Forbidden(at.Child("nullable"), "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"))
		}
		if slices.Contains(p.XListMapKeys[:i], key) {
			errs = append(errs, field.Invalid(path.Child(mapKeys), p.XListMapKeys, "must not contain duplicate entries"))
		}
	}
	return errs
}

// ruleTexts checks x-kubernetes-validations as far as they are no CEL.
func ruleTexts(p *apiextensionsv1.JSONSchemaProps, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i := range p.XValidations {
		rule := &p.XValidations[i]
		at := path.Child("x-kubernetes-validations").Index(i)
		text, message := strings.TrimSpace(rule.Rule), strings.TrimSpace(rule.Message)
		switch {
		case text == "":
			errs = append(errs, field.Required(at.Child("rule"), "rule is not specified"))
		case rule.Message != "" && message == "":
			errs = append(errs, field.Invalid(at.Child("message"), rule.Message, "must be non-empty if specified"))
		case strings.ContainsAny(message, "\n\r"):
			errs = append(errs, field.Invalid(at.Child("message"), rule.Message, "must not contain line breaks"))
		case strings.ContainsAny(text, "\n\r") && message == "":
			errs = append(errs, field.Required(at.Child("message"), "message must be specified if rule contains line breaks"))
		}
		if rule.MessageExpression != "" && strings.TrimSpace(rule.MessageExpression) == "" {
			errs = append(errs, field.Required(at.Child("messageExpression"), "messageExpression must be non-empty if specified"))
		}
	}
	return errs
}

func simplePath(text string, path *field.Path) field.ErrorList {
	switch {
	case text == "":
		return field.ErrorList{field.Invalid(path, text, "must not be empty")}
	case text[0] != '.':
		return field.ErrorList{field.Invalid(path, text, "must be a simple json path starting with .")}
	}
	return nil
}

func definitionSubresources(sub *apiextensionsv1.CustomResourceSubresources, path *field.Path) field.ErrorList {
	if sub == nil || sub.Scale == nil {
		return nil
	}
	var errs field.ErrorList
	check := func(name, value, detail string, prefixes ...string) {
		at := path.Child("scale." + name)
		if value == "" {
			errs = append(errs, field.Required(at, ""))
		} else if bad := simplePath(value, at); len(bad) > 0 {
			errs = append(errs, bad...)
		} else if !slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(value, prefix) }) {
			errs = append(errs, field.Invalid(at, value, detail))
		}
	}
	check("specReplicasPath", sub.Scale.SpecReplicasPath, "should be a json path under .spec", ".spec.")
	check("statusReplicasPath", sub.Scale.StatusReplicasPath, "should be a json path under .status", ".status.")
	if selector := sub.Scale.LabelSelectorPath; selector != nil && *selector != "" {
		check("labelSelectorPath", *selector, "should be a json path under either .spec or .status", ".spec.", ".status.")
	}
	return errs
}

var (
	columnTypes   = []string{"boolean", "date", "integer", "number", "string"}
	columnFormats = []string{"byte", "date", "date-time", "double", "float", "int32", "int64", "password"}
)

func definitionColumn(column *apiextensionsv1.CustomResourceColumnDefinition, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if column.Name == "" {
		errs = append(errs, field.Required(path.Child("name"), ""))
	}
	types := "must be one of " + strings.Join(columnTypes, ",")
	if column.Type == "" {
		errs = append(errs, field.Required(path.Child("type"), types))
	} else if !slices.Contains(columnTypes, column.Type) {
		errs = append(errs, field.Invalid(path.Child("type"), column.Type, types))
	}
	if column.Format != "" && !slices.Contains(columnFormats, column.Format) {
		errs = append(errs, field.Invalid(path.Child("format"), column.Format, "must be one of "+strings.Join(columnFormats, ",")))
	}
	if column.JSONPath == "" {
		return append(errs, field.Required(path.Child("JSONPath"), ""))
	}
	return append(errs, simplePath(column.JSONPath, path.Child("JSONPath"))...)
}

const mostSelectableFields = 8

func selectableFields(v *apiextensionsv1.CustomResourceDefinitionVersion, path *field.Path) field.ErrorList {
	if len(v.SelectableFields) == 0 || v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
		return nil
	}
	var errs field.ErrorList
	seen := map[string]bool{}
	for i := range v.SelectableFields {
		text := v.SelectableFields[i].JSONPath
		at := path.Index(i).Child("jsonPath")
		if text == "" {
			errs = append(errs, field.Required(at, ""))
			continue
		}
		name, below, _ := strings.Cut(strings.TrimPrefix(text, "."), ".")
		node := schema.New(v.Schema.OpenAPIV3Schema).Property(name)
		for below != "" && node != nil {
			name, below, _ = strings.Cut(below, ".")
			node = node.Property(name)
		}
		switch {
		case !strings.HasPrefix(text, ".") || node == nil:
			errs = append(errs, field.Invalid(at, text, "is an invalid path: does not refer to a valid field"))
			continue
		case strings.HasPrefix(text, ".metadata"):
			errs = append(errs, field.Invalid(at, text, "must not point to fields in metadata"))
		case !slices.Contains([]string{"string", "boolean", "integer"}, node.Props().Type):
			errs = append(errs, field.Invalid(at, text, "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed."))
		}
		if seen[text] {
			errs = append(errs, field.Duplicate(at, text))
		}
		seen[text] = true
	}
	if len(seen) > mostSelectableFields {
		errs = append(errs, field.TooMany(path, len(seen), mostSelectableFields))
	}
	return errs
}
