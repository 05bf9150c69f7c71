package generate

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	openapiv2 "github.com/google/gnostic-models/openapiv2"
	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/openapi"
)

// Documents makes the OpenAPI documents of the kinds: JSON by path below
// /openapi, e.g. "v2" and "v3/apis/apps/v1", and openapi.Protobuf.
func Documents(kinds []*kind.Kind) (map[string][]byte, error) {
	groups := map[schema.GroupVersion][]resource{}
	for _, k := range kinds {
		gv := k.GroupVersion()
		r := resourceOf(k)
		groups[gv] = append(groups[gv], r)
		for _, version := range k.Versions {
			r.GroupVersionKind = version.GroupVersionKind
			groups[version.GroupVersion()] = append(groups[version.GroupVersion()], r)
		}
	}
	versions := slices.Collect(maps.Keys(groups))
	slices.SortFunc(versions, func(a, b schema.GroupVersion) int { return cmp.Compare(root(a), root(b)) })

	documents := map[string][]byte{}
	var all []pathItem
	merged := newSchemas()
	for _, gv := range versions {
		b := &builder{schemas: newSchemas(), gv: gv}
		if err := b.discovery(); err != nil {
			return nil, err
		}
		resources := groups[gv]
		slices.SortFunc(resources, func(a, b resource) int { return cmp.Compare(a.plural, b.plural) })
		for _, r := range resources {
			if err := b.add(r); err != nil {
				return nil, err
			}
		}
		b.schemas.identify(gv)
		text, err := json.Marshal(version3(b))
		if err != nil {
			return nil, err
		}
		documents["v3"+root(gv)] = text
		all = append(all, b.paths...)
		merge(merged.byName, b.schemas.byName)
	}
	text, err := json.Marshal(version2(merged, all))
	if err != nil {
		return nil, err
	}
	documents["v2"] = text
	documents[openapi.Protobuf], err = protobuf(text)
	return documents, err
}

// protobuf encodes the document of OpenAPI v2 for clients that read it in no
// other way.
func protobuf(text []byte) ([]byte, error) {
	document, err := openapiv2.ParseDocument(text)
	if err != nil {
		return nil, err
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(document)
}

// merge adds schemas; those of several group versions are of all of them.
func merge(into, from map[string]object) {
	const extension = "x-kubernetes-group-version-kind"
	for name, schema := range from {
		if existing, found := into[name]; found {
			kinds, _ := existing[extension].([]object)
			more, _ := schema[extension].([]object)
			for _, gvk := range more {
				if !slices.ContainsFunc(kinds, func(k object) bool { return maps.Equal(k, gvk) }) {
					kinds = append(kinds, gvk)
				}
			}
			if len(kinds) > 0 {
				existing[extension] = kinds
			}
			continue
		}
		into[name] = schema
	}
}

// discovery adds the path that lists a group version's resources.
func (b *builder) discovery() error {
	return b.addPath(root(b.gv)+"/", nil, operation{
		method: "get", id: "get" + title(b.gv) + "APIResources", summary: "get available resources",
		response: b.meta("APIResourceList"), statuses: []string{"200"},
	})
}

// identify says of which kinds the schemas are.
func (s *schemas) identify(gv schema.GroupVersion) {
	const metaPrefix = "io.k8s.apimachinery.pkg.apis.meta.v1."
	for name, sch := range s.byName {
		if short, meta := strings.CutPrefix(name, metaPrefix); meta {
			switch short {
			case "Status", "APIResourceList":
				sch["x-kubernetes-group-version-kind"] = []object{gvkObject(core(short))}
			case "DeleteOptions", "WatchEvent":
				kinds := []object{gvkObject(core(short))}
				if gv.Group != "" {
					kinds = append(kinds, gvkObject(gv.WithKind(short)))
				}
				sch["x-kubernetes-group-version-kind"] = kinds
			}
			continue
		}
		properties, _ := sch["properties"].(object)
		if _, has := properties["apiVersion"].(object); !has || properties["metadata"] == nil {
			continue
		}
		if gvk, ours := s.kindOf(name); ours {
			sch["x-kubernetes-group-version-kind"] = []object{gvkObject(gvk)}
		}
	}
}

// groupNames are the full names of groups that are named after a domain.
var groupNames = map[string]string{
	"core": "", "admissionregistration": "admissionregistration.k8s.io", "authentication": "authentication.k8s.io",
	"authorization": "authorization.k8s.io", "certificates": "certificates.k8s.io", "coordination": "coordination.k8s.io",
	"discovery": "discovery.k8s.io", "events": "events.k8s.io", "flowcontrol": "flowcontrol.apiserver.k8s.io",
	"networking": "networking.k8s.io", "node": "node.k8s.io", "rbac": "rbac.authorization.k8s.io",
	"resource": "resource.k8s.io", "scheduling": "scheduling.k8s.io", "storage": "storage.k8s.io",
	"storagemigration": "storagemigration.k8s.io",
}

func (s *schemas) kindOf(name string) (schema.GroupVersionKind, bool) {
	if kind, is := strings.CutPrefix(name, modelName(extensionsPackage, "")); is {
		return schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: kind}, true
	}
	if kind, is := strings.CutPrefix(name, modelName(registrationPackage, "")); is {
		return schema.GroupVersionKind{Group: "apiregistration.k8s.io", Version: "v1", Kind: kind}, true
	}
	parts := strings.Split(name, ".") // io k8s api GROUP VERSION KIND
	if len(parts) != 6 || parts[2] != "api" || parts[5] == "PersistentVolumeClaimTemplate" {
		return schema.GroupVersionKind{}, false
	}
	group, full := groupNames[parts[3]]
	if !full {
		group = parts[3]
	}
	return schema.GroupVersionKind{Group: group, Version: parts[4], Kind: parts[5]}, true
}

func gvkObject(gvk schema.GroupVersionKind) object {
	return object{"group": gvk.Group, "version": gvk.Version, "kind": gvk.Kind}
}

var (
	info           = object{"title": "Kubernetes", "version": "unversioned"}
	securityScheme = object{"BearerToken": object{
		"description": "Bearer Token authentication", "in": "header", "name": "authorization", "type": "apiKey",
	}}
)

// actions are what the extension calls the verbs.
var actions = map[string]string{"create": "post", "update": "put"}

func common(op operation) object {
	o := object{"description": op.summary, "operationId": op.id, "tags": []string{op.tag}}
	if op.action != "" {
		o["x-kubernetes-action"] = cmp.Or(actions[op.action], op.action)
		o["x-kubernetes-group-version-kind"] = gvkObject(op.gvk)
	}
	return o
}

var statusTexts = map[string]string{"200": "OK", "201": "Created", "202": "Accepted", "401": "Unauthorized"}
