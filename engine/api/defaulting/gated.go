package defaulting

import corev1 "k8s.io/api/core/v1"

// DropGated drops the fields of features that Kubernetes has switched off by
// default, as an API server does with what it does not know yet. A pod made
// from a template has none of them, so nothing shared is written to.
func DropGated(spec *corev1.PodSpec) {
	spec.EvictionResponders = nil
	spec.SchedulingGroup = nil
	for i := range spec.Volumes {
		if dir := spec.Volumes[i].EmptyDir; dir != nil && dir.Mode != nil {
			dir.Mode = nil
		}
	}
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			dropGated(&containers[i])
		}
	}
	for i := range spec.EphemeralContainers {
		dropGated((*corev1.Container)(&spec.EphemeralContainers[i].EphemeralContainerCommon))
	}
}

func dropGated(c *corev1.Container) {
	if c.Lifecycle != nil && c.Lifecycle.StopSignal != nil {
		c.Lifecycle.StopSignal = nil
	}
	for i := range c.VolumeMounts {
		if c.VolumeMounts[i].BindMountOptions != nil {
			c.VolumeMounts[i].BindMountOptions = nil
		}
	}
	for _, probe := range []*corev1.Probe{c.LivenessProbe, c.ReadinessProbe, c.StartupProbe} {
		if probe != nil && probe.HTTPGet != nil && probe.HTTPGet.Protocol != nil {
			probe.HTTPGet.Protocol = nil
		}
		if probe != nil && probe.GRPC != nil && probe.GRPC.Mode != nil {
			probe.GRPC.Mode = nil
		}
	}
}
