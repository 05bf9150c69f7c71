package kubelet

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/api/logs"
)

// OpenLog implements logs.Source: it asks the runtime of the pod's node. What
// has not begun to run has no log, and the error says why.
func (f *Fleet) OpenLog(pod *corev1.Pod, container string, previous bool, wake func()) (logs.Reader, error) {
	k, ok := f.Kubelet(pod.Spec.NodeName)
	if !ok || k.isStopped() {
		//lint:ignore ST1005 it is the words of net/http that an API server passes on
		return nil, fmt.Errorf("Get \"https://%s:%d/containerLogs/%s/%s/%s\": %w",
			pod.Status.HostIP, kubeletPort, pod.Namespace, pod.Name, container, unreachable(pod))
	}
	id, err := logID(pod, container, previous)
	if err != nil {
		return nil, err
	}
	_, id, _ = strings.Cut(id, "://")
	return k.Runtime.Log(id, wake)
}

// logID finds the container whose log is meant.
func logID(pod *corev1.Pod, container string, previous bool) (string, error) {
	status := containerStatusOf(pod, container)
	if status == nil {
		return "", fmt.Errorf("container %q in pod %q is not available", container, pod.Name)
	}
	last := status.LastTerminationState.Terminated
	lastID := ""
	if last != nil {
		lastID = last.ContainerID
	}
	switch {
	case previous:
		if lastID == "" {
			return "", fmt.Errorf("previous terminated container %q in pod %q not found", container, pod.Name)
		}
		return lastID, nil
	case status.State.Running != nil:
		return status.ContainerID, nil
	case status.State.Terminated != nil && status.State.Terminated.ContainerID != "":
		return status.State.Terminated.ContainerID, nil
	case lastID != "":
		return lastID, nil
	case status.State.Terminated != nil || last != nil:
		return "", fmt.Errorf("container %q in pod %q is terminated", container, pod.Name)
	case status.State.Waiting == nil:
		return "", fmt.Errorf("container %q in pod %q is waiting to start - no logs yet", container, pod.Name)
	}
	switch reason := status.State.Waiting.Reason; reason {
	case "ErrImagePull":
		return "", fmt.Errorf("container %q in pod %q is waiting to start: image can't be pulled", container, pod.Name)
	case "ImagePullBackOff":
		return "", fmt.Errorf("container %q in pod %q is waiting to start: trying and failing to pull image", container, pod.Name)
	default:
		return "", fmt.Errorf("container %q in pod %q is waiting to start: %v", container, pod.Name, reason)
	}
}

func containerStatusOf(pod *corev1.Pod, container string) *corev1.ContainerStatus {
	for _, list := range [...][]corev1.ContainerStatus{
		pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses, pod.Status.EphemeralContainerStatuses,
	} {
		for i := range list {
			if list[i].Name == container {
				return &list[i]
			}
		}
	}
	return nil
}
