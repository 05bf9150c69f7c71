package job

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/controller"
)

// mostUncounted bounds how many pods the status lists at a time.
const mostUncounted = 500

// track counts the pods that have ended. Each goes through three steps, so that
// a crash in between neither loses it nor counts it twice: its UID is listed in
// the status; its finalizer is taken away; it leaves the list and is added to
// the count. Then the Job may end.
func (t *turn) track(ctx context.Context, changed bool) error {
	if t.indexed() {
		slices.SortStableFunc(t.pods, func(a, b *corev1.Pod) int { return cmp.Compare(indexOf(a), indexOf(b)) })
	}
	waiting := map[types.UID]bool{}
	for _, pod := range t.pods {
		if tracked(pod) {
			waiting[pod.UID] = true
		}
	}
	changed = t.countReleased(waiting) || changed
	ended, listed, more := t.list()
	decided := t.noteDecision()
	changed = listed || decided || changed
	if changed {
		if err := t.write(ctx); err != nil {
			return err
		}
		t.failures.keep(t.job.UID, t.record)
	}
	var failure error
	for _, pod := range ended {
		written, err := t.untrack(ctx, pod)
		if err != nil {
			failure = err
			continue
		}
		if written != nil {
			t.control.Wrote(t.job, written)
		}
		delete(waiting, pod.UID)
	}
	changed = t.countReleased(waiting)
	final := failure == nil && !more && t.conclude()
	if changed || final {
		if err := t.write(ctx); err != nil {
			return err
		}
	}
	if final {
		t.announce(ctx)
	}
	return failure
}

// list enters newly ended pods into the status and returns those whose finalizer
// can go. more says that there was no room for all.
func (t *turn) list() (ended []*corev1.Pod, changed, more bool) {
	uncounted := t.job.Status.UncountedTerminatedPods
	var indexes []int
	for _, pod := range t.pods {
		failed := t.isFailed(pod)
		if !tracked(pod) || !t.mayRelease(pod, failed) {
			continue
		}
		ended = append(ended, pod)
		valid := !t.indexed() || t.hasIndex(pod)
		switch {
		case pod.Status.Phase == corev1.PodSucceeded && !slices.Contains(uncounted.Failed, pod.UID):
			if t.indexed() {
				if valid && !t.known.has(indexOf(pod)) {
					indexes = append(indexes, indexOf(pod))
				}
			} else if !slices.Contains(uncounted.Succeeded, pod.UID) {
				uncounted.Succeeded = append(uncounted.Succeeded, pod.UID)
				changed = true
			}
		case failed || t.finish != nil && t.finish.Type != batchv1.JobSuccessCriteriaMet:
			if valid && !slices.Contains(uncounted.Failed, pod.UID) && judge(t.job, pod).counts {
				uncounted.Failed = append(uncounted.Failed, pod.UID)
				changed = true
			}
		}
		if len(indexes)+len(uncounted.Succeeded)+len(uncounted.Failed) >= mostUncounted {
			more = true
			break
		}
	}
	if t.indexed() {
		changed = t.noteIndexes() || changed || len(indexes) > 0
	}
	return ended, changed, more
}

// mayRelease reports whether a pod's end can be counted for good.
func (t *turn) mayRelease(pod *corev1.Pod, failed bool) bool {
	switch {
	case t.job.DeletionTimestamp != nil, t.finish != nil, pod.Status.Phase == corev1.PodSucceeded:
		return true
	case !failed:
		return false
	}
	// The failures of an index are known from its last pod.
	waits, ok := t.delayed[indexOf(pod)]
	return !t.limitsIndexes() || !ok || waits.UID != pod.UID
}

// noteIndexes writes the lists of indexes.
func (t *turn) noteIndexes() (changed bool) {
	status := &t.job.Status
	if list := t.completed.String(); list != status.CompletedIndexes {
		status.CompletedIndexes, changed = list, true
	}
	status.Succeeded = int32(t.completed.total())
	if t.failedIndexes != nil {
		if list := t.failedIndexes.String(); status.FailedIndexes == nil || *status.FailedIndexes != list {
			status.FailedIndexes, changed = &list, true
		}
	}
	return changed
}

// noteDecision writes why the Job is about to end, before it does.
func (t *turn) noteDecision() (changed bool) {
	if t.finish == nil {
		return false
	}
	conditions := &t.job.Status.Conditions
	switch decided := t.finish; decided.Type {
	case batchv1.JobFailureTarget:
		*conditions = append(*conditions, *decided)
		t.finish = t.condition(batchv1.JobFailed, decided.Reason, decided.Message)
		return true
	case batchv1.JobSuccessCriteriaMet:
		if !isTrue(find(*conditions, decided.Type)) {
			*conditions = append(*conditions, *decided)
			changed = true
		}
		t.finish = t.condition(batchv1.JobComplete, decided.Reason, decided.Message)
	}
	return changed
}

// countReleased moves pods that nothing holds back any more from the list to
// the counts.
func (t *turn) countReleased(waiting map[types.UID]bool) bool {
	status := &t.job.Status
	released := func(uid types.UID) bool { return !waiting[uid] }
	move := func(list *[]types.UID, count *int32) bool {
		left := slices.DeleteFunc(slices.Clone(*list), released)
		moved := len(*list) - len(left)
		*count += int32(moved)
		*list = left
		if len(left) == 0 {
			*list = nil
		}
		return moved > 0
	}
	succeeded := move(&status.UncountedTerminatedPods.Succeeded, &status.Succeeded)
	return move(&status.UncountedTerminatedPods.Failed, &status.Failed) || succeeded
}

// conclude ends the Job once all of its pods have ended and are counted.
func (t *turn) conclude() bool {
	uncounted := t.job.Status.UncountedTerminatedPods
	if t.finish == nil || len(uncounted.Succeeded)+len(uncounted.Failed) > 0 || t.terminating > 0 {
		return false
	}
	t.set(t.finish)
	if t.finish.Type == batchv1.JobComplete {
		t.job.Status.CompletionTime = &t.finish.LastTransitionTime
	}
	return true
}

func (t *turn) announce(ctx context.Context) {
	if t.finish.Type != batchv1.JobComplete {
		t.recorder.Event(ctx, t.job, corev1.EventTypeWarning, t.finish.Reason, t.finish.Message)
		return
	}
	if wanted := t.job.Spec.Completions; wanted != nil && t.job.Status.Succeeded > *wanted {
		t.recorder.Event(ctx, t.job, corev1.EventTypeWarning, "TooManySucceededPods", "Too many succeeded pods running after completion count reached")
	}
	t.recorder.Event(ctx, t.job, corev1.EventTypeNormal, "Completed", "Job completed")
}

func (t *turn) write(ctx context.Context) error {
	written, err := t.client.UpdateStatus(ctx, resource, t.job)
	if err != nil {
		return fmt.Errorf("tracking status: %w", err)
	}
	t.loop.written.Note(controller.Request{Namespace: t.job.Namespace, Name: t.job.Name}, written)
	t.job = written.(*batchv1.Job).DeepCopy()
	if t.job.Status.UncountedTerminatedPods == nil {
		t.job.Status.UncountedTerminatedPods = &batchv1.UncountedTerminatedPods{}
	}
	return nil
}
