package defaulting

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// PodSpec fills in what every pod spec has, be it a pod's or a template's.
// Nothing is written that has its default already, so that a pod may share its
// containers with the defaulted template that it was made from.
func PodSpec(spec *corev1.PodSpec) {
	if spec.ServiceAccountName == "" {
		spec.ServiceAccountName = spec.DeprecatedServiceAccount
	}
	spec.DeprecatedServiceAccount = spec.ServiceAccountName
	if spec.DNSPolicy == "" {
		spec.DNSPolicy = corev1.DNSClusterFirst
	}
	if spec.RestartPolicy == "" {
		spec.RestartPolicy = corev1.RestartPolicyAlways
	}
	if spec.SecurityContext == nil {
		spec.SecurityContext = &corev1.PodSecurityContext{}
	}
	if spec.TerminationGracePeriodSeconds == nil {
		spec.TerminationGracePeriodSeconds = new(int64(corev1.DefaultTerminationGracePeriodSeconds))
	}
	if spec.SchedulerName == "" {
		spec.SchedulerName = corev1.DefaultSchedulerName
	}
	for i := range spec.Volumes {
		Volume(&spec.Volumes[i])
	}
	for i := range spec.InitContainers {
		Container(&spec.InitContainers[i])
	}
	for i := range spec.Containers {
		Container(&spec.Containers[i])
	}
	for i := range spec.EphemeralContainers {
		Container((*corev1.Container)(&spec.EphemeralContainers[i].EphemeralContainerCommon))
	}
	ResourceList(spec.Overhead)
	if spec.Resources != nil {
		ResourceList(spec.Resources.Limits)
		ResourceList(spec.Resources.Requests)
	}
}

// HostNetworkPorts gives every container port of a pod in the node's network
// the same host port. Templates are left as they are. Containers may be shared
// with the template that the pod was made from: they are copied before a write.
func HostNetworkPorts(spec *corev1.PodSpec) {
	if !spec.HostNetwork {
		return
	}
	spec.Containers = hostPorts(spec.Containers)
	spec.InitContainers = hostPorts(spec.InitContainers)
}

func hostPorts(containers []corev1.Container) []corev1.Container {
	lacksHostPort := func(port corev1.ContainerPort) bool { return port.HostPort == 0 }
	owned := false
	for i := range containers {
		if !slices.ContainsFunc(containers[i].Ports, lacksHostPort) {
			continue
		}
		if !owned {
			containers, owned = slices.Clone(containers), true
		}
		containers[i].Ports = slices.Clone(containers[i].Ports)
		for j := range containers[i].Ports {
			if port := &containers[i].Ports[j]; port.HostPort == 0 {
				port.HostPort = port.ContainerPort
			}
		}
	}
	return containers
}

// ContainerRequests sets the requests that a pod's containers leave out to the
// limits that they state. Templates are left as they are. Containers may be
// shared with the template that the pod was made from: they are copied before
// a write.
func ContainerRequests(spec *corev1.PodSpec) {
	spec.Containers = requests(spec.Containers)
	spec.InitContainers = requests(spec.InitContainers)
}

func requests(containers []corev1.Container) []corev1.Container {
	owned := false
	for i := range containers {
		resources := &containers[i].Resources
		if !lacksRequest(resources) {
			continue
		}
		if !owned {
			containers, owned = slices.Clone(containers), true
			resources = &containers[i].Resources
		}
		complete := make(corev1.ResourceList, len(resources.Limits))
		for name, limit := range resources.Limits {
			complete[name] = limit.DeepCopy()
		}
		maps.Copy(complete, resources.Requests)
		resources.Requests = complete
	}
	return containers
}

func lacksRequest(resources *corev1.ResourceRequirements) bool {
	for name := range resources.Limits {
		if _, stated := resources.Requests[name]; !stated {
			return true
		}
	}
	return false
}

// PodStatus keeps a status's one address and its list of addresses in step.
func PodStatus(status *corev1.PodStatus) {
	switch {
	case status.PodIP != "" && (len(status.PodIPs) == 0 || status.PodIPs[0].IP != status.PodIP):
		status.PodIPs = []corev1.PodIP{{IP: status.PodIP}}
	case status.PodIP == "" && len(status.PodIPs) > 0:
		status.PodIP = status.PodIPs[0].IP
	}
}
