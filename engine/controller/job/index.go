package job

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/controller/internal/podutil"
)

// noIndex stands for pods that have none.
const noIndex = -1

func indexOf(pod *corev1.Pod) int {
	index, err := strconv.Atoi(pod.Annotations[batchv1.JobCompletionIndexAnnotation])
	if err != nil || index < 0 {
		return noIndex
	}
	return index
}

// hasIndex reports whether a pod has an index that the Job has.
func (t *turn) hasIndex(pod *corev1.Pod) bool {
	index := indexOf(pod)
	return index != noIndex && index < int(*t.job.Spec.Completions)
}

func (t *turn) countIndexes() {
	status, completions := &t.job.Status, int(*t.job.Spec.Completions)
	t.known = parseIntervals(status.CompletedIndexes, completions)
	var completed, failed []int
	for _, pod := range t.pods {
		if !tracked(pod) || !t.hasIndex(pod) {
			continue
		}
		if pod.Status.Phase == corev1.PodSucceeded {
			completed = append(completed, indexOf(pod))
		} else if t.limitsIndexes() && t.hasFailedForGood(pod) {
			failed = append(failed, indexOf(pod))
		}
	}
	t.completed = t.known.with(completed)
	t.succeeded = int32(t.completed.total())
	if !t.limitsIndexes() {
		return
	}
	var before intervals
	if status.FailedIndexes != nil {
		before = parseIntervals(*status.FailedIndexes, completions)
	}
	all := before.with(failed)
	t.failedIndexes = &all
	t.findDelayed()
}

// hasFailedForGood reports whether a pod is the last one that its index gets.
func (t *turn) hasFailedForGood(pod *corev1.Pod) bool {
	if !t.isFailed(pod) {
		return false
	}
	verdict := judge(t.job, pod)
	return verdict.failsIndex || verdict.counts && failureCount(pod) >= int(*t.job.Spec.BackoffLimitPerIndex)
}

// findDelayed finds, for each index without a pod, the last one that failed.
func (t *turn) findDelayed() {
	t.delayed = map[int]*corev1.Pod{}
	active := indexesOf(t.active)
	for _, pod := range t.newlyEnded(nil, t.isFailed) {
		index := indexOf(pod)
		if t.completed.has(index) || t.failedIndexes.has(index) || slices.Contains(active, index) {
			continue
		}
		last, ok := t.delayed[index]
		if !ok || failureCount(last)+ignoredCount(last) <= failureCount(pod)+ignoredCount(pod) && !endOf(pod).Before(endOf(last)) {
			t.delayed[index] = pod
		}
	}
}

func indexesOf(pods []*corev1.Pod) []int {
	var indexes []int
	for _, pod := range pods {
		if index := indexOf(pod); index != noIndex {
			indexes = append(indexes, index)
		}
	}
	return indexes
}

// pendingIndexes are the first ones, up to a number, that have neither ended nor
// a pod.
func (t *turn) pendingIndexes(count int) []int {
	taken := t.completed.with(indexesOf(t.active))
	if t.replacesOnlyFailed() {
		var terminating []*corev1.Pod
		for _, pod := range t.pods {
			if podutil.Terminating(pod) {
				terminating = append(terminating, pod)
			}
		}
		taken = taken.with(indexesOf(terminating))
	}
	if t.failedIndexes != nil {
		taken = taken.merge(*t.failedIndexes)
	}
	var pending []int
	for index := 0; index < int(*t.job.Spec.Completions) && len(pending) < count; index++ {
		if !taken.has(index) {
			pending = append(pending, index)
		}
	}
	return pending
}

// dueIndexes are those whose back-off is over; if none is, the turn looks again
// when the first one will be.
func (t *turn) dueIndexes(indexes []int) []int {
	var due []int
	first := time.Duration(0)
	for _, index := range indexes {
		wait := time.Duration(0)
		if pod := t.delayed[index]; pod != nil {
			wait = failureWait(failureCount(pod)+ignoredCount(pod)+1, endOf(pod), t.clock.Now())
		}
		switch {
		case wait == 0:
			due = append(due, index)
		case first == 0 || wait < first:
			first = wait
		}
	}
	if len(due) == 0 {
		t.checkAfter(first)
	}
	return due
}

// duplicates separates from active pods those that have no index of the Job's
// or one that another pod has too.
func (t *turn) duplicates(pods []*corev1.Pod) (remove, left []*corev1.Pod) {
	byIndex := map[int][]*corev1.Pod{}
	var indexes []int
	for _, pod := range pods {
		if !t.hasIndex(pod) {
			remove = append(remove, pod)
			continue
		}
		index := indexOf(pod)
		if byIndex[index] == nil {
			indexes = append(indexes, index)
		}
		byIndex[index] = append(byIndex[index], pod)
	}
	slices.SortFunc(indexes, cmp.Compare)
	for _, index := range indexes {
		same := byIndex[index]
		podutil.SortForDeletion(same)
		last := len(same) - 1
		remove, left = append(remove, same[:last]...), append(left, same[last])
	}
	return remove, left
}

func failureCount(pod *corev1.Pod) int { return count(pod, batchv1.JobIndexFailureCountAnnotation) }

func ignoredCount(pod *corev1.Pod) int {
	return count(pod, batchv1.JobIndexIgnoredFailureCountAnnotation)
}

func count(pod *corev1.Pod, annotation string) int {
	number, err := strconv.ParseInt(pod.Annotations[annotation], 10, 32)
	if err != nil || number < 0 {
		return 0
	}
	return int(number)
}
