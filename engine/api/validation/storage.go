package validation

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	maxParameterBytes = 256 << 10
	maxParameters     = 512
)

// StorageClass checks a new StorageClass. What upstream checks declaratively
// comes last, as there.
func StorageClass(class *storagev1.StorageClass) field.ErrorList {
	var errs, last field.ErrorList
	if class.Provisioner == "" {
		last = field.ErrorList{field.Required(field.NewPath("provisioner"), "")}
	} else {
		lower := strings.ToLower(class.Provisioner)
		errs = append(errs, invalid(field.NewPath("provisioner"), lower, qualifiedName(lower))...)
	}
	errs = append(errs, parameters(class.Parameters)...)
	if policy := class.ReclaimPolicy; policy != nil && *policy != "" {
		errs = append(errs, supportedOnly(field.NewPath("reclaimPolicy"), *policy, corev1.PersistentVolumeReclaimDelete, corev1.PersistentVolumeReclaimRetain)...)
	}
	if mode := class.VolumeBindingMode; mode == nil {
		errs = append(errs, field.Required(field.NewPath("volumeBindingMode"), ""))
	} else {
		errs = append(errs, supportedOnly(field.NewPath("volumeBindingMode"), *mode, storagev1.VolumeBindingImmediate, storagev1.VolumeBindingWaitForFirstConsumer)...)
	}
	errs = append(errs, allowedTopologies(class.AllowedTopologies)...)
	return append(errs, last...)
}

// StorageClassUpdate checks a change: what volumes are made of stays.
func StorageClassUpdate(class, old *storagev1.StorageClass) field.ErrorList {
	errs := StorageClass(class)
	errs = append(errs, immutable(field.NewPath("provisioner"), class.Provisioner, old.Provisioner)...)
	errs = append(errs, immutable(field.NewPath("parameters"), class.Parameters, old.Parameters)...)
	errs = append(errs, immutable(field.NewPath("reclaimPolicy"), class.ReclaimPolicy, old.ReclaimPolicy)...)
	return append(errs, immutable(field.NewPath("volumeBindingMode"), class.VolumeBindingMode, old.VolumeBindingMode)...)
}

// StorageClassWarnings tells of labels that are deprecated.
func StorageClassWarnings(class *storagev1.StorageClass) []string {
	var list warningList
	for i, term := range class.AllowedTopologies {
		for j, expression := range term.MatchLabelExpressions {
			if message, deprecated := deprecatedNodeLabels[expression.Key]; deprecated {
				list.add(field.NewPath("allowedTopologies").Index(i).Child("matchLabelExpressions").Index(j).Child("key"), "%s", message)
			}
		}
	}
	return list
}

func parameters(set map[string]string) field.ErrorList {
	at := field.NewPath("parameters")
	if len(set) > maxParameters {
		return field.ErrorList{field.TooLong(at, "", maxParameters)}
	}
	var errs field.ErrorList
	size := 0
	for key, value := range set {
		if key == "" {
			errs = append(errs, field.Invalid(at, key, "field can not be empty."))
		}
		size += len(key) + len(value)
	}
	if size > maxParameterBytes {
		errs = append(errs, field.TooLong(at, "", maxParameterBytes))
	}
	return errs
}

func allowedTopologies(terms []corev1.TopologySelectorTerm) field.ErrorList {
	var errs field.ErrorList
	list := field.NewPath("allowedTopologies")
	for i, term := range terms {
		at := list.Index(i).Child("matchLabelExpressions")
		seen := map[string]bool{}
		for j, expression := range term.MatchLabelExpressions {
			path := at.Index(j)
			if len(expression.Values) == 0 {
				errs = append(errs, field.Required(path.Child("values"), ""))
			}
			for v, value := range expression.Values {
				if slices.Contains(expression.Values[:v], value) {
					errs = append(errs, field.Duplicate(path.Child("values").Index(v), value))
				}
			}
			errs = append(errs, labelName(path, "key", expression.Key)...)
			if seen[expression.Key] {
				errs = append(errs, field.Duplicate(path.Child("key"), expression.Key))
			}
			seen[expression.Key] = true
		}
		for _, earlier := range terms[:i] {
			if sameTopology(earlier, term) {
				errs = append(errs, field.Duplicate(at, ""))
			}
		}
	}
	return errs
}

