package validation

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// JobConditionIsTrue reports whether a Job has a condition.
func JobConditionIsTrue(conditions []batchv1.JobCondition, conditionType batchv1.JobConditionType) bool {
	return jobConditionIs(conditions, conditionType, corev1.ConditionTrue)
}

func jobConditionIs(conditions []batchv1.JobCondition, conditionType batchv1.JobConditionType, status corev1.ConditionStatus) bool {
	for i := range conditions {
		if conditions[i].Type == conditionType && conditions[i].Status == status {
			return true
		}
	}
	return false
}

// jobState is what the checks of a status ask about a Job before and after.
type jobState struct {
	complete, failed, failureTarget, successCriteriaMet, suspended bool
}

func jobStateOf(status *batchv1.JobStatus) jobState {
	is := func(conditionType batchv1.JobConditionType) bool {
		return JobConditionIsTrue(status.Conditions, conditionType)
	}
	return jobState{
		complete: is(batchv1.JobComplete), failed: is(batchv1.JobFailed), failureTarget: is(batchv1.JobFailureTarget),
		successCriteriaMet: is(batchv1.JobSuccessCriteriaMet), suspended: is(batchv1.JobSuspended),
	}
}

func (s jobState) finished() bool { return s.complete || s.failed }

// JobStatusUpdate checks what a controller reports, ours or one that the Job
// names in spec.managedBy. What a change of spec may have made wrong for a
// while is checked only where the report changes it
// (pkg/registry/batch/job/strategy.go, getStatusValidationOptions).
func JobStatusUpdate(j, old *batchv1.Job) field.ErrorList {
	status, was := &j.Status, &old.Status
	is, before := jobStateOf(status), jobStateOf(was)
	errs := jobCounts(status)
	errs = append(errs, jobConditions(status, was, is, before)...)
	errs = append(errs, jobFinished(j, was, is, before)...)
	errs = append(errs, jobIndexes(j, was)...)
	if (!equality.Semantic.DeepEqual(status.Ready, was.Ready) || status.Active != was.Active) && status.Ready != nil && *status.Ready > status.Active {
		errs = append(errs, field.Invalid(statusPath.Child("ready"), *status.Ready, "cannot set more ready pods than active"))
	}
	conflict := func(wrong bool, message string) {
		if wrong {
			errs = append(errs, field.Invalid(statusPath.Child("conditions"), field.OmitValueType{}, message))
		}
	}
	conflict(is.successCriteriaMet && is.failed, "cannot set SuccessCriteriaMet=True and Failed=true conditions")
	conflict(is.successCriteriaMet && is.failureTarget, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions")
	conflict(j.Spec.SuccessPolicy != nil && !is.successCriteriaMet && is.complete,
		"cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True")
	conflict(before.failed && !is.failed, "cannot disable the terminal Failed=True condition")
	conflict(before.complete && !is.complete, "cannot disable the terminal Complete=True condition")
	conflict(before.failureTarget && !is.failureTarget, "cannot disable the terminal FailureTarget=True condition")
	errs = append(errs, jobProgress(j, was, is, before)...)
	conflict(before.successCriteriaMet && !is.successCriteriaMet, "cannot disable the SuccessCriteriaMet=True condition")
	conflict(before.complete && !before.successCriteriaMet && is.successCriteriaMet,
		"cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions")
	return errs
}

func jobCounts(status *batchv1.JobStatus) field.ErrorList {
	errs := nonNegative(statusPath, "active", status.Active)
	errs = append(errs, nonNegative(statusPath, "succeeded", status.Succeeded)...)
	errs = append(errs, nonNegative(statusPath, "failed", status.Failed)...)
	errs = append(errs, optionalCount("ready", status.Ready)...)
	errs = append(errs, optionalCount("terminating", status.Terminating)...)
	if status.UncountedTerminatedPods == nil {
		return errs
	}
	seen := map[types.UID]bool{}
	check := func(child string, uids []types.UID) {
		for i, uid := range uids {
			at := statusPath.Child("uncountedTerminatedPods", child).Index(i)
			switch {
			case uid == "":
				errs = append(errs, field.Invalid(at, uid, "must not be empty"))
			case seen[uid]:
				errs = append(errs, field.Duplicate(at, uid))
			}
			seen[uid] = true
		}
	}
	check("succeeded", status.UncountedTerminatedPods.Succeeded)
	check("failed", status.UncountedTerminatedPods.Failed)
	return errs
}

// jobConditions checks how conditions and completion time go together.
func jobConditions(status, was *batchv1.JobStatus, is, before jobState) field.ErrorList {
	var errs field.ErrorList
	conflict := func(checked, wrong bool, message string) {
		if checked && wrong {
			errs = append(errs, field.Invalid(statusPath.Child("conditions"), field.OmitValueType{}, message))
		}
	}
	completed := is.complete != before.complete
	retimed := !status.CompletionTime.Equal(was.CompletionTime)
	conflict(completed || is.failed != before.failed, is.complete && is.failed, "cannot set Complete=True and Failed=true conditions")
	conflict(completed || is.failureTarget != before.failureTarget, is.complete && is.failureTarget, "cannot set Complete=True and FailureTarget=true conditions")
	at := statusPath.Child("completionTime")
	if completed || retimed {
		if status.CompletionTime != nil && !is.complete {
			errs = append(errs, field.Invalid(at, status.CompletionTime, "cannot set completionTime when there is no Complete=True condition"))
		}
		if status.CompletionTime == nil && is.complete {
			errs = append(errs, field.Required(at, "completionTime is required for Complete jobs"))
		}
	}
	if (retimed || !status.StartTime.Equal(was.StartTime)) && status.StartTime != nil && status.CompletionTime != nil && status.CompletionTime.Before(status.StartTime) {
		errs = append(errs, field.Invalid(at, status.CompletionTime, "must be equal to or after `startTime`"))
	}
	reindexed := !equality.Semantic.DeepEqual(status.FailedIndexes, was.FailedIndexes)
	conflict(is.failed != before.failed || reindexed, is.failed && !is.failureTarget, "cannot set Failed=True condition without the FailureTarget=true condition")
	conflict(completed || is.successCriteriaMet != before.successCriteriaMet, is.complete && !is.successCriteriaMet,
		"cannot set Complete=True condition without the SuccessCriteriaMet=true condition")
	return errs
}

// jobFinished checks that nothing is left of a finished Job.
func jobFinished(j *batchv1.Job, was *batchv1.JobStatus, is, before jobState) field.ErrorList {
	status := &j.Status
	if !is.finished() {
		return nil
	}
	var errs field.ErrorList
	ended := !before.finished()
	if (ended || status.Active != was.Active) && status.Active > 0 {
		errs = append(errs, field.Invalid(statusPath.Child("active"), status.Active, "active>0 is invalid for finished job"))
	}
	nothingToDo := j.Spec.Suspend != nil && *j.Spec.Suspend && j.Spec.Completions != nil && *j.Spec.Completions == 0
	if (ended || !status.StartTime.Equal(was.StartTime)) && !nothingToDo && status.StartTime == nil {
		errs = append(errs, field.Required(statusPath.Child("startTime"), "startTime is required for finished job"))
	}
	uncounted := status.UncountedTerminatedPods
	if (ended || !equality.Semantic.DeepEqual(uncounted, was.UncountedTerminatedPods)) && uncounted != nil && len(uncounted.Failed)+len(uncounted.Succeeded) > 0 {
		errs = append(errs, field.Invalid(statusPath.Child("uncountedTerminatedPods"), internal(uncounted), "must be empty for finished job"))
	}
	if (ended || !equality.Semantic.DeepEqual(status.Terminating, was.Terminating)) && status.Terminating != nil && *status.Terminating > 0 {
		errs = append(errs, field.Invalid(statusPath.Child("terminating"), *status.Terminating, "terminating>0 is invalid for finished job"))
	}
	return errs
}

func jobIndexes(j *batchv1.Job, was *batchv1.JobStatus) field.ErrorList {
	status, spec := &j.Status, &j.Spec
	completed, failed := statusPath.Child("completedIndexes"), statusPath.Child("failedIndexes")
	completedChanged := status.CompletedIndexes != was.CompletedIndexes
	failedChanged := !equality.Semantic.DeepEqual(status.FailedIndexes, was.FailedIndexes)
	var errs field.ErrorList
	if completedChanged && spec.Completions != nil {
		if _, err := countIndexes(status.CompletedIndexes, *spec.Completions); err != nil {
			errs = append(errs, field.Invalid(completed, status.CompletedIndexes, fmt.Sprintf("error parsing completedIndexes: %s", err)))
		}
	}
	if failedChanged && spec.Completions != nil && spec.BackoffLimitPerIndex != nil && status.FailedIndexes != nil {
		if _, err := countIndexes(*status.FailedIndexes, *spec.Completions); err != nil {
			errs = append(errs, field.Invalid(failed, *status.FailedIndexes, fmt.Sprintf("error parsing failedIndexes: %s", err)))
		}
	}
	if completedChanged && status.CompletedIndexes != "" && !isIndexed(spec) {
		errs = append(errs, field.Invalid(completed, status.CompletedIndexes, "cannot set non-empty completedIndexes when non-indexed completion mode"))
	}
	if failedChanged && spec.BackoffLimitPerIndex == nil && status.FailedIndexes != nil {
		errs = append(errs, field.Invalid(failed, *status.FailedIndexes, "cannot set non-null failedIndexes when backoffLimitPerIndex is null"))
	}
	if (failedChanged || completedChanged) && spec.Completions != nil && status.FailedIndexes != nil {
		if at, both := commonIndex(status.CompletedIndexes, *status.FailedIndexes, *spec.Completions); both {
			errs = append(errs, field.Invalid(failed, *status.FailedIndexes, fmt.Sprintf("failedIndexes and completedIndexes overlap at index: %d", at)))
		}
	}
	return errs
}

// jobProgress checks that counters only grow and times stay.
func jobProgress(j *batchv1.Job, was *batchv1.JobStatus, is, before jobState) field.ErrorList {
	status, spec := &j.Status, &j.Spec
	var errs field.ErrorList
	if status.Failed < was.Failed {
		errs = append(errs, field.Invalid(statusPath.Child("failed"), status.Failed, "cannot decrease the failed counter"))
	}
	// An elastic Job may have been shrunk.
	elastic := isIndexed(spec) && equality.Semantic.DeepEqual(spec.Completions, spec.Parallelism)
	if status.Succeeded < was.Succeeded && !elastic {
		errs = append(errs, field.Invalid(statusPath.Child("succeeded"), status.Succeeded, "cannot decrease the succeeded counter"))
	}
	if status.CompletionTime != nil && was.CompletionTime != nil && !status.CompletionTime.Equal(was.CompletionTime) {
		errs = append(errs, field.Invalid(statusPath.Child("completionTime"), status.CompletionTime, fieldIsImmutable))
	}
	resuming := before.suspended && jobConditionIs(status.Conditions, batchv1.JobSuspended, corev1.ConditionFalse)
	suspended := spec.Suspend != nil && *spec.Suspend
	if !resuming && !suspended && was.StartTime != nil && !was.StartTime.Equal(status.StartTime) {
		errs = append(errs, field.Invalid(statusPath.Child("startTime"), timeValue(status.StartTime), "field is immutable for unsuspended job once set"))
	}
	return errs
}

func timeValue(t *metav1.Time) any {
	if t == nil {
		return nil
	}
	return t
}
