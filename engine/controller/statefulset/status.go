package statefulset

import (
	"context"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// writeStatus counts the pods as they were before the turn and writes what is
// news. A rollout is complete when all pods are ready and of the next revision.
func (t *turn) writeStatus(ctx context.Context) error {
	status := appsv1.StatefulSetStatus{
		ObservedGeneration: t.set.Generation,
		CurrentRevision:    t.current.Name,
		UpdateRevision:     t.next.Name,
		CollisionCount:     &t.collisions,
		Conditions:         t.set.Status.Conditions,
	}
	for _, pod := range slices.Concat(t.replicas, t.condemned) {
		t.count(&status, pod)
	}
	status.CurrentReplicas -= min(t.rolled, status.CurrentReplicas)
	wanted := *t.set.Spec.Replicas
	if status.UpdatedReplicas == wanted && status.ReadyReplicas == wanted && status.Replicas == wanted {
		status.CurrentReplicas, status.CurrentRevision = status.UpdatedReplicas, status.UpdateRevision
	}
	if equal(&t.set.Status, &status) {
		return nil
	}
	next := t.set.DeepCopy()
	next.Status = status
	written, err := t.client.UpdateStatus(ctx, resource, next)
	if err == nil {
		t.expected.Wrote(t.set, written)
	}
	return err
}

func (t *turn) count(status *appsv1.StatefulSetStatus, pod *corev1.Pod) {
	if planned(pod) {
		return
	}
	status.Replicas++
	if isReady(pod) {
		status.ReadyReplicas++
		if t.available(pod) {
			status.AvailableReplicas++
		}
	}
	if pod.DeletionTimestamp != nil {
		return
	}
	if revisionOf(pod) == t.current.Name {
		status.CurrentReplicas++
	}
	if revisionOf(pod) == t.next.Name {
		status.UpdatedReplicas++
	}
}

func equal(a, b *appsv1.StatefulSetStatus) bool {
	return a.ObservedGeneration >= b.ObservedGeneration &&
		a.Replicas == b.Replicas &&
		a.ReadyReplicas == b.ReadyReplicas &&
		a.CurrentReplicas == b.CurrentReplicas &&
		a.UpdatedReplicas == b.UpdatedReplicas &&
		a.AvailableReplicas == b.AvailableReplicas &&
		a.CurrentRevision == b.CurrentRevision &&
		a.UpdateRevision == b.UpdateRevision
}
