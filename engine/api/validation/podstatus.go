package validation

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const negativeGeneration = "must be a non-negative integer"

// PodStatusUpdate checks a kubelet's report.
func PodStatusUpdate(pod, old *corev1.Pod) field.ErrorList {
	status, was := &pod.Status, &old.Status
	errs := mirrorAnnotation(pod, old)
	errs = append(errs, podAnnotations(annotationsPath, pod.Annotations, &pod.Spec)...)
	errs = append(errs, podConditions(status.Conditions)...)
	if name := status.NominatedNodeName; name != "" && name != was.NominatedNodeName {
		at := statusPath.Child("nominatedNodeName")
		errs = append(errs, invalid(at, name, objectName(name, false))...)
		if old.Spec.NodeName != "" {
			errs = append(errs, field.Forbidden(at, "may not be set on pods that are already bound to a node"))
		}
	}
	if status.ObservedGeneration < 0 {
		errs = append(errs, field.Invalid(statusPath.Child("observedGeneration"), status.ObservedGeneration, negativeGeneration))
	}
	if status.QOSClass != was.QOSClass {
		errs = append(errs, field.Invalid(statusPath.Child("qosClass"), status.QOSClass, "field is immutable"))
	}
	restarts := old.Spec.RestartPolicy
	errs = append(errs, transitions("containerStatuses", status.ContainerStatuses, was.ContainerStatuses, &old.Spec, old.Spec.Containers, restarts)...)
	errs = append(errs, transitions("initContainerStatuses", status.InitContainerStatuses, was.InitContainerStatuses, &old.Spec, old.Spec.InitContainers, restarts)...)
	errs = append(errs, transitions("ephemeralContainerStatuses", status.EphemeralContainerStatuses, was.EphemeralContainerStatuses, &old.Spec, nil, corev1.RestartPolicyNever)...)
	errs = append(errs, podIPs(status, was)...)
	return append(errs, hostIPs(status, was)...)
}

func podConditions(conditions []corev1.PodCondition) field.ErrorList {
	var errs field.ErrorList
	for i := range conditions {
		condition := &conditions[i]
		if condition.ObservedGeneration < 0 {
			errs = append(errs, field.Invalid(statusPath.Child("conditions").Index(i).Child("observedGeneration"), condition.ObservedGeneration, negativeGeneration))
		}
		if messages := qualifiedName(string(condition.Type)); messages != nil {
			errs = append(errs, invalid(statusPath.Child("conditions").Index(i).Child("Type"), string(condition.Type), messages)...)
		}
	}
	return errs
}

// transitions refuses that a container whose end is final runs again.
func transitions(child string, list, old []corev1.ContainerStatus, spec *corev1.PodSpec, containers []corev1.Container, restarts corev1.RestartPolicy) field.ErrorList {
	var errs field.ErrorList
	for i := range old {
		terminated := old[i].State.Terminated
		if terminated == nil {
			continue
		}
		for j := range list {
			if list[j].Name != old[i].Name {
				continue
			}
			if list[j].State.Terminated == nil && !mayRestart(spec, containers, old[i].Name, terminated.ExitCode, restarts) {
				errs = append(errs, field.Forbidden(statusPath.Child(child).Index(i).Child("state"), "may not be transitioned to non-terminated state"))
			}
			break
		}
	}
	return errs
}

// mayRestart follows the container's own restart policy and rules, if it has
// any, or else its pod's.
func mayRestart(spec *corev1.PodSpec, containers []corev1.Container, name string, exitCode int32, restarts corev1.RestartPolicy) bool {
	for i := range containers {
		c := &containers[i]
		if c.Name != name || c.RestartPolicy == nil {
			continue
		}
		for _, rule := range c.RestartPolicyRules {
			if rule.ExitCodes != nil && ruleMatches(rule.ExitCodes, exitCode) {
				return true
			}
		}
		restarts = corev1.RestartPolicy(*c.RestartPolicy)
	}
	return restarts == corev1.RestartPolicyAlways ||
		restarts == corev1.RestartPolicyOnFailure && exitCode != 0 ||
		containers != nil && restartsAll(spec)
}

func ruleMatches(codes *corev1.ContainerRestartRuleOnExitCodes, exitCode int32) bool {
	listed := false
	for _, code := range codes.Values {
		listed = listed || code == exitCode
	}
	return listed == (codes.Operator == corev1.ContainerRestartRuleOnExitCodesOpIn)
}

// restartsAll reports whether some container's end may restart all.
func restartsAll(spec *corev1.PodSpec) bool {
	for _, list := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range list {
			for _, rule := range list[i].RestartPolicyRules {
				if rule.Action == corev1.ContainerRestartRuleActionRestartAllContainers {
					return true
				}
			}
		}
	}
	return false
}

func podIPs(status, was *corev1.PodStatus) field.ErrorList {
	var errs field.ErrorList
	if len(status.PodIPs) != 1 || !plainIPv4(status.PodIPs[0].IP) {
		list, old := make([]string, len(status.PodIPs)), make([]string, len(was.PodIPs))
		for i, ip := range status.PodIPs {
			list[i] = ip.IP
		}
		for i, ip := range was.PodIPs {
			old[i] = ip.IP
		}
		errs = addresses(statusPath.Child("podIPs"), list, old)
	}
	switch {
	case (status.PodIP != "") != (len(status.PodIPs) > 0):
		errs = append(errs, field.Invalid(statusPath.Child("podIPs"), internal(status.PodIPs), "podIP and podIPs must either both be set or both be unset"))
	case len(status.PodIPs) > 0 && status.PodIP != status.PodIPs[0].IP:
		errs = append(errs, field.Invalid(statusPath.Child("podIPs").Index(0).Child("ip"), status.PodIPs[0].IP, "must be equal to `podIP`"))
	}
	return errs
}

func hostIPs(status, was *corev1.PodStatus) field.ErrorList {
	if len(status.HostIPs) == 0 {
		return nil
	}
	var errs field.ErrorList
	at := statusPath.Child("hostIPs")
	if status.HostIP != status.HostIPs[0].IP {
		errs = append(errs, field.Invalid(at.Index(0).Child("ip"), status.HostIPs[0].IP, "must be equal to `hostIP`"))
	}
	if len(status.HostIPs) == 1 && plainIPv4(status.HostIPs[0].IP) {
		return errs
	}
	list, old := make([]string, len(status.HostIPs)), make([]string, len(was.HostIPs))
	for i, ip := range status.HostIPs {
		list[i] = ip.IP
	}
	for i, ip := range was.HostIPs {
		old[i] = ip.IP
	}
	return append(errs, addresses(at, list, old)...)
}

// Binding checks the assignment of a pod to a node.
func Binding(binding *corev1.Binding) field.ErrorList {
	var errs field.ErrorList
	target := &binding.Target
	if target.Kind != "" && target.Kind != "Node" {
		errs = append(errs, field.NotSupported(field.NewPath("target", "kind"), target.Kind, []string{"Node", "<empty>"}))
	}
	if target.Name == "" {
		errs = append(errs, field.Required(field.NewPath("target", "name"), ""))
	} else if target.Kind == "" || target.Kind == "Node" {
		errs = append(errs, invalid(field.NewPath("target", "name"), target.Name, objectName(target.Name, false))...)
	}
	return errs
}
