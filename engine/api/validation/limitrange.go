package validation

import (
	"fmt"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// LimitRange checks a LimitRange, new or changed.
func LimitRange(limits *corev1.LimitRange) field.ErrorList {
	var errs field.ErrorList
	seen := map[corev1.LimitType]bool{}
	for i := range limits.Spec.Limits {
		limit, at := &limits.Spec.Limits[i], field.NewPath("spec", "limits").Index(i)
		errs = append(errs, limitType(at.Child("type"), limit.Type)...)
		if seen[limit.Type] {
			errs = append(errs, field.Duplicate(at.Child("type"), limit.Type))
		}
		seen[limit.Type] = true
		errs = append(errs, limitNames(at, limit)...)
		all := corev1.ResourceList{}
		for _, list := range []corev1.ResourceList{limit.Max, limit.Min, limit.MaxLimitRequestRatio} {
			maps.Copy(all, list)
		}
		if limit.Type != corev1.LimitTypePod {
			maps.Copy(all, limit.Default)
			maps.Copy(all, limit.DefaultRequest)
		}
		for _, name := range sorted(all) {
			errs = append(errs, limitBounds(at, name, limit)...)
		}
	}
	return errs
}

func limitType(path *field.Path, value corev1.LimitType) field.ErrorList {
	if errs := invalid(path, value, qualifiedName(string(value))); len(errs) > 0 {
		return errs
	}
	switch value {
	case corev1.LimitTypePod, corev1.LimitTypeContainer, corev1.LimitTypePersistentVolumeClaim:
		return nil
	}
	if strings.Contains(string(value), "/") {
		return nil
	}
	return field.ErrorList{field.Invalid(path, value, "must be a standard limit type or fully qualified")}
}

// limitNames checks which resources an item limits, and how.
func limitNames(at *field.Path, limit *corev1.LimitRangeItem) field.ErrorList {
	check := resourceName
	if limit.Type == corev1.LimitTypePod || limit.Type == corev1.LimitTypeContainer {
		check = containerResourceName
	}
	var errs field.ErrorList
	names := func(child string, list corev1.ResourceList) {
		for _, name := range sorted(list) {
			errs = append(errs, check(at.Child(child).Key(string(name)), name)...)
		}
	}
	names("max", limit.Max)
	names("min", limit.Min)
	if limit.Type == corev1.LimitTypePod {
		if len(limit.Default) > 0 {
			errs = append(errs, field.Forbidden(at.Child("default"), "may not be specified when `type` is 'Pod'"))
		}
		if len(limit.DefaultRequest) > 0 {
			errs = append(errs, field.Forbidden(at.Child("defaultRequest"), "may not be specified when `type` is 'Pod'"))
		}
	} else {
		names("default", limit.Default)
		names("defaultRequest", limit.DefaultRequest)
	}
	if limit.Type == corev1.LimitTypePersistentVolumeClaim {
		_, least := limit.Min[corev1.ResourceStorage]
		_, most := limit.Max[corev1.ResourceStorage]
		if !least && !most {
			errs = append(errs, field.Required(at.Child("limits"), "either minimum or maximum storage value is required, but neither was provided"))
		}
	}
	names("maxLimitRequestRatio", limit.MaxLimitRequestRatio)
	return errs
}

// limitBounds checks that the bounds and defaults of one resource fit together.
func limitBounds(at *field.Path, name corev1.ResourceName, limit *corev1.LimitRangeItem) field.ErrorList {
	var errs field.ErrorList
	path := func(child string) *field.Path { return at.Child(child).Key(string(name)) }
	least, hasLeast := limit.Min[name]
	most, hasMost := limit.Max[name]
	request, hasRequest := limit.DefaultRequest[name]
	def, hasDefault := limit.Default[name]
	if limit.Type == corev1.LimitTypePod {
		hasRequest, hasDefault = false, false
	}
	if hasLeast && hasMost && least.Cmp(most) > 0 {
		errs = append(errs, field.Invalid(path("min"), least, fmt.Sprintf("min value %s is greater than max value %s", least.String(), most.String())))
	}
	if hasRequest && hasLeast && least.Cmp(request) > 0 {
		errs = append(errs, field.Invalid(path("defaultRequest"), request, fmt.Sprintf("min value %s is greater than default request value %s", least.String(), request.String())))
	}
	if hasRequest && hasMost && request.Cmp(most) > 0 {
		errs = append(errs, field.Invalid(path("defaultRequest"), request, fmt.Sprintf("default request value %s is greater than max value %s", request.String(), most.String())))
	}
	if hasRequest && hasDefault && request.Cmp(def) > 0 {
		errs = append(errs, field.Invalid(path("defaultRequest"), request, fmt.Sprintf("default request value %s is greater than default limit value %s", request.String(), def.String())))
	}
	if hasDefault && hasLeast && least.Cmp(def) > 0 {
		errs = append(errs, field.Invalid(path("default"), least, fmt.Sprintf("min value %s is greater than default value %s", least.String(), def.String())))
	}
	if hasDefault && hasMost && def.Cmp(most) > 0 {
		errs = append(errs, field.Invalid(path("default"), most, fmt.Sprintf("default value %s is greater than max value %s", def.String(), most.String())))
	}
	if ratio, ok := limit.MaxLimitRequestRatio[name]; ok {
		errs = append(errs, limitRatio(path("maxLimitRequestRatio"), ratio, least, most, hasLeast && hasMost)...)
	}
	if !overcommits(name) && hasDefault && hasRequest && def.Cmp(request) != 0 {
		errs = append(errs, field.Invalid(path("defaultRequest"), request, fmt.Sprintf("default value %s must equal to defaultRequest value %s in %s", def.String(), request.String(), name)))
	}
	return errs
}

func limitRatio(path *field.Path, ratio, least, most resource.Quantity, bounded bool) field.ErrorList {
	var errs field.ErrorList
	if ratio.Cmp(*resource.NewQuantity(1, resource.DecimalSI)) < 0 {
		errs = append(errs, field.Invalid(path, ratio, fmt.Sprintf("ratio %s is less than 1", ratio.String())))
	}
	if !bounded {
		return errs
	}
	value, low, high := float64(ratio.Value()), least.Value(), most.Value()
	if ratio.Value() < resource.MaxMilliValue && low < resource.MaxMilliValue && high < resource.MaxMilliValue {
		value, low, high = float64(ratio.MilliValue())/1000, least.MilliValue(), most.MilliValue()
	}
	if bound := float64(high) / float64(low); value > bound {
		errs = append(errs, field.Invalid(path, ratio, fmt.Sprintf("ratio %s is greater than max/min = %f", ratio.String(), bound)))
	}
	return errs
}
