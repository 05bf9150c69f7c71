package validation

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const fieldIsImmutable = "field is immutable"

// JobUpdate checks a change to a Job.
func JobUpdate(j, old *batchv1.Job) field.ErrorList {
	spec, was := &j.Spec, &old.Spec
	errs := selectedJobSpec(spec)
	errs = append(errs, completionsUpdate(spec, was)...)
	errs = append(errs, immutable(specPath.Child("selector"), spec.Selector, was.Selector)...)
	errs = append(errs, jobTemplateUpdate(spec, old)...)
	errs = append(errs, immutable(specPath.Child("completionMode"), spec.CompletionMode, was.CompletionMode)...)
	errs = append(errs, immutableStructure("podFailurePolicy", spec.PodFailurePolicy, was.PodFailurePolicy)...)
	errs = append(errs, immutable(specPath.Child("backoffLimitPerIndex"), spec.BackoffLimitPerIndex, was.BackoffLimitPerIndex)...)
	errs = append(errs, immutable(specPath.Child("managedBy"), spec.ManagedBy, was.ManagedBy)...)
	errs = append(errs, immutableStructure("successPolicy", spec.SuccessPolicy, was.SuccessPolicy)...)
	return append(errs, nameAllowsIndexes(j)...)
}

// immutableStructure is immutable for what errors show by its internal names.
func immutableStructure(child string, value, old any) field.ErrorList {
	if equality.Semantic.DeepEqual(value, old) {
		return nil
	}
	return field.ErrorList{field.Invalid(specPath.Child(child), internal(value), fieldIsImmutable)}
}

// completionsUpdate allows indexed Jobs alone to grow and shrink.
func completionsUpdate(spec, old *batchv1.JobSpec) field.ErrorList {
	at := specPath.Child("completions")
	switch {
	case !isIndexed(spec):
		return immutable(at, spec.Completions, old.Completions)
	case spec.Completions == nil || equality.Semantic.DeepEqual(spec.Completions, old.Completions):
		return nil
	case spec.Parallelism == nil || *spec.Completions != *spec.Parallelism:
		return field.ErrorList{field.Invalid(at, *spec.Completions, "can only be modified in tandem with spec.parallelism")}
	}
	return nil
}

// jobTemplateUpdate allows changes only to a Job that is suspended and has no
// pods: to where its pods may run and to their resources.
func jobTemplateUpdate(spec *batchv1.JobSpec, old *batchv1.Job) field.ErrorList {
	template, was := &spec.Template, &old.Spec.Template
	suspended := old.Spec.Suspend != nil && *old.Spec.Suspend
	idle := suspended && old.Status.Active == 0 &&
		(old.Status.StartTime == nil || JobConditionIsTrue(old.Status.Conditions, batchv1.JobSuspended))
	if idle {
		was = was.DeepCopy()
		followScheduling(was, template)
		followResources(was.Spec.Containers, template.Spec.Containers)
		followResources(was.Spec.InitContainers, template.Spec.InitContainers)
	}
	if equality.Semantic.DeepEqual(template, was) {
		return nil
	}
	if idle {
		return field.ErrorList{field.Invalid(specPath.Child("template.spec"), internal(internalTemplate(template).Spec), fieldIsImmutable)}
	}
	return field.ErrorList{field.Invalid(specPath.Child("template"), internal(internalTemplate(template)), fieldIsImmutable)}
}

// followScheduling gives the template what the other says of scheduling.
func followScheduling(template, other *corev1.PodTemplateSpec) {
	switch is, want := template.Spec.Affinity, other.Spec.Affinity; {
	case want == nil && is != nil:
		is.NodeAffinity = nil
		if *is == (corev1.Affinity{}) {
			template.Spec.Affinity = nil
		}
	case want != nil && is == nil:
		template.Spec.Affinity = &corev1.Affinity{NodeAffinity: want.NodeAffinity}
	case want != nil:
		is.NodeAffinity = want.NodeAffinity
	}
	template.Spec.NodeSelector = other.Spec.NodeSelector
	template.Spec.Tolerations = other.Spec.Tolerations
	template.Spec.SchedulingGates = other.Spec.SchedulingGates
	template.Annotations = other.Annotations
	template.Labels = other.Labels
}

func followResources(containers, others []corev1.Container) {
	if len(containers) != len(others) {
		return
	}
	for i := range containers {
		if containers[i].Name == others[i].Name {
			containers[i].Resources = others[i].Resources
		}
	}
}
