package endpoints

import (
	"cmp"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// discovery tells what the API serves, in one of two forms: a document for each
// group and version, or all of it at once (aggregated).
func (q *request) discovery(parts []string) error {
	if len(parts) == 1 && parts[0] == "api" {
		return q.discoverAll(q.coreVersions(), "")
	}
	if len(parts) == 1 {
		return q.discoverAll(q.groupList(), "apis")
	}
	if parts[0] == "api" {
		return q.discoverVersion(schema.GroupVersion{Version: parts[1]})
	}
	if len(parts) == 2 {
		for _, group := range q.apiGroups() {
			if group.Name == parts[1] {
				group.TypeMeta = metav1.TypeMeta{Kind: "APIGroup", APIVersion: "v1"}
				return q.object(group)
			}
		}
		return notFound()
	}
	return q.discoverVersion(schema.GroupVersion{Group: parts[1], Version: parts[2]})
}

// GroupVersions are those that are served now, in the order of discovery.
func (h *Handler) GroupVersions() []schema.GroupVersion { return h.current().versions }

func (q *request) coreVersions() any {
	return metav1.APIVersions{
		TypeMeta: metav1.TypeMeta{Kind: "APIVersions"},
		Versions: []string{"v1"},
		ServerAddressByClientCIDRs: []metav1.ServerAddressByClientCIDR{
			{ClientCIDR: "0.0.0.0/0", ServerAddress: q.r.Host},
		},
	}
}

func (q *request) groupList() any {
	return metav1.APIGroupList{
		TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"},
		Groups:   q.apiGroups(),
	}
}

func (q *request) apiGroups() []metav1.APIGroup {
	var list []metav1.APIGroup
	for _, gv := range q.groups.versions {
		if gv.Group == "" {
			continue
		}
		version := metav1.GroupVersionForDiscovery{GroupVersion: gv.String(), Version: gv.Version}
		if last := len(list) - 1; last >= 0 && list[last].Name == gv.Group {
			list[last].Versions = append(list[last].Versions, version)
			continue
		}
		list = append(list, metav1.APIGroup{
			Name:             gv.Group,
			Versions:         []metav1.GroupVersionForDiscovery{version},
			PreferredVersion: version,
		})
	}
	return list
}

func (q *request) discoverVersion(gv schema.GroupVersion) error {
	resources, served := q.groups.resources[gv]
	if !served {
		return notFound()
	}
	list := metav1.APIResourceList{
		TypeMeta:     metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"},
		GroupVersion: gv.String(),
		APIResources: []metav1.APIResource{},
	}
	if gv.Group == "" { // upstream's quirk: the core group's list has no version
		list.APIVersion = ""
	}
	for _, r := range resources {
		list.APIResources = append(list.APIResources, metav1.APIResource{
			Name:         r.Plural,
			SingularName: r.Singular,
			Namespaced:   r.Namespaced,
			Kind:         r.served.Kind,
			Verbs:        r.verbs,
			ShortNames:   r.ShortNames,
			Categories:   r.Categories,
		})
		for _, sub := range r.subresources {
			entry := metav1.APIResource{
				Name:       r.Plural + "/" + sub.name,
				Namespaced: r.Namespaced,
				Kind:       cmp.Or(sub.kind.Kind, r.served.Kind),
				Verbs:      sub.verbs,
			}
			if sub.kind.GroupVersion() != gv {
				entry.Group, entry.Version = sub.kind.Group, sub.kind.Version
			}
			list.APIResources = append(list.APIResources, entry)
		}
	}
	slices.SortStableFunc(list.APIResources, func(a, b metav1.APIResource) int { return cmp.Compare(a.Name, b.Name) })
	return q.object(list)
}
