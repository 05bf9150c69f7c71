package validation

import (
	"fmt"

	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// CSIDriver checks a new CSIDriver. (The misspelled path is upstream's.)
func CSIDriver(driver *storagev1.CSIDriver) field.ErrorList {
	spec := &driver.Spec
	var errs field.ErrorList
	if policy := spec.FSGroupPolicy; policy != nil {
		errs = append(errs, supportedOnly(specPath.Child("fsGroupPolicy"), *policy,
			storagev1.FileFSGroupPolicy, storagev1.NoneFSGroupPolicy, storagev1.ReadWriteOnceWithFSTypeFSGroupPolicy)...)
	}
	errs = append(errs, tokenRequests(spec.TokenRequests)...)
	for _, mode := range spec.VolumeLifecycleModes {
		errs = append(errs, supportedOnly(specPath.Child("volumeLifecycleModes"), mode,
			storagev1.VolumeLifecyclePersistent, storagev1.VolumeLifecycleEphemeral)...)
	}
	if period := spec.NodeAllocatableUpdatePeriodSeconds; period != nil && *period < 10 {
		errs = append(errs, field.Invalid(specPath.Child("nodeAllocatableUpdatePeriodSeconds"), *period, "must be greater than or equal to 10 seconds"))
	}
	if inSecrets := spec.ServiceAccountTokenInSecrets; inSecrets != nil && len(spec.TokenRequests) == 0 {
		errs = append(errs, field.Invalid(specPath.Child("serviceAccountTokenInSecrets"), inSecrets,
			"serviceAccountTokenInSecrets is set but no tokenRequests are specified"))
	}
	return errs
}

func tokenRequests(requests []storagev1.TokenRequest) field.ErrorList {
	const tenMinutes = 10 * 60
	var errs field.ErrorList
	seen := map[string]bool{}
	for i, request := range requests {
		at := specPath.Child("tokenRequests").Index(i)
		if seen[request.Audience] {
			errs = append(errs, field.Duplicate(at.Child("audience"), request.Audience))
			continue
		}
		seen[request.Audience] = true
		switch seconds := request.ExpirationSeconds; {
		case seconds == nil:
		case *seconds < tenMinutes:
			errs = append(errs, field.Invalid(at.Child("expirationSeconds"), *seconds, "may not specify a duration less than 10 minutes"))
		case *seconds > 1<<32:
			errs = append(errs, field.Invalid(at.Child("expirationSeconds"), *seconds, "may not specify a duration larger than 2^32 seconds"))
		}
	}
	return errs
}

// CSIDriverUpdate checks a change to a CSIDriver.
func CSIDriverUpdate(driver, old *storagev1.CSIDriver) field.ErrorList {
	errs := CSIDriver(driver)
	errs = append(errs, immutable(specPath.Child("attachedRequired"), driver.Spec.AttachRequired, old.Spec.AttachRequired)...)
	return append(errs, immutable(specPath.Child("volumeLifecycleModes"), driver.Spec.VolumeLifecycleModes, old.Spec.VolumeLifecycleModes)...)
}

// CSINode checks what a node says of its drivers.
func CSINode(node *storagev1.CSINode) field.ErrorList {
	const longestID = 256
	var errs field.ErrorList
	seen := map[string]bool{}
	for i := range node.Spec.Drivers {
		driver := &node.Spec.Drivers[i]
		at := specPath.Child("drivers").Index(i)
		errs = append(errs, driverName(at.Child("name"), driver.Name)...)
		errs = append(errs, required(at, "nodeID", driver.NodeID)...)
		if len(driver.NodeID) > longestID {
			errs = append(errs, field.Invalid(at.Child("nodeID"), driver.NodeID, fmt.Sprintf("must be %d characters or less", longestID)))
		}
		if driver.Allocatable != nil && driver.Allocatable.Count != nil {
			errs = append(errs, nonNegative(at.Child("allocatable"), "count", *driver.Allocatable.Count)...)
		}
		if seen[driver.Name] {
			errs = append(errs, field.Duplicate(at.Child("name"), driver.Name))
		}
		seen[driver.Name] = true
		keys := map[string]bool{}
		for _, key := range driver.TopologyKeys {
			if key == "" {
				errs = append(errs, field.Required(at, key))
			}
			if keys[key] {
				errs = append(errs, field.Duplicate(at, key))
			}
			keys[key] = true
			errs = append(errs, invalid(at, key, qualifiedName(key))...)
		}
	}
	return errs
}

// CSINodeUpdate checks a change: a driver that stays is as it was, but for how
// much it can attach.
func CSINodeUpdate(node, old *storagev1.CSINode) field.ErrorList {
	errs := CSINode(node)
	for _, was := range old.Spec.Drivers {
		for _, is := range node.Spec.Drivers {
			was.Allocatable, is.Allocatable = nil, nil
			if is.Name == was.Name && !equality.Semantic.DeepEqual(is, was) {
				errs = append(errs, field.Invalid(specPath.Child("drivers"), internal(is), "field is immutable"))
			}
		}
	}
	return errs
}
