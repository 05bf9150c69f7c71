package custom

import (
	"encoding/json"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	k8sschema "k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersions are those in which declared kinds are served, in order.
func (d *Definitions) GroupVersions() []k8sschema.GroupVersion {
	var all []k8sschema.GroupVersion
	d.eachServed(func(crd *apiextensionsv1.CustomResourceDefinition, v *apiextensionsv1.CustomResourceDefinitionVersion) {
		gv := k8sschema.GroupVersion{Group: crd.Spec.Group, Version: v.Name}
		if !slices.Contains(all, gv) {
			all = append(all, gv)
		}
	})
	return all
}

func (d *Definitions) eachServed(visit func(*apiextensionsv1.CustomResourceDefinition, *apiextensionsv1.CustomResourceDefinitionVersion)) {
	d.Kinds()
	d.mu.Lock()
	known := d.known
	d.mu.Unlock()
	for _, each := range known {
		if each.kind == nil {
			continue
		}
		for i := range each.crd.Spec.Versions {
			if v := &each.crd.Spec.Versions[i]; v.Served {
				visit(each.crd, v)
			}
		}
	}
}

const (
	metaPrefix    = "io.k8s.apimachinery.pkg.apis.meta.v1."
	kindExtension = "x-kubernetes-group-version-kind"

	apiVersionDescription = "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources"
	kindDescription       = "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds"
	metadataDescription   = "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
)

// OpenAPI is the document of OpenAPI v3 of a group version, by which clients
// explain its kinds. builtin is the document of any group of Kubernetes' own,
// from which the schemas of metadata are taken.
func (d *Definitions) OpenAPI(gv k8sschema.GroupVersion, builtin []byte) ([]byte, error) {
	var own struct {
		Components struct {
			Schemas map[string]json.RawMessage `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(builtin, &own); err != nil {
		return nil, err
	}
	schemas, paths := map[string]any{}, map[string]any{}
	for name, text := range own.Components.Schemas {
		if strings.HasPrefix(name, metaPrefix) {
			schemas[name] = text
		}
	}
	var failed error
	d.eachServed(func(crd *apiextensionsv1.CustomResourceDefinition, v *apiextensionsv1.CustomResourceDefinitionVersion) {
		if crd.Spec.Group != gv.Group || v.Name != gv.Version {
			return
		}
		names := crd.Status.AcceptedNames
		gvk := map[string]any{"group": gv.Group, "version": gv.Version, "kind": names.Kind}
		described, err := describedSchema(v, gvk)
		if err != nil {
			failed = err
			return
		}
		model := modelName(gv, names.Kind)
		schemas[model] = described
		reference := map[string]any{"application/json": map[string]any{"schema": map[string]any{"$ref": "#/components/schemas/" + model}}}
		operation := func(action string, parameters ...string) map[string]any {
			return map[string]any{
				kindExtension: gvk, "x-kubernetes-action": action, "parameters": queryParameters(parameters),
				"responses": map[string]any{"200": map[string]any{"description": "OK", "content": reference}},
			}
		}
		write := []string{"dryRun", "fieldManager", "fieldValidation"}
		path := "/apis/" + gv.String() + "/"
		if crd.Spec.Scope == apiextensionsv1.NamespaceScoped {
			path += "namespaces/{namespace}/"
		}
		path += names.Plural
		paths[path] = map[string]any{"get": operation("list"), "post": operation("post", write...)}
		paths[path+"/{name}"] = map[string]any{"get": operation("get"), "put": operation("put", write...), "patch": operation("patch", append(write, "force")...), "delete": operation("delete")}
	})
	if failed != nil {
		return nil, failed
	}
	return json.Marshal(map[string]any{
		"openapi":    "3.0.0",
		"info":       map[string]any{"title": "Kubernetes CRD Swagger", "version": "v0.1.0"},
		"paths":      paths,
		"components": map[string]any{"schemas": schemas},
	})
}

// queryParameters describes them: clients look there whether the server checks
// fields, or whether they have to.
func queryParameters(names []string) []any {
	described := make([]any, len(names))
	for i, name := range names {
		schema := map[string]any{"type": "string", "uniqueItems": true}
		if name == "force" {
			schema["type"] = "boolean"
		}
		described[i] = map[string]any{"name": name, "in": "query", "schema": schema}
	}
	return described
}

// modelName is what the schema of a kind is called, "com.example.stable.v1.CronTab".
func modelName(gv k8sschema.GroupVersion, kind string) string {
	labels := strings.Split(gv.Group, ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "." + gv.Version + "." + kind
}

// describedSchema is a version's schema with what every resource has.
func describedSchema(v *apiextensionsv1.CustomResourceDefinitionVersion, gvk map[string]any) (map[string]any, error) {
	described := map[string]any{}
	if v.Schema != nil && v.Schema.OpenAPIV3Schema != nil {
		text, err := json.Marshal(v.Schema.OpenAPIV3Schema)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &described); err != nil {
			return nil, err
		}
	}
	properties, _ := described["properties"].(map[string]any)
	if properties == nil {
		properties = map[string]any{}
	}
	properties["apiVersion"] = map[string]any{"type": "string", "description": apiVersionDescription}
	properties["kind"] = map[string]any{"type": "string", "description": kindDescription}
	properties["metadata"] = map[string]any{
		"description": metadataDescription,
		"allOf":       []any{map[string]any{"$ref": "#/components/schemas/" + metaPrefix + "ObjectMeta"}},
	}
	described["type"], described["properties"] = "object", properties
	described[kindExtension] = []any{gvk}
	return described, nil
}
