package validation

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubelabels "k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Limits of Indexed Jobs: what is known of each index is in the status.
const (
	maxIndexedParallelism = 100_000
	maxFailedIndexes      = 100_000
	manyCompletions       = 100_000
	maxParallelismOfMany  = 10_000
	maxFailedOfMany       = 10_000
	maxManagedBy          = 63
)

// Job checks a new Job, whose selector and labels have been generated.
func Job(j *batchv1.Job) field.ErrorList {
	errs := generatedSelector(j, true)
	errs = append(errs, selectedJobSpec(&j.Spec)...)
	return append(errs, nameAllowsIndexes(j)...)
}

// generatedSelector checks that nobody has got in the way of the generated
// labels. Jobs of old lack those with a prefix.
func generatedSelector(j *batchv1.Job, prefixed bool) field.ErrorList {
	if j.Spec.ManualSelector != nil && *j.Spec.ManualSelector || j.Spec.Selector == nil {
		return nil
	}
	var errs field.ErrorList
	if j.UID == "" {
		errs = append(errs, field.Required(metadataPath.Child("uid"), ""))
	}
	expected := kubelabels.Set{}
	expect := func(key, value string) {
		expected[key] = value
		errs = append(errs, hasLabel(&j.Spec.Template, key, value)...)
	}
	expect("controller-uid", string(j.UID))
	expect("job-name", j.Name)
	if prefixed {
		expect(batchv1.ControllerUidLabel, string(j.UID))
		expect(batchv1.JobNameLabel, j.Name)
	}
	if selector, err := metav1.LabelSelectorAsSelector(j.Spec.Selector); err == nil && !selector.Matches(expected) {
		errs = append(errs, field.Invalid(specPath.Child("selector"), j.Spec.Selector, "`selector` not auto-generated"))
	}
	return errs
}

func hasLabel(template *corev1.PodTemplateSpec, key, value string) field.ErrorList {
	at := specPath.Child("template", "metadata", "labels").Key(key)
	message := fmt.Sprintf("must be '%s'", value)
	actual, present := template.Labels[key]
	switch {
	case !present:
		return field.ErrorList{field.Required(at, message)}
	case actual != value:
		return field.ErrorList{field.Invalid(at, template.Labels, message)}
	}
	return nil
}

// nameAllowsIndexes checks that pods can be named after the Job and an index.
func nameAllowsIndexes(j *batchv1.Job) field.ErrorList {
	if !isIndexed(&j.Spec) || j.Spec.Completions == nil || *j.Spec.Completions <= 0 {
		return nil
	}
	if last := fmt.Sprintf("%s-%d", j.Name, *j.Spec.Completions-1); dnsLabel(last) != nil {
		return field.ErrorList{field.Invalid(metadataPath.Child("name"), j.Name, "will not able to create pod with invalid DNS label: "+last)}
	}
	return nil
}

func isIndexed(spec *batchv1.JobSpec) bool {
	return spec.CompletionMode != nil && *spec.CompletionMode == batchv1.IndexedCompletion
}

// selectedJobSpec checks the spec of a Job; in a CronJob it has no selector.
func selectedJobSpec(spec *batchv1.JobSpec) field.ErrorList {
	errs := jobSpec(specPath, spec)
	if spec.Selector == nil {
		errs = append(errs, field.Required(specPath.Child("selector"), ""))
	} else {
		errs = append(errs, labelSelector(specPath, "selector", spec.Selector)...)
	}
	if selector, err := metav1.LabelSelectorAsSelector(spec.Selector); err == nil && !selector.Matches(kubelabels.Set(spec.Template.Labels)) {
		errs = append(errs, selectsOthers(specPath.Child("template"), &spec.Template))
	}
	return errs
}

func jobSpec(at *field.Path, spec *batchv1.JobSpec) field.ErrorList {
	var errs field.ErrorList
	count := func(child string, value *int32) {
		if value != nil {
			errs = append(errs, nonNegative(at, child, *value)...)
		}
	}
	count("parallelism", spec.Parallelism)
	count("completions", spec.Completions)
	if spec.ActiveDeadlineSeconds != nil {
		errs = append(errs, nonNegative(at, "activeDeadlineSeconds", *spec.ActiveDeadlineSeconds)...)
	}
	count("backoffLimit", spec.BackoffLimit)
	count("ttlSecondsAfterFinished", spec.TTLSecondsAfterFinished)
	count("backoffLimitPerIndex", spec.BackoffLimitPerIndex)
	count("maxFailedIndexes", spec.MaxFailedIndexes)
	if spec.MaxFailedIndexes != nil && spec.BackoffLimitPerIndex == nil {
		errs = append(errs, field.Required(at.Child("backoffLimitPerIndex"), "when maxFailedIndexes is specified"))
	}
	if by := spec.ManagedBy; by != nil {
		errs = append(errs, validation.IsDomainPrefixedPath(at.Child("managedBy"), *by)...)
		if len(*by) > maxManagedBy {
			errs = append(errs, field.TooLong(at.Child("managedBy"), "", maxManagedBy))
		}
	}
	errs = append(errs, completionMode(at, spec)...)
	if spec.PodFailurePolicy != nil {
		errs = append(errs, podFailurePolicy(at.Child("podFailurePolicy", "rules"), spec)...)
	}
	if spec.SuccessPolicy != nil {
		if isIndexed(spec) {
			errs = append(errs, successPolicy(at.Child("successPolicy", "rules"), spec)...)
		} else {
			errs = append(errs, field.Invalid(at.Child("successPolicy"), internal(*spec.SuccessPolicy), "requires indexed completion mode"))
		}
	}
	errs = append(errs, podReplacementPolicy(at.Child("podReplacementPolicy"), spec)...)
	errs = append(errs, podTemplate(at.Child("template"), &spec.Template)...)
	return append(errs, jobRestartPolicy(at.Child("template", "spec", "restartPolicy"), spec)...)
}

