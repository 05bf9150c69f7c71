package kinds

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PodSummary is a pod's state as tables show it.
type PodSummary struct {
	// Ready of Containers are ready; both count app containers and sidecars.
	Ready, Containers int
	// Status is the STATUS column: the phase or something more telling, such
	// as "CrashLoopBackOff" or "Init:0/2".
	Status string
	// Restarts of the containers, the last at LastRestart, if known.
	Restarts    int
	LastRestart metav1.Time
}

// SummarizePod works out what kubectl shows of a pod.
func SummarizePod(p *corev1.Pod) PodSummary {
	s := PodSummary{Containers: len(p.Spec.Containers), Status: string(p.Status.Phase)}
	if p.Status.Reason != "" {
		s.Status = p.Status.Reason
	}
	for i := range p.Status.Conditions {
		if c := &p.Status.Conditions[i]; c.Type == corev1.PodScheduled && c.Reason == corev1.PodReasonSchedulingGated {
			s.Status = corev1.PodReasonSchedulingGated
		}
	}
	sidecars := PodSummary{}
	initializing := s.addInitContainers(p, &sidecars)
	if !initializing || podConditionIsTrue(p, corev1.PodInitialized) {
		s.Restarts, s.LastRestart = sidecars.Restarts, sidecars.LastRestart
		s.addContainers(p)
	}
	if p.DeletionTimestamp != nil {
		switch {
		case p.Status.Reason == "NodeLost":
			s.Status = "Unknown"
		case p.Status.Phase != corev1.PodFailed && p.Status.Phase != corev1.PodSucceeded:
			s.Status = "Terminating"
		}
	}
	return s
}

// addInitContainers reports whether the pod is still initializing; restarts
// are counted in s and, those of sidecars, in sidecars too.
func (s *PodSummary) addInitContainers(p *corev1.Pod, sidecars *PodSummary) bool {
	for i := range p.Spec.InitContainers {
		if isSidecar(&p.Spec.InitContainers[i]) {
			s.Containers++
		}
	}
	for i := range p.Status.InitContainerStatuses {
		container := &p.Status.InitContainerStatuses[i]
		sidecar := hasSidecar(p, container.Name)
		s.addRestarts(container)
		if sidecar {
			sidecars.addRestarts(container)
		}
		terminated, waiting := container.State.Terminated, container.State.Waiting
		switch {
		case terminated != nil && terminated.ExitCode == 0:
			continue
		case sidecar && container.Started != nil && *container.Started:
			if container.Ready {
				s.Ready++
			}
			continue
		case terminated != nil:
			s.Status = "Init:" + terminationReason(terminated)
		case waiting != nil && waiting.Reason != "" && waiting.Reason != "PodInitializing":
			s.Status = "Init:" + waiting.Reason
		default:
			s.Status = fmt.Sprintf("Init:%d/%d", i, len(p.Spec.InitContainers))
		}
		return true
	}
	return false
}

func (s *PodSummary) addContainers(p *corev1.Pod) {
	running, failure := false, ""
	for i := len(p.Status.ContainerStatuses) - 1; i >= 0; i-- {
		container := &p.Status.ContainerStatuses[i]
		s.addRestarts(container)
		terminated, waiting := container.State.Terminated, container.State.Waiting
		switch {
		case waiting != nil && waiting.Reason != "":
			s.Status = waiting.Reason
		case terminated != nil:
			s.Status = terminationReason(terminated)
			if terminated.ExitCode != 0 {
				failure = s.Status
			}
		case container.Ready && container.State.Running != nil:
			running = true
			s.Ready++
		}
	}
	if s.Status != "Completed" {
		return
	}
	// One container has completed: the pod as a whole may not have.
	switch {
	case running && podConditionIsTrue(p, corev1.PodReady):
		s.Status = "Running"
	case failure != "":
		s.Status = failure
	case running:
		s.Status = "NotReady"
	}
}

func (s *PodSummary) addRestarts(container *corev1.ContainerStatus) {
	s.Restarts += int(container.RestartCount)
	if last := container.LastTerminationState.Terminated; last != nil && s.LastRestart.Before(&last.FinishedAt) {
		s.LastRestart = last.FinishedAt
	}
}

func terminationReason(terminated *corev1.ContainerStateTerminated) string {
	switch {
	case terminated.Reason != "":
		return terminated.Reason
	case terminated.Signal != 0:
		return fmt.Sprintf("Signal:%d", terminated.Signal)
	}
	return fmt.Sprintf("ExitCode:%d", terminated.ExitCode)
}

func isSidecar(container *corev1.Container) bool {
	return container.RestartPolicy != nil && *container.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

func hasSidecar(p *corev1.Pod, name string) bool {
	for i := range p.Spec.InitContainers {
		if c := &p.Spec.InitContainers[i]; c.Name == name {
			return isSidecar(c)
		}
	}
	return false
}
