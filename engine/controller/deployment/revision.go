package deployment

import (
	"context"
	"maps"
	"math"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

const (
	revisionAnnotation        = "deployment.kubernetes.io/revision"
	revisionHistoryAnnotation = "deployment.kubernetes.io/revision-history"
	desiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas"
	maxReplicasAnnotation     = "deployment.kubernetes.io/max-replicas"

	historyLimit = 2000 // characters of the revision history
)

// ownAnnotation reports whether an annotation belongs to a Deployment or to a
// ReplicaSet alone, so that it is not copied from one to the other.
func ownAnnotation(key string) bool {
	switch key {
	case corev1.LastAppliedConfigAnnotation, revisionAnnotation, revisionHistoryAnnotation,
		desiredReplicasAnnotation, maxReplicasAnnotation, appsv1.DeprecatedRollbackTo:
		return true
	}
	return false
}

// revision is the number that a ReplicaSet carries; 0 if it has none, or
// something that is no number.
func revision(rs *appsv1.ReplicaSet) int64 {
	number, err := strconv.ParseInt(rs.Annotations[revisionAnnotation], 10, 64)
	if err != nil {
		return 0
	}
	return number
}

// nextRevision is one more than that of any old ReplicaSet.
func (r *rollout) nextRevision() int64 {
	highest := int64(0)
	for _, rs := range r.old {
		highest = max(highest, revision(rs))
	}
	return highest + 1
}

// syncRevision brings the annotations of the current ReplicaSet, if there is
// one, up to the Deployment's and the Deployment's revision up to it.
func (r *rollout) syncRevision(ctx context.Context) error {
	if r.current == nil {
		return nil
	}
	annotations := r.annotations(r.current.Annotations)
	if !maps.Equal(annotations, r.current.Annotations) || r.current.Spec.MinReadySeconds != r.d.Spec.MinReadySeconds {
		next := r.current.DeepCopy()
		next.Annotations = annotations
		next.Spec.MinReadySeconds = r.d.Spec.MinReadySeconds
		written, err := r.client.Update(ctx, replicaSetResource, next)
		if err != nil {
			return err
		}
		r.replace(written.(*appsv1.ReplicaSet))
	}
	changed := r.setRevision(r.current.Annotations[revisionAnnotation])
	if hasDeadline(r.d) && condition(r.d.Status.Conditions, appsv1.DeploymentProgressing) == nil {
		r.set(&r.d.Status, appsv1.DeploymentProgressing, corev1.ConditionTrue, "FoundNewReplicaSet", "Found new replica set "+strconv.Quote(r.current.Name))
		changed = true
	}
	if !changed {
		return nil
	}
	return r.update(ctx)
}

func (r *rollout) setRevision(revision string) bool {
	if r.d.Annotations[revisionAnnotation] == revision {
		return false
	}
	if r.d.Annotations == nil {
		r.d.Annotations = map[string]string{}
	}
	r.d.Annotations[revisionAnnotation] = revision
	return true
}

// annotations are what the current ReplicaSet should carry: its own, the
// Deployment's, and a revision not lower than the next one. A ReplicaSet that
// gets a new revision is being rolled back to: its history keeps the old one.
func (r *rollout) annotations(present map[string]string) map[string]string {
	annotations := maps.Clone(present)
	if annotations == nil {
		annotations = map[string]string{}
	}
	for key, value := range r.d.Annotations {
		if !ownAnnotation(key) {
			annotations[key] = value
		}
	}
	old, had := present[revisionAnnotation]
	oldNumber, err := strconv.ParseInt(old, 10, 64)
	if err != nil && old != "" {
		return annotations // not ours to overwrite
	}
	next := r.nextRevision()
	if oldNumber >= next {
		return annotations
	}
	annotations[revisionAnnotation] = strconv.FormatInt(next, 10)
	if had {
		annotations[revisionHistoryAnnotation] = extendHistory(annotations[revisionHistoryAnnotation], old)
	}
	return annotations
}

// extendHistory appends a revision, dropping the oldest ones where it becomes
// too long.
func extendHistory(history, revision string) string {
	if history == "" {
		return revision
	}
	revisions := strings.Split(history, ",")
	length := len(history) + len(revision) + 1
	for len(revisions) > 0 && length > historyLimit {
		length -= len(revisions[0]) + 1
		revisions = revisions[1:]
	}
	if length > historyLimit {
		return history
	}
	return strings.Join(append(revisions, revision), ",")
}

// setSizes notes in a ReplicaSet's annotations the Deployment's size, by which
// a later turn knows that it has been resized. It reports whether that is news.
func (r *rollout) setSizes(annotations map[string]string) bool {
	surge, _ := limits(r.d)
	desired := strconv.Itoa(int(*r.d.Spec.Replicas))
	highest := strconv.Itoa(int(*r.d.Spec.Replicas + surge))
	if annotations[desiredReplicasAnnotation] == desired && annotations[maxReplicasAnnotation] == highest {
		return false
	}
	annotations[desiredReplicasAnnotation] = desired
	annotations[maxReplicasAnnotation] = highest
	return true
}

// size reads one of the annotations of setSizes.
func size(rs *appsv1.ReplicaSet, annotation string) (int32, bool) {
	number, err := strconv.ParseUint(rs.Annotations[annotation], 10, 32)
	if err != nil || number > math.MaxInt32 {
		return 0, false
	}
	return int32(number), true
}
