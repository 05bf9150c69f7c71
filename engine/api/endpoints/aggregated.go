package endpoints

import (
	"io"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The types below are those of k8s.io/api/apidiscovery/v2, which are spelled
// out here because that package is large for so little.

type discoveryList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []groupDiscovery `json:"items"`
}

type groupDiscovery struct {
	Metadata discoveryMeta      `json:"metadata"`
	Versions []versionDiscovery `json:"versions"`
}

type discoveryMeta struct {
	Name              string  `json:"name,omitempty"`
	CreationTimestamp *string `json:"creationTimestamp"` // null, as upstream
}

type versionDiscovery struct {
	Version   string              `json:"version"`
	Resources []resourceDiscovery `json:"resources,omitempty"`
	Freshness string              `json:"freshness"`
}

type resourceDiscovery struct {
	Resource         string                 `json:"resource"`
	ResponseKind     responseKind           `json:"responseKind"`
	Scope            string                 `json:"scope"`
	SingularResource string                 `json:"singularResource"`
	Verbs            []string               `json:"verbs"`
	ShortNames       []string               `json:"shortNames,omitempty"`
	Categories       []string               `json:"categories,omitempty"`
	Subresources     []subresourceDiscovery `json:"subresources,omitempty"`
}

type subresourceDiscovery struct {
	Subresource  string       `json:"subresource"`
	ResponseKind responseKind `json:"responseKind"`
	Verbs        []string     `json:"verbs"`
}

type responseKind struct {
	Group   string `json:"group"`
	Version string `json:"version"`
	Kind    string `json:"kind"`
}

const discoveryGroup = "apidiscovery.k8s.io"

func aggregable(as schema.GroupVersionKind) bool {
	return as.Group == discoveryGroup && as.Kind == "APIGroupDiscoveryList" && (as.Version == "v2" || as.Version == "v2beta1")
}

// discoverAll answers /api and /apis, aggregated for those who can read it.
func (q *request) discoverAll(plain any, path string) error {
	var err error
	if q.media, err = negotiate(q.r, aggregable); err != nil {
		return err
	}
	q.w.Header().Set("Vary", "Accept")
	as := q.media.as
	if as.Empty() {
		q.send(http.StatusOK, plain)
		return nil
	}
	list := discoveryList{
		TypeMeta: metav1.TypeMeta{Kind: as.Kind, APIVersion: as.GroupVersion().String()},
		Items:    q.aggregated(path == "apis"),
	}
	q.w.Header().Set("Content-Type", q.media.contentType()+";g="+as.Group+";v="+as.Version+";as="+as.Kind)
	q.answer(http.StatusOK, func(w io.Writer) error { return q.encoder().Encode(w, list) })
	return nil
}

// aggregated describes the core group or all others.
func (q *request) aggregated(named bool) []groupDiscovery {
	list := []groupDiscovery{}
	for _, gv := range q.groups.versions {
		if (gv.Group != "") != named {
			continue
		}
		version := versionDiscovery{Version: gv.Version, Freshness: "Current"}
		for _, r := range q.groups.resources[gv] {
			version.Resources = append(version.Resources, describe(r))
		}
		if last := len(list) - 1; last >= 0 && list[last].Metadata.Name == gv.Group {
			list[last].Versions = append(list[last].Versions, version)
			continue
		}
		list = append(list, groupDiscovery{Metadata: discoveryMeta{Name: gv.Group}, Versions: []versionDiscovery{version}})
	}
	return list
}

func describe(r *resource) resourceDiscovery {
	described := resourceDiscovery{
		Resource:         r.Plural,
		ResponseKind:     kindOf(r.served),
		Scope:            "Cluster",
		SingularResource: r.Singular,
		Verbs:            r.verbs,
		ShortNames:       r.ShortNames,
		Categories:       r.Categories,
	}
	if r.Namespaced {
		described.Scope = "Namespaced"
	}
	for _, sub := range r.subresources {
		kind := sub.kind
		if kind.Empty() {
			kind = r.served
		}
		described.Subresources = append(described.Subresources, subresourceDiscovery{
			Subresource: sub.name, ResponseKind: kindOf(kind), Verbs: sub.verbs,
		})
	}
	return described
}

func kindOf(gvk schema.GroupVersionKind) responseKind {
	return responseKind{Group: gvk.Group, Version: gvk.Version, Kind: gvk.Kind}
}
