package kubelet

import (
	"cmp"
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	resourcehelper "k8s.io/component-helpers/resource"
)

// Shared by all statuses, which are immutable.
var (
	yes, no     = true, false
	noResources = &corev1.ResourceRequirements{}
)

// publishAttempts bounds the attempts at a status that others write too.
const publishAttempts = 5

// publish writes the pod's status if it has changed.
func (w *worker) publish(ctx context.Context) error {
	if !w.dirty || w.orphaned {
		return nil
	}
	base := w.pod
	for attempt := 1; ; attempt++ {
		// A new revision shares everything but its status with the old one.
		next := *base
		next.Status = w.status(base)
		written, err := w.Client.UpdateStatus(ctx, podResource, &next)
		switch {
		case err == nil:
			w.pod, w.dirty = written.(*corev1.Pod), false
			for _, c := range w.containers {
				c.shown = c.exited()
			}
			if phase := w.pod.Status.Phase; phase == corev1.PodSucceeded || phase == corev1.PodFailed {
				w.terminal = true
			}
			return nil
		case apierrors.IsNotFound(err):
			w.dirty = false // its deletion is on the way to this kubelet
			return nil
		case !apierrors.IsConflict(err) || attempt == publishAttempts:
			return err
		}
		newest, err := w.Client.Get(ctx, podResource, w.pod.Namespace, w.pod.Name)
		if apierrors.IsNotFound(err) || err == nil && newest.GetUID() != w.uid {
			w.dirty = false
			return nil
		}
		if err != nil {
			return err
		}
		base = newest.(*corev1.Pod)
	}
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// status is the pod's whole status; base is the pod as the API has it.
func (w *worker) status(base *corev1.Pod) corev1.PodStatus {
	old := &base.Status
	status := corev1.PodStatus{
		ObservedGeneration:    base.Generation,
		QOSClass:              old.QOSClass,
		NominatedNodeName:     old.NominatedNodeName,
		ResourceClaimStatuses: old.ResourceClaimStatuses,
	}
	if w.verdict != nil && w.verdict.rejected {
		status.Phase, status.Reason, status.Message = corev1.PodFailed, w.verdict.reason, w.verdict.message
		started := stamp(w.began)
		status.StartTime = &started
		return status
	}
	if status.StartTime = old.StartTime; status.StartTime == nil {
		started := stamp(w.began)
		status.StartTime = &started
	}
	status.InitContainerStatuses = w.containerStatuses(w.initContainers())
	status.ContainerStatuses = w.containerStatuses(w.appContainers())
	status.EphemeralContainerStatuses = w.containerStatuses(w.ephemeral())
	for _, list := range [...][]corev1.ContainerStatus{status.ContainerStatuses, status.EphemeralContainerStatuses} {
		slices.SortFunc(list, func(a, b corev1.ContainerStatus) int { return cmp.Compare(a.Name, b.Name) })
	}
	status.Phase = w.phase()
	if status.Phase == old.Phase {
		status.Reason, status.Message = old.Reason, old.Message
	}
	if w.verdict != nil {
		status.Phase, status.Reason, status.Message = corev1.PodFailed, w.verdict.reason, w.verdict.message
	}
	if old.Phase == corev1.PodFailed || old.Phase == corev1.PodSucceeded {
		status.Phase, status.Reason, status.Message = old.Phase, old.Reason, old.Message
	}
	status.HostIP = w.Node.InternalIP
	status.HostIPs = []corev1.HostIP{{IP: status.HostIP}}
	for _, ip := range w.podIPs() {
		status.PodIPs = append(status.PodIPs, corev1.PodIP{IP: ip})
	}
	if len(status.PodIPs) > 0 {
		status.PodIP = status.PodIPs[0].IP
	}
	status.AllocatedResources, status.Resources = podResources(base)
	status.Conditions = w.conditions(base, status.Phase)
	return status
}

func (w *worker) podIPs() []string {
	if w.pod.Spec.HostNetwork {
		return []string{w.Node.InternalIP}
	}
	return w.sandbox.IPs
}

func (w *worker) podIP() string {
	if ips := w.podIPs(); len(ips) > 0 {
		return ips[0]
	}
	return ""
}

// podResources are what the pod as a whole has been given.
func podResources(pod *corev1.Pod) (allocated corev1.ResourceList, resources *corev1.ResourceRequirements) {
	if !hasResources(&pod.Spec) {
		return nil, noResources
	}
	requests := resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{})
	limits := resourcehelper.PodLimits(pod, resourcehelper.PodResourcesOptions{})
	return requests, &corev1.ResourceRequirements{Requests: requests, Limits: limits}
}

