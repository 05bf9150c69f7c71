package quota

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"tidepool.dev/tidepool/engine/store"
)

var services = evaluator{
	counts: func(name corev1.ResourceName) bool {
		return name == "count/services" || name == corev1.ResourceServices ||
			name == corev1.ResourceServicesNodePorts || name == corev1.ResourceServicesLoadBalancers
	},
	usage: serviceUsage,
}

// serviceUsage counts the node ports that a Service is going to have.
func serviceUsage(obj store.Object, _ time.Time) corev1.ResourceList {
	service := obj.(*corev1.Service)
	ports, balancers := 0, int64(0)
	switch service.Spec.Type {
	case corev1.ServiceTypeNodePort:
		ports = len(service.Spec.Ports)
	case corev1.ServiceTypeLoadBalancer:
		balancers = 1
		for i := range service.Spec.Ports {
			if allocated := service.Spec.AllocateLoadBalancerNodePorts; allocated == nil || *allocated || service.Spec.Ports[i].NodePort != 0 {
				ports++
			}
		}
	}
	return corev1.ResourceList{
		"count/services":                     *one(),
		corev1.ResourceServices:              *one(),
		corev1.ResourceServicesNodePorts:     *resource.NewQuantity(int64(ports), resource.DecimalSI),
		corev1.ResourceServicesLoadBalancers: *resource.NewQuantity(balancers, resource.DecimalSI),
	}
}

// byClass is between a storage class and what of it a quota limits.
const byClass = ".storageclass.storage.k8s.io/"

var claims = evaluator{counts: countsClaims, usage: claimUsage, scoped: claimInScope}

func countsClaims(name corev1.ResourceName) bool {
	if _, limited, ok := strings.Cut(string(name), byClass); ok {
		name = corev1.ResourceName(limited)
	}
	return name == "count/persistentvolumeclaims" || name == corev1.ResourcePersistentVolumeClaims || name == corev1.ResourceRequestsStorage
}

func claimUsage(obj store.Object, _ time.Time) corev1.ResourceList {
	claim := obj.(*corev1.PersistentVolumeClaim)
	class := claim.Annotations[corev1.BetaStorageClassAnnotation]
	if class == "" && claim.Spec.StorageClassName != nil {
		class = *claim.Spec.StorageClassName
	}
	used := corev1.ResourceList{"count/persistentvolumeclaims": *one()}
	add := func(name corev1.ResourceName, amount resource.Quantity) {
		used[name] = amount
		if class != "" {
			used[corev1.ResourceName(class+byClass)+name] = amount
		}
	}
	add(corev1.ResourcePersistentVolumeClaims, *one())
	if size, ok := claim.Spec.Resources.Requests[corev1.ResourceStorage]; ok {
		if allocated, ok := claim.Status.AllocatedResources[corev1.ResourceStorage]; ok && allocated.Cmp(size) > 0 {
			size = allocated
		}
		size = size.DeepCopy()
		size.RoundUp(0) // whole bytes, which is what quotas count
		add(corev1.ResourceRequestsStorage, size)
	}
	return used
}

func claimInScope(requirement *corev1.ScopedResourceSelectorRequirement, obj store.Object) bool {
	return requirement.ScopeName == corev1.ResourceQuotaScopeVolumeAttributesClass &&
		holds(requirement, attributesClasses(obj.(*corev1.PersistentVolumeClaim))...)
}

// attributesClasses are those that a claim has or is about to have.
func attributesClasses(claim *corev1.PersistentVolumeClaim) []string {
	var names []string
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if name := claim.Spec.VolumeAttributesClassName; name != nil {
		add(*name)
	}
	if name := claim.Status.CurrentVolumeAttributesClassName; name != nil {
		add(*name)
	}
	if status := claim.Status.ModifyVolumeStatus; status != nil {
		add(status.TargetVolumeAttributesClassName)
	}
	return names
}

// claimChanges reports whether a claim's new status may use more than its old
// one.
func claimChanges(claim, old *corev1.PersistentVolumeClaim) bool {
	return !claim.Status.AllocatedResources.Storage().Equal(*old.Status.AllocatedResources.Storage()) ||
		!slices.Equal(attributesClasses(claim), attributesClasses(old))
}
