package cronjob

import (
	"cmp"
	"context"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ending is how a Job has finished, empty if it has not.
func ending(job *batchv1.Job) batchv1.JobConditionType {
	for _, c := range job.Status.Conditions {
		if (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == corev1.ConditionTrue {
			return c.Type
		}
	}
	return ""
}

// followJobs brings the status up to the Jobs.
func (t *turn) followJobs(ctx context.Context) {
	status := &t.cron.Status
	for _, job := range t.jobs {
		end, active := ending(job), isActive(t.cron, job.UID)
		switch {
		case end == "" && !active:
			t.event(ctx, corev1.EventTypeWarning, "UnexpectedJob", "Saw a job that the controller did not create or forgot: %s", job.Name)
		case end != "" && active:
			t.deactivate(job.UID)
			t.event(ctx, corev1.EventTypeNormal, "SawCompletedJob", "Saw completed job: %s, condition: %v", job.Name, end)
		}
		if done := job.Status.CompletionTime; end == batchv1.JobComplete && done != nil && (status.LastSuccessfulTime == nil || done.After(status.LastSuccessfulTime.Time)) {
			status.LastSuccessfulTime = done
			t.changed = true
		}
	}
}

func (t *turn) deactivate(uid types.UID) {
	t.cron.Status.Active = slices.DeleteFunc(t.cron.Status.Active, func(ref corev1.ObjectReference) bool { return ref.UID == uid })
	t.changed = true
}

// dropMissing forgets running Jobs that are gone.
func (t *turn) dropMissing(ctx context.Context) error {
	for _, ref := range slices.Clone(t.cron.Status.Active) {
		if slices.ContainsFunc(t.jobs, func(job *batchv1.Job) bool { return job.UID == ref.UID }) {
			continue
		}
		_, err := t.client.Get(ctx, jobResource, ref.Namespace, ref.Name)
		switch {
		case errors.IsNotFound(err):
			t.event(ctx, corev1.EventTypeNormal, "MissingJob", "Active job went missing: %v", ref.Name)
			t.deactivate(ref.UID)
		case err != nil:
			return err
		}
	}
	return nil
}

// trimHistory deletes the oldest finished Jobs beyond the limits.
func (t *turn) trimHistory(ctx context.Context) {
	for _, each := range []struct {
		end   batchv1.JobConditionType
		limit *int32
	}{{batchv1.JobComplete, t.cron.Spec.SuccessfulJobsHistoryLimit}, {batchv1.JobFailed, t.cron.Spec.FailedJobsHistoryLimit}} {
		if each.limit == nil {
			continue
		}
		var ended []*batchv1.Job
		for _, job := range t.jobs {
			if ending(job) == each.end && job.DeletionTimestamp == nil {
				ended = append(ended, job)
			}
		}
		slices.SortFunc(ended, byStart)
		for _, job := range ended[:max(len(ended)-int(*each.limit), 0)] {
			t.delete(ctx, job)
		}
	}
}

func byStart(a, b *batchv1.Job) int {
	switch started, other := a.Status.StartTime, b.Status.StartTime; {
	case started == nil && other != nil:
		return 1
	case started != nil && other == nil:
		return -1
	case started != nil && !started.Equal(other):
		return started.Time.Compare(other.Time)
	}
	return cmp.Compare(a.Name, b.Name)
}

// delete deletes a Job with its pods and reports whether that went well.
func (t *turn) delete(ctx context.Context, job *batchv1.Job) bool {
	background := metav1.DeletePropagationBackground
	err := t.client.Delete(ctx, jobResource, job.Namespace, job.Name, metav1.DeleteOptions{PropagationPolicy: &background})
	if err != nil && !errors.IsNotFound(err) {
		t.event(ctx, corev1.EventTypeWarning, "FailedDelete", "Deleted job: %v", err)
		return false
	}
	active := isActive(t.cron, job.UID)
	if active {
		t.deactivate(job.UID)
	}
	if err == nil {
		t.event(ctx, corev1.EventTypeNormal, "SuccessfulDelete", "Deleted job %v", job.Name)
	}
	return true
}
