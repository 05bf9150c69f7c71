package replicaset

import (
	"context"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/internal/stamp"
)

// updateStatus writes what was observed, if it is news.
func (l *loop) updateStatus(ctx context.Context, rs *appsv1.ReplicaSet, o observation, manageErr error) error {
	status := appsv1.ReplicaSetStatus{
		Replicas:             int32(o.active),
		FullyLabeledReplicas: int32(o.labelled),
		ReadyReplicas:        int32(o.ready),
		AvailableReplicas:    int32(o.available),
		ObservedGeneration:   rs.Generation,
		Conditions:           l.conditions(rs, o, manageErr),
	}
	if l.CountsTerminating {
		status.TerminatingReplicas = new(int32(o.terminating))
	}
	if equal(&rs.Status, &status) {
		return nil
	}
	next := rs.DeepCopy()
	next.Status = status
	updated, err := l.client.UpdateStatus(ctx, l.Resource, l.Restore(next))
	if err != nil {
		return err
	}
	l.written.Note(controller.Request{Namespace: rs.Namespace, Name: rs.Name}, updated)
	return nil
}

// conditions are the present ones, with ReplicaFailure as long as pods can't be
// created or deleted.
func (l *loop) conditions(rs *appsv1.ReplicaSet, o observation, manageErr error) []appsv1.ReplicaSetCondition {
	isFailure := func(c appsv1.ReplicaSetCondition) bool { return c.Type == appsv1.ReplicaSetReplicaFailure }
	present := rs.Status.Conditions
	failing := slices.ContainsFunc(present, isFailure)
	switch {
	case manageErr == nil && failing:
		return slices.DeleteFunc(slices.Clone(present), isFailure)
	case manageErr != nil && !failing:
		reason := "FailedCreate"
		if o.active > int(*rs.Spec.Replicas) {
			reason = "FailedDelete"
		}
		return append(slices.Clone(present), appsv1.ReplicaSetCondition{
			Type:               appsv1.ReplicaSetReplicaFailure,
			Status:             corev1.ConditionTrue,
			LastTransitionTime: stamp.Now(l.clock),
			Reason:             reason,
			Message:            manageErr.Error(),
		})
	}
	return present
}

func equal(a, b *appsv1.ReplicaSetStatus) bool {
	return a.Replicas == b.Replicas &&
		a.FullyLabeledReplicas == b.FullyLabeledReplicas &&
		a.ReadyReplicas == b.ReadyReplicas &&
		a.AvailableReplicas == b.AvailableReplicas &&
		equalPointers(a.TerminatingReplicas, b.TerminatingReplicas) &&
		a.ObservedGeneration == b.ObservedGeneration &&
		slices.Equal(a.Conditions, b.Conditions)
}

func equalPointers(a, b *int32) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
