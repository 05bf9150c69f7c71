package managed

import (
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/store"
)

// scale is the subresource as a kind of its own.
var scale = &kind.Kind{
	GroupVersionKind: autoscalingv1.SchemeGroupVersion.WithKind("Scale"),
	New:              func() store.Object { return &autoscalingv1.Scale{} },
}

// replicas is where both a Scale and the kinds that scale have their number.
var replicas = fieldpath.MakePathOrDie("spec", "replicas")

// ScaleManagers are the managers of an object that are such of its Scale
// (ScaleHandler.ToSubresource of k8s.io/apimachinery/pkg/util/managedfields).
func ScaleManagers(k *kind.Kind, parent store.Object) []metav1.ManagedFieldsEntry {
	managed, err := decode(parent.GetManagedFields())
	if err != nil {
		return nil
	}
	own := entries{fieldpath.ManagedFields{}, managed.times}
	for name, versioned := range managed.fields {
		if string(versioned.APIVersion()) == k.GroupVersion().String() && versioned.Set().Has(replicas) {
			own.fields[name] = fieldpath.NewVersionedSet(fieldpath.NewSet(replicas),
				fieldpath.APIVersion(scale.GroupVersion().String()), versioned.Applied())
		}
	}
	list, _ := own.encode() // of one known field
	return list
}

// UpdateScale gives an object, as it is after its Scale has been updated from
// one to another, its managedFields.
func (t *Tracker) UpdateScale(k *kind.Kind, parent, next store.Object, live, updated *autoscalingv1.Scale, w Write) {
	live.SetManagedFields(ScaleManagers(k, parent))
	t.Update(scale, live, updated, w)
	next.SetManagedFields(parentManagers(k, parent, updated.GetManagedFields()))
}

// ApplyScale applies to an object's Scale. It returns the Scale and the managers
// that the object has then.
func (t *Tracker) ApplyScale(k *kind.Kind, parent store.Object, live *autoscalingv1.Scale, config *unstructured.Unstructured, force bool, w Write) (*autoscalingv1.Scale, []metav1.ManagedFieldsEntry, error) {
	live.SetManagedFields(ScaleManagers(k, parent))
	applied, err := t.Apply(scale, live, config, force, w)
	if err != nil {
		return nil, nil, err
	}
	return applied.(*autoscalingv1.Scale), parentManagers(k, parent, applied.GetManagedFields()), nil
}

// parentManagers are an object's managers after a write of its Scale
// (ScaleHandler.ToParent upstream, which loses the new managers' times too).
func parentManagers(k *kind.Kind, parent store.Object, scaled []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
	had := parent.GetManagedFields()
	before, err := decode(had)
	if err != nil {
		return had
	}
	after, err := decode(scaled)
	if err != nil {
		return had
	}
	version := fieldpath.APIVersion(k.GroupVersion().String())
	result := entries{fieldpath.ManagedFields{}, before.times}
	for name, versioned := range before.fields {
		if versioned.APIVersion() != version {
			continue
		}
		if _, still := after.fields[name]; !still && versioned.Set().Has(replicas) { // another manager has taken it over
			versioned = fieldpath.NewVersionedSet(versioned.Set().Difference(fieldpath.NewSet(replicas)), version, versioned.Applied())
			if versioned.Set().Empty() {
				continue
			}
		} else if still && versioned.Set().Has(replicas) {
			delete(after.fields, name)
		}
		result.fields[name] = versioned
	}
	for name, versioned := range after.fields {
		if versioned.Set().Has(replicas) {
			result.fields[name] = fieldpath.NewVersionedSet(fieldpath.NewSet(replicas), version, versioned.Applied())
		}
	}
	list, err := result.encode()
	if err != nil {
		return had
	}
	return list
}