// sameTopology compares two terms as sets.
func sameTopology(a, b corev1.TopologySelectorTerm) bool {
	sets := func(term corev1.TopologySelectorTerm) map[string]string {
		byKey := map[string]string{}
		for _, expression := range term.MatchLabelExpressions {
			values := slices.Sorted(slices.Values(expression.Values))
			byKey[expression.Key] = strings.Join(values, "\x00")
		}
		return byKey
	}
	return maps.Equal(sets(a), sets(b))
}

// VolumeAttributesClass checks a new VolumeAttributesClass.
func VolumeAttributesClass(class *storagev1.VolumeAttributesClass) field.ErrorList {
	var errs, last field.ErrorList
	if class.DriverName == "" {
		last = field.ErrorList{field.Required(field.NewPath("driverName"), "")}
	} else {
		lower := strings.ToLower(class.DriverName)
		errs = append(errs, invalid(field.NewPath("driverName"), lower, qualifiedName(lower))...)
	}
	errs = append(errs, parameters(class.Parameters)...)
	if len(class.Parameters) == 0 {
		errs = append(errs, field.Required(field.NewPath("parameters"), "must contain at least one key/value pair"))
	}
	return append(errs, last...)
}

// VolumeAttributesClassUpdate checks a change: nothing but metadata may.
func VolumeAttributesClassUpdate(class, old *storagev1.VolumeAttributesClass) field.ErrorList {
	var errs field.ErrorList
	if class.DriverName != old.DriverName {
		errs = append(errs, field.Forbidden(field.NewPath("driverName"), "updates to driverName are forbidden."))
	}
	if !equality.Semantic.DeepEqual(class.Parameters, old.Parameters) {
		errs = append(errs, field.Forbidden(field.NewPath("parameters"), "updates to parameters are forbidden."))
	}
	return append(errs, VolumeAttributesClass(class)...)
}

// StorageCapacity checks a new CSIStorageCapacity.
func StorageCapacity(capacity *storagev1.CSIStorageCapacity) field.ErrorList {
	errs := labelSelector(nil, "nodeTopology", capacity.NodeTopology)
	errs = append(errs, invalid(field.NewPath("storageClassName"), capacity.StorageClassName, objectName(capacity.StorageClassName, false))...)
	if capacity.Capacity != nil && capacity.Capacity.Sign() < 0 {
		errs = append(errs, field.Invalid(field.NewPath("capacity"), capacity.Capacity.String(), notNegative))
	}
	return errs
}

// StorageCapacityUpdate checks a change: a capacity stays that of its class and
// place.
func StorageCapacityUpdate(capacity, old *storagev1.CSIStorageCapacity) field.ErrorList {
	errs := StorageCapacity(capacity)
	if !equality.Semantic.DeepEqual(capacity.NodeTopology, old.NodeTopology) {
		errs = append(errs, field.Invalid(field.NewPath("nodeTopology"), capacity.NodeTopology, "field is immutable"))
	}
	return append(errs, immutable(field.NewPath("storageClassName"), capacity.StorageClassName, old.StorageClassName)...)
}

// StorageCapacityWarnings tells of labels that are deprecated.
func StorageCapacityWarnings(capacity *storagev1.CSIStorageCapacity) []string {
	var list warningList
	if capacity.NodeTopology == nil {
		return nil
	}
	at := field.NewPath("nodeTopology")
	for i, expression := range capacity.NodeTopology.MatchExpressions {
		if message, deprecated := deprecatedNodeLabels[expression.Key]; deprecated {
			list.add(at.Child("matchExpressions").Index(i).Child("key"), "%s is %s", expression.Key, message)
		}
	}
	for _, key := range sorted(capacity.NodeTopology.MatchLabels) {
		if message, deprecated := deprecatedNodeLabels[key]; deprecated {
			list.add(at.Child("matchLabels").Child(key), "%s", message)
		}
	}
	return list
}

