package validation

import (
	"slices"
	"strings"

	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// ResourceClaim checks a new ResourceClaim.
func ResourceClaim(c *resourcev1.ResourceClaim) field.ErrorList {
	return deviceClaim(&c.Spec.Devices, field.NewPath("spec", "devices"))
}

// ResourceClaimUpdate checks a ResourceClaim that replaces another.
func ResourceClaimUpdate(c, old *resourcev1.ResourceClaim) field.ErrorList {
	return immutable(field.NewPath("spec"), c.Spec, old.Spec)
}

// ResourceClaimTemplate checks a new ResourceClaimTemplate.
func ResourceClaimTemplate(t *resourcev1.ResourceClaimTemplate) field.ErrorList {
	path := field.NewPath("spec")
	errs := labels(path.Child("metadata"), "labels", t.Spec.Labels)
	return append(errs, deviceClaim(&t.Spec.Spec.Devices, path.Child("spec", "devices"))...)
}

// ResourceClaimTemplateUpdate checks a ResourceClaimTemplate that replaces
// another.
func ResourceClaimTemplateUpdate(t, old *resourcev1.ResourceClaimTemplate) field.ErrorList {
	return immutable(field.NewPath("spec"), t.Spec, old.Spec)
}

// ResourceClaimStatusUpdate checks the status alone.
func ResourceClaimStatusUpdate(c, old *resourcev1.ResourceClaim) (errs field.ErrorList) {
	path := field.NewPath("status")
	reserved := path.Child("reservedFor")
	if many := tooMany(reserved, len(c.Status.ReservedFor), resourcev1.ResourceClaimReservedForMaxSize); len(many) > 0 {
		errs = append(errs, many...)
	}
	uids := make([]string, len(c.Status.ReservedFor))
	for i, user := range c.Status.ReservedFor {
		uids[i] = string(user.UID)
		for _, member := range []struct{ name, value string }{{"resource", user.Resource}, {"name", user.Name}, {"uid", string(user.UID)}} {
			if member.value == "" {
				errs = append(errs, field.Required(reserved.Index(i).Child(member.name), ""))
			}
		}
	}
	errs = append(errs, repeated(reserved, uids)...)
	switch {
	case len(c.Status.ReservedFor) == 0:
	case c.Status.Allocation == nil:
		errs = append(errs, field.Forbidden(reserved, "may not be specified when `allocated` is not set"))
	case c.DeletionTimestamp != nil && slices.ContainsFunc(c.Status.ReservedFor, func(user resourcev1.ResourceClaimConsumerReference) bool {
		return !slices.Contains(old.Status.ReservedFor, user)
	}):
		errs = append(errs, field.Forbidden(reserved, "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set"))
	}
	if old.Status.Allocation != nil && c.Status.Allocation != nil {
		errs = append(errs, immutable(path.Child("allocation"), c.Status.Allocation, old.Status.Allocation)...)
	}
	return errs
}

func deviceClaim(c *resourcev1.DeviceClaim, path *field.Path) (errs field.ErrorList) {
	requests := path.Child("requests")
	if many := tooMany(requests, len(c.Requests), resourcev1.DeviceRequestsMaxSize); len(many) > 0 {
		errs = append(errs, many...)
	} else {
		names := make([]string, len(c.Requests))
		for i := range c.Requests {
			names[i] = c.Requests[i].Name
			errs = append(errs, deviceRequest(&c.Requests[i], requests.Index(i))...)
		}
		errs = append(errs, repeated(requests, names)...)
	}
	known := requestNames(c)
	constraints := path.Child("constraints")
	errs = append(errs, tooMany(constraints, len(c.Constraints), resourcev1.DeviceConstraintsMaxSize)...)
	for i := range c.Constraints {
		at, constraint := constraints.Index(i), &c.Constraints[i]
		errs = append(errs, requestReferences(constraint.Requests, known, at.Child("requests"))...)
		switch {
		case constraint.MatchAttribute != nil:
			errs = append(errs, deviceQualifiedName(at.Child("matchAttribute"), string(*constraint.MatchAttribute), true)...)
		case constraint.DistinctAttribute != nil:
			errs = append(errs, deviceQualifiedName(at.Child("distinctAttribute"), string(*constraint.DistinctAttribute), true)...)
		default:
			errs = append(errs, field.Required(at, `exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set`))
		}
	}
	config := path.Child("config")
	errs = append(errs, tooMany(config, len(c.Config), resourcev1.DeviceConfigMaxSize)...)
	for i := range c.Config {
		errs = append(errs, requestReferences(c.Config[i].Requests, known, config.Index(i).Child("requests"))...)
		errs = append(errs, deviceConfiguration(&c.Config[i].DeviceConfiguration, config.Index(i))...)
	}
	return errs
}

// requestNames are those by which a claim refers to its requests: NAME, and
// NAME/ALTERNATIVE.
func requestNames(c *resourcev1.DeviceClaim) []string {
	var names []string
	for i := range c.Requests {
		names = append(names, c.Requests[i].Name)
		for j := range c.Requests[i].FirstAvailable {
			names = append(names, c.Requests[i].Name+"/"+c.Requests[i].FirstAvailable[j].Name)
		}
	}
	return names
}

func requestReferences(names, known []string, path *field.Path) (errs field.ErrorList) {
	const problem = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
	for i, name := range names {
		at := path.Index(i)
		parts := strings.Split(name, "/")
		if len(parts) > 2 {
			errs = append(errs, field.Invalid(at, name, problem))
			continue
		}
		for _, part := range parts {
			errs = append(errs, invalid(at, part, dnsLabel(part))...)
		}
		if !slices.Contains(known, name) {
			errs = append(errs, field.Invalid(at, name, problem))
		}
	}
	return append(errs, repeated(path, names)...)
}

func deviceRequest(r *resourcev1.DeviceRequest, path *field.Path) field.ErrorList {
	errs := requiredLabel(path.Child("name"), r.Name)
	switch {
	case r.Exactly == nil && len(r.FirstAvailable) == 0:
		return append(errs, field.Required(path, "exactly one of `exactly` or `firstAvailable` is required"))
	case r.Exactly != nil && len(r.FirstAvailable) > 0:
		return append(errs, field.Invalid(path, nil, "exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set"))
	case r.Exactly != nil:
		return append(errs, exactRequest(r.Exactly, path.Child("exactly"))...)
	}
	first := path.Child("firstAvailable")
	if many := tooMany(first, len(r.FirstAvailable), resourcev1.FirstAvailableDeviceRequestMaxSize); len(many) > 0 {
		return append(errs, many...)
	}
	names := make([]string, len(r.FirstAvailable))
	for i := range r.FirstAvailable {
		sub, at := &r.FirstAvailable[i], first.Index(i)
		names[i] = sub.Name
		errs = append(errs, requiredLabel(at.Child("name"), sub.Name)...)
		errs = append(errs, exactRequest(&resourcev1.ExactDeviceRequest{
			DeviceClassName: sub.DeviceClassName, Selectors: sub.Selectors, AllocationMode: sub.AllocationMode, Count: sub.Count, Tolerations: sub.Tolerations,
		}, at)...)
	}
	return append(errs, repeated(first, names)...)
}

func exactRequest(r *resourcev1.ExactDeviceRequest, path *field.Path) (errs field.ErrorList) {
	class := path.Child("deviceClassName")
	if r.DeviceClassName == "" {
		errs = append(errs, field.Required(class, ""))
	} else {
		errs = append(errs, invalid(class, r.DeviceClassName, dnsSubdomain(r.DeviceClassName))...)
	}
	errs = append(errs, deviceSelectors(r.Selectors, path.Child("selectors"))...)
	count := path.Child("count")
	switch r.AllocationMode {
	case resourcev1.DeviceAllocationModeAll:
		if r.Count != 0 {
			errs = append(errs, field.Invalid(count, r.Count, "must not be specified when allocationMode is 'All'"))
		}
	case resourcev1.DeviceAllocationModeExactCount:
		if r.Count <= 0 {
			errs = append(errs, field.Invalid(count, r.Count, "must be greater than zero"))
		}
	default:
		errs = append(errs, supportedOnly(path.Child("allocationMode"), r.AllocationMode, resourcev1.DeviceAllocationModeAll, resourcev1.DeviceAllocationModeExactCount)...)
	}
	for i := range r.Tolerations {
		errs = append(errs, deviceToleration(&r.Tolerations[i], path.Child("tolerations").Index(i))...)
	}
	return errs
}

func deviceToleration(t *resourcev1.DeviceToleration, path *field.Path) (errs field.ErrorList) {
	if t.Key != "" {
		errs = append(errs, labelName(path, "key", t.Key)...)
	}
	switch operator := path.Child("operator"); t.Operator {
	case resourcev1.DeviceTolerationOpExists:
		if t.Value != "" {
			errs = append(errs, field.Invalid(path.Child("value"), t.Value, "must be empty for operator `Exists`"))
		}
	case resourcev1.DeviceTolerationOpEqual:
		errs = append(errs, invalid(path.Child("value"), t.Value, labelValue(t.Value))...)
	default:
		errs = append(errs, oneOf(operator, t.Operator, resourcev1.DeviceTolerationOpEqual, resourcev1.DeviceTolerationOpExists)...)
	}
	if t.Effect != "" {
		errs = append(errs, supportedOnly(path.Child("effect"), t.Effect,
			resourcev1.DeviceTaintEffectNoExecute, resourcev1.DeviceTaintEffectNoSchedule, resourcev1.DeviceTaintEffectNone)...)
	}
	return errs
}
