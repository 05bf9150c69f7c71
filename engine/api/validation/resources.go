package validation

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"
	podresource "k8s.io/component-helpers/resource"
)

var (
	standardResources = sets.New(
		corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage,
		corev1.ResourceRequestsCPU, corev1.ResourceRequestsMemory, corev1.ResourceRequestsEphemeralStorage,
		corev1.ResourceLimitsCPU, corev1.ResourceLimitsMemory, corev1.ResourceLimitsEphemeralStorage,
		corev1.ResourcePods, corev1.ResourceQuotas, corev1.ResourceServices,
		corev1.ResourceReplicationControllers, corev1.ResourceSecrets, corev1.ResourceConfigMaps,
		corev1.ResourcePersistentVolumeClaims, corev1.ResourceStorage, corev1.ResourceRequestsStorage,
		corev1.ResourceServicesNodePorts, corev1.ResourceServicesLoadBalancers,
	)
	containerResources = sets.New(corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage)
	countedResources   = sets.New(
		corev1.ResourcePods, corev1.ResourceQuotas, corev1.ResourceServices,
		corev1.ResourceReplicationControllers, corev1.ResourceSecrets, corev1.ResourceConfigMaps,
		corev1.ResourcePersistentVolumeClaims, corev1.ResourceServicesNodePorts, corev1.ResourceServicesLoadBalancers,
	)
)

const (
	notNegative   = "must be greater than or equal to 0"
	mustBePresent = "Limit must be set for non overcommitable resources"
)

func isHugePages(name corev1.ResourceName) bool {
	return strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix)
}

// isNative reports whether a resource's name is Kubernetes' own.
func isNative(name corev1.ResourceName) bool {
	return !strings.Contains(string(name), "/") || strings.Contains(string(name), corev1.ResourceDefaultNamespacePrefix)
}

func isExtended(name corev1.ResourceName) bool {
	return !isNative(name) && !strings.HasPrefix(string(name), corev1.DefaultResourceRequestsPrefix) &&
		qualifiedName(corev1.DefaultResourceRequestsPrefix+string(name)) == nil
}

func overcommits(name corev1.ResourceName) bool { return isNative(name) && !isHugePages(name) }

type resourceNameCheck func(path *field.Path, name corev1.ResourceName) field.ErrorList

func resourceName(path *field.Path, name corev1.ResourceName) field.ErrorList {
	if errs := invalid(path, name, qualifiedName(string(name))); len(errs) > 0 {
		return errs
	}
	if !strings.Contains(string(name), "/") && !standardResources.Has(name) && !isQuotaResource(name) {
		return field.ErrorList{field.Invalid(path, name, "must be a standard resource type or fully qualified")}
	}
	return nil
}

func containerResourceName(path *field.Path, name corev1.ResourceName) field.ErrorList {
	if containerResources.Has(name) {
		return nil
	}
	errs := resourceName(path, name)
	switch {
	case !strings.Contains(string(name), "/"):
		if !isHugePages(name) {
			errs = append(errs, field.Invalid(path, name, "must be a standard resource for containers"))
		}
	case !isNative(name) && !isExtended(name):
		errs = append(errs, field.Invalid(path, name, "doesn't follow extended resource name standard"))
	}
	return errs
}

func podResourceName(path *field.Path, name corev1.ResourceName) field.ErrorList {
	if errs := resourceName(path, name); len(errs) > 0 {
		return errs
	}
	if !podresource.IsSupportedPodLevelResource(name) {
		return field.ErrorList{field.NotSupported(path, name, sets.List(podresource.SupportedPodLevelResources()))}
	}
	return nil
}

// quantity checks that an amount is not negative, and whole where it counts
// things that are.
func quantity(path *field.Path, name corev1.ResourceName, value resource.Quantity) field.ErrorList {
	var errs field.ErrorList
	if value.Sign() < 0 {
		errs = append(errs, field.Invalid(path, value.String(), notNegative))
	}
	if (countedResources.Has(name) || isExtended(name)) && value.MilliValue()%1000 != 0 {
		errs = append(errs, field.Invalid(path, value, "must be an integer"))
	}
	return errs
}

