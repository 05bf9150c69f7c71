package validation

import (
	"fmt"
	"math"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// maxQueues is what a priority level may have at most, and maxHashBits how many
// bits there are to deal a hand of them with
// (k8s.io/apiserver/pkg/util/shufflesharding upstream).
const (
	maxQueues   = 10_000_000
	maxHashBits = 60
)

// PriorityLevelConfiguration checks a new priority level
// (k8s.io/kubernetes/pkg/apis/flowcontrol/validation upstream). What upstream
// checks declaratively comes last.
func PriorityLevelConfiguration(l *flowcontrolv1.PriorityLevelConfiguration) field.ErrorList {
	var errs, declared field.ErrorList
	const preserve = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares"
	if _, set := l.Annotations[preserve]; set {
		errs = append(errs, field.Forbidden(field.NewPath("metadata", "annotations"), fmt.Sprintf("annotation '%s' is forbidden", preserve)))
	}
	path := field.NewPath("spec")
	if (l.Name == flowcontrolv1.PriorityLevelConfigurationNameExempt) != (l.Spec.Type == flowcontrolv1.PriorityLevelEnablementExempt) {
		errs = append(errs, field.Invalid(path.Child("type"), l.Spec.Type, "must be 'Exempt' if and only if `name` is 'exempt'"))
	}
	switch l.Spec.Type {
	case flowcontrolv1.PriorityLevelEnablementExempt:
		if l.Spec.Limited != nil {
			declared = append(declared, field.Forbidden(path.Child("limited"), ""))
		}
		errs = append(errs, exemptLevel(l.Spec.Exempt, path.Child("exempt"))...)
	case flowcontrolv1.PriorityLevelEnablementLimited:
		if l.Spec.Exempt != nil {
			declared = append(declared, field.Forbidden(path.Child("exempt"), ""))
		}
		if l.Spec.Limited == nil {
			declared = append(declared, field.Required(path.Child("limited"), ""))
			break
		}
		byHand, byDeclaration := limitedLevel(l.Spec.Limited, path.Child("limited"))
		errs, declared = append(errs, byHand...), append(declared, byDeclaration...)
	case "":
		declared = append(declared, field.Required(path.Child("type"), ""))
	default:
		errs = append(errs, supportedOnly(path.Child("type"), l.Spec.Type, flowcontrolv1.PriorityLevelEnablementExempt, flowcontrolv1.PriorityLevelEnablementLimited)...)
	}
	errs = append(errs, mandatoryLevel(l, path)...)
	return append(append(errs, levelConditions(l)...), declared...)
}

// PriorityLevelConfigurationUpdate checks a level that replaces another.
func PriorityLevelConfigurationUpdate(l, _ *flowcontrolv1.PriorityLevelConfiguration) field.ErrorList {
	return PriorityLevelConfiguration(l)
}

// PriorityLevelConfigurationStatusUpdate checks the status alone.
func PriorityLevelConfigurationStatusUpdate(l, _ *flowcontrolv1.PriorityLevelConfiguration) field.ErrorList {
	return levelConditions(l)
}

func levelConditions(l *flowcontrolv1.PriorityLevelConfiguration) field.ErrorList {
	types := make([]string, len(l.Status.Conditions))
	for i, c := range l.Status.Conditions {
		types[i] = string(c.Type)
	}
	return conditionTypes(types)
}

// mandatoryLevel: some levels stay as they are, but for the shares of the exempt
// one.
func mandatoryLevel(l *flowcontrolv1.PriorityLevelConfiguration, path *field.Path) field.ErrorList {
	fixed, ok := mandatoryPriorityLevel(l.Name)
	if !ok {
		return nil
	}
	spec, except := l.Spec, ""
	if l.Name == flowcontrolv1.PriorityLevelConfigurationNameExempt {
		spec.Exempt, except = fixed.Exempt, " except the 'spec.exempt' field"
	}
	if equality.Semantic.DeepEqual(spec, fixed) {
		return nil
	}
	return field.ErrorList{field.Invalid(path, internal(l.Spec), fmt.Sprintf("spec of '%s'%s must equal the fixed value", l.Name, except))}
}

func exemptLevel(l *flowcontrolv1.ExemptPriorityLevelConfiguration, path *field.Path) (errs field.ErrorList) {
	if l == nil {
		return nil
	}
	return append(shares(l.NominalConcurrencyShares, path), lendable(l.LendablePercent, path)...)
}

func shares(value *int32, path *field.Path) field.ErrorList {
	if value == nil || *value >= 0 {
		return nil
	}
	return field.ErrorList{field.Invalid(path.Child("nominalConcurrencyShares"), *value, "must be a non-negative integer")}
}

func lendable(value *int32, path *field.Path) field.ErrorList {
	if value == nil || *value >= 0 && *value <= 100 {
		return nil
	}
	return field.ErrorList{field.Invalid(path.Child("lendablePercent"), *value, "must be between 0 and 100, inclusive")}
}

func limitedLevel(l *flowcontrolv1.LimitedPriorityLevelConfiguration, path *field.Path) (errs, declared field.ErrorList) {
	errs = shares(l.NominalConcurrencyShares, path)
	response := path.Child("limitResponse")
	queuing := l.LimitResponse.Queuing
	switch l.LimitResponse.Type {
	case flowcontrolv1.LimitResponseTypeReject:
		if queuing != nil {
			declared = append(declared, field.Forbidden(response.Child("queuing"), ""))
		}
	case flowcontrolv1.LimitResponseTypeQueue:
		if queuing == nil {
			declared = append(declared, field.Required(response.Child("queuing"), ""))
		} else {
			errs = append(errs, levelQueues(queuing, response.Child("queuing"))...)
		}
	case "":
		declared = append(declared, field.Required(response.Child("type"), ""))
	default:
		errs = append(errs, supportedOnly(response.Child("type"), l.LimitResponse.Type, flowcontrolv1.LimitResponseTypeQueue, flowcontrolv1.LimitResponseTypeReject)...)
	}
	errs = append(errs, lendable(l.LendablePercent, path)...)
	if limit := l.BorrowingLimitPercent; limit != nil && *limit < 0 {
		errs = append(errs, field.Invalid(path.Child("borrowingLimitPercent"), *limit, "if specified, must be a non-negative integer"))
	}
	return errs, declared
}

func levelQueues(q *flowcontrolv1.QueuingConfiguration, path *field.Path) (errs field.ErrorList) {
	if q.QueueLengthLimit <= 0 {
		errs = append(errs, field.Invalid(path.Child("queueLengthLimit"), q.QueueLengthLimit, "must be positive"))
	}
	switch {
	case q.Queues <= 0:
		errs = append(errs, field.Invalid(path.Child("queues"), q.Queues, "must be positive"))
	case q.Queues > maxQueues:
		errs = append(errs, field.Invalid(path.Child("queues"), q.Queues, fmt.Sprintf("must not be greater than %d", maxQueues)))
	}
	hand := path.Child("handSize")
	bits := int(math.Ceil(math.Log2(float64(q.Queues)) * float64(q.HandSize)))
	switch {
	case q.HandSize <= 0:
		errs = append(errs, field.Invalid(hand, q.HandSize, "must be positive"))
	case q.HandSize > q.Queues:
		errs = append(errs, field.Invalid(hand, q.HandSize, fmt.Sprintf("should not be greater than queues (%d)", q.Queues)))
	case bits > maxHashBits:
		errs = append(errs, field.Invalid(hand, q.HandSize, fmt.Sprintf("required entropy bits of deckSize %d and handSize %d should not be greater than %d", q.Queues, q.HandSize, maxHashBits)))
	}
	return errs
}
