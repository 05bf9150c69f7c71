package generate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// operation is one method of one path, in the terms that OpenAPI v2 and v3
// share; parameters carry their type as in v3.
type operation struct {
	method, id, summary string
	action              string
	gvk                 schema.GroupVersionKind
	tag                 string
	parameters          []object
	request             string // the body's schema name
	requestRequired     bool
	requestTypes        []string
	response            string // the answer's schema name; empty: text
	responseTypes       []string
	statuses            []string
}

// pathItem is one path with what holds for all its methods.
type pathItem struct {
	path       string
	parameters []object
	operations []operation
}

var (
	mediaTypes = []string{"application/json", "application/yaml"}
	watchTypes = []string{"application/json", "application/json;stream=watch", "application/yaml"}
	patchTypes = []string{
		"application/apply-patch+yaml", "application/json-patch+json",
		"application/merge-patch+json", "application/strategic-merge-patch+json",
	}
)

// builder makes the paths of one group version.
type builder struct {
	schemas *schemas
	gv      schema.GroupVersion
	paths   []pathItem
}

func (b *builder) meta(name string) string {
	model, err := b.schemas.add(metaPackage, name)
	if err != nil {
		panic(err)
	}
	return model
}

// query makes parameters of an options type's fields.
func (b *builder) query(importPath, typeName string, names ...string) ([]object, error) {
	decl, err := b.schemas.source.lookup(importPath, typeName)
	if err != nil {
		return nil, err
	}
	properties, _, err := b.schemas.members(decl)
	if err != nil {
		return nil, err
	}
	if names == nil {
		for name := range properties {
			names = append(names, name)
		}
	}
	var parameters []object
	for _, name := range names {
		property, found := properties[name].(object)
		if !found {
			return nil, fmt.Errorf("%s.%s has no %s", importPath, typeName, name)
		}
		kind, simple := property["type"].(string)
		if kind == "array" { // a parameter that may be repeated
			kind, simple = property["items"].(object)["type"].(string)
		}
		if !simple || kind == "object" || kind == "array" || name == "kind" || name == "apiVersion" {
			continue
		}
		parameter := object{"in": "query", "name": name, "schema": object{"type": kind, "uniqueItems": true}}
		if text, has := property["description"]; has {
			parameter["description"] = text
		}
		parameters = append(parameters, parameter)
	}
	slices.SortFunc(parameters, byName)
	return parameters, nil
}

func byName(a, b object) int { return cmp.Compare(a["name"].(string), b["name"].(string)) }

func pathParameter(name, description string) object {
	return object{
		"in": "path", "name": name, "required": true, "description": description,
		"schema": object{"type": "string", "uniqueItems": true},
	}
}

var (
	namespaceParameter = pathParameter("namespace", "object name and auth scope, such as for teams and projects")
	prettyParameter    = object{
		"in": "query", "name": "pretty", "schema": object{"type": "string", "uniqueItems": true},
		"description": "If 'true', then the output is pretty printed. Defaults to 'false' unless the user-agent indicates a browser or command-line HTTP tool (curl and wget).",
	}
)

// options are the query parameters of the verbs, as the options types have
// them.
func (b *builder) options(verb string) ([]object, error) {
	switch verb {
	case "list":
		return b.query(metaPackage, "ListOptions")
	case "create":
		return b.query(metaPackage, "CreateOptions")
	case "update":
		return b.query(metaPackage, "UpdateOptions")
	case "patch":
		return b.query(metaPackage, "PatchOptions")
	case "delete":
		return b.query(metaPackage, "DeleteOptions")
	case "deletecollection":
		deletes, err := b.query(metaPackage, "DeleteOptions")
		if err != nil {
			return nil, err
		}
		lists, err := b.query(metaPackage, "ListOptions")
		if err != nil {
			return nil, err
		}
		for _, parameter := range lists {
			if name := parameter["name"]; name != "watch" && name != "allowWatchBookmarks" {
				deletes = append(deletes, parameter)
			}
		}
		slices.SortFunc(deletes, byName)
		return deletes, nil
	}
	return nil, nil
}

