package validation

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// mapping is a file that a volume makes, and what it comes from.
type mapping struct{ path, source string }

func (m mapping) String() string {
	if m.source == "" {
		return fmt.Sprintf("%q", m.path)
	}
	return fmt.Sprintf("%q (%s)", m.path, m.source)
}

// overlappingPaths warns of volumes that put two things in one place.
func overlappingPaths(list []corev1.Volume) []string {
	var warnings []string
	check := func(volume, description string, mappings []mapping) {
		for i := range mappings {
			mappings[i].path = strings.TrimRight(mappings[i].path, "/")
			for _, earlier := range mappings[:i] {
				if overlap(mappings[i], earlier) {
					warnings = append(warnings, fmt.Sprintf("volume %q (%s): overlapping paths: %s with %s", volume, description, mappings[i], earlier))
				}
			}
		}
	}
	for i := range list {
		volume := &list[i]
		switch {
		case volume.ConfigMap != nil:
			check(volume.Name, fmt.Sprintf("ConfigMap %q", volume.ConfigMap.Name), keyMappings(volume.ConfigMap.Items, ""))
		case volume.Secret != nil:
			check(volume.Name, fmt.Sprintf("Secret %q", volume.Secret.SecretName), keyMappings(volume.Secret.Items, ""))
		case volume.DownwardAPI != nil:
			check(volume.Name, "DownwardAPI", fileMappings(volume.DownwardAPI.Items))
		case volume.Projected != nil:
			var all []mapping
			for _, source := range volume.Projected.Sources {
				if source == (corev1.VolumeProjection{}) {
					warnings = append(warnings, fmt.Sprintf("volume %q (Projected) has no sources provided", volume.Name))
				}
				all = append(all, projectedMappings(&source)...)
			}
			check(volume.Name, "Projected", all)
		}
	}
	return warnings
}

func overlap(a, b mapping) bool {
	if a.path == "" || b.path == "" {
		return false
	}
	return a == b || strings.HasPrefix(b.path+"/", a.path+"/") || strings.HasPrefix(a.path+"/", b.path+"/")
}

func keyMappings(items []corev1.KeyToPath, source string) []mapping {
	all := make([]mapping, len(items))
	for i := range items {
		all[i] = mapping{items[i].Path, source}
	}
	return all
}

func fileMappings(items []corev1.DownwardAPIVolumeFile) []mapping {
	all := make([]mapping, len(items))
	for i := range items {
		all[i] = mapping{items[i].Path, ""}
	}
	return all
}

func projectedMappings(source *corev1.VolumeProjection) []mapping {
	switch {
	case source.ConfigMap != nil:
		return keyMappings(source.ConfigMap.Items, fmt.Sprintf("ConfigMap %q", source.ConfigMap.Name))
	case source.Secret != nil:
		return keyMappings(source.Secret.Items, fmt.Sprintf("Secret %q", source.Secret.Name))
	case source.DownwardAPI != nil:
		return fileMappings(source.DownwardAPI.Items)
	case source.ServiceAccountToken != nil:
		return []mapping{{source.ServiceAccountToken.Path, "ServiceAccountToken"}}
	}
	return nil
}
