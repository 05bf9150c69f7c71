package generate

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"tidepool.dev/tidepool/engine/api/kind"
)

// resource is what a group version serves under one plural name.
type resource struct {
	schema.GroupVersionKind
	plural       string
	namespaced   bool
	verbs        []string
	subresources []subresource
}

// subresource is what is served below an object of a resource.
type subresource struct {
	name  string
	verbs []string
	// body is the kind that is read and written, that of the resource if
	// empty.
	body schema.GroupVersionKind
	// parameters names a type of the resource's group version whose fields
	// are query parameters.
	parameters string
	// text answers are not objects.
	text bool
}

var verbs = []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}

// readWrite are the verbs of a subresource that shows a part of an object.
var readWrite = []string{"get", "patch", "update"}

// special are the subresources that kinds do not declare.
var special = map[string][]subresource{
	"pods": {
		{name: "attach", verbs: []string{"get", "create"}, parameters: "PodAttachOptions", text: true},
		{name: "binding", verbs: []string{"create"}, body: core("Binding")},
		{name: "ephemeralcontainers", verbs: readWrite},
		{name: "eviction", verbs: []string{"create"}, body: schema.GroupVersionKind{Group: "policy", Version: "v1", Kind: "Eviction"}},
		{name: "exec", verbs: []string{"get", "create"}, parameters: "PodExecOptions", text: true},
		{name: "log", verbs: []string{"get"}, parameters: "PodLogOptions", text: true},
		{name: "portforward", verbs: []string{"get", "create"}, parameters: "PodPortForwardOptions", text: true},
		{name: "resize", verbs: readWrite},
	},
	"namespaces": {
		{name: "finalize", verbs: []string{"update"}},
	},
	"serviceaccounts": {
		{name: "token", verbs: []string{"create"}, body: schema.GroupVersionKind{Group: "authentication.k8s.io", Version: "v1", Kind: "TokenRequest"}},
	},
}

func core(kind string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Version: "v1", Kind: kind}
}

func resourceOf(k *kind.Kind) resource {
	r := resource{GroupVersionKind: k.GroupVersionKind, plural: k.Plural, namespaced: k.Namespaced}
	for _, verb := range verbs {
		if !slices.Contains(k.NoVerbs, verb) {
			r.verbs = append(r.verbs, verb)
		}
	}
	r.subresources = slices.Clone(special[k.Resource()])
	if k.PrepareForApproval != nil {
		r.subresources = append(r.subresources, subresource{name: "approval", verbs: readWrite})
	}
	if k.PrepareForStatusUpdate != nil {
		r.subresources = append(r.subresources, subresource{name: "status", verbs: readWrite})
	}
	if k.Scale != nil {
		scale := schema.GroupVersionKind{Group: "autoscaling", Version: "v1", Kind: "Scale"}
		r.subresources = append(r.subresources, subresource{name: "scale", verbs: readWrite, body: scale})
	}
	return r
}

// root is the path below which a group version is served.
func root(gv schema.GroupVersion) string {
	if gv.Group == "" {
		return "/api/" + gv.Version
	}
	return "/apis/" + gv.Group + "/" + gv.Version
}

// goPackagePath is where a group version's types are.
func goPackagePath(gv schema.GroupVersion) string {
	if gv.Group == "" {
		return "k8s.io/api/core/" + gv.Version
	}
	name, _, _ := strings.Cut(gv.Group, ".")
	switch name {
	case "apiextensions":
		return extensionsPackage
	case "apiregistration":
		return registrationPackage
	}
	return "k8s.io/api/" + name + "/" + gv.Version
}

// title is the group version as part of an operation's name, e.g. "CoreV1".
func title(gv schema.GroupVersion) string {
	name, _, _ := strings.Cut(gv.Group, ".")
	if name == "" {
		name = "core"
	}
	return capitalize(name) + capitalize(gv.Version)
}

func tag(gv schema.GroupVersion) string {
	name, _, _ := strings.Cut(gv.Group, ".")
	if name == "" {
		name = "core"
	}
	return name + "_" + gv.Version
}

func capitalize(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