func (b *builder) add(r resource) error {
	item, err := b.schemas.add(goPackagePath(b.gv), r.Kind)
	if err != nil {
		return err
	}
	lists := slices.Contains(r.verbs, "list")
	var list string
	if lists {
		if list, err = b.schemas.add(goPackagePath(b.gv), r.Kind+"List"); err != nil {
			return err
		}
	}
	prefix, scope := root(b.gv), ""
	var shared []object
	if r.namespaced {
		scope = "Namespaced"
		if lists {
			if err := b.addPath(prefix+"/"+r.plural, b.withPretty(nil), b.listAll(r, list)); err != nil {
				return err
			}
		}
		prefix += "/namespaces/{namespace}"
		shared = []object{namespaceParameter}
	}
	prefix += "/" + r.plural
	named := append([]object{pathParameter("name", "name of the "+r.Kind)}, shared...)
	if err := b.addPath(prefix, b.withPretty(shared), b.collection(r, item, list, scope)...); err != nil {
		return err
	}
	if err := b.addPath(prefix+"/{name}", b.withPretty(named), b.object(r, item, scope)...); err != nil {
		return err
	}
	for _, sub := range r.subresources {
		if err := b.addSubresource(r, sub, item, scope, prefix, shared); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) withPretty(parameters []object) []object {
	all := append(slices.Clone(parameters), prettyParameter)
	slices.SortFunc(all, byName)
	return all
}

func (b *builder) addPath(path string, parameters []object, operations ...operation) error {
	if len(operations) == 0 {
		return nil
	}
	for i := range operations {
		op := &operations[i]
		op.tag = tag(b.gv)
		own, err := b.options(op.action)
		if err != nil {
			return err
		}
		for _, parameter := range own {
			shared := func(p object) bool { return p["name"] == parameter["name"] }
			if !slices.ContainsFunc(parameters, shared) {
				op.parameters = append(op.parameters, parameter)
			}
		}
	}
	if len(operations) == 1 { // what all operations share is said once
		parameters = append(slices.Clone(parameters), operations[0].parameters...)
		slices.SortFunc(parameters, byName)
		operations[0].parameters = nil
	}
	b.paths = append(b.paths, pathItem{path: path, parameters: parameters, operations: operations})
	return nil
}

func (b *builder) listAll(r resource, list string) operation {
	op := b.list(r, list, "")
	op.id = "list" + title(b.gv) + r.Kind + "ForAllNamespaces"
	return op
}

func (b *builder) list(r resource, list, scope string) operation {
	return operation{
		method: "get", action: "list", gvk: r.GroupVersionKind,
		id:       "list" + title(b.gv) + scope + r.Kind,
		summary:  "list or watch objects of kind " + r.Kind,
		response: list, responseTypes: watchTypes, statuses: []string{"200"},
	}
}

func (b *builder) collection(r resource, item, list, scope string) []operation {
	var operations []operation
	for _, verb := range r.verbs {
		switch verb {
		case "list":
			operations = append(operations, b.list(r, list, scope))
		case "create":
			operations = append(operations, operation{
				method: "post", action: "create", gvk: r.GroupVersionKind,
				id:      "create" + title(b.gv) + scope + r.Kind,
				summary: "create " + article(r.Kind) + r.Kind,
				request: item, requestRequired: true,
				response: item, statuses: []string{"200", "201", "202"},
			})
		case "deletecollection":
			operations = append(operations, operation{
				method: "delete", action: "deletecollection", gvk: r.GroupVersionKind,
				id:      "delete" + title(b.gv) + "Collection" + scope + r.Kind,
				summary: "delete collection of " + r.Kind,
				request: b.meta("DeleteOptions"), response: b.meta("Status"), statuses: []string{"200"},
			})
		}
	}
	return operations
}

func (b *builder) object(r resource, item, scope string) []operation {
	var operations []operation
	for _, verb := range r.verbs {
		op := operation{action: verb, gvk: r.GroupVersionKind, response: item}
		switch verb {
		case "get":
			op.method, op.id, op.summary = "get", "read", "read the specified "
			op.statuses = []string{"200"}
		case "update":
			op.method, op.id, op.summary = "put", "replace", "replace the specified "
			op.request, op.requestRequired = item, true
			op.statuses = []string{"200", "201"}
		case "patch":
			op.method, op.id, op.summary = "patch", "patch", "partially update the specified "
			op.request, op.requestRequired, op.requestTypes = b.meta("Patch"), true, patchTypes
			op.statuses = []string{"200", "201"}
		case "delete":
			op.method, op.id, op.summary = "delete", "delete", "delete "+article(r.Kind)
			op.request, op.response = b.meta("DeleteOptions"), b.meta("Status")
			if r.Kind == "Pod" || r.Kind == "Service" || r.Kind == "ServiceAccount" {
				op.response = item // these answer with the object
			}
			op.statuses = []string{"200", "202"}
		default:
			continue
		}
		op.id += title(b.gv) + scope + r.Kind
		op.summary += r.Kind
		operations = append(operations, op)
	}
	return operations
}

func article(kind string) string {
	if strings.ContainsAny(kind[:1], "AEIOU") {
		return "an "
	}
	return "a "
}

func (b *builder) addSubresource(r resource, sub subresource, item, scope, prefix string, shared []object) error {
	body, gvk := item, r.GroupVersionKind
	if !sub.body.Empty() {
		gvk = sub.body
		model, err := b.schemas.add(goPackagePath(gvk.GroupVersion()), gvk.Kind)
		if err != nil {
			return err
		}
		body = model
	}
	if sub.parameters != "" && sub.name != "log" {
		gvk.Kind = sub.parameters
	}
	parameters := append([]object{pathParameter("name", "name of the "+gvk.Kind)}, shared...)
	if sub.parameters != "" {
		extra, err := b.query(goPackagePath(b.gv), sub.parameters)
		if err != nil {
			return err
		}
		parameters = append(parameters, extra...)
	}
	if !sub.text || sub.name == "log" {
		parameters = append(parameters, prettyParameter)
	}
	slices.SortFunc(parameters, byName)
	operations := make([]operation, 0, len(sub.verbs))
	for _, verb := range sub.verbs {
		operations = append(operations, b.subOperation(r, sub, verb, body, gvk, scope))
	}
	return b.addPath(prefix+"/{name}/"+sub.name, parameters, operations...)
}

func (b *builder) subOperation(r resource, sub subresource, verb, body string, gvk schema.GroupVersionKind, scope string) operation {
	op := operation{action: verb, gvk: gvk, response: body}
	suffix := title(b.gv) + scope + r.Kind + capitalize(sub.name)
	switch verb {
	case "get":
		op.method, op.id, op.summary = "get", "read"+suffix, "read "+sub.name+" of the specified "+r.Kind
		op.statuses = []string{"200"}
	case "create":
		op.method, op.id, op.summary = "post", "create"+suffix, "create "+sub.name+" of "+article(r.Kind)+r.Kind
		op.request, op.requestRequired = body, true
		op.statuses = []string{"200", "201", "202"}
	case "update":
		op.method, op.id, op.summary = "put", "replace"+suffix, "replace "+sub.name+" of the specified "+r.Kind
		op.request, op.requestRequired = body, true
		op.statuses = []string{"200", "201"}
	case "patch":
		op.method, op.id, op.summary = "patch", "patch"+suffix, "partially update "+sub.name+" of the specified "+r.Kind
		op.request, op.requestRequired, op.requestTypes = b.meta("Patch"), true, patchTypes
		op.statuses = []string{"200", "201"}
	}
	if sub.text {
		op.request, op.response, op.statuses = "", "", []string{"200"}
		op.responseTypes = []string{"*/*"}
		if sub.name == "log" {
			op.responseTypes = append([]string{"text/plain"}, mediaTypes...)
		} else {
			op.action = "connect"
			op.id = "connect" + title(b.gv) + capitalize(op.method) + scope + r.Kind + capitalize(sub.name)
			op.summary = "connect " + strings.ToUpper(op.method) + " requests to " + sub.name + " of " + r.Kind
		}
	}
	return op
}
