package generate

import "maps"

const referencePrefix3 = "#/components/schemas/"

func version3(b *builder) object {
	paths := object{}
	for _, item := range b.paths {
		path := object{}
		if len(item.parameters) > 0 {
			path["parameters"] = item.parameters
		}
		for _, op := range item.operations {
			path[op.method] = operation3(op)
		}
		paths[item.path] = path
	}
	schemas := object{}
	for name, schema := range b.schemas.byName {
		schemas[name] = schema3(alternatives(name, schema))
	}
	return object{
		"openapi":    "3.0.0",
		"info":       info,
		"paths":      paths,
		"components": object{"schemas": schemas, "securitySchemes": securityScheme},
	}
}

func operation3(op operation) object {
	o := common(op)
	if len(op.parameters) > 0 {
		o["parameters"] = op.parameters
	}
	if op.request != "" {
		types := op.requestTypes
		if types == nil {
			types = []string{"*/*"}
		}
		body := object{"content": content(types, op.request)}
		if op.requestRequired {
			body["required"] = true
		}
		o["requestBody"] = body
	}
	types := op.responseTypes
	if types == nil {
		types = mediaTypes
	}
	responses := object{"401": object{"description": statusTexts["401"]}}
	for _, status := range op.statuses {
		responses[status] = object{"description": statusTexts[status], "content": content(types, op.response)}
	}
	o["responses"] = responses
	return o
}

func content(types []string, model string) object {
	schema := object{"type": "string"}
	if model != "" {
		schema = object{"$ref": referencePrefix3 + model}
	}
	all := object{}
	for _, mediaType := range types {
		all[mediaType] = object{"schema": schema}
	}
	return all
}

// oneOf are the primitive types that a client may write in several ways.
var oneOf = map[string][]object{
	"io.k8s.apimachinery.pkg.api.resource.Quantity":   {{"type": "string"}, {"type": "number"}},
	"io.k8s.apimachinery.pkg.util.intstr.IntOrString": {{"type": "integer"}, {"type": "string"}},
}

func alternatives(name string, schema object) object {
	types, several := oneOf[name]
	if !several {
		return schema
	}
	schema = maps.Clone(schema)
	delete(schema, "type")
	schema["oneOf"] = types
	return schema
}

// schema3 rewrites a schema for v3, where a reference must stand alone: beside
// other keywords it goes into allOf.
func schema3(schema object) object {
	out := object{}
	for key, value := range schema {
		switch key {
		case "properties":
			properties := object{}
			for name, property := range value.(object) {
				properties[name] = schema3(property.(object))
			}
			out[key] = properties
		case "items", "additionalProperties":
			out[key] = schema3(value.(object))
		case "$ref":
			reference := object{"$ref": referencePrefix3 + value.(string)}
			if len(schema) == 1 {
				return reference
			}
			out["allOf"] = []object{reference}
		default:
			out[key] = value
		}
	}
	return out
}
