package kubelet

import corev1 "k8s.io/api/core/v1"

// seeEphemeral takes note of containers for debugging that have been added to
// the pod. Those that it has already can't change.
func (w *worker) seeEphemeral(pod *corev1.Pod) {
	for i := range pod.Spec.EphemeralContainers {
		spec := &pod.Spec.EphemeralContainers[i]
		if w.find(spec.Name) != nil {
			continue
		}
		c := newContainer((*corev1.Container)(&spec.EphemeralContainerCommon), ephemeralContainer)
		c.target = spec.TargetContainerName
		w.containers = append(w.containers, &c)
		w.dirty = true
	}
}

// find returns the container of a name, nil if there is none.
func (w *worker) find(name string) *container {
	for _, c := range w.containers {
		if c.spec.Name == name {
			return c
		}
	}
	return nil
}
