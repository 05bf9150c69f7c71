package deployment

import (
	"math"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// limits are how far a rollout may stray from the number of replicas: surge
// above it in pods, unavailable below it in available ones.
func limits(d *appsv1.Deployment) (surge, unavailable int32) {
	rolling := d.Spec.Strategy.RollingUpdate
	if d.Spec.Strategy.Type != appsv1.RollingUpdateDeploymentStrategyType || rolling == nil {
		return 0, 0
	}
	replicas := *d.Spec.Replicas
	surge = scaled(rolling.MaxSurge, replicas, true)
	unavailable = scaled(rolling.MaxUnavailable, replicas, false)
	if surge == 0 && unavailable == 0 {
		// Both may round to zero; then nothing could ever move.
		unavailable = 1
	}
	return surge, min(unavailable, replicas)
}

// scaled resolves a number or percentage; validation has seen to its form.
func scaled(value *intstr.IntOrString, total int32, roundUp bool) int32 {
	if value == nil {
		return 0
	}
	n, err := intstr.GetScaledValueFromIntOrPercent(value, int(total), roundUp)
	if err != nil {
		return 0
	}
	return int32(n)
}

// hasDeadline reports whether lack of progress is to be noticed.
func hasDeadline(d *appsv1.Deployment) bool {
	return d.Spec.ProgressDeadlineSeconds != nil && *d.Spec.ProgressDeadlineSeconds != math.MaxInt32
}
