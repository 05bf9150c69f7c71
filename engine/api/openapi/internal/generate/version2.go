package generate

import "maps"

const referencePrefix2 = "#/definitions/"

func version2(s *schemas, items []pathItem) object {
	paths := object{}
	for _, item := range items {
		path := object{}
		if len(item.parameters) > 0 {
			path["parameters"] = parameters2(item.parameters)
		}
		for _, op := range item.operations {
			path[op.method] = operation2(op)
		}
		paths[item.path] = path
	}
	definitions := object{}
	for name, schema := range s.byName {
		definitions[name] = schema2(schema)
	}
	return object{
		"swagger":             "2.0",
		"info":                info,
		"paths":               paths,
		"definitions":         definitions,
		"security":            []object{{"BearerToken": []string{}}},
		"securityDefinitions": securityScheme,
	}
}

func operation2(op operation) object {
	o := common(op)
	o["schemes"] = []string{"https"}
	o["consumes"], o["produces"] = []string{"*/*"}, mediaTypes
	if op.requestTypes != nil {
		o["consumes"] = op.requestTypes
	}
	if op.responseTypes != nil {
		o["produces"] = op.responseTypes
	}
	parameters := parameters2(op.parameters)
	if op.request != "" {
		body := object{"in": "body", "name": "body", "schema": object{"$ref": referencePrefix2 + op.request}}
		if op.requestRequired {
			body["required"] = true
		}
		parameters = append([]object{body}, parameters...)
	}
	if len(parameters) > 0 {
		o["parameters"] = parameters
	}
	schema := object{"type": "string"}
	if op.response != "" {
		schema = object{"$ref": referencePrefix2 + op.response}
	}
	responses := object{"401": object{"description": statusTexts["401"]}}
	for _, status := range op.statuses {
		responses[status] = object{"description": statusTexts[status], "schema": schema}
	}
	o["responses"] = responses
	return o
}

// parameters2 puts a parameter's type beside its name, as v2 has it.
func parameters2(parameters []object) []object {
	var all []object
	for _, parameter := range parameters {
		flat := maps.Clone(parameter)
		delete(flat, "schema")
		maps.Copy(flat, parameter["schema"].(object))
		all = append(all, flat)
	}
	return all
}

// schema2 leaves out defaults, which v2 documents of Kubernetes do not have.
func schema2(schema object) object {
	out := object{}
	for key, value := range schema {
		switch key {
		case "default":
		case "properties":
			properties := object{}
			for name, property := range value.(object) {
				properties[name] = schema2(property.(object))
			}
			out[key] = properties
		case "items", "additionalProperties":
			out[key] = schema2(value.(object))
		case "$ref":
			out[key] = referencePrefix2 + value.(string)
		default:
			out[key] = value
		}
	}
	return out
}
