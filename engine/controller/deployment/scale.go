package deployment

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// resized reports whether the Deployment has another size than when its
// ReplicaSets were last scaled.
func (r *rollout) resized() bool {
	return slices.ContainsFunc(active(r.all()), func(rs *appsv1.ReplicaSet) bool {
		desired, ok := size(rs, desiredReplicasAnnotation)
		return ok && desired != *r.d.Spec.Replicas
	})
}

// resize brings the ReplicaSets to a new size, or keeps a paused Deployment at
// its size, without going on with a rollout.
func (r *rollout) resize(ctx context.Context) error {
	if err := r.spread(ctx); err != nil {
		return err
	}
	if r.d.Spec.Paused {
		if _, rollingBack := rollbackTo(r.d); !rollingBack {
			if err := r.cleanUp(ctx); err != nil {
				return err
			}
		}
	}
	return r.writeStatus(ctx, r.calculateStatus())
}

func (r *rollout) spread(ctx context.Context) error {
	replicas := *r.d.Spec.Replicas
	running := active(r.all())
	switch {
	case len(running) == 1:
		return r.scale(ctx, running[0], replicas)
	case len(running) == 0 && r.current != nil:
		return r.scale(ctx, r.current, replicas)
	case len(running) == 0 && len(r.old) > 0:
		return r.scale(ctx, slices.MaxFunc(r.old, byCreation), replicas)
	case len(running) == 0:
		return nil
	case r.saturated():
		for _, rs := range active(r.old) {
			if err := r.scale(ctx, rs, 0); err != nil {
				return err
			}
		}
		return nil
	case r.d.Spec.Strategy.Type == appsv1.RollingUpdateDeploymentStrategyType:
		return r.spreadProportionally(ctx, running)
	}
	return nil
}

// saturated reports whether the current ReplicaSet has all that the Deployment
// asks for, and by its annotation has not been resized since.
func (r *rollout) saturated() bool {
	if r.current == nil {
		return false
	}
	replicas := *r.d.Spec.Replicas
	desired, ok := size(r.current, desiredReplicasAnnotation)
	return ok && desired == replicas && *r.current.Spec.Replicas == replicas && r.current.Status.AvailableReplicas == replicas
}

// spreadProportionally shares a change of size among the running ReplicaSets of
// an unfinished rollout, so that resizing neither hastens nor slows it.
func (r *rollout) spreadProportionally(ctx context.Context, running []*appsv1.ReplicaSet) error {
	surge, _ := limits(r.d)
	allowed := int32(0)
	if *r.d.Spec.Replicas > 0 {
		allowed = *r.d.Spec.Replicas + surge
	}
	change := allowed - sum(running, wanted)
	// Large ones first; of equal ones, growth goes to new ones and shrinking
	// to old ones.
	slices.SortFunc(running, func(a, b *appsv1.ReplicaSet) int {
		byAge := byCreation(a, b)
		if change > 0 {
			byAge = -byAge
		}
		return cmp.Or(cmp.Compare(*b.Spec.Replicas, *a.Spec.Replicas), byAge)
	})
	sizes := make([]int32, len(running))
	done := int32(0)
	for i, rs := range running {
		share := r.share(rs, change, done)
		sizes[i] = *rs.Spec.Replicas + share
		done += share
	}
	sizes[0] = max(sizes[0]+change-done, 0) // what rounding has left
	for i, rs := range running {
		if err := r.scaleAndAnnotate(ctx, rs, sizes[i]); err != nil {
			return err
		}
	}
	return nil
}

// share is one ReplicaSet's part of a change of which some is done already.
func (r *rollout) share(rs *appsv1.ReplicaSet, change, done int32) int32 {
	if change == 0 || change == done {
		return 0
	}
	fraction := r.fraction(rs)
	if change > 0 {
		return min(fraction, change-done)
	}
	return max(fraction, change-done)
}

func (r *rollout) fraction(rs *appsv1.ReplicaSet) int32 {
	replicas := *rs.Spec.Replicas
	if *r.d.Spec.Replicas == 0 {
		return -replicas
	}
	before, ok := size(rs, maxReplicasAnnotation)
	if !ok || before == 0 {
		// The annotation has been tampered with: guess.
		if before = r.d.Status.Replicas; before == 0 {
			return 0
		}
	}
	surge, _ := limits(r.d)
	after := float64(replicas) * float64(*r.d.Spec.Replicas+surge) / float64(before)
	return int32(math.Round(after)) - replicas
}

// scale sets the number of a ReplicaSet's replicas, if it is another.
func (r *rollout) scale(ctx context.Context, rs *appsv1.ReplicaSet, replicas int32) error {
	if *rs.Spec.Replicas == replicas {
		return nil
	}
	return r.scaleAndAnnotate(ctx, rs, replicas)
}

// scaleAndAnnotate is scale that also notes the Deployment's size on a
// ReplicaSet that keeps its own.
func (r *rollout) scaleAndAnnotate(ctx context.Context, rs *appsv1.ReplicaSet, replicas int32) error {
	annotations := maps.Clone(rs.Annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	before := *rs.Spec.Replicas
	if !r.setSizes(annotations) && before == replicas {
		return nil
	}
	next := rs.DeepCopy()
	next.Annotations = annotations
	next.Spec.Replicas = &replicas
	written, err := r.client.Update(ctx, replicaSetResource, next)
	if err != nil {
		return err
	}
	r.replace(written.(*appsv1.ReplicaSet))
	if before != replicas {
		r.noteScaling(ctx, rs.Name, before, replicas)
	}
	return nil
}

func (r *rollout) noteScaling(ctx context.Context, name string, from, to int32) {
	direction := "up"
	if to < from {
		direction = "down"
	}
	r.recorder.Event(ctx, r.d, corev1.EventTypeNormal, "ScalingReplicaSet",
		fmt.Sprintf("Scaled %s replica set %s from %d to %d", direction, name, from, to))
}
