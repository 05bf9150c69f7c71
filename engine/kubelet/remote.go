package kubelet

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/api/remote"
)

// unreachable is what an API server hears of a kubelet that does not run.
func unreachable(pod *corev1.Pod) error {
	return fmt.Errorf("dial tcp %s:%d: connect: connection refused", pod.Status.HostIP, kubeletPort)
}

// StartProcess implements remote.Source: it asks the runtime of the pod's node
// (k8s.io/kubernetes/pkg/kubelet.Kubelet.GetExec upstream).
func (f *Fleet) StartProcess(pod *corev1.Pod, container string, options remote.Options, wake func()) (remote.Process, error) {
	k, ok := f.Kubelet(pod.Spec.NodeName)
	if !ok || k.isStopped() {
		return nil, fmt.Errorf("error dialing backend: %w", unreachable(pod))
	}
	status := containerStatusOf(pod, container)
	if status == nil || status.State.Running == nil {
		return nil, fmt.Errorf("unable to upgrade connection: container not found (%q)", container)
	}
	_, id, _ := strings.Cut(status.ContainerID, "://")
	process, err := k.Runtime.StartProcess(id, options, wake)
	if err != nil {
		return nil, fmt.Errorf("unable to upgrade connection: %w", err)
	}
	return process, nil
}

// Dial implements remote.Source.
func (f *Fleet) Dial(pod *corev1.Pod, port int, wake func()) (remote.Connection, error) {
	k, ok := f.Kubelet(pod.Spec.NodeName)
	if !ok || k.isStopped() {
		return nil, fmt.Errorf("error dialing backend: %w", unreachable(pod))
	}
	return k.Runtime.Dial(pod.UID, port, wake)
}
