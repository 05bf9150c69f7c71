package statefulset

import (
	"context"
	stderrors "errors"
	"fmt"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/store"
)

func claimName(set *appsv1.StatefulSet, template *corev1.PersistentVolumeClaim, ordinal int) string {
	return fmt.Sprintf("%s-%s-%d", template.Name, set.Name, ordinal)
}

func (t *turn) claim(template *corev1.PersistentVolumeClaim, pod *corev1.Pod) (*corev1.PersistentVolumeClaim, bool) {
	return cache.Get[*corev1.PersistentVolumeClaim](t.cache, claimResource, t.set.Namespace, claimName(t.set, template, ordinalOf(pod)))
}

// createClaims makes the claims that a pod needs and that are not there.
func (t *turn) createClaims(ctx context.Context, pod *corev1.Pod) error {
	var failures []error
	for i := range t.set.Spec.VolumeClaimTemplates {
		template := &t.set.Spec.VolumeClaimTemplates[i]
		if present, ok := t.claim(template, pod); ok {
			if present.DeletionTimestamp != nil {
				failures = append(failures, fmt.Errorf("pvc %s is being deleted", present.Name))
			}
			continue
		}
		claim := template.DeepCopy()
		claim.Name = claimName(t.set, template, ordinalOf(pod))
		claim.Namespace = t.set.Namespace
		if claim.Labels == nil {
			claim.Labels = map[string]string{}
		}
		maps.Copy(claim.Labels, t.set.Spec.Selector.MatchLabels)
		name := claim.Name
		created, err := t.client.Create(ctx, claimResource, claim)
		switch {
		case errors.IsAlreadyExists(err):
			failures = append(failures, fmt.Errorf("failed to create PVC %s: %w", name, err))
		case err != nil:
			failures = append(failures, fmt.Errorf("failed to create PVC %s: %w", name, err))
			t.recorder.Event(ctx, t.set, corev1.EventTypeWarning, "FailedCreate",
				fmt.Sprintf("create Claim %s for Pod %s in StatefulSet %s failed error: %s", name, pod.Name, t.set.Name, err))
		default:
			t.expected.Wrote(t.set, created)
			t.recorder.Event(ctx, t.set, corev1.EventTypeNormal, "SuccessfulCreate",
				fmt.Sprintf("create Claim %s Pod %s in StatefulSet %s success", name, pod.Name, t.set.Name))
		}
	}
	return stderrors.Join(failures...)
}

// keeps reports whether claims outlive a pod that is scaled away, and the set.
func (t *turn) keeps() (scaled, deleted bool) {
	policy := t.set.Spec.PersistentVolumeClaimRetentionPolicy
	if policy == nil {
		return true, true
	}
	return policy.WhenScaled != appsv1.DeletePersistentVolumeClaimRetentionPolicyType,
		policy.WhenDeleted != appsv1.DeletePersistentVolumeClaimRetentionPolicyType
}

// claimIsStale reports whether a claim of a planned pod still belongs to an
// earlier one, with which it is about to go.
func (t *turn) claimIsStale(pod *corev1.Pod) bool {
	if scaled, _ := t.keeps(); scaled {
		return false
	}
	for i := range t.set.Spec.VolumeClaimTemplates {
		if claim, ok := t.claim(&t.set.Spec.VolumeClaimTemplates[i], pod); ok && isStale(claim, pod, podKind) {
			return true
		}
	}
	return false
}

// syncClaims makes the owners of a pod's claims those with which they are to
// go: by the garbage collector, as the retention policy says.
func (t *turn) syncClaims(ctx context.Context, pod *corev1.Pod) error {
	for i := range t.set.Spec.VolumeClaimTemplates {
		claim, ok := t.claim(&t.set.Spec.VolumeClaimTemplates[i], pod)
		if !ok || isStale(claim, t.set, kind) || isStale(claim, pod, podKind) {
			continue
		}
		conflicting := t.hasOtherController(claim, pod)
		if conflicting {
			t.recorder.Event(ctx, t.set, corev1.EventTypeWarning, "ConflictingController",
				fmt.Sprintf("PersistentVolumeClaim %s has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim", claim.Name))
		}
		owners := t.claimOwners(claim, pod, conflicting)
		if slices.EqualFunc(owners, claim.OwnerReferences, sameOwner) {
			continue
		}
		next := claim.DeepCopy()
		next.OwnerReferences = owners
		name := next.Name
		written, err := t.client.Update(ctx, claimResource, next)
		if err != nil {
			err = fmt.Errorf("could not update claim %s for delete policy ownerRefs: %w", name, err)
			t.notePod(ctx, "update", pod, err)
			return err
		}
		t.expected.Wrote(t.set, written)
	}
	return nil
}

func sameOwner(a, b metav1.OwnerReference) bool {
	isController := func(ref metav1.OwnerReference) bool { return ref.Controller != nil && *ref.Controller }
	return a.UID == b.UID && isController(a) == isController(b)
}

func (t *turn) claimOwners(claim *corev1.PersistentVolumeClaim, pod *corev1.Pod, conflicting bool) []metav1.OwnerReference {
	owners := slices.DeleteFunc(slices.Clone(claim.OwnerReferences), func(ref metav1.OwnerReference) bool {
		return names(ref, t.set, kind) || names(ref, pod, podKind)
	})
	scaled, deleted := t.keeps()
	gone := !inRange(t.set, ordinalOf(pod))
	switch {
	case conflicting:
	case !scaled && gone:
		owners = append(owners, *metav1.NewControllerRef(pod, podKind))
	case !deleted:
		owners = append(owners, *metav1.NewControllerRef(t.set, kind))
	}
	return owners
}

func (t *turn) hasOtherController(claim *corev1.PersistentVolumeClaim, pod *corev1.Pod) bool {
	if scaled, deleted := t.keeps(); scaled && deleted {
		return false
	}
	return slices.ContainsFunc(claim.OwnerReferences, func(ref metav1.OwnerReference) bool {
		return !names(ref, t.set, kind) && !names(ref, pod, podKind) && ref.Controller != nil && *ref.Controller
	})
}

// names reports whether a reference is to an object of that name, maybe to an
// earlier one.
func names(ref metav1.OwnerReference, obj store.Object, gvk schema.GroupVersionKind) bool {
	return ref.APIVersion == gvk.GroupVersion().String() && ref.Kind == gvk.Kind && ref.Name == obj.GetName()
}

func isStale(claim *corev1.PersistentVolumeClaim, owner store.Object, gvk schema.GroupVersionKind) bool {
	return slices.ContainsFunc(claim.OwnerReferences, func(ref metav1.OwnerReference) bool {
		return names(ref, owner, gvk) && ref.UID != owner.GetUID()
	})
}
