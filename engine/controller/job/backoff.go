package job

import (
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/controller/internal/podutil"
)

// The waits after failures, as upstream's.
const (
	firstWait = 10 * time.Second
	lastWait  = 10 * time.Minute
)

// failureRecord is how often a Job's pods have failed since one succeeded.
type failureRecord struct {
	failures int
	last     time.Time
}

// failureLog holds the records of all Jobs; the zero failureLog is empty.
type failureLog struct {
	mu      sync.Mutex
	records map[types.UID]failureRecord
}

// after is a Job's record with what has ended since; keep stores it once that
// is in the Job's status.
func (l *failureLog) after(job types.UID, succeeded, failed []*corev1.Pod) failureRecord {
	l.mu.Lock()
	record := l.records[job]
	l.mu.Unlock()
	var lastSuccess time.Time
	if len(succeeded) > 0 {
		record = failureRecord{}
		lastSuccess = endOf(slices.MaxFunc(succeeded, byEnd))
	}
	for _, pod := range failed {
		if end := endOf(pod); len(succeeded) == 0 || end.After(lastSuccess) {
			record.failures++
			if end.After(record.last) || record.failures == 1 {
				record.last = end
			}
		}
	}
	return record
}

func (l *failureLog) keep(job types.UID, record failureRecord) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.records == nil {
		l.records = map[types.UID]failureRecord{}
	}
	l.records[job] = record
}

func (l *failureLog) forget(job types.UID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.records, job)
}

// wait is how long the next pod has to wait.
func (r failureRecord) wait(now time.Time) time.Duration { return failureWait(r.failures, r.last, now) }

// failureWait doubles with each failure.
func failureWait(failures int, last, now time.Time) time.Duration {
	if failures == 0 {
		return 0
	}
	wait := lastWait
	if failures < 8 { // firstWait << 7 exceeds lastWait
		wait = min(firstWait<<(failures-1), lastWait)
	}
	return max(wait-now.Sub(last), 0)
}

func byEnd(a, b *corev1.Pod) int { return endOf(a).Compare(endOf(b)) }

// endOf is when a pod ended, as well as can be known.
func endOf(pod *corev1.Pod) time.Time {
	if end, ok := containersEnd(pod); ok {
		return end
	}
	ready := podutil.Condition(pod, corev1.PodReady)
	switch {
	case ready != nil && ready.Status == corev1.ConditionFalse && !ready.LastTransitionTime.IsZero():
		return ready.LastTransitionTime.Time
	case pod.DeletionTimestamp != nil:
		grace := time.Duration(0)
		if pod.DeletionGracePeriodSeconds != nil {
			grace = time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second
		}
		return pod.DeletionTimestamp.Add(-grace)
	}
	return pod.CreationTimestamp.Time
}

// containersEnd is when the last of the containers, sidecars among them, ended;
// false if one has not.
func containersEnd(pod *corev1.Pod) (end time.Time, ok bool) {
	statuses := slices.Clone(pod.Status.ContainerStatuses)
	for _, status := range pod.Status.InitContainerStatuses {
		if slices.ContainsFunc(pod.Spec.InitContainers, func(c corev1.Container) bool {
			return c.Name == status.Name && c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
		}) {
			statuses = append(statuses, status)
		}
	}
	for i := range statuses {
		ended := statuses[i].State.Terminated
		if ended == nil || ended.FinishedAt.IsZero() {
			return time.Time{}, false
		}
		if ended.FinishedAt.After(end) {
			end = ended.FinishedAt.Time
		}
	}
	return end, len(statuses) > 0
}
