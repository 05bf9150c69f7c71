package job

import (
	"context"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// decide works out whether the Job is to end: what has been decided before
// stands; then come the failure policy, limits and deadlines, failed indexes and
// the success policy.
func (t *turn) decide() {
	conditions := t.job.Status.Conditions
	if met := find(conditions, batchv1.JobSuccessCriteriaMet); isTrue(met) {
		t.finish = met.DeepCopy()
		return
	}
	if target := find(conditions, batchv1.JobFailureTarget); isTrue(target) {
		t.finish = t.condition(batchv1.JobFailed, target.Reason, target.Message)
		return
	}
	if message, fails := t.policyFailure(); fails {
		t.fail(batchv1.JobReasonPodFailurePolicy, message)
		return
	}
	switch left, limited := t.deadline(); {
	case t.failed > *t.job.Spec.BackoffLimit || t.restartedTooOften():
		t.fail(batchv1.JobReasonBackoffLimitExceeded, "Job has reached the specified backoff limit")
	case limited && left <= 0:
		t.fail(batchv1.JobReasonDeadlineExceeded, "Job was active longer than specified deadline")
	case limited:
		t.checkAfter(left)
	}
	if t.finish == nil && t.failedIndexes != nil {
		t.decideByIndexes()
	}
	if t.finish == nil && t.indexed() {
		if message, met := t.successMatch(); met {
			t.finish = t.condition(batchv1.JobSuccessCriteriaMet, batchv1.JobReasonSuccessPolicy, message)
		}
	}
}

func (t *turn) fail(reason, message string) {
	t.finish = t.condition(batchv1.JobFailureTarget, reason, message)
}

func (t *turn) decideByIndexes() {
	failed, limit := t.failedIndexes.total(), t.job.Spec.MaxFailedIndexes
	switch {
	case limit != nil && failed > int(*limit):
		t.fail(batchv1.JobReasonMaxFailedIndexesExceeded, "Job has exceeded the specified maximal number of failed indexes")
	case failed > 0 && failed+t.completed.total() >= int(*t.job.Spec.Completions):
		t.fail(batchv1.JobReasonFailedIndexes, "Job has failed indexes")
	}
}

// deadline is the time that is left, if it is limited and running.
func (t *turn) deadline() (left time.Duration, limited bool) {
	seconds, start := t.job.Spec.ActiveDeadlineSeconds, t.job.Status.StartTime
	if seconds == nil || start == nil || t.suspended() {
		return 0, false
	}
	return time.Duration(*seconds)*time.Second - t.clock.Now().Sub(start.Time), true
}

// restartedTooOften counts the restarts of containers in place, for pods that
// do not end when a container fails.
func (t *turn) restartedTooOften() bool {
	if t.job.Spec.Template.Spec.RestartPolicy != corev1.RestartPolicyOnFailure {
		return false
	}
	restarts := int32(0)
	for _, pod := range t.pods {
		if pod.Status.Phase != corev1.PodRunning && pod.Status.Phase != corev1.PodPending {
			continue
		}
		for i := range pod.Status.InitContainerStatuses {
			restarts += pod.Status.InitContainerStatuses[i].RestartCount
		}
		for i := range pod.Status.ContainerStatuses {
			restarts += pod.Status.ContainerStatuses[i].RestartCount
		}
	}
	if *t.job.Spec.BackoffLimit == 0 {
		return restarts > 0
	}
	return restarts >= *t.job.Spec.BackoffLimit
}

// end deletes what still runs of a Job that is to end; it reports whether
// nothing is left to delete.
func (t *turn) end(ctx context.Context) (bool, error) {
	var failure error
	deleted := 0
	for _, pod := range t.active {
		if err := t.control.Delete(ctx, t.job, pod); err != nil {
			failure = err
			continue
		}
		t.gone(pod)
		deleted++
	}
	return deleted == len(t.active), failure
}

func finished(job *batchv1.Job) bool {
	return isTrue(find(job.Status.Conditions, batchv1.JobComplete)) || isTrue(find(job.Status.Conditions, batchv1.JobFailed))
}

func find(conditions []batchv1.JobCondition, conditionType batchv1.JobConditionType) *batchv1.JobCondition {
	for i := range conditions {
		if conditions[i].Type == conditionType {
			return &conditions[i]
		}
	}
	return nil
}

func isTrue(c *batchv1.JobCondition) bool { return c != nil && c.Status == corev1.ConditionTrue }

func (t *turn) condition(conditionType batchv1.JobConditionType, reason, message string) *batchv1.JobCondition {
	now := t.now()
	return &batchv1.JobCondition{
		Type: conditionType, Status: corev1.ConditionTrue, LastProbeTime: now, LastTransitionTime: now, Reason: reason, Message: message,
	}
}

// set puts a condition in the status; one that was never there need not be told
// as false. It reports whether that is news.
func (t *turn) set(c *batchv1.JobCondition) bool {
	present := find(t.job.Status.Conditions, c.Type)
	switch {
	case present == nil && c.Status == corev1.ConditionFalse:
		return false
	case present == nil:
		t.job.Status.Conditions = append(t.job.Status.Conditions, *c)
	case present.Status == c.Status && present.Reason == c.Reason && present.Message == c.Message:
		return false
	default:
		*present = *c
	}
	return true
}

// noteSuspension records that the Job was suspended or resumed.
func (t *turn) noteSuspension(ctx context.Context) bool {
	if t.suspended() {
		if !t.set(t.condition(batchv1.JobSuspended, "JobSuspended", "Job suspended")) {
			return false
		}
		t.recorder.Event(ctx, t.job, corev1.EventTypeNormal, "Suspended", "Job suspended")
		t.job.Status.StartTime = nil
		return true
	}
	resumed := t.condition(batchv1.JobSuspended, "JobResumed", "Job resumed")
	resumed.Status = corev1.ConditionFalse
	if !t.set(resumed) {
		return false
	}
	t.recorder.Event(ctx, t.job, corev1.EventTypeNormal, "Resumed", "Job resumed")
	now := t.now()
	t.job.Status.StartTime = &now
	return true
}
