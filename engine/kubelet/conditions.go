package kubelet

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// conditions are the pod's conditions: those of others as they are, then the
// kubelet's own, in a kubelet's order.
func (w *worker) conditions(base *corev1.Pod, phase corev1.PodPhase) []corev1.PodCondition {
	old := base.Status.Conditions
	conditions := make([]corev1.PodCondition, 0, len(old)+5)
	for i := range old {
		switch old[i].Type {
		case corev1.PodReadyToStartContainers, corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady, corev1.PodScheduled:
		default:
			conditions = append(conditions, old[i])
		}
	}
	now := stamp(w.now())
	add := func(c corev1.PodCondition) {
		c.ObservedGeneration = base.Generation
		conditions = append(conditions, transition(old, c, now))
	}
	containersReady := w.containersReady(phase)
	ready := containersReady
	ready.Type = corev1.PodReady
	if ready.Status == corev1.ConditionTrue {
		w.checkGates(base, &ready)
	}
	add(w.readyToStart())
	add(w.initializedCondition(phase))
	add(ready)
	add(containersReady)
	add(corev1.PodCondition{Type: corev1.PodScheduled, Status: corev1.ConditionTrue})
	return conditions
}

func (w *worker) readyToStart() corev1.PodCondition {
	c := corev1.PodCondition{Type: corev1.PodReadyToStartContainers, Status: corev1.ConditionFalse, Reason: "PodSandboxNotReady"}
	switch {
	case w.sandbox.ID == "":
		c.Message = "no pod sandbox exists"
	case w.sandbox.stopped:
		c.Message = "pod sandbox is not ready"
	default:
		c.Status, c.Reason = corev1.ConditionTrue, ""
	}
	return c
}

func (w *worker) initializedCondition(phase corev1.PodPhase) corev1.PodCondition {
	c := corev1.PodCondition{Type: corev1.PodInitialized, Status: corev1.ConditionTrue}
	if phase == corev1.PodSucceeded {
		c.Reason = "PodCompleted"
		return c
	}
	for _, app := range w.appContainers() {
		if app.created {
			return c
		}
	}
	var incomplete []string
	for _, init := range w.initContainers() {
		if init.kind == sidecar && !init.started() || init.kind == initContainer && !init.ready() {
			incomplete = append(incomplete, init.spec.Name)
		}
	}
	if len(incomplete) > 0 {
		c.Status = corev1.ConditionFalse
		c.Reason = "ContainersNotInitialized"
		c.Message = fmt.Sprintf("containers with incomplete status: %s", incomplete)
	}
	return c
}

func (w *worker) containersReady(phase corev1.PodPhase) corev1.PodCondition {
	c := corev1.PodCondition{Type: corev1.ContainersReady, Status: corev1.ConditionFalse}
	switch phase {
	case corev1.PodSucceeded:
		c.Reason = "PodCompleted"
		return c
	case corev1.PodFailed:
		c.Reason = "PodFailed"
		return c
	}
	var unready []string
	for _, other := range w.containers[:w.inits+w.app] {
		if other.kind != initContainer && !other.ready() {
			unready = append(unready, other.spec.Name)
		}
	}
	if len(unready) > 0 {
		c.Reason = "ContainersNotReady"
		c.Message = fmt.Sprintf("containers with unready status: %s", unready)
		return c
	}
	c.Status = corev1.ConditionTrue
	return c
}

// checkGates makes a pod unready whose readiness gates are not open.
func (w *worker) checkGates(base *corev1.Pod, ready *corev1.PodCondition) {
	var messages []string
	for _, gate := range base.Spec.ReadinessGates {
		switch c := condition(base.Status.Conditions, gate.ConditionType); {
		case c == nil:
			messages = append(messages, fmt.Sprintf("corresponding condition of pod readiness gate %q does not exist.", string(gate.ConditionType)))
		case c.Status != corev1.ConditionTrue:
			messages = append(messages, fmt.Sprintf("the status of pod readiness gate %q is not \"True\", but %v", string(gate.ConditionType), c.Status))
		}
	}
	if len(messages) > 0 {
		ready.Status = corev1.ConditionFalse
		ready.Reason = "ReadinessGatesNotReady"
		ready.Message = strings.Join(messages, ", ")
	}
}
