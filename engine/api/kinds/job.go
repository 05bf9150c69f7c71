package kinds

import (
	"fmt"
	"math"
	"strconv"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/duration"

	"tidepool.dev/tidepool/engine/api/defaulting"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func job() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         batchv1.SchemeGroupVersion.WithKind("Job"),
		Plural:                   "jobs",
		Singular:                 "job",
		Categories:               []string{"all"},
		Namespaced:               true,
		New:                      func() store.Object { return &batchv1.Job{} },
		NewList:                  func() runtime.Object { return &batchv1.JobList{} },
		Default:                  on(defaultJob),
		PrepareForCreate:         on(prepareJob),
		PrepareForUpdate:         onUpdate(prepareJobUpdate),
		PrepareForStatusUpdate:   onUpdate(func(j, old *batchv1.Job) { j.Spec = old.Spec }),
		Validate:                 validate(validation.Job),
		ValidateUpdate:           validateUpdate(validation.JobUpdate),
		ValidateStatusUpdate:     validateUpdate(validation.JobStatusUpdate),
		Warnings:                 warnings(jobWarnings),
		AllowUnconditionalUpdate: true,
		DefaultPropagation:       metav1.DeletePropagationOrphan, // as ever in this version
		Fields: selectable(func(j *batchv1.Job) fields.Set {
			return fields.Set{"status.successful": strconv.Itoa(int(j.Status.Succeeded))}
		}),
		Columns: append([]metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Status", "Status of the job."),
			textColumn("Completions", "The number of pods which reached phase Succeeded. The value increases monotonically for a given spec. However, it may decrease in reaction to scale down of elastic indexed jobs."),
			textColumn("Duration", "Time required to complete the job."),
			ageColumn(),
		}, templateColumns(jobSelectorDescription)...),
		Row: row(jobRow),
	}
}

const jobSelectorDescription = "A label query over pods that should match the pod count. Normally, the system sets this field for you. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors"

func defaultJob(j *batchv1.Job) {
	spec := &j.Spec
	if spec.Completions == nil && spec.Parallelism == nil {
		spec.Completions = new(int32(1))
	}
	if spec.Parallelism == nil {
		spec.Parallelism = new(int32(1))
	}
	if spec.BackoffLimit == nil {
		spec.BackoffLimit = new(int32(6))
		if spec.BackoffLimitPerIndex != nil {
			spec.BackoffLimit = new(int32(math.MaxInt32))
		}
	}
	if template := spec.Template.Labels; template != nil && len(j.Labels) == 0 {
		j.Labels = template
	}
	if spec.CompletionMode == nil {
		spec.CompletionMode = new(batchv1.NonIndexedCompletion)
	}
	if spec.Suspend == nil {
		spec.Suspend = new(false)
	}
	if spec.PodReplacementPolicy == nil {
		spec.PodReplacementPolicy = new(batchv1.TerminatingOrFailed)
		if spec.PodFailurePolicy != nil {
			spec.PodReplacementPolicy = new(batchv1.Failed)
		}
	}
	if spec.ManualSelector == nil {
		spec.ManualSelector = new(false)
	}
	defaultJobTemplate(spec)
}

// defaultJobTemplate fills in what a Job has also as a CronJob's template.
func defaultJobTemplate(spec *batchv1.JobSpec) {
	if spec.PodFailurePolicy != nil {
		for i := range spec.PodFailurePolicy.Rules {
			patterns := spec.PodFailurePolicy.Rules[i].OnPodConditions
			for j := range patterns {
				if patterns[j].Status == "" {
					patterns[j].Status = corev1.ConditionTrue
				}
			}
		}
	}
	defaulting.PodSpec(&spec.Template.Spec)
}

func prepareJob(j *batchv1.Job) {
	if manual := j.Spec.ManualSelector; manual == nil || !*manual {
		generateSelector(j)
	}
	if len(j.Labels) == 0 {
		j.Labels = j.Spec.Template.Labels
	}
	j.Status = batchv1.JobStatus{}
	j.Generation = 1
	dropGatedJob(&j.Spec)
}

// generateSelector labels the Job's pods with its name and UID and selects them
// by the latter. What the author has set is left to validation.
func generateSelector(j *batchv1.Job) {
	if j.Spec.Template.Labels == nil {
		j.Spec.Template.Labels = map[string]string{}
	}
	labels := j.Spec.Template.Labels
	setAbsent(labels, "job-name", j.Name)
	setAbsent(labels, batchv1.JobNameLabel, j.Name)
	setAbsent(labels, "controller-uid", string(j.UID))
	setAbsent(labels, batchv1.ControllerUidLabel, string(j.UID))
	if j.Spec.Selector == nil {
		j.Spec.Selector = &metav1.LabelSelector{}
	}
	if j.Spec.Selector.MatchLabels == nil {
		j.Spec.Selector.MatchLabels = map[string]string{}
	}
	setAbsent(j.Spec.Selector.MatchLabels, batchv1.ControllerUidLabel, string(j.UID))
}

func setAbsent(labels map[string]string, key, value string) {
	if _, present := labels[key]; !present {
		labels[key] = value
	}
}

func dropGatedJob(spec *batchv1.JobSpec) {
	spec.Scheduling = nil
	defaulting.DropGated(&spec.Template.Spec)
}

func prepareJobUpdate(j, old *batchv1.Job) {
	j.Status = old.Status
	dropGatedJob(&j.Spec)
	if !equality.Semantic.DeepEqual(&j.Spec, &old.Spec) {
		j.Generation = old.Generation + 1
	}
}

func jobWarnings(j, old *batchv1.Job) []string {
	switch {
	case old == nil:
		return validation.JobWarnings(j)
	case j.Generation != old.Generation:
		return validation.JobSpecWarnings("spec", &j.Spec)
	}
	return nil
}

func jobRow(j *batchv1.Job, now time.Time) []any {
	containers := j.Spec.Template.Spec.Containers
	return []any{
		j.Name, jobStatus(j), jobCompletions(j), jobDuration(j, now), age(j.CreationTimestamp, now),
		containerNames(containers), containerImages(containers), metav1.FormatLabelSelector(j.Spec.Selector),
	}
}

func jobStatus(j *batchv1.Job) string {
	is := func(conditionType batchv1.JobConditionType) bool {
		return validation.JobConditionIsTrue(j.Status.Conditions, conditionType)
	}
	switch {
	case is(batchv1.JobComplete):
		return "Complete"
	case is(batchv1.JobFailed):
		return "Failed"
	case j.DeletionTimestamp != nil:
		return "Terminating"
	case is(batchv1.JobSuspended):
		return "Suspended"
	case is(batchv1.JobFailureTarget):
		return "FailureTarget"
	case is(batchv1.JobSuccessCriteriaMet):
		return "SuccessCriteriaMet"
	}
	return "Running"
}

func jobCompletions(j *batchv1.Job) string {
	switch parallelism := replicas(j.Spec.Parallelism); {
	case j.Spec.Completions != nil:
		return fmt.Sprintf("%d/%d", j.Status.Succeeded, *j.Spec.Completions)
	case parallelism > 1:
		return fmt.Sprintf("%d/1 of %d", j.Status.Succeeded, parallelism)
	}
	return fmt.Sprintf("%d/1", j.Status.Succeeded)
}

func jobDuration(j *batchv1.Job, now time.Time) string {
	switch {
	case j.Status.StartTime == nil:
		return ""
	case j.Status.CompletionTime == nil:
		return duration.HumanDuration(now.Sub(j.Status.StartTime.Time))
	}
	return duration.HumanDuration(j.Status.CompletionTime.Sub(j.Status.StartTime.Time))
}
