// Package history keeps the revisions of a template as ControllerRevisions, for
// the loops that roll back to them: those of DaemonSets and StatefulSets.
package history

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// Resource is that of the revisions.
const Resource = "controllerrevisions.apps"

// HashLabel is the label by which a pod names its revision.
const HashLabel = appsv1.ControllerRevisionHashLabelKey

// Patch is what a revision holds: a strategic merge patch that restores the
// template.
func Patch(template *corev1.PodTemplateSpec) ([]byte, error) {
	text, err := json.Marshal(template)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, err
	}
	fields["$patch"] = "replace"
	return json.Marshal(map[string]any{"spec": map[string]any{"template": fields}})
}

// Template is what a patch restores.
func Template(patch []byte) (*corev1.PodTemplateSpec, error) {
	var restored struct {
		Spec struct {
			Template corev1.PodTemplateSpec `json:"template"`
		} `json:"spec"`
	}
	if err := json.Unmarshal(patch, &restored); err != nil {
		return nil, err
	}
	return &restored.Spec.Template, nil
}

// Holds reports whether a revision holds a patch.
func Holds(r *appsv1.ControllerRevision, patch []byte) bool { return bytes.Equal(r.Data.Raw, patch) }

// Sort orders revisions, the oldest first.
func Sort(revisions []*appsv1.ControllerRevision) {
	slices.SortStableFunc(revisions, func(a, b *appsv1.ControllerRevision) int {
		return cmp.Or(cmp.Compare(a.Revision, b.Revision),
			a.CreationTimestamp.Time.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
}

// Next is the number after those of the revisions.
func Next(revisions []*appsv1.ControllerRevision) int64 {
	highest := int64(0)
	for _, r := range revisions {
		highest = max(highest, r.Revision)
	}
	return highest + 1
}
