package kubelet

import corev1 "k8s.io/api/core/v1"

// phase sums the containers up.
func (w *worker) phase() corev1.PodPhase {
	for _, c := range w.initContainers() {
		if c.kind == initContainer && c.exited() && c.status.ExitCode != 0 && !w.restarts(c) {
			return corev1.PodFailed
		}
	}
	var waiting, running, stopped, succeeded int
	for _, c := range w.appContainers() {
		switch {
		case c.running():
			running++
		case c.exited():
			stopped++
			if c.status.ExitCode == 0 {
				succeeded++
			}
		default:
			waiting++
		}
	}
	for _, c := range w.initContainers() {
		if c.kind == sidecar && c.running() {
			running++
		}
	}
	switch {
	case w.stopped && waiting > 0:
		return corev1.PodFailed // it has been ended before all of it had begun
	case waiting > 0:
		return corev1.PodPending
	case running > 0, !w.stopped && !w.completed():
		return corev1.PodRunning
	case stopped == succeeded:
		return corev1.PodSucceeded
	}
	return corev1.PodFailed
}

// completed reports whether the containers have all ended for good; sidecars
// don't count.
func (w *worker) completed() bool {
	for _, c := range w.appContainers() {
		if !c.exited() || w.restarts(c) {
			return false
		}
	}
	return true
}
