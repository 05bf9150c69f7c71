package validation

import (
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubelabels "k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// DaemonSet checks a new DaemonSet.
func DaemonSet(ds *appsv1.DaemonSet) field.ErrorList {
	spec := &ds.Spec
	at := specPath.Child("template")
	errs := labelSelector(specPath, "selector", spec.Selector)
	parsed, err := metav1.LabelSelectorAsSelector(spec.Selector)
	if err == nil && !parsed.Matches(kubelabels.Set(spec.Template.Labels)) {
		errs = append(errs, selectsOthers(at, &spec.Template))
	}
	if spec.Selector != nil && selectsAll(spec.Selector) {
		errs = append(errs, field.Invalid(specPath.Child("selector"), spec.Selector, "empty selector is invalid for daemonset"))
	}
	errs = append(errs, podTemplate(at, &spec.Template)...)
	errs = append(errs, runsForever(at, &spec.Template, "DaemonSet")...)
	errs = append(errs, nonNegative(specPath, "minReadySeconds", spec.MinReadySeconds)...)
	errs = append(errs, daemonSetStrategy(specPath.Child("updateStrategy"), &spec.UpdateStrategy)...)
	if spec.RevisionHistoryLimit != nil {
		errs = append(errs, nonNegative(specPath, "revisionHistoryLimit", *spec.RevisionHistoryLimit)...)
	}
	return errs
}

// DaemonSetUpdate checks a change to a DaemonSet.
func DaemonSetUpdate(ds, old *appsv1.DaemonSet) field.ErrorList {
	return append(immutable(specPath.Child("selector"), ds.Spec.Selector, old.Spec.Selector), DaemonSet(ds)...)
}

func daemonSetStrategy(at *field.Path, strategy *appsv1.DaemonSetUpdateStrategy) field.ErrorList {
	switch strategy.Type {
	case appsv1.OnDeleteDaemonSetStrategyType:
		return nil
	case appsv1.RollingUpdateDaemonSetStrategyType:
		if strategy.RollingUpdate == nil {
			return field.ErrorList{field.Required(at.Child("rollingUpdate"), "")}
		}
		return rollingUpdateDaemonSet(at.Child("rollingUpdate"), strategy.RollingUpdate)
	}
	return field.ErrorList{field.NotSupported(at, internal(daemonSetStrategyValue(strategy)),
		[]appsv1.DaemonSetUpdateStrategyType{appsv1.RollingUpdateDaemonSetStrategyType, appsv1.OnDeleteDaemonSetStrategyType})}
}

// daemonSetStrategyValue has numbers where the API has pointers, as errors
// show it.
func daemonSetStrategyValue(strategy *appsv1.DaemonSetUpdateStrategy) any {
	value := struct {
		Type          appsv1.DaemonSetUpdateStrategyType
		RollingUpdate *unavailableAndSurge
	}{Type: strategy.Type}
	if update := strategy.RollingUpdate; update != nil {
		value.RollingUpdate = &unavailableAndSurge{numberOrZero(update.MaxUnavailable), numberOrZero(update.MaxSurge)}
	}
	return value
}

func rollingUpdateDaemonSet(at *field.Path, update *appsv1.RollingUpdateDaemonSet) field.ErrorList {
	unavailable, surge := numberOrZero(update.MaxUnavailable), numberOrZero(update.MaxSurge)
	errs := numberOrPercent(at.Child("maxUnavailable"), unavailable)
	errs = append(errs, numberOrPercent(at.Child("maxSurge"), surge)...)
	errs = append(errs, atMostAll(at.Child("maxUnavailable"), unavailable)...)
	errs = append(errs, atMostAll(at.Child("maxSurge"), surge)...)
	switch {
	case !isNothing(unavailable) && !isNothing(surge):
		errs = append(errs, field.Invalid(at.Child("maxSurge"), surge, "may not be set when maxUnavailable is non-zero"))
	case isNothing(unavailable) && isNothing(surge):
		errs = append(errs, field.Required(at.Child("maxUnavailable"), "cannot be 0 when maxSurge is 0"))
	}
	return errs
}

// DaemonSetStatusUpdate checks what the controller reports.
func DaemonSetStatusUpdate(ds, old *appsv1.DaemonSet) field.ErrorList {
	status := &ds.Status
	errs := nonNegative(statusPath, "currentNumberScheduled", status.CurrentNumberScheduled)
	errs = append(errs, nonNegative(statusPath, "numberMisscheduled", status.NumberMisscheduled)...)
	errs = append(errs, nonNegative(statusPath, "desiredNumberScheduled", status.DesiredNumberScheduled)...)
	errs = append(errs, nonNegative(statusPath, "numberReady", status.NumberReady)...)
	errs = append(errs, nonNegative(statusPath, "observedGeneration", status.ObservedGeneration)...)
	errs = append(errs, nonNegative(statusPath, "updatedNumberScheduled", status.UpdatedNumberScheduled)...)
	errs = append(errs, nonNegative(statusPath, "numberAvailable", status.NumberAvailable)...)
	errs = append(errs, nonNegative(statusPath, "numberUnavailable", status.NumberUnavailable)...)
	errs = append(errs, optionalCount("collisionCount", status.CollisionCount)...)
	return append(errs, notDecremented(status.CollisionCount, old.Status.CollisionCount)...)
}
