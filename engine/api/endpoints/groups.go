package endpoints

import (
	"cmp"
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"

	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/reviews"
	"tidepool.dev/tidepool/engine/store"
)

// groups finds the served resources.
type groups struct {
	versions  []schema.GroupVersion // in the order of discovery
	resources map[schema.GroupVersion][]*resource
	kinds     map[schema.GroupVersionKind]bool
	// generation is that of the kinds.
	generation int64
}

// resource is a kind as it is served in one group version.
type resource struct {
	*kind.Kind
	// served names the kind in this group version, which is not that of the
	// stored objects where version is set.
	served       schema.GroupVersionKind
	verbs        []string
	subresources []subresource
	version      *kind.Version
	// answer is set for kinds that are questions.
	answer func(context.Context, identity.User, store.Object) (store.Object, error)
}

// subresource is an entry below an object.
type subresource struct {
	name  string
	verbs []string
	// kind is that of the bodies; the resource's own if it is empty.
	kind schema.GroupVersionKind
}

var allVerbs = []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}

var readWrite = []string{"get", "patch", "update"}

// priority is the order in which Kubernetes lists groups; others come last, by
// name.
var priority = []string{
	"", "apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch",
	"certificates.k8s.io", "networking.k8s.io", "policy", "rbac.authorization.k8s.io", "storage.k8s.io",
	"admissionregistration.k8s.io", "apiextensions.k8s.io", "scheduling.k8s.io", "coordination.k8s.io",
	"node.k8s.io", "discovery.k8s.io", "resource.k8s.io", "flowcontrol.apiserver.k8s.io", "storagemigration.k8s.io",
}

func newGroups(kinds []*kind.Kind, questions []reviews.Review) *groups {
	g := &groups{resources: map[schema.GroupVersion][]*resource{}, kinds: map[schema.GroupVersionKind]bool{}}
	for _, k := range kinds {
		if !k.Unserved {
			g.add(&resource{Kind: k, served: k.GroupVersionKind, verbs: verbsOf(k), subresources: subresourcesOf(k)})
		}
		for i := range k.Versions {
			v := &k.Versions[i]
			as := cmp.Or(v.As, k)
			g.add(&resource{Kind: as, served: v.GroupVersionKind, verbs: verbsOf(as), subresources: subresourcesOf(as), version: v})
		}
	}
	for _, r := range questions {
		g.add(&resource{Kind: r.Kind, served: r.GroupVersionKind, verbs: verbsOf(r.Kind), answer: r.Answer})
	}
	binding := Binding()
	g.add(&resource{Kind: binding, served: bindingKind, verbs: verbsOf(binding)})
	for gv, resources := range g.resources {
		g.versions = append(g.versions, gv)
		slices.SortFunc(resources, func(a, b *resource) int { return strings.Compare(a.Plural, b.Plural) })
	}
	slices.SortFunc(g.versions, func(a, b schema.GroupVersion) int {
		if byRank := rank(a.Group) - rank(b.Group); byRank != 0 {
			return byRank
		}
		return cmp.Or(strings.Compare(a.Group, b.Group), version.CompareKubeAwareVersionStrings(b.Version, a.Version))
	})
	for _, gvk := range []schema.GroupVersionKind{scaleKind, bindingKind, evictionKind, tokenRequestKind} {
		g.kinds[gvk] = true
	}
	return g
}

func (g *groups) add(r *resource) {
	gv := r.served.GroupVersion()
	g.resources[gv] = append(g.resources[gv], r)
	g.kinds[r.served] = true
}

func rank(group string) int {
	if at := slices.Index(priority, group); at >= 0 {
		return at
	}
	return len(priority)
}

// find returns the resource of a group version, nil if there is none.
func (g *groups) find(gv schema.GroupVersion, plural string) *resource {
	for _, r := range g.resources[gv] {
		if r.Plural == plural {
			return r
		}
	}
	return nil
}

// customVerbs are allVerbs in the order in which custom resources have them.
var customVerbs = []string{"delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"}

func verbsOf(k *kind.Kind) []string {
	if k.Custom() {
		return customVerbs
	}
	return slices.DeleteFunc(slices.Clone(allVerbs), func(verb string) bool { return slices.Contains(k.NoVerbs, verb) })
}

func subresourcesOf(k *kind.Kind) []subresource {
	var subs []subresource
	switch k.Resource() {
	case "pods":
		subs = []subresource{
			{name: "attach", verbs: connectable, kind: corev1.SchemeGroupVersion.WithKind("PodAttachOptions")},
			{name: "exec", verbs: connectable, kind: corev1.SchemeGroupVersion.WithKind("PodExecOptions")},
			{name: "portforward", verbs: connectable, kind: corev1.SchemeGroupVersion.WithKind("PodPortForwardOptions")},
			{name: "proxy", verbs: proxyable, kind: corev1.SchemeGroupVersion.WithKind("PodProxyOptions")},
			{name: "binding", verbs: []string{"create"}, kind: bindingKind},
			{name: "eviction", verbs: []string{"create"}, kind: evictionKind},
			{name: "log", verbs: []string{"get"}},
		}
	case "serviceaccounts":
		subs = []subresource{{name: "token", verbs: []string{"create"}, kind: tokenRequestKind}}
	case "services":
		subs = []subresource{{name: "proxy", verbs: proxyable, kind: corev1.SchemeGroupVersion.WithKind("ServiceProxyOptions")}}
	case "nodes":
		subs = []subresource{{name: "proxy", verbs: proxyable, kind: corev1.SchemeGroupVersion.WithKind("NodeProxyOptions")}}
	case "namespaces":
		subs = []subresource{{name: "finalize", verbs: []string{"update"}}}
	}
	for i := range k.Parts {
		subs = append(subs, subresource{name: k.Parts[i].Name, verbs: readWrite})
	}
	if k.PrepareForApproval != nil {
		subs = append(subs, subresource{name: "approval", verbs: readWrite})
	}
	if k.Scale != nil {
		subs = append(subs, subresource{name: "scale", verbs: readWrite, kind: scaleKind})
	}
	if k.PrepareForStatusUpdate != nil {
		subs = append(subs, subresource{name: "status", verbs: readWrite})
	}
	return subs
}

func (r *resource) subresource(name string) (subresource, bool) {
	for _, sub := range r.subresources {
		if sub.name == name {
			return sub, true
		}
	}
	return subresource{}, false
}
