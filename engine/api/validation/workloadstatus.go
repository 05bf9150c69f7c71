package validation

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	moreThanReplicas = "cannot be greater than status.replicas"
	moreThanReady    = "cannot be greater than readyReplicas"
)

// DeploymentStatusUpdate checks what the controller reports.
func DeploymentStatusUpdate(d, old *appsv1.Deployment) field.ErrorList {
	status := &d.Status
	errs := nonNegative(statusPath, "observedGeneration", status.ObservedGeneration)
	errs = append(errs, nonNegative(statusPath, "replicas", status.Replicas)...)
	errs = append(errs, nonNegative(statusPath, "updatedReplicas", status.UpdatedReplicas)...)
	errs = append(errs, nonNegative(statusPath, "readyReplicas", status.ReadyReplicas)...)
	errs = append(errs, nonNegative(statusPath, "availableReplicas", status.AvailableReplicas)...)
	errs = append(errs, nonNegative(statusPath, "unavailableReplicas", status.UnavailableReplicas)...)
	errs = append(errs, optionalCount("terminatingReplicas", status.TerminatingReplicas)...)
	errs = append(errs, optionalCount("collisionCount", status.CollisionCount)...)
	errs = append(errs, atMost("updatedReplicas", status.UpdatedReplicas, status.Replicas, moreThanReplicas)...)
	errs = append(errs, atMost("readyReplicas", status.ReadyReplicas, status.Replicas, moreThanReplicas)...)
	errs = append(errs, atMost("availableReplicas", status.AvailableReplicas, status.Replicas, moreThanReplicas)...)
	errs = append(errs, atMost("availableReplicas", status.AvailableReplicas, status.ReadyReplicas, moreThanReady)...)
	return append(errs, notDecremented(status.CollisionCount, old.Status.CollisionCount)...)
}

// notDecremented checks a new collision count against the present one.
func notDecremented(count, was *int32) field.ErrorList {
	if was == nil || count != nil && *count >= *was {
		return nil
	}
	value := int32(0)
	if count != nil {
		value = *count
	}
	return field.ErrorList{field.Invalid(statusPath.Child("collisionCount"), value, "cannot be decremented")}
}

// ReplicaSetStatusUpdate checks what the controller reports.
func ReplicaSetStatusUpdate(rs, _ *appsv1.ReplicaSet) field.ErrorList {
	status := &rs.Status
	errs := nonNegative(statusPath, "replicas", status.Replicas)
	errs = append(errs, nonNegative(statusPath, "fullyLabeledReplicas", status.FullyLabeledReplicas)...)
	errs = append(errs, nonNegative(statusPath, "readyReplicas", status.ReadyReplicas)...)
	errs = append(errs, nonNegative(statusPath, "availableReplicas", status.AvailableReplicas)...)
	errs = append(errs, nonNegative(statusPath, "observedGeneration", status.ObservedGeneration)...)
	errs = append(errs, optionalCount("terminatingReplicas", status.TerminatingReplicas)...)
	errs = append(errs, atMost("fullyLabeledReplicas", status.FullyLabeledReplicas, status.Replicas, moreThanReplicas)...)
	errs = append(errs, atMost("readyReplicas", status.ReadyReplicas, status.Replicas, moreThanReplicas)...)
	errs = append(errs, atMost("availableReplicas", status.AvailableReplicas, status.Replicas, moreThanReplicas)...)
	return append(errs, atMost("availableReplicas", status.AvailableReplicas, status.ReadyReplicas, moreThanReady)...)
}

func optionalCount(child string, count *int32) field.ErrorList {
	if count == nil {
		return nil
	}
	return nonNegative(statusPath, child, *count)
}

func atMost(child string, count, limit int32, message string) field.ErrorList {
	if count <= limit {
		return nil
	}
	return field.ErrorList{field.Invalid(statusPath.Child(child), count, message)}
}
