package custom

import (
	"encoding/json"
	"maps"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	k8sschema "k8s.io/apimachinery/pkg/runtime/schema"
)

// OpenAPI2 is a document of OpenAPI v2 that has the schemas of all declared
// kinds, and refers to those of metadata in Kubernetes' own document; nil where
// nothing is declared. What this older form can't say is left out
// (k8s.io/apiextensions-apiserver/pkg/controller/openapi/v2 upstream).
func (d *Definitions) OpenAPI2() ([]byte, error) {
	definitions := map[string]any{}
	var failed error
	d.eachServed(func(crd *apiextensionsv1.CustomResourceDefinition, v *apiextensionsv1.CustomResourceDefinitionVersion) {
		gv := k8sschema.GroupVersion{Group: crd.Spec.Group, Version: v.Name}
		kind := crd.Status.AcceptedNames.Kind
		described, err := describedSchema(v, map[string]any{"group": gv.Group, "version": gv.Version, "kind": kind})
		if err != nil {
			failed = err
			return
		}
		definitions[modelName(gv, kind)] = older(described)
	})
	if failed != nil || len(definitions) == 0 {
		return nil, failed
	}
	return json.Marshal(map[string]any{
		"swagger": "2.0", "info": map[string]any{"title": "Kubernetes", "version": "unversioned"},
		"paths": map[string]any{}, "definitions": definitions,
	})
}

// older makes a schema of OpenAPI v2 of one of v3.
func older(schema map[string]any) map[string]any {
	made := maps.Clone(schema)
	if all, ok := made["allOf"].([]any); ok && len(all) == 1 { // a reference with a description
		if only, ok := all[0].(map[string]any); ok && only["$ref"] != nil {
			maps.Copy(made, only)
		}
	}
	for _, key := range []string{"allOf", "anyOf", "oneOf", "not"} {
		delete(made, key)
	}
	if made["nullable"] == true { // a value of any type
		delete(made, "type")
		delete(made, "items")
		delete(made, "properties")
	}
	delete(made, "nullable")
	if made["x-kubernetes-preserve-unknown-fields"] == true {
		delete(made, "items")
		if made["x-kubernetes-group-version-kind"] == nil {
			delete(made, "properties")
			delete(made, "type")
		}
	}
	if ref, ok := made["$ref"].(string); ok {
		made["$ref"] = strings.Replace(ref, "#/components/schemas/", "#/definitions/", 1)
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if inner, ok := made[key].(map[string]any); ok {
			made[key] = older(inner)
		}
	}
	if properties, ok := made["properties"].(map[string]any); ok {
		next := map[string]any{}
		for name, inner := range properties {
			if inner, ok := inner.(map[string]any); ok {
				next[name] = older(inner)
			}
		}
		made["properties"] = next
	}
	return made
}
