package generate

import (
	"go/ast"
	"maps"
	"strings"
)

// extensionOf maps markers to the schema extensions that carry them.
var extensionOf = map[string]string{
	"patchMergeKey": "x-kubernetes-patch-merge-key",
	"patchStrategy": "x-kubernetes-patch-strategy",
	"listMapKey":    "x-kubernetes-list-map-keys",
	"listType":      "x-kubernetes-list-type",
	"mapType":       "x-kubernetes-map-type",
	"structType":    "x-kubernetes-map-type",
}

func extensions(schema object, doc comments) {
	for _, value := range doc.markers("k8s:openapi-gen") {
		if name, text, found := strings.Cut(value, ":"); found && strings.HasPrefix(name, "x-kubernetes-") {
			schema[name] = text
		}
	}
	for marker, name := range extensionOf {
		values := doc.markers(marker)
		switch {
		case len(values) == 0:
		case len(values) > 1 || marker == "listMapKey":
			schema[name] = values
		default:
			schema[name] = values[0]
		}
	}
}

// unions describes the fields of which only one may be set.
func (s *schemas) unions(decl *typeDecl) []object {
	var found []object
	structure := decl.expr.(*ast.StructType)
	union := object{}
	whole := decl.comments.marked("union")
	discriminated := object{}
	for _, field := range structure.Fields.List {
		doc, tag := lines(field.Doc), jsonTag(field)
		if len(field.Names) == 0 && tag.name == "" {
			if embedded, err := s.resolve(field.Type, decl); err == nil && embedded.decl != nil {
				found = append(found, s.unions(embedded.decl)...)
			}
			continue
		}
		switch {
		case doc.marked("unionDiscriminator"):
			union["discriminator"] = tag.name
		case whole || doc.marked("unionDeprecated"):
			discriminated[tag.name] = fieldName(field)
		}
	}
	if len(discriminated) > 0 {
		union["fields-to-discriminateBy"] = maps.Clone(discriminated)
		found = append(found, union)
	}
	return found
}
