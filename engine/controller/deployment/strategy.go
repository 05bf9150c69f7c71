package deployment

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/controller/internal/podutil"
)

// roll takes one step of a rolling update: grow the current ReplicaSet if the
// surge allows it, else shrink the old ones if enough pods are available.
func (r *rollout) roll(ctx context.Context) error {
	if r.current == nil {
		if err := r.create(ctx); err != nil || r.current == nil {
			return err
		}
	}
	grown, err := r.growCurrent(ctx)
	if err != nil {
		return err
	}
	if !grown {
		shrunk, err := r.shrinkOld(ctx)
		if err != nil {
			return err
		}
		if !shrunk && complete(r.d, &r.d.Status) {
			if err := r.cleanUp(ctx); err != nil {
				return err
			}
		}
	}
	return r.reportProgress(ctx)
}

// newReplicas is the size for the current ReplicaSet, which now has some.
func (r *rollout) newReplicas(has int32) int32 {
	replicas := *r.d.Spec.Replicas
	if r.d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
		return replicas
	}
	surge, _ := limits(r.d)
	room := replicas + surge - sum(r.old, wanted) - has
	if room <= 0 {
		return has
	}
	return has + min(room, replicas-has)
}

func (r *rollout) growCurrent(ctx context.Context) (bool, error) {
	has, replicas := *r.current.Spec.Replicas, *r.d.Spec.Replicas
	if has < replicas {
		replicas = r.newReplicas(has)
	}
	return has != replicas, r.scale(ctx, r.current, replicas)
}

// shrinkOld scales old ReplicaSets down by what is not needed to keep enough
// pods available. Pods of the current one that are not available yet count as
// if they never would be; old pods that are not available can go in any case.
func (r *rollout) shrinkOld(ctx context.Context) (bool, error) {
	old := active(r.old)
	if len(old) == 0 {
		return false, nil
	}
	_, unavailable := limits(r.d)
	needed := *r.d.Spec.Replicas - unavailable
	notYet := *r.current.Spec.Replicas - r.current.Status.AvailableReplicas
	removable := sum(r.all(), wanted) - needed - notYet
	if removable <= 0 {
		return false, nil
	}
	shrunk, err := r.shrink(ctx, old, removable, func(rs *appsv1.ReplicaSet) int32 {
		return *rs.Spec.Replicas - rs.Status.AvailableReplicas
	})
	if err != nil {
		return false, err
	}
	more, err := r.shrink(ctx, active(r.old), sum(old, available)+r.current.Status.AvailableReplicas-needed, wanted)
	return shrunk || more, err
}

// shrink takes up to total replicas away, the oldest ReplicaSet first, from
// each no more than spare says.
func (r *rollout) shrink(ctx context.Context, old []*appsv1.ReplicaSet, total int32, spare func(*appsv1.ReplicaSet) int32) (bool, error) {
	shrunk := false
	for _, rs := range old {
		if total <= 0 {
			break
		}
		count := min(total, spare(rs))
		if count <= 0 {
			continue
		}
		if err := r.scale(ctx, rs, *rs.Spec.Replicas-count); err != nil {
			return shrunk, err
		}
		total -= count
		shrunk = true
	}
	return shrunk, nil
}

// recreate ends all old pods before it starts the first new one.
func (r *rollout) recreate(ctx context.Context) error {
	old := active(r.old)
	for _, rs := range old {
		if err := r.scale(ctx, rs, 0); err != nil {
			return err
		}
	}
	if len(old) > 0 || r.oldPodsRun() {
		return r.reportProgress(ctx)
	}
	if r.current == nil {
		if err := r.create(ctx); err != nil || r.current == nil {
			return err
		}
	}
	if err := r.scale(ctx, r.current, *r.d.Spec.Replicas); err != nil {
		return err
	}
	if complete(r.d, &r.d.Status) {
		if err := r.cleanUp(ctx); err != nil {
			return err
		}
	}
	return r.reportProgress(ctx)
}

func (r *rollout) oldPodsRun() bool {
	if sum(r.old, actual) > 0 {
		return true
	}
	for _, rs := range r.old {
		for _, pod := range cache.Find[*corev1.Pod](r.cache, podResource, cache.ByController, string(rs.UID)) {
			if !podutil.Terminal(pod) {
				return true
			}
		}
	}
	return false
}
