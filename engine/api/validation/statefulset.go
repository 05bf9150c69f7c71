package validation

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubelabels "k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// StatefulSet checks a new StatefulSet.
func StatefulSet(sts *appsv1.StatefulSet) field.ErrorList {
	claims := func() (errs field.ErrorList) {
		at := specPath.Child("volumeClaimTemplates")
		for i := range sts.Spec.VolumeClaimTemplates {
			errs = append(errs, volumeClaimSpec(at.Index(i).Child("spec"), &sts.Spec.VolumeClaimTemplates[i].Spec)...)
		}
		return errs
	}
	service := func() field.ErrorList {
		return invalid(specPath.Child("serviceName"), sts.Spec.ServiceName, dnsLabelUnlessEmpty(sts.Spec.ServiceName))
	}
	return statefulSetSpec(&sts.Spec, claims, service)
}

// StatefulSetUpdate checks a change to a StatefulSet. What can't change any
// more is not checked anew.
func StatefulSetUpdate(sts, old *appsv1.StatefulSet) field.ErrorList {
	nothing := func() field.ErrorList { return nil }
	errs := statefulSetSpec(&sts.Spec, nothing, nothing)
	errs = append(errs, immutable(specPath.Child("selector"), sts.Spec.Selector, old.Spec.Selector)...)
	errs = append(errs, immutableStructure("volumeClaimTemplates", sts.Spec.VolumeClaimTemplates, old.Spec.VolumeClaimTemplates)...)
	errs = append(errs, immutable(specPath.Child("serviceName"), sts.Spec.ServiceName, old.Spec.ServiceName)...)
	return append(errs, immutable(specPath.Child("podManagementPolicy"), sts.Spec.PodManagementPolicy, old.Spec.PodManagementPolicy)...)
}

func dnsLabelUnlessEmpty(value string) []string {
	if value == "" {
		return nil
	}
	return dnsLabel(value)
}

func statefulSetSpec(spec *appsv1.StatefulSetSpec, claims, service func() field.ErrorList) field.ErrorList {
	var errs field.ErrorList
	if policy := spec.PodManagementPolicy; policy != appsv1.OrderedReadyPodManagement && policy != appsv1.ParallelPodManagement {
		errs = append(errs, field.Invalid(specPath.Child("podManagementPolicy"), policy, "must be 'OrderedReady' or 'Parallel'"))
	}
	errs = append(errs, statefulSetStrategy(specPath.Child("updateStrategy"), &spec.UpdateStrategy)...)
	if retention := spec.PersistentVolumeClaimRetentionPolicy; retention != nil {
		at := specPath.Child("persistentVolumeClaimRetentionPolicy")
		for _, policy := range []struct {
			child string
			value appsv1.PersistentVolumeClaimRetentionPolicyType
		}{{"whenDeleted", retention.WhenDeleted}, {"whenScaled", retention.WhenScaled}} {
			errs = append(errs, supportedOnly(at.Child(policy.child), policy.value,
				appsv1.RetainPersistentVolumeClaimRetentionPolicyType, appsv1.DeletePersistentVolumeClaimRetentionPolicyType)...)
		}
	}
	errs = append(errs, claims()...)
	errs = append(errs, replicas(spec.Replicas)...)
	errs = append(errs, nonNegative(specPath, "minReadySeconds", spec.MinReadySeconds)...)
	if spec.Ordinals != nil {
		errs = append(errs, nonNegative(specPath, "ordinals.start", spec.Ordinals.Start)...)
	}
	errs = append(errs, service()...)
	if spec.Selector == nil {
		errs = append(errs, field.Required(specPath.Child("selector"), ""))
	} else {
		errs = append(errs, labelSelector(specPath, "selector", spec.Selector)...)
		if selectsAll(spec.Selector) {
			errs = append(errs, field.Invalid(specPath.Child("selector"), spec.Selector, "empty selector is invalid for statefulset"))
		}
	}
	at := specPath.Child("template")
	if parsed, err := metav1.LabelSelectorAsSelector(spec.Selector); err != nil {
		errs = append(errs, field.Invalid(specPath.Child("selector"), spec.Selector, ""))
	} else {
		if !parsed.Empty() && !parsed.Matches(kubelabels.Set(spec.Template.Labels)) {
			errs = append(errs, selectsOthers(at, &spec.Template))
		}
		errs = append(errs, podTemplate(at, asCreated(spec))...)
	}
	return append(errs, runsForever(at, &spec.Template, "StatefulSet")...)
}