// VolumeAttachment checks a new VolumeAttachment.
func VolumeAttachment(attachment *storagev1.VolumeAttachment) field.ErrorList {
	spec, at := &attachment.Spec, specPath.Child("source")
	var errs field.ErrorList
	name, inline := spec.Source.PersistentVolumeName, spec.Source.InlineVolumeSpec
	const exactlyOne = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
	switch {
	case name == nil && inline == nil:
		errs = append(errs, field.Required(at, exactlyOne))
	case name != nil && inline != nil:
		errs = append(errs, field.Forbidden(at, exactlyOne))
	case name != nil && *name == "":
		errs = append(errs, field.Required(at.Child("persistentVolumeName"), "must specify non empty persistentVolumeName"))
	case inline != nil:
		errs = append(errs, inlineVolume(at.Child("inlineVolumeSpec"), inline)...)
	}
	errs = append(errs, invalid(specPath.Child("nodeName"), spec.NodeName, objectName(spec.NodeName, false))...)
	errs = append(errs, attachmentStatus(&attachment.Status)...)
	if name != nil {
		errs = append(errs, invalid(field.NewPath("spec.source.persistentVolumeName"), *name, objectName(*name, false))...)
	}
	return append(errs, driverName(specPath.Child("attacher"), spec.Attacher)...)
}

// inlineVolume checks a volume that is described in its attachment.
func inlineVolume(at *field.Path, spec *corev1.PersistentVolumeSpec) field.ErrorList {
	const where = " in the context of inline volumes"
	var errs field.ErrorList
	forbid := func(set bool, child, message string) {
		if set {
			errs = append(errs, field.Forbidden(at.Child(child), message+where))
		}
	}
	forbid(spec.ClaimRef != nil, "claimRef", "may not be specified")
	forbid(len(spec.Capacity) != 0, "capacity", "may not be specified")
	if spec.CSI == nil {
		errs = append(errs, field.Required(at.Child("csi"), "has to be specified"+where))
	}
	if len(spec.AccessModes) == 0 {
		errs = append(errs, field.Required(at.Child("accessModes"), ""))
	}
	errs = append(errs, accessModes(at.Child("accessModes"), spec.AccessModes)...)
	policy := spec.PersistentVolumeReclaimPolicy
	forbid(policy != "" && policy != corev1.PersistentVolumeReclaimRetain, "persistentVolumeReclaimPolicy", "may only be Retain")
	forbid(spec.NodeAffinity != nil, "nodeAffinity", "may not be specified")
	errs = append(errs, persistentSource(at, spec)...)
	forbid(spec.StorageClassName != "", "storageClassName", "may not be specified")
	forbid(spec.VolumeMode != nil && *spec.VolumeMode != corev1.PersistentVolumeFilesystem, "volumeMode", "may not specify volumeMode other than Filesystem")
	return errs
}

func attachmentStatus(status *storagev1.VolumeAttachmentStatus) field.ErrorList {
	const longestMessage = 1024
	var errs field.ErrorList
	size := 0
	for key, value := range status.AttachmentMetadata {
		size += len(key) + len(value)
	}
	if size > maxParameterBytes {
		errs = append(errs, field.TooLong(statusPath.Child("attachmentMetadata"), "", maxParameterBytes))
	}
	check := func(child string, failure *storagev1.VolumeError) {
		if failure == nil {
			return
		}
		if len(failure.Message) > longestMessage {
			errs = append(errs, field.TooLong(statusPath.Child(child, "message"), "", longestMessage))
		}
		if code := failure.ErrorCode; code != nil && *code < 0 {
			errs = append(errs, field.Invalid(statusPath.Child(child, "errorCode"), *code, fmt.Sprintf("must be between %d and %d, inclusive", 0, 1<<31-1)))
		}
	}
	check("attachError", status.AttachError)
	check("detachError", status.DetachError)
	return errs
}

// VolumeAttachmentUpdate checks a change: the spec may not.
func VolumeAttachmentUpdate(attachment, old *storagev1.VolumeAttachment) field.ErrorList {
	errs := VolumeAttachment(attachment)
	if !equality.Semantic.DeepEqual(attachment.Spec, old.Spec) {
		errs = append(errs, field.Invalid(specPath, internal(attachment.Spec), "field is immutable"))
	}
	return errs
}