func resourceRequirements(path *field.Path, requirements *corev1.ResourceRequirements, claims []corev1.PodResourceClaim, checkName resourceNameCheck) field.ErrorList {
	if len(requirements.Limits) == 0 && len(requirements.Requests) == 0 && len(requirements.Claims) == 0 {
		return nil
	}
	var errs field.ErrorList
	hugePages, compute := false, false
	note := func(name corev1.ResourceName) {
		hugePages = hugePages || isHugePages(name)
		compute = compute || name == corev1.ResourceCPU || name == corev1.ResourceMemory
	}
	limitsPath, requestsPath := path.Child("limits"), path.Child("requests")
	for _, name := range sorted(requirements.Limits) {
		limit := requirements.Limits[name]
		errs = append(errs, namedQuantity(limitsPath, name, limit, checkName)...)
		note(name)
	}
	for _, name := range sorted(requirements.Requests) {
		request := requirements.Requests[name]
		page := hugePage(requestsPath, name, request)
		errs = append(errs, checkedQuantity(requestsPath, name, request, checkName)...)
		limit, limited := requirements.Limits[name]
		switch {
		case !limited && !overcommits(name):
			errs = append(errs, field.Required(limitsPath, mustBePresent))
		case !limited:
		case !overcommits(name) && request.Cmp(limit) != 0:
			errs = append(errs, field.Invalid(requestsPath, request.String(), fmt.Sprintf("must be equal to %s limit of %s", name, limit.String())))
		case request.Cmp(limit) > 0:
			errs = append(errs, field.Invalid(requestsPath, request.String(), fmt.Sprintf("must be less than or equal to %s limit of %s", name, limit.String())))
		}
		errs = append(errs, page...)
		note(name)
	}
	if hugePages && !compute {
		errs = append(errs, field.Forbidden(path, "HugePages require cpu or memory"))
	}
	return append(errs, resourceClaimNames(path.Child("claims"), requirements.Claims, claims)...)
}

func namedQuantity(path *field.Path, name corev1.ResourceName, value resource.Quantity, checkName resourceNameCheck) field.ErrorList {
	return append(checkedQuantity(path, name, value, checkName), hugePage(path, name, value)...)
}

func checkedQuantity(path *field.Path, name corev1.ResourceName, value resource.Quantity, checkName resourceNameCheck) field.ErrorList {
	if (name == corev1.ResourceCPU || name == corev1.ResourceMemory) && value.Sign() >= 0 {
		return nil
	}
	key := path.Key(string(name))
	return append(checkName(key, name), quantity(key, name, value)...)
}

func hugePage(path *field.Path, name corev1.ResourceName, value resource.Quantity) field.ErrorList {
	size, is := strings.CutPrefix(string(name), corev1.ResourceHugePagesPrefix)
	if !is {
		return nil
	}
	page, err := resource.ParseQuantity(size)
	if err == nil && page.Sign() > 0 && page.MilliValue()%1000 == 0 && value.Value()%page.Value() == 0 {
		return nil
	}
	return field.ErrorList{field.Invalid(path.Key(string(name)), value.String(), fmt.Sprintf("%s is not positive integer multiple of %s", value.String(), name))}
}

func resourceClaimNames(path *field.Path, used []corev1.ResourceClaim, declared []corev1.PodResourceClaim) field.ErrorList {
	var errs field.ErrorList
	seen := map[string]bool{}
	for i, claim := range used {
		if claim.Name == "" {
			errs = append(errs, field.Required(path.Index(i), ""))
			continue
		}
		key := claim.Name
		if claim.Request != "" {
			errs = append(errs, invalid(path.Index(i).Child("request"), claim.Request, dnsLabel(claim.Request))...)
			key += "/" + claim.Request
		}
		if seen[claim.Name] || seen[key] {
			errs = append(errs, field.Duplicate(path.Index(i), key))
		}
		seen[key] = true
		names := claimNames(declared)
		if !slices.Contains(names, claim.Name) {
			missing := field.NotFound(path.Index(i), claim.Name)
			missing.Detail = "must be one of the names in pod.spec.resourceClaims"
			if len(names) == 0 {
				missing.Detail += " which is empty"
			} else {
				missing.Detail += ": " + strings.Join(names, ", ")
			}
			errs = append(errs, missing)
		}
	}
	return errs
}