// asCreated is the template with what pods get from the StatefulSet: their
// hostname and subdomain, which override the template's, and a volume of each
// claim.
func asCreated(spec *appsv1.StatefulSetSpec) *corev1.PodTemplateSpec {
	if spec.Template.Spec.Subdomain == "" && spec.Template.Spec.Hostname == "" && len(spec.VolumeClaimTemplates) == 0 {
		return &spec.Template
	}
	template := spec.Template.DeepCopy()
	template.Spec.Subdomain, template.Spec.Hostname = "", ""
	var volumes []corev1.Volume
	for i := range spec.VolumeClaimTemplates {
		name := spec.VolumeClaimTemplates[i].Name
		if findVolume(volumes, name) == nil {
			source := corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}}
			volumes = append(volumes, corev1.Volume{Name: name, VolumeSource: source})
		}
	}
	claims := volumes
	for _, volume := range template.Spec.Volumes {
		if findVolume(claims, volume.Name) == nil {
			volumes = append(volumes, volume)
		}
	}
	template.Spec.Volumes = volumes
	return template
}

func statefulSetStrategy(at *field.Path, strategy *appsv1.StatefulSetUpdateStrategy) field.ErrorList {
	rolling := strategy.RollingUpdate
	switch strategy.Type {
	case "":
		return field.ErrorList{field.Required(at, "")}
	case appsv1.OnDeleteStatefulSetStrategyType:
		if rolling != nil {
			return field.ErrorList{field.Invalid(at.Child("rollingUpdate"), internal(rollingValue(rolling)), "only allowed for updateStrategy 'RollingUpdate'")}
		}
		return nil
	case appsv1.RollingUpdateStatefulSetStrategyType:
		if rolling == nil {
			return nil
		}
		return rollingUpdateStatefulSet(at.Child("rollingUpdate"), rolling)
	}
	value := struct {
		Type          appsv1.StatefulSetUpdateStrategyType
		RollingUpdate *partitionAndUnavailable
	}{strategy.Type, rollingValue(rolling)}
	return field.ErrorList{field.Invalid(at, internal(value), "must be 'RollingUpdate' or 'OnDelete'")}
}

// partitionAndUnavailable is a rolling update as errors show it.
type partitionAndUnavailable struct {
	Partition      int32
	MaxUnavailable *intstr.IntOrString
}

func rollingValue(update *appsv1.RollingUpdateStatefulSetStrategy) *partitionAndUnavailable {
	if update == nil {
		return nil
	}
	value := &partitionAndUnavailable{MaxUnavailable: update.MaxUnavailable}
	if update.Partition != nil {
		value.Partition = *update.Partition
	}
	return value
}

func rollingUpdateStatefulSet(at *field.Path, update *appsv1.RollingUpdateStatefulSetStrategy) field.ErrorList {
	var errs field.ErrorList
	if update.Partition != nil {
		errs = nonNegative(at, "partition", *update.Partition)
	}
	if unavailable := update.MaxUnavailable; unavailable != nil {
		path := at.Child("maxUnavailable")
		errs = append(errs, numberOrPercent(path, *unavailable)...)
		if isNothing(*unavailable) {
			errs = append(errs, field.Invalid(path, *unavailable, "cannot be 0"))
		}
		errs = append(errs, atMostAll(path, *unavailable)...)
	}
	return errs
}

// StatefulSetStatusUpdate checks what the controller reports.
func StatefulSetStatusUpdate(sts, old *appsv1.StatefulSet) field.ErrorList {
	status := &sts.Status
	errs := nonNegative(statusPath, "replicas", status.Replicas)
	errs = append(errs, nonNegative(statusPath, "readyReplicas", status.ReadyReplicas)...)
	errs = append(errs, nonNegative(statusPath, "currentReplicas", status.CurrentReplicas)...)
	errs = append(errs, nonNegative(statusPath, "updatedReplicas", status.UpdatedReplicas)...)
	errs = append(errs, nonNegative(statusPath, "availableReplicas", status.AvailableReplicas)...)
	errs = append(errs, nonNegative(statusPath, "observedGeneration", status.ObservedGeneration)...)
	errs = append(errs, optionalCount("collisionCount", status.CollisionCount)...)
	errs = append(errs, atMost("readyReplicas", status.ReadyReplicas, status.Replicas, moreThanReplicas)...)
	errs = append(errs, atMost("currentReplicas", status.CurrentReplicas, status.Replicas, moreThanReplicas)...)
	errs = append(errs, atMost("updatedReplicas", status.UpdatedReplicas, status.Replicas, moreThanReplicas)...)
	errs = append(errs, atMost("availableReplicas", status.AvailableReplicas, status.Replicas, moreThanReplicas)...)
	errs = append(errs, atMost("availableReplicas", status.AvailableReplicas, status.ReadyReplicas, "cannot be greater than status.readyReplicas")...)
	return append(errs, notDecremented(status.CollisionCount, old.Status.CollisionCount)...)
}
