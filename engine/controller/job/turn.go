package job

import (
	"context"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/controller/internal/claim"
	"tidepool.dev/tidepool/engine/controller/internal/podutil"
	"tidepool.dev/tidepool/engine/controller/internal/stamp"
)

// turn is one turn on one Job.
type turn struct {
	*loop
	// job is the turn's own copy, at the newest revision that it has written.
	job    *batchv1.Job
	pods   []*corev1.Pod // all of the Job's, by name
	active []*corev1.Pod
	// Counts of pods, with what the turn has done so far.
	running, ready, terminating, succeeded, failed int32
	// Of an Indexed Job: the indexes that the status has as completed, all that
	// are, and those that have failed (nil without a limit for each index).
	known, completed intervals
	failedIndexes    *intervals
	// delayed are failed pods that are kept until their index has another.
	delayed map[int]*corev1.Pod
	record  failureRecord
	// finish is why the Job is about to end: FailureTarget, SuccessCriteriaMet
	// or, at the last, Failed or Complete; nil if it goes on.
	finish    *batchv1.JobCondition
	nextCheck time.Duration // when to look again even if nothing changes; 0 is never
}

// begin finds the Job's pods, adopting and releasing what must be, and counts
// them.
func (l *loop) begin(ctx context.Context, stored *batchv1.Job) (*turn, error) {
	selector, err := metav1.LabelSelectorAsSelector(stored.Spec.Selector)
	if err != nil {
		return nil, err
	}
	owner := &claim.Owner{Object: stored, Resource: resource, Kind: kind, Finalizer: batchv1.JobTrackingFinalizer}
	owned := cache.Find[*corev1.Pod](l.cache, podResource, cache.ByController, string(stored.UID))
	kept, adopted, err := claim.Select(ctx, l.client, owner, podResource, selector, owned, l.orphans.In(stored.Namespace))
	for _, pod := range adopted {
		l.control.Wrote(stored, pod)
	}
	if err != nil {
		return nil, err
	}
	t := &turn{loop: l, job: stored.DeepCopy(), pods: append(kept, adopted...)}
	if t.job.Status.UncountedTerminatedPods == nil {
		t.job.Status.UncountedTerminatedPods = &batchv1.UncountedTerminatedPods{}
	}
	t.count()
	return t, nil
}

func (t *turn) count() {
	for _, pod := range t.pods {
		switch {
		case podutil.Active(pod):
			t.active = append(t.active, pod)
			if podutil.Ready(pod) {
				t.ready++
			}
		case podutil.Terminating(pod):
			t.terminating++
		}
	}
	t.running = int32(len(t.active))
	status := &t.job.Status
	uncounted := status.UncountedTerminatedPods
	succeeded := t.newlyEnded(uncounted.Succeeded, func(pod *corev1.Pod) bool { return pod.Status.Phase == corev1.PodSucceeded })
	failed := t.newlyEnded(uncounted.Failed, t.isFailed)
	t.succeeded = status.Succeeded + int32(len(succeeded)+len(uncounted.Succeeded))
	t.failed = status.Failed + int32(len(uncounted.Failed))
	for _, pod := range failed {
		if verdict := judge(t.job, pod); verdict.counts {
			t.failed++
		}
	}
	t.record = t.failures.after(t.job.UID, succeeded, failed)
	if t.indexed() {
		t.countIndexes()
	}
}

// newlyEnded are the tracked pods that pass and that the status does not list
// yet.
func (t *turn) newlyEnded(listed []types.UID, passes func(*corev1.Pod) bool) []*corev1.Pod {
	var pods []*corev1.Pod
	for _, pod := range t.pods {
		if !tracked(pod) || slices.Contains(listed, pod.UID) || t.indexed() && !t.hasIndex(pod) {
			continue
		}
		if passes(pod) {
			pods = append(pods, pod)
		}
	}
	return pods
}

// isFailed reports whether a pod counts as failed: if replacements need not wait
// for its end, it does from the moment it is deleted.
func (t *turn) isFailed(pod *corev1.Pod) bool {
	if pod.Status.Phase == corev1.PodFailed {
		return true
	}
	return !t.replacesOnlyFailed() && pod.DeletionTimestamp != nil && pod.Status.Phase != corev1.PodSucceeded
}

func (t *turn) replacesOnlyFailed() bool {
	policy := t.job.Spec.PodReplacementPolicy
	return policy != nil && *policy == batchv1.Failed
}

func (t *turn) suspended() bool { return t.job.Spec.Suspend != nil && *t.job.Spec.Suspend }

func (t *turn) indexed() bool {
	return t.job.Spec.CompletionMode != nil && *t.job.Spec.CompletionMode == batchv1.IndexedCompletion
}

func (t *turn) limitsIndexes() bool { return t.job.Spec.BackoffLimitPerIndex != nil }

func (t *turn) now() metav1.Time { return stamp.Now(t.clock) }

// checkAfter asks for another turn within a time.
func (t *turn) checkAfter(wait time.Duration) {
	if wait > 0 && (t.nextCheck == 0 || wait < t.nextCheck) {
		t.nextCheck = wait
	}
}

// proceed decides whether the Job ends, manages its pods, and reports.
func (t *turn) proceed(ctx context.Context) error {
	status := &t.job.Status
	if status.StartTime == nil && !t.suspended() {
		now := t.now()
		status.StartTime = &now
	}
	t.decide()
	var manageErr error
	changed := false
	if t.finish != nil {
		var ended bool
		if ended, manageErr = t.end(ctx); !ended {
			t.finish = nil
		}
	} else {
		managed := t.job.DeletionTimestamp == nil
		if managed {
			manageErr = t.manage(ctx)
		}
		switch {
		case t.isComplete():
			t.finish = t.condition(batchv1.JobSuccessCriteriaMet, batchv1.JobReasonCompletionsReached, "Reached expected number of succeeded pods")
		case managed:
			changed = t.noteSuspension(ctx)
		}
	}
	changed = changed || t.running != status.Active || status.Ready == nil || *status.Ready != t.ready ||
		status.Terminating == nil || *status.Terminating != t.terminating
	status.Active, status.Ready, status.Terminating = t.running, &t.ready, &t.terminating
	if err := t.track(ctx, changed); err != nil {
		return err
	}
	return manageErr
}

func (t *turn) isComplete() bool {
	if t.job.Spec.Completions == nil {
		return t.succeeded > 0 && t.running == 0
	}
	return t.succeeded >= *t.job.Spec.Completions && t.running == 0
}
