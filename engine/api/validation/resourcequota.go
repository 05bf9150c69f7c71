package validation

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const immutableField = "field is immutable"

// ResourceQuota checks a new ResourceQuota.
func ResourceQuota(quota *corev1.ResourceQuota) field.ErrorList {
	errs := quotaSpec(field.NewPath("spec"), &quota.Spec)
	return append(errs, quotaStatus(&quota.Status)...)
}

// ResourceQuotaUpdate checks a changed one; whom a quota is about stays.
func ResourceQuotaUpdate(quota, old *corev1.ResourceQuota) field.ErrorList {
	errs := quotaSpec(field.NewPath("spec"), &quota.Spec)
	if !sets.New(quota.Spec.Scopes...).Equal(sets.New(old.Spec.Scopes...)) {
		errs = append(errs, field.Invalid(field.NewPath("spec", "scopes"), quota.Spec.Scopes, immutableField))
	}
	return errs
}

// ResourceQuotaStatusUpdate checks what is said to be used.
func ResourceQuotaStatusUpdate(quota, _ *corev1.ResourceQuota) field.ErrorList {
	return quotaStatus(&quota.Status)
}

// ResourceQuotaWarnings are about requests that may be more than the limits.
func ResourceQuotaWarnings(quota *corev1.ResourceQuota) []string {
	var texts []string
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceStorage, corev1.ResourceEphemeralStorage} {
		requestName, limitName := "requests."+name, "limits."+name
		request, requested := quota.Spec.Hard[requestName]
		if !requested && (name == corev1.ResourceCPU || name == corev1.ResourceMemory) {
			if request, requested = quota.Spec.Hard[name]; requested {
				requestName = name
			}
		}
		if limit, limited := quota.Spec.Hard[limitName]; requested && limited && request.Cmp(limit) > 0 {
			texts = append(texts, fmt.Sprintf("ResourceQuota %s (%s) should be less than %s (%s)", requestName, request.String(), limitName, limit.String()))
		}
	}
	return texts
}

func quotaStatus(status *corev1.ResourceQuotaStatus) field.ErrorList {
	return append(quotaAmounts(field.NewPath("status", "hard"), status.Hard), quotaAmounts(field.NewPath("status", "used"), status.Used)...)
}

func quotaAmounts(path *field.Path, amounts corev1.ResourceList) field.ErrorList {
	var errs field.ErrorList
	for _, name := range sorted(amounts) {
		at := path.Key(string(name))
		errs = append(errs, resourceName(at, name)...)
		if !strings.Contains(string(name), "/") && !isQuotaResource(name) {
			errs = append(errs, field.Invalid(at, name, "must be a standard resource for quota"))
		}
		errs = append(errs, quantity(at, name, amounts[name])...)
	}
	return errs
}

// isQuotaResource reports whether quotas know a resource of Kubernetes' own.
func isQuotaResource(name corev1.ResourceName) bool {
	return name != corev1.ResourceStorage && standardResources.Has(name) || isHugePages(name) ||
		strings.HasPrefix(string(name), corev1.ResourceRequestsHugePagesPrefix)
}

func quotaSpec(path *field.Path, spec *corev1.ResourceQuotaSpec) field.ErrorList {
	errs := quotaAmounts(path.Child("hard"), spec.Hard)
	errs = append(errs, quotaScopes(path.Child("scopes"), spec)...)
	if spec.ScopeSelector != nil {
		errs = append(errs, quotaScopeSelector(path.Child("scopeSelector", "matchExpressions"), spec)...)
	}
	return errs
}

func quotaScopes(path *field.Path, spec *corev1.ResourceQuotaSpec) field.ErrorList {
	var errs field.ErrorList
	for _, scope := range spec.Scopes {
		if !slices.Contains(allScopes, scope) {
			errs = append(errs, field.Invalid(path, spec.Scopes, "unsupported scope"))
		}
		for _, name := range sorted(spec.Hard) {
			if isQuotaResource(name) && !isScoped(scope, name) {
				errs = append(errs, field.Invalid(path, spec.Scopes, "unsupported scope applied to resource"))
			}
		}
	}
	return append(errs, scopeConflicts(path, spec.Scopes, spec.Scopes)...)
}

