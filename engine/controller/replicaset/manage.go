package replicaset

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/controller/internal/podcontrol"
	"tidepool.dev/tidepool/engine/controller/internal/podutil"
	"tidepool.dev/tidepool/engine/store"
)

// burst bounds how many pods one turn creates or deletes.
const burst = 500

// manage creates or deletes pods towards the number asked for.
func (l *loop) manage(ctx context.Context, rs *appsv1.ReplicaSet, selector labels.Selector, active int) error {
	switch missing := int(*rs.Spec.Replicas) - active; {
	case missing > 0:
		return l.create(ctx, rs, min(missing, burst))
	case missing < 0:
		return l.delete(ctx, rs, selector, min(-missing, burst))
	}
	return nil
}

func (l *loop) create(ctx context.Context, rs *appsv1.ReplicaSet, count int) error {
	owner := *metav1.NewControllerRef(rs, l.Kind)
	_, err := podcontrol.CreateEach(count, func(int) error { return l.createOne(ctx, rs, owner) })
	return err
}

func (l *loop) createOne(ctx context.Context, rs *appsv1.ReplicaSet, owner metav1.OwnerReference) error {
	created, err := l.client.Create(ctx, podResource, podcontrol.NewPod(rs, owner, &rs.Spec.Template))
	if errors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil // nothing can be created there any more, and nothing need be
	}
	if err != nil {
		l.recorder.Event(ctx, rs, corev1.EventTypeWarning, "FailedCreate", fmt.Sprintf("Error creating: %v", err))
		return err
	}
	l.ledger.wrote(rs.UID, created)
	l.recorder.Event(ctx, rs, corev1.EventTypeNormal, "SuccessfulCreate", "Created pod: "+created.GetName())
	return nil
}

func (l *loop) delete(ctx context.Context, rs *appsv1.ReplicaSet, selector labels.Selector, count int) error {
	var active []*corev1.Pod
	for _, pod := range cache.Find[*corev1.Pod](l.cache, podResource, cache.ByController, string(rs.UID)) {
		if podutil.Active(pod) && selector.Matches(labels.Set(pod.Labels)) {
			active = append(active, pod)
		}
	}
	count = min(count, len(active))
	if count < len(active) {
		sortForDeletion(active, l.activeOnNodes(rs), l.clock.Now())
	}
	var failure error
	for _, pod := range active[:count] {
		if err := l.deleteOne(ctx, rs, pod); err != nil && failure == nil {
			failure = err
		}
	}
	return failure
}

func (l *loop) deleteOne(ctx context.Context, rs *appsv1.ReplicaSet, pod *corev1.Pod) error {
	l.ledger.expectDeletion(rs.UID, pod.UID)
	// The pod's deletion by another may have been seen before it was expected.
	if fresh, ok := cache.Get[*corev1.Pod](l.cache, podResource, pod.Namespace, pod.Name); !ok || fresh.UID != pod.UID || fresh.DeletionTimestamp != nil {
		l.ledger.notDeleted(rs.UID, pod.UID)
		return nil
	}
	err := l.client.Delete(ctx, podResource, pod.Namespace, pod.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &pod.UID}})
	if err != nil {
		l.ledger.notDeleted(rs.UID, pod.UID)
		if errors.IsNotFound(err) {
			return nil
		}
		l.recorder.Event(ctx, rs, corev1.EventTypeWarning, "FailedDelete", fmt.Sprintf("Error deleting: %v", err))
		return fmt.Errorf("unable to delete pods: %w", err)
	}
	l.recorder.Event(ctx, rs, corev1.EventTypeNormal, "SuccessfulDelete", "Deleted pod: "+pod.Name)
	return nil
}

// activeOnNodes counts the pods of the ReplicaSet and of its siblings (those of
// the same Deployment) on each node.
func (l *loop) activeOnNodes(rs *appsv1.ReplicaSet) map[string]int {
	ref := metav1.GetControllerOfNoCopy(rs)
	if ref == nil {
		return nil
	}
	count := map[string]int{}
	for _, sibling := range cache.Find[store.Object](l.cache, l.Resource, cache.ByController, string(ref.UID)) {
		for _, pod := range cache.Find[*corev1.Pod](l.cache, podResource, cache.ByController, string(sibling.GetUID())) {
			if podutil.Active(pod) {
				count[pod.Spec.NodeName]++
			}
		}
	}
	return count
}
