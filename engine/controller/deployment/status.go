package deployment

import (
	"context"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/controller/internal/stamp"
)

// calculateStatus sums up the ReplicaSets' statuses.
func (r *rollout) calculateStatus() appsv1.DeploymentStatus {
	sets := r.all()
	status := appsv1.DeploymentStatus{
		ObservedGeneration:  r.d.Generation,
		Replicas:            sum(sets, actual),
		ReadyReplicas:       sum(sets, ready),
		AvailableReplicas:   sum(sets, available),
		UnavailableReplicas: max(sum(sets, wanted)-sum(sets, available), 0),
		TerminatingReplicas: terminating(sets),
		CollisionCount:      r.d.Status.CollisionCount,
		Conditions:          slices.Clone(r.d.Status.Conditions),
	}
	if r.current != nil {
		status.UpdatedReplicas = r.current.Status.Replicas
	}
	if _, unavailable := limits(r.d); status.AvailableReplicas >= *r.d.Spec.Replicas-unavailable {
		r.set(&status, appsv1.DeploymentAvailable, corev1.ConditionTrue, "MinimumReplicasAvailable", "Deployment has minimum availability.")
	} else {
		r.set(&status, appsv1.DeploymentAvailable, corev1.ConditionFalse, "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
	}
	return status
}

// terminating is unknown as long as one ReplicaSet does not say.
func terminating(sets []*appsv1.ReplicaSet) *int32 {
	total := int32(0)
	for _, rs := range sets {
		switch {
		case rs.Status.TerminatingReplicas != nil:
			total += *rs.Status.TerminatingReplicas
		case rs.Status.ObservedGeneration != 0:
			return nil
		}
	}
	return &total
}

// writeStatus writes a status if it differs from the present one.
func (r *rollout) writeStatus(ctx context.Context, status appsv1.DeploymentStatus) error {
	if equal(&r.d.Status, &status) {
		return nil
	}
	r.d.Status = status
	return r.update(ctx)
}

// update writes the status and the annotations of d, and goes on with what the
// API has made of it.
func (r *rollout) update(ctx context.Context) error {
	written, err := r.client.UpdateStatus(ctx, resource, r.d)
	if err != nil {
		return err
	}
	r.note(written)
	r.d = written.(*appsv1.Deployment).DeepCopy()
	return nil
}

func equal(a, b *appsv1.DeploymentStatus) bool {
	return a.ObservedGeneration == b.ObservedGeneration &&
		a.Replicas == b.Replicas &&
		a.UpdatedReplicas == b.UpdatedReplicas &&
		a.ReadyReplicas == b.ReadyReplicas &&
		a.AvailableReplicas == b.AvailableReplicas &&
		a.UnavailableReplicas == b.UnavailableReplicas &&
		equalPointers(a.TerminatingReplicas, b.TerminatingReplicas) &&
		equalPointers(a.CollisionCount, b.CollisionCount) &&
		slices.Equal(a.Conditions, b.Conditions)
}

func equalPointers(a, b *int32) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

func condition(conditions []appsv1.DeploymentCondition, conditionType appsv1.DeploymentConditionType) *appsv1.DeploymentCondition {
	for i := range conditions {
		if conditions[i].Type == conditionType {
			return &conditions[i]
		}
	}
	return nil
}

// set puts a condition at the end, unless it is there with the same status and
// reason. The transition time is that of the last change of status.
func (r *rollout) set(status *appsv1.DeploymentStatus, conditionType appsv1.DeploymentConditionType, value corev1.ConditionStatus, reason, message string) {
	present := condition(status.Conditions, conditionType)
	if present != nil && present.Status == value && present.Reason == reason {
		return
	}
	now := stamp.Now(r.clock)
	next := appsv1.DeploymentCondition{
		Type:               conditionType,
		Status:             value,
		LastUpdateTime:     now,
		LastTransitionTime: now,
		Reason:             reason,
		Message:            message,
	}
	if present != nil && present.Status == value {
		next.LastTransitionTime = present.LastTransitionTime
	}
	remove(status, conditionType)
	status.Conditions = append(status.Conditions, next)
}

func remove(status *appsv1.DeploymentStatus, conditionType appsv1.DeploymentConditionType) {
	status.Conditions = slices.DeleteFunc(status.Conditions, func(c appsv1.DeploymentCondition) bool { return c.Type == conditionType })
}
