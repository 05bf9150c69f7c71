package disruption

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/store"
)

// expect returns how many pods there should be and how many of them have to be
// healthy. Percentages are of what the pods' controllers want; unmanaged says
// that some pods have none.
func (l *loop) expect(budget *policyv1.PodDisruptionBudget, pods []*corev1.Pod) (expected, desired int32, unmanaged bool, err error) {
	spec := &budget.Spec
	switch {
	case spec.MaxUnavailable != nil:
		if expected, unmanaged, err = l.wanted(pods); err != nil {
			return 0, 0, false, err
		}
		unavailable, err := intstr.GetScaledValueFromIntOrPercent(spec.MaxUnavailable, int(expected), true)
		return expected, max(expected-int32(unavailable), 0), unmanaged, err
	case spec.MinAvailable == nil:
		return 0, 0, false, nil
	case spec.MinAvailable.Type == intstr.Int:
		return int32(len(pods)), spec.MinAvailable.IntVal, false, nil
	}
	if expected, unmanaged, err = l.wanted(pods); err != nil {
		return 0, 0, false, err
	}
	available, err := intstr.GetScaledValueFromIntOrPercent(spec.MinAvailable, int(expected), true)
	return expected, int32(available), unmanaged, err
}

// wanted is the sum of the replicas that the pods' controllers are to have.
func (l *loop) wanted(pods []*corev1.Pod) (total int32, unmanaged bool, err error) {
	seen := map[types.UID]bool{}
	var counted []types.UID
	for _, pod := range pods {
		ref := metav1.GetControllerOfNoCopy(pod)
		if ref == nil {
			unmanaged = true
			continue
		}
		if seen[ref.UID] {
			continue
		}
		seen[ref.UID] = true
		uid, replicas, err := l.scaleOf(pod, ref)
		if err != nil {
			return 0, unmanaged, err
		}
		if !slices.Contains(counted, uid) { // two ReplicaSets of one Deployment
			counted = append(counted, uid)
			total += replicas
		}
	}
	return total, unmanaged, nil
}

// scaleOf finds what decides about a pod's number: its controller, or for a
// ReplicaSet of a Deployment that.
func (l *loop) scaleOf(pod *corev1.Pod, ref *metav1.OwnerReference) (types.UID, int32, error) {
	for {
		gv, err := schema.ParseGroupVersion(ref.APIVersion)
		k, served := l.scales[gv.Group+"/"+ref.Kind]
		if err != nil || !served {
			return "", 0, fmt.Errorf("found no controllers for pod %q", pod.Name)
		}
		if k.Scale == nil {
			return "", 0, fmt.Errorf("%s does not implement the scale subresource", k.GroupResource())
		}
		owner, ok := cache.Get[store.Object](l.cache, k.Resource(), pod.Namespace, ref.Name)
		if !ok || owner.GetUID() != ref.UID {
			return "", 0, fmt.Errorf("found no controllers for pod %q", pod.Name)
		}
		parent := metav1.GetControllerOfNoCopy(owner)
		if parent == nil || ref.Kind != "ReplicaSet" || parent.Kind != "Deployment" {
			return owner.GetUID(), k.Scale.Get(owner).Spec.Replicas, nil
		}
		ref = parent
	}
}
