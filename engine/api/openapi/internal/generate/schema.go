package generate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// object is a JSON object.
type object = map[string]any

const metaPackage = "k8s.io/apimachinery/pkg/apis/meta/v1"

// extensionsPackage and registrationPackage have the types of groups that are
// not in k8s.io/api.
const (
	extensionsPackage   = "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	registrationPackage = "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

// schemas collects the schemas of types and of the types that they refer to,
// in the form of OpenAPI v2: a reference beside other keywords.
type schemas struct {
	source  *source
	byName  map[string]object
	pending []*typeDecl
}

func newSchemas() *schemas {
	return &schemas{source: newSource(), byName: map[string]object{}}
}

// modelName is the name of a type in documents, e.g. "io.k8s.api.core.v1.Pod".
func modelName(importPath, name string) string {
	host, rest, _ := strings.Cut(importPath, "/")
	parts := strings.Split(host, ".")
	slices.Reverse(parts)
	return strings.Join(parts, ".") + "." + strings.ReplaceAll(rest, "/", ".") + "." + name
}

// primitive schemas of types that marshal themselves.
var primitive = map[string]object{
	metaPackage + ".Time":                               {"type": "string", "format": "date-time"},
	metaPackage + ".MicroTime":                          {"type": "string", "format": "date-time"},
	metaPackage + ".Duration":                           {"type": "string"},
	"k8s.io/apimachinery/pkg/api/resource.Quantity":     {"type": "string"},
	"k8s.io/apimachinery/pkg/util/intstr.IntOrString":   {"type": "string", "format": "int-or-string"},
	extensionsPackage + ".JSON":                         {},
	extensionsPackage + ".JSONSchemaPropsOrArray":       {},
	extensionsPackage + ".JSONSchemaPropsOrBool":        {},
	extensionsPackage + ".JSONSchemaPropsOrStringArray": {},
}

var builtin = map[string]object{
	"string":  {"type": "string"},
	"bool":    {"type": "boolean"},
	"int":     {"type": "integer", "format": "int32"},
	"int32":   {"type": "integer", "format": "int32"},
	"int64":   {"type": "integer", "format": "int64"},
	"float64": {"type": "number", "format": "double"},
}

// add makes sure that a type and all that it refers to have schemas, and
// returns its name.
func (s *schemas) add(importPath, typeName string) (string, error) {
	if err := s.require(importPath, typeName); err != nil {
		return "", err
	}
	for len(s.pending) > 0 {
		decl := s.pending[0]
		s.pending = s.pending[1:]
		if err := s.complete(decl); err != nil {
			return "", fmt.Errorf("%s.%s: %w", decl.pkg.path, decl.name, err)
		}
	}
	return modelName(importPath, typeName), nil
}

func (s *schemas) require(importPath, typeName string) error {
	name := modelName(importPath, typeName)
	if _, known := s.byName[name]; known {
		return nil
	}
	decl, err := s.source.lookup(importPath, typeName)
	if err != nil {
		return err
	}
	s.byName[name] = object{}
	s.pending = append(s.pending, decl)
	return nil
}

func (s *schemas) complete(decl *typeDecl) error {
	schema := s.byName[modelName(decl.pkg.path, decl.name)]
	if text := decl.comments.description(); text != "" {
		schema["description"] = text
	}
	if own, is := primitive[decl.pkg.path+"."+decl.name]; is {
		maps.Copy(schema, own)
		return nil
	}
	schema["type"] = "object"
	properties, required, err := s.members(decl)
	if err != nil {
		return err
	}
	if len(properties) > 0 {
		schema["properties"] = properties
	}
	if len(required) > 0 {
		schema["required"] = required
	}
	extensions(schema, decl.comments)
	if unions := s.unions(decl); len(unions) > 0 {
		schema["x-kubernetes-unions"] = unions
	}
	return nil
}

// members returns the properties of a struct, those of embedded structs
// included, and which are required.
func (s *schemas) members(decl *typeDecl) (object, []string, error) {
	structure, is := decl.expr.(*ast.StructType)
	if !is {
		return nil, nil, fmt.Errorf("is not a struct")
	}
	properties, required := object{}, []string(nil)
	for _, field := range structure.Fields.List {
		doc, tag := lines(field.Doc), jsonTag(field)
		if doc.hidden() || tag.name == "-" {
			continue
		}
		if len(field.Names) == 0 && tag.name == "" {
			embedded, err := s.resolve(field.Type, decl)
			if err != nil {
				return nil, nil, err
			}
			theirs, theirRequired, err := s.members(embedded.decl)
			if err != nil {
				return nil, nil, err
			}
			maps.Copy(properties, theirs)
			required = append(required, theirRequired...)
			continue
		}
		name := cmp.Or(tag.name, fieldName(field))
		if doc.marked("required") || !doc.marked("optional") && !tag.omitEmpty {
			required = append(required, name)
		}
		property, err := s.property(field, doc, tag, decl)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		properties[name] = property
	}
	return properties, required, nil
}

type jsonOptions struct {
	name              string
	omitEmpty, quoted bool
}

func jsonTag(field *ast.Field) jsonOptions {
	if field.Tag == nil {
		return jsonOptions{}
	}
	unquoted, _ := strconv.Unquote(field.Tag.Value)
	parts := strings.Split(reflect.StructTag(unquoted).Get("json"), ",")
	return jsonOptions{
		name:      parts[0],
		omitEmpty: slices.Contains(parts[1:], "omitempty"),
		quoted:    slices.Contains(parts[1:], "string"),
	}
}

func fieldName(field *ast.Field) string {
	if len(field.Names) > 0 {
		return field.Names[0].Name
	}
	return ""
}

func (s *schemas) property(field *ast.Field, doc comments, tag jsonOptions, decl *typeDecl) (object, error) {
	resolved, err := s.resolve(field.Type, decl)
	if err != nil {
		return nil, err
	}
	enum := s.enum(resolved)
	property := object{}
	if text := slices.Concat(doc, enum.description()).description(); text != "" {
		property["description"] = text
	}
	extensions(property, doc)
	if tag.quoted {
		property["type"] = "string"
		return property, nil
	}
	value, err := s.defaultValue(doc, resolved, tag.omitEmpty)
	if err != nil {
		return nil, err
	}
	if value != nil {
		property["default"] = value
	}
	schema, err := s.schemaOf(resolved)
	if err != nil {
		return nil, err
	}
	maps.Copy(property, schema)
	return property, nil
}

// schemaOf is the bare schema of a type: a reference for a struct.
func (s *schemas) schemaOf(t resolved) (object, error) {
	switch {
	case t.decl != nil:
		if err := s.require(t.decl.pkg.path, t.decl.name); err != nil {
			return nil, err
		}
		return object{"$ref": modelName(t.decl.pkg.path, t.decl.name)}, nil
	case t.builtin != "":
		schema, known := builtin[t.builtin]
		if !known {
			return nil, fmt.Errorf("no schema for %s", t.builtin)
		}
		schema = maps.Clone(schema)
		if enum := s.enum(t); len(enum) > 0 {
			schema["enum"] = enum.quoted()
		}
		return schema, nil
	case t.anything:
		return object{"type": "object"}, nil
	}
	elem, err := s.resolve(t.elem, t.scope)
	if err != nil {
		return nil, err
	}
	if t.isMap {
		schema, err := s.schemaOf(elem)
		return object{"type": "object", "additionalProperties": schema}, err
	}
	if elem.builtin == "byte" {
		return object{"type": "string", "format": "byte"}, nil
	}
	schema, err := s.schemaOf(elem)
	return object{"type": "array", "items": schema}, err
}

// defaultValue is that of a +default marker on the field or its type or, for
// values that JSON always has, the type's zero value.
func (s *schemas) defaultValue(doc comments, t resolved, omitEmpty bool) (any, error) {
	for _, group := range append([]comments{doc}, t.comments()...) {
		for _, marker := range group.markers("default") {
			return s.parseDefault(marker, t)
		}
	}
	if t.pointer {
		return nil, nil
	}
	switch {
	case t.decl != nil:
		if t.decl.pkg.unmarshals[t.decl.name] {
			return nil, nil
		}
		return object{}, nil
	case omitEmpty || t.builtin == "":
		return nil, nil
	case t.builtin == "string":
		return "", nil
	case t.builtin == "bool":
		return false, nil
	}
	return 0, nil
}

func (s *schemas) parseDefault(marker string, t resolved) (any, error) {
	if reference, is := strings.CutPrefix(marker, "ref("); is {
		reference = strings.TrimSuffix(reference, ")")
		pkg := t.scope.pkg
		if dot := strings.LastIndexByte(reference, '.'); dot >= 0 {
			loaded, err := s.source.load(reference[:dot])
			if err != nil {
				return nil, err
			}
			pkg, reference = loaded, reference[dot+1:]
		}
		if c, found := pkg.constants[reference]; found {
			return c.value, nil
		}
		return nil, fmt.Errorf("no constant %s", reference)
	}
	var value any
	err := json.Unmarshal([]byte(marker), &value)
	return value, err
}