func hasResources(spec *corev1.PodSpec) bool {
	for i := range spec.Containers {
		if r := &spec.Containers[i].Resources; len(r.Requests)+len(r.Limits) > 0 {
			return true
		}
	}
	for i := range spec.InitContainers {
		if r := &spec.InitContainers[i].Resources; len(r.Requests)+len(r.Limits) > 0 {
			return true
		}
	}
	return spec.Resources != nil || len(spec.Overhead) > 0
}

func (w *worker) containerStatuses(containers []*container) []corev1.ContainerStatus {
	if len(containers) == 0 {
		return nil
	}
	statuses := make([]corev1.ContainerStatus, len(containers))
	for i, c := range containers {
		statuses[i] = w.containerStatus(c)
	}
	return statuses
}

func (w *worker) containerStatus(c *container) corev1.ContainerStatus {
	status := corev1.ContainerStatus{
		Name:         c.spec.Name,
		Image:        c.spec.Image,
		Started:      &no,
		Ready:        c.ready(),
		VolumeMounts: c.mounts,
	}
	status.LastTerminationState.Terminated = c.previous
	if c.started() {
		status.Started = &yes
	}
	if c.created {
		status.Image = c.image.Name
		status.ImageID = c.image.Ref
		status.ContainerID = w.containerID(c)
		status.RestartCount = int32(c.attempt)
		status.AllocatedResources = c.spec.Resources.Requests
		status.Resources = &c.spec.Resources
		status.User = c.status.User
	}
	if c.kind == ephemeralContainer {
		status.Started, status.Ready = nil, false // nobody asks it
	}
	switch {
	case c.running():
		status.State.Running = &corev1.ContainerStateRunning{StartedAt: stamp(c.status.StartedAt.Time)}
	case c.exited() && c.waiting == nil:
		status.State.Terminated = w.terminated(c)
	case c.exited() && w.stopping:
		// It waited to be started again, which will not happen now.
		status.State.Terminated = w.terminated(c)
	case c.waiting != nil:
		status.State.Waiting = c.waiting
		if c.exited() {
			status.LastTerminationState.Terminated = w.terminated(c)
		}
	case c.created:
		status.State.Waiting = &corev1.ContainerStateWaiting{}
	case w.inits > 0:
		status.State.Waiting = podInitializing
	default:
		status.State.Waiting = containerCreating
	}
	return status
}

var (
	podInitializing   = &corev1.ContainerStateWaiting{Reason: "PodInitializing"}
	containerCreating = &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}
)

// containerID is a container's ID as the API shows it, with the runtime's name.
func (w *worker) containerID(c *container) string { return w.version.Name + "://" + c.status.ID }

// readyChanged reports whether somebody has changed what the pod's readiness
// gates wait for.
func readyChanged(w *worker, pod *corev1.Pod) bool {
	for _, gate := range pod.Spec.ReadinessGates {
		before, after := condition(w.pod.Status.Conditions, gate.ConditionType), condition(pod.Status.Conditions, gate.ConditionType)
		if (before == nil) != (after == nil) || before != nil && before.Status != after.Status {
			return true
		}
	}
	return false
}

func condition(conditions []corev1.PodCondition, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range conditions {
		if conditions[i].Type == kind {
			return &conditions[i]
		}
	}
	return nil
}

// transition keeps the time of a condition's last change.
func transition(old []corev1.PodCondition, next corev1.PodCondition, now metav1.Time) corev1.PodCondition {
	next.LastTransitionTime = now
	if before := condition(old, next.Type); before != nil && before.Status == next.Status {
		next.LastTransitionTime = before.LastTransitionTime
	}
	return next
}
