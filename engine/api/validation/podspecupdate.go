package validation

import (
	"bytes"
	"encoding/json"

	"github.com/pmezard/go-difflib/difflib"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const immutableSpec = "pod updates may not change fields other than " +
	"`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`," +
	"`spec.tolerations` (only additions to existing tolerations)," +
	"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"

// podSpecUpdate complains, with a diff, about changed fields that may not
// change.
func podSpecUpdate(spec, old *corev1.PodSpec) field.ErrorList {
	if equality.Semantic.DeepEqual(spec, old) {
		return nil
	}
	// What may change is put back, so that the rest must be equal.
	rest := spec.DeepCopy()
	for i := range rest.Containers {
		rest.Containers[i].Image = old.Containers[i].Image
	}
	for i := range rest.InitContainers {
		rest.InitContainers[i].Image = old.InitContainers[i].Image
	}
	rest.ActiveDeadlineSeconds = old.ActiveDeadlineSeconds
	rest.SchedulingGates = old.SchedulingGates
	rest.Tolerations = old.Tolerations
	if was, is := old.TerminationGracePeriodSeconds, rest.TerminationGracePeriodSeconds; was != nil && *was < 0 && is != nil && *is == 1 {
		rest.TerminationGracePeriodSeconds = was
	}
	var errs field.ErrorList
	if len(old.SchedulingGates) > 0 {
		errs = gatedUpdate(rest, old)
	}
	if !equality.Semantic.DeepEqual(rest, old) {
		errs = append(errs, field.Forbidden(specPath, immutableSpec+difference(old, rest)))
	}
	return errs
}

// gatedUpdate checks what may change too while a pod is held back from
// scheduling: where it may run may be narrowed.
func gatedUpdate(rest, old *corev1.PodSpec) field.ErrorList {
	var errs field.ErrorList
	for key, value := range old.NodeSelector {
		if is, has := rest.NodeSelector[key]; !has || is != value {
			errs = append(errs, field.Invalid(specPath.Child("nodeSelector"), rest.NodeSelector,
				"only additions to spec.nodeSelector are allowed (no mutations or deletions)"))
			break
		}
	}
	rest.NodeSelector = old.NodeSelector
	var is, was *corev1.NodeAffinity
	if rest.Affinity != nil {
		is = rest.Affinity.NodeAffinity
	}
	if old.Affinity != nil {
		was = old.Affinity.NodeAffinity
	}
	if equality.Semantic.DeepEqual(is, was) {
		return errs
	}
	errs = append(errs, nodeAffinityUpdate(is, was)...)
	switch {
	case rest.Affinity == nil:
		rest.Affinity = &corev1.Affinity{NodeAffinity: was}
	case old.Affinity == nil && rest.Affinity.PodAffinity == nil && rest.Affinity.PodAntiAffinity == nil:
		rest.Affinity = nil
	default:
		rest.Affinity.NodeAffinity = was
	}
	return errs
}

func nodeAffinityUpdate(is, was *corev1.NodeAffinity) field.ErrorList {
	if was == nil || was.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return nil
	}
	oldTerms := was.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
	var terms []corev1.NodeSelectorTerm
	if is != nil && is.RequiredDuringSchedulingIgnoredDuringExecution != nil {
		terms = is.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
	}
	at := specPath.Child("affinity", "nodeAffinity", requiredTerms, "nodeSelectorTerms")
	if len(oldTerms) > 0 && len(oldTerms) != len(terms) {
		return field.ErrorList{field.Invalid(at, internal(terms), "no additions/deletions to non-empty NodeSelectorTerms list are allowed")}
	}
	var errs field.ErrorList
	for i := range oldTerms {
		if !onlyAdds(terms[i].MatchExpressions, oldTerms[i].MatchExpressions) || !onlyAdds(terms[i].MatchFields, oldTerms[i].MatchFields) {
			errs = append(errs, field.Invalid(at.Index(i), internal(terms[i]), "only additions are allowed (no mutations or deletions)"))
		}
	}
	return errs
}

func onlyAdds(list, old []corev1.NodeSelectorRequirement) bool {
	return len(list) >= len(old) && equality.Semantic.DeepEqual(list[:len(old)], old)
}

// difference is a unified diff of the two as errors show them.
func difference(old, updated any) string {
	text, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: difflib.SplitLines(indented(old)), B: difflib.SplitLines(indented(updated)), Context: 3,
	})
	if err != nil {
		return ""
	}
	return text
}

func indented(value any) string {
	var text bytes.Buffer
	if err := json.Indent(&text, internal(value), "", " "); err != nil {
		return ""
	}
	return text.String()
}