func claimNames(claims []corev1.PodResourceClaim) []string {
	var names []string
	for _, claim := range claims {
		if claim.Name != "" {
			names = append(names, claim.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func podResourceClaims(path *field.Path, claims []corev1.PodResourceClaim) field.ErrorList {
	var errs field.ErrorList
	seen := map[string]bool{}
	for i, claim := range claims {
		at := path.Index(i)
		switch {
		case claim.Name == "":
			errs = append(errs, field.Required(at.Child("name"), ""))
		case seen[claim.Name]:
			errs = append(errs, field.Duplicate(at.Child("name"), claim.Name))
		default:
			errs = append(errs, invalid(at.Child("name"), claim.Name, dnsLabel(claim.Name))...)
			seen[claim.Name] = true
		}
		if claim.ResourceClaimName != nil && claim.ResourceClaimTemplateName != nil {
			errs = append(errs, field.Invalid(at, internal(claim), "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"))
		}
		if claim.ResourceClaimName == nil && claim.ResourceClaimTemplateName == nil {
			errs = append(errs, field.Invalid(at, internal(claim), "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"))
		}
		if name := claim.ResourceClaimName; name != nil {
			errs = append(errs, invalid(at.Child("resourceClaimName"), *name, apivalidation.NameIsDNSSubdomain(*name, false))...)
		}
		if name := claim.ResourceClaimTemplateName; name != nil {
			errs = append(errs, invalid(at.Child("resourceClaimTemplateName"), *name, apivalidation.NameIsDNSSubdomain(*name, false))...)
		}
	}
	return errs
}

// podResources checks what a pod as a whole requests against its containers.
func podResources(path *field.Path, spec *corev1.PodSpec) field.ErrorList {
	if spec.Resources == nil {
		return nil
	}
	at := path.Child("resources")
	if spec.OS != nil && spec.OS.Name == corev1.Windows {
		return field.ErrorList{field.Forbidden(at, "may not be set for a windows pod")}
	}
	var errs field.ErrorList
	if spec.Resources.Claims != nil {
		errs = append(errs, field.Forbidden(at.Child("claims"), "claims may not be set for Resources at pod-level"))
	}
	errs = append(errs, resourceRequirements(at, spec.Resources, spec.ResourceClaims, podResourceName)...)
	pod := &corev1.Pod{Spec: *spec}
	requests := podresource.AggregateContainerRequests(pod, podresource.PodResourcesOptions{})
	for _, name := range sorted(requests) {
		sum := requests[name]
		if own, stated := spec.Resources.Requests[name]; stated && sum.Cmp(own) > 0 {
			errs = append(errs, field.Invalid(at.Child("requests").Key(string(name)), own.String(), "must be greater than or equal to aggregate container requests of "+sum.String()))
		}
	}
	limits := podresource.AggregateContainerLimits(pod, podresource.PodResourcesOptions{})
	for _, name := range sorted(limits) {
		sum := limits[name]
		if own, stated := spec.Resources.Limits[name]; stated && isHugePages(name) && sum.Cmp(own) > 0 {
			errs = append(errs, field.Invalid(at.Child("limits").Key(string(name)), own.String(), "must be greater than or equal to aggregate container limits of "+sum.String()))
		}
	}
	for i := range spec.Containers {
		for _, name := range sorted(spec.Containers[i].Resources.Limits) {
			limit := spec.Containers[i].Resources.Limits[name]
			if own, stated := spec.Resources.Limits[name]; stated && limit.Cmp(own) > 0 {
				container := at.Child("containers").Index(i).Key(string(name)).Child("limits")
				errs = append(errs, field.Invalid(container, limit.String(), "must be less than or equal to pod limits of "+own.String()))
			}
		}
	}
	return errs
}