func quotaScopeSelector(path *field.Path, spec *corev1.ResourceQuotaSpec) field.ErrorList {
	var errs field.ErrorList
	var scopes []corev1.ResourceQuotaScope
	for _, requirement := range spec.ScopeSelector.MatchExpressions {
		scope := requirement.ScopeName
		if !slices.Contains(allScopes, scope) {
			errs = append(errs, field.Invalid(path.Child("scopeName"), scope, "unsupported scope"))
		}
		for _, name := range sorted(spec.Hard) {
			if isQuotaResource(name) && !isScoped(scope, name) {
				errs = append(errs, field.Invalid(path, internal(spec.ScopeSelector), "unsupported scope applied to resource"))
			}
		}
		switch scope {
		case corev1.ResourceQuotaScopeBestEffort, corev1.ResourceQuotaScopeNotBestEffort, corev1.ResourceQuotaScopeTerminating,
			corev1.ResourceQuotaScopeNotTerminating, corev1.ResourceQuotaScopeCrossNamespacePodAffinity:
			if requirement.Operator != corev1.ScopeSelectorOpExists {
				errs = append(errs, field.Invalid(path.Child("operator"), requirement.Operator,
					"must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"))
			}
		}
		switch requirement.Operator {
		case corev1.ScopeSelectorOpIn, corev1.ScopeSelectorOpNotIn:
			if len(requirement.Values) == 0 {
				errs = append(errs, field.Required(path.Child("values"), "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"))
			}
		case corev1.ScopeSelectorOpExists, corev1.ScopeSelectorOpDoesNotExist:
			if len(requirement.Values) != 0 {
				errs = append(errs, field.Invalid(path.Child("values"), requirement.Values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"))
			}
		default:
			errs = append(errs, field.Invalid(path.Child("operator"), requirement.Operator, "not a valid selector operator"))
		}
		scopes = append(scopes, scope)
	}
	return append(errs, scopeConflicts(path, scopes, spec.Scopes)...)
}

// scopeConflicts complains of scopes that exclude each other; shown is what the
// error shows.
func scopeConflicts(path *field.Path, scopes, shown []corev1.ResourceQuotaScope) field.ErrorList {
	var errs field.ErrorList
	for _, pair := range [][2]corev1.ResourceQuotaScope{
		{corev1.ResourceQuotaScopeBestEffort, corev1.ResourceQuotaScopeNotBestEffort},
		{corev1.ResourceQuotaScopeTerminating, corev1.ResourceQuotaScopeNotTerminating},
	} {
		if slices.Contains(scopes, pair[0]) && slices.Contains(scopes, pair[1]) {
			errs = append(errs, field.Invalid(path, shown, "conflicting scopes"))
		}
	}
	return errs
}

var (
	allScopes = []corev1.ResourceQuotaScope{
		corev1.ResourceQuotaScopeTerminating, corev1.ResourceQuotaScopeNotTerminating,
		corev1.ResourceQuotaScopeBestEffort, corev1.ResourceQuotaScopeNotBestEffort,
		corev1.ResourceQuotaScopePriorityClass, corev1.ResourceQuotaScopeCrossNamespacePodAffinity,
		corev1.ResourceQuotaScopeVolumeAttributesClass,
	}
	podScopedResources = []corev1.ResourceName{
		corev1.ResourcePods, corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceLimitsCPU,
		corev1.ResourceLimitsMemory, corev1.ResourceRequestsCPU, corev1.ResourceRequestsMemory,
	}
)

// isScoped reports whether what a resource counts has such a scope.
func isScoped(scope corev1.ResourceQuotaScope, name corev1.ResourceName) bool {
	switch scope {
	case corev1.ResourceQuotaScopeTerminating, corev1.ResourceQuotaScopeNotTerminating, corev1.ResourceQuotaScopeNotBestEffort,
		corev1.ResourceQuotaScopePriorityClass, corev1.ResourceQuotaScopeCrossNamespacePodAffinity:
		return slices.Contains(podScopedResources, name)
	case corev1.ResourceQuotaScopeBestEffort:
		return name == corev1.ResourcePods
	case corev1.ResourceQuotaScopeVolumeAttributesClass:
		return name == corev1.ResourcePersistentVolumeClaims || name == corev1.ResourceRequestsStorage
	}
	return true
}
