package deployment

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/controller/internal/stamp"
)

const (
	reasonComplete = "NewReplicaSetAvailable"
	reasonProgress = "ReplicaSetUpdated"
	reasonTimedOut = "ProgressDeadlineExceeded"
	reasonPaused   = "DeploymentPaused"
	reasonResumed  = "DeploymentResumed"
)

// notePause records a pause and its end, so that the time in between does not
// count towards the deadline.
func (r *rollout) notePause(ctx context.Context) error {
	if !hasDeadline(r.d) {
		return nil
	}
	present := condition(r.d.Status.Conditions, appsv1.DeploymentProgressing)
	if present != nil && present.Reason == reasonTimedOut {
		return nil // lack of progress has been reported: let it stand
	}
	noted := present != nil && present.Reason == reasonPaused
	switch {
	case r.d.Spec.Paused && !noted:
		r.set(&r.d.Status, appsv1.DeploymentProgressing, corev1.ConditionUnknown, reasonPaused, "Deployment is paused")
	case !r.d.Spec.Paused && noted:
		r.set(&r.d.Status, appsv1.DeploymentProgressing, corev1.ConditionUnknown, reasonResumed, "Deployment is resumed")
	default:
		return nil
	}
	return r.update(ctx)
}

// reportProgress writes the status with how the rollout is going.
func (r *rollout) reportProgress(ctx context.Context) error {
	status := r.calculateStatus()
	if !hasDeadline(r.d) {
		remove(&status, appsv1.DeploymentProgressing)
	}
	present := condition(r.d.Status.Conditions, appsv1.DeploymentProgressing)
	finished := status.Replicas == status.UpdatedReplicas && present != nil && present.Reason == reasonComplete
	if hasDeadline(r.d) && !finished {
		switch {
		case complete(r.d, &status):
			r.set(&status, appsv1.DeploymentProgressing, corev1.ConditionTrue, reasonComplete, r.subject()+" has successfully progressed.")
		case progressed(&r.d.Status, &status):
			r.renew(&status, present)
		case r.timedOut(&status):
			r.set(&status, appsv1.DeploymentProgressing, corev1.ConditionFalse, reasonTimedOut, r.subject()+" has timed out progressing.")
		}
	}
	r.promoteFailure(&status)
	r.planCheck(&status)
	return r.writeStatus(ctx, status)
}

// subject is what a condition's message is about.
func (r *rollout) subject() string {
	if r.current != nil {
		return fmt.Sprintf("ReplicaSet %q", r.current.Name)
	}
	return fmt.Sprintf("Deployment %q", r.d.Name)
}

// renew notes progress with its time, even if progress was noted before.
func (r *rollout) renew(status *appsv1.DeploymentStatus, present *appsv1.DeploymentCondition) {
	now := stamp.Now(r.clock)
	transition := now
	if present != nil && present.Status == corev1.ConditionTrue {
		transition = present.LastTransitionTime
	}
	remove(status, appsv1.DeploymentProgressing)
	status.Conditions = append(status.Conditions, appsv1.DeploymentCondition{
		Type:               appsv1.DeploymentProgressing,
		Status:             corev1.ConditionTrue,
		LastUpdateTime:     now,
		LastTransitionTime: transition,
		Reason:             reasonProgress,
		Message:            r.subject() + " is progressing.",
	})
}

// complete reports whether all pods are new and available, and no others left.
func complete(d *appsv1.Deployment, status *appsv1.DeploymentStatus) bool {
	replicas := *d.Spec.Replicas
	return status.UpdatedReplicas == replicas && status.Replicas == replicas && status.AvailableReplicas == replicas &&
		status.ObservedGeneration >= d.Generation
}

// progressed reports whether there are more new, ready or available pods, or
// fewer old ones, than before.
func progressed(before, after *appsv1.DeploymentStatus) bool {
	return after.UpdatedReplicas > before.UpdatedReplicas ||
		after.Replicas-after.UpdatedReplicas < before.Replicas-before.UpdatedReplicas ||
		after.ReadyReplicas > before.ReadyReplicas ||
		after.AvailableReplicas > before.AvailableReplicas
}

func (r *rollout) timedOut(status *appsv1.DeploymentStatus) bool {
	present := condition(status.Conditions, appsv1.DeploymentProgressing)
	if present == nil || present.Reason == reasonComplete {
		return false
	}
	return present.Reason == reasonTimedOut || r.deadline(present).Before(r.clock.Now())
}

func (r *rollout) deadline(present *appsv1.DeploymentCondition) time.Time {
	return present.LastUpdateTime.Add(time.Duration(*r.d.Spec.ProgressDeadlineSeconds) * time.Second)
}

// planCheck has an unfinished rollout looked at again at its deadline.
func (r *rollout) planCheck(status *appsv1.DeploymentStatus) {
	present := condition(status.Conditions, appsv1.DeploymentProgressing)
	if !hasDeadline(r.d) || present == nil || complete(r.d, status) || present.Reason == reasonTimedOut || present.Reason == reasonComplete {
		return
	}
	// A second more, for conditions' times have no fractions.
	r.nextCheck = max(r.deadline(present).Sub(r.clock.Now()), 0) + time.Second
}

// promoteFailure shows why pods can't be created or deleted.
func (r *rollout) promoteFailure(status *appsv1.DeploymentStatus) {
	sets := r.all()
	if r.current != nil {
		sets = append([]*appsv1.ReplicaSet{r.current}, sets...)
	}
	for _, rs := range sets {
		for _, c := range rs.Status.Conditions {
			if c.Type != appsv1.ReplicaSetReplicaFailure {
				continue
			}
			if present := condition(status.Conditions, appsv1.DeploymentReplicaFailure); present == nil || present.Status != c.Status || present.Reason != c.Reason {
				remove(status, appsv1.DeploymentReplicaFailure)
				status.Conditions = append(status.Conditions, appsv1.DeploymentCondition{
					Type:               appsv1.DeploymentReplicaFailure,
					Status:             c.Status,
					LastUpdateTime:     c.LastTransitionTime,
					LastTransitionTime: c.LastTransitionTime,
					Reason:             c.Reason,
					Message:            c.Message,
				})
			}
			return
		}
	}
	remove(status, appsv1.DeploymentReplicaFailure)
}