func jobRestartPolicy(at *field.Path, spec *batchv1.JobSpec) field.ErrorList {
	switch policy := spec.Template.Spec.RestartPolicy; {
	case policy == corev1.RestartPolicyAlways || policy == "":
		return field.ErrorList{field.Required(at, fmt.Sprintf("valid values: %q, %q", corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever))}
	case policy != corev1.RestartPolicyOnFailure && policy != corev1.RestartPolicyNever:
		return field.ErrorList{field.NotSupported(at, policy, []corev1.RestartPolicy{corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever})}
	case spec.PodFailurePolicy != nil && policy != corev1.RestartPolicyNever:
		return field.ErrorList{field.Invalid(at, policy, fmt.Sprintf("only %q is supported when podFailurePolicy is specified", corev1.RestartPolicyNever))}
	}
	return nil
}

func completionMode(at *field.Path, spec *batchv1.JobSpec) field.ErrorList {
	var errs field.ErrorList
	if mode := spec.CompletionMode; mode != nil {
		errs = supportedOnly(at.Child("completionMode"), *mode, batchv1.NonIndexedCompletion, batchv1.IndexedCompletion)
	}
	switch {
	case isIndexed(spec):
		errs = append(errs, indexed(at, spec)...)
	case spec.CompletionMode == nil || *spec.CompletionMode == batchv1.NonIndexedCompletion:
		if spec.BackoffLimitPerIndex != nil {
			errs = append(errs, field.Invalid(at.Child("backoffLimitPerIndex"), *spec.BackoffLimitPerIndex, "requires indexed completion mode"))
		}
		if spec.MaxFailedIndexes != nil {
			errs = append(errs, field.Invalid(at.Child("maxFailedIndexes"), *spec.MaxFailedIndexes, "requires indexed completion mode"))
		}
	}
	return errs
}

func indexed(at *field.Path, spec *batchv1.JobSpec) field.ErrorList {
	var errs field.ErrorList
	limit := func(child string, value *int32, limit int32, when string) {
		if value != nil && *value > limit {
			errs = append(errs, field.Invalid(at.Child(child), *value, fmt.Sprintf("must be less than or equal to %d%s", limit, when)))
		}
	}
	if spec.Completions == nil {
		errs = append(errs, field.Required(at.Child("completions"), "when completion mode is Indexed"))
	}
	limit("parallelism", spec.Parallelism, maxIndexedParallelism, " when completion mode is Indexed")
	if failed := spec.MaxFailedIndexes; failed != nil && spec.Completions != nil && *failed > *spec.Completions {
		errs = append(errs, field.Invalid(at.Child("maxFailedIndexes"), *failed, "must be less than or equal to completions"))
	}
	limit("maxFailedIndexes", spec.MaxFailedIndexes, maxFailedIndexes, "")
	if spec.Completions != nil && *spec.Completions > manyCompletions && spec.BackoffLimitPerIndex != nil {
		when := fmt.Sprintf(" when completions are above %d and used with backoff limit per index", manyCompletions)
		if spec.MaxFailedIndexes == nil {
			errs = append(errs, field.Required(at.Child("maxFailedIndexes"), fmt.Sprintf("must be specified when completions is above %d", manyCompletions)))
		}
		limit("parallelism", spec.Parallelism, maxParallelismOfMany, when)
		limit("maxFailedIndexes", spec.MaxFailedIndexes, maxFailedOfMany, when)
	}
	return errs
}

// JobWarnings tells the author of a new Job what is allowed but unwise.
func JobWarnings(j *batchv1.Job) []string {
	return append(nameWarnings(j.Name), JobSpecWarnings("spec", &j.Spec)...)
}

// JobSpecWarnings are those of a Job's spec at a path.
func JobSpecWarnings(path string, spec *batchv1.JobSpec) []string {
	var warnings []string
	if isIndexed(spec) && spec.Completions != nil && *spec.Completions > manyCompletions &&
		spec.Parallelism != nil && *spec.Parallelism > maxParallelismOfMany {
		warnings = append(warnings, path+": In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail")
	}
	return append(warnings, podWarnings(field.NewPath(path, "template"), spec.Template.Annotations, &spec.Template.Spec)...)
}
