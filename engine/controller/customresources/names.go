package customresources

import (
	"fmt"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"tidepool.dev/tidepool/engine/api/custom"
)

// name accepts the names that no other definition of the group has
// (controller/status.calculateNamesAndConditions upstream).
func (l *loop) name(crd *apiextensionsv1.CustomResourceDefinition) {
	var resources, kinds []string
	for _, other := range l.definitions(crd.Spec.Group) {
		if other.Name == crd.Name {
			continue
		}
		names := &other.Status.AcceptedNames
		resources = append(append(resources, names.Plural, names.Singular), names.ShortNames...)
		kinds = append(kinds, names.Kind, names.ListKind)
	}
	wanted, accepted := &crd.Spec.Names, &crd.Status.AcceptedNames
	reason, message := "", ""
	accept := func(want string, have *string, taken []string, conflict string) {
		if want != *have && slices.Contains(taken, want) {
			reason, message = conflict, fmt.Sprintf("%q is already in use", want)
			return
		}
		*have = want
	}
	accept(wanted.Plural, &accepted.Plural, resources, "PluralConflict")
	accept(wanted.Singular, &accepted.Singular, resources, "SingularConflict")
	var inUse []string
	for _, short := range wanted.ShortNames {
		if !slices.Contains(accepted.ShortNames, short) && slices.Contains(resources, short) {
			inUse = append(inUse, fmt.Sprintf("%q is already in use", short))
		}
	}
	switch len(inUse) {
	case 0:
		accepted.ShortNames = wanted.ShortNames
	case 1:
		reason, message = "ShortNamesConflict", inUse[0]
	default:
		reason, message = "ShortNamesConflict", "["+strings.Join(inUse, ", ")+"]"
	}
	accept(wanted.Kind, &accepted.Kind, kinds, "KindConflict")
	accept(wanted.ListKind, &accepted.ListKind, kinds, "ListKindConflict")
	accepted.Categories = wanted.Categories

	if reason != "" {
		l.set(crd, apiextensionsv1.NamesAccepted, apiextensionsv1.ConditionFalse, reason, message)
		if custom.Condition(crd, apiextensionsv1.Established) == nil {
			l.set(crd, apiextensionsv1.Established, apiextensionsv1.ConditionFalse, "NotAccepted", "not all names are accepted")
		}
		return
	}
	l.set(crd, apiextensionsv1.NamesAccepted, apiextensionsv1.ConditionTrue, "NoConflicts", "no conflicts found")
}

// approve says whether a definition in a group of Kubernetes' own has been
// approved (controller/apiapproval upstream).
func (l *loop) approve(crd *apiextensionsv1.CustomResourceDefinition) {
	group := crd.Spec.Group
	if group != "k8s.io" && group != "kubernetes.io" && !strings.HasSuffix(group, ".k8s.io") && !strings.HasSuffix(group, ".kubernetes.io") {
		return
	}
	const condition = apiextensionsv1.KubernetesAPIApprovalPolicyConformant
	annotation := crd.Annotations[apiextensionsv1.KubeAPIApprovedAnnotation]
	switch {
	case annotation == "":
		l.set(crd, condition, apiextensionsv1.ConditionFalse, "MissingAnnotation", fmt.Sprintf(
			"protected groups must have approval annotation %q, see https://github.com/kubernetes/enhancements/pull/1111", apiextensionsv1.KubeAPIApprovedAnnotation))
	case strings.HasPrefix(annotation, "unapproved"):
		l.set(crd, condition, apiextensionsv1.ConditionFalse, "UnapprovedAnnotation", fmt.Sprintf("not approved: %q", annotation))
	default:
		l.set(crd, condition, apiextensionsv1.ConditionTrue, "ApprovedAnnotation", "approved in "+annotation)
	}
}
