package generate

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tidepool.dev/tidepool/engine/api/openapi"
)

// Merging makes the table of openapi.Merging from the documents, of which those
// of OpenAPI v3 tell the most.
func Merging(documents map[string][]byte) (string, error) {
	definitions := map[string]mergingSchema{}
	for path, text := range documents {
		if !strings.HasPrefix(path, "v3/") {
			continue
		}
		var document struct {
			Components struct {
				Schemas map[string]mergingSchema `json:"schemas"`
			} `json:"components"`
		}
		if err := json.Unmarshal(text, &document); err != nil {
			return "", err
		}
		maps.Copy(definitions, document.Components.Schemas)
	}
	keys := map[string]bool{} // fields that are somewhere a key of list items
	for _, definition := range definitions {
		for _, property := range definition.Properties {
			for _, key := range property.keys() {
				keys[key] = true
			}
		}
	}
	var table strings.Builder
	for _, name := range slices.Sorted(maps.Keys(definitions)) {
		definition := definitions[name]
		var words []string
		if definition.MapType == "atomic" {
			words = append(words, openapi.MergingAtomic)
		}
		for _, field := range slices.Sorted(maps.Keys(definition.Properties)) {
			property := definition.Properties[field]
			if word := property.word(); word != "" {
				words = append(words, field+word)
			}
			if value, is := property.Default.(string); is && keys[field] && (value != "" || !slices.Contains(definition.Required, field)) {
				words = append(words, field+openapi.MergingDefault+value)
			}
		}
		if len(words) > 0 {
			fmt.Fprintf(&table, "%s %s\n", name, strings.Join(words, " "))
		}
	}
	return table.String(), nil
}

// mergingSchema is what of a schema says how it merges.
type mergingSchema struct {
	MapType       string                   `json:"x-kubernetes-map-type"`
	ListType      string                   `json:"x-kubernetes-list-type"`
	ListKeys      []string                 `json:"x-kubernetes-list-map-keys"`
	PatchStrategy string                   `json:"x-kubernetes-patch-strategy"`
	PatchKey      string                   `json:"x-kubernetes-patch-merge-key"`
	Type          string                   `json:"type"`
	Default       any                      `json:"default"`
	Properties    map[string]mergingSchema `json:"properties"`
	Required      []string                 `json:"required"`
}

// keys follow k8s.io/kube-openapi/pkg/schemaconv: the list's type counts, and
// without one the strategy of patches.
func (s mergingSchema) keys() []string {
	switch {
	case s.ListType == "map":
		return s.ListKeys
	case s.ListType == "" && strings.HasPrefix(s.PatchStrategy, "merge") && s.PatchKey != "":
		return []string{s.PatchKey}
	}
	return nil
}

func (s mergingSchema) word() string {
	switch {
	case s.MapType == "atomic":
		return openapi.MergingAtomic
	case s.MapType == "granular":
		return openapi.MergingGranular
	case s.Type != "array":
	case s.ListType == "set", s.ListType == "" && strings.HasPrefix(s.PatchStrategy, "merge") && s.PatchKey == "":
		return openapi.MergingSet
	case len(s.keys()) > 0:
		return openapi.MergingKeys + strings.Join(s.keys(), ",")
	}
	return ""
}
