package validation

import (
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// podContext is what the checks of containers must know of their pod.
type podContext struct {
	spec    *corev1.PodSpec
	volumes volumeSet
}

func (p podContext) hostUsers() bool { return p.spec.HostUsers == nil || *p.spec.HostUsers }

func containers(parent *field.Path, pod podContext) field.ErrorList {
	list := pod.spec.Containers
	at := parent.Child("containers")
	if len(list) == 0 {
		return field.ErrorList{field.Required(at, "")}
	}
	var errs field.ErrorList
	for i := range list {
		c := &list[i]
		path := at.Index(i)
		errs = append(errs, container(path, c, pod)...)
		if hasName(list[:i], c.Name) {
			errs = append(errs, field.Duplicate(path.Child("name"), c.Name))
		}
		errs = append(errs, probes(path, c, pod.spec.TerminationGracePeriodSeconds, pod.spec.OS)...)
		errs = append(errs, restartPolicyRules(path, c)...)
	}
	return append(errs, hostPortConflicts(at, list)...)
}

func hasName(list []corev1.Container, name string) bool {
	for i := range list {
		if list[i].Name == name {
			return true
		}
	}
	return false
}

func initContainers(parent *field.Path, pod podContext) field.ErrorList {
	var errs field.ErrorList
	list := pod.spec.InitContainers
	for i := range list {
		c := &list[i]
		at := parent.Child("initContainers")
		path := at.Index(i)
		errs = append(errs, container(path, c, pod)...)
		errs = append(errs, restartPolicyRules(path, c)...)
		if hasName(pod.spec.Containers, c.Name) || c.Name != "" && hasName(list[:i], c.Name) {
			errs = append(errs, field.Duplicate(path.Child("name"), c.Name))
		}
		errs = append(errs, hostPortConflicts(at, list[i:i+1])...)
		sidecar := c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
		if sidecar {
			errs = append(errs, probes(path, c, pod.spec.TerminationGracePeriodSeconds, pod.spec.OS)...)
			continue
		}
		const onlySidecars = "may not be set for init containers without restartPolicy=Always"
		forbid := func(set bool, name string) {
			if set {
				errs = append(errs, field.Forbidden(path.Child(name), onlySidecars))
			}
		}
		forbid(c.Lifecycle != nil, "lifecycle")
		forbid(c.LivenessProbe != nil, "livenessProbe")
		forbid(c.ReadinessProbe != nil, "readinessProbe")
		forbid(c.StartupProbe != nil, "startupProbe")
		for j, policy := range c.ResizePolicy {
			if policy.RestartPolicy == corev1.RestartContainer {
				errs = append(errs, field.Invalid(path.Child("resizePolicy").Index(j).Child("restartPolicy"), policy.RestartPolicy,
					"must not be set to 'RestartContainer' for non-sidecar initContainers"))
			}
		}
	}
	return errs
}

// container checks what containers of all sorts have in common.
func container(at *field.Path, c *corev1.Container, pod podContext) field.ErrorList {
	var errs field.ErrorList
	if c.Name == "" {
		errs = append(errs, field.Required(at.Child("name"), ""))
	} else if messages := dnsLabel(c.Name); messages != nil {
		errs = append(errs, invalid(at.Child("name"), c.Name, messages)...)
	}
	if c.Image == "" {
		errs = append(errs, field.Required(at.Child("image"), ""))
	}
	switch c.TerminationMessagePolicy {
	case corev1.TerminationMessageReadFile, corev1.TerminationMessageFallbackToLogsOnError:
	default:
		errs = append(errs, oneOf(at.Child("terminationMessagePolicy"), c.TerminationMessagePolicy,
			corev1.TerminationMessageReadFile, corev1.TerminationMessageFallbackToLogsOnError)...)
	}
	errs = append(errs, containerPorts(at, c.Ports)...)
	errs = append(errs, environment(at, c)...)
	errs = append(errs, volumeMounts(at, c, pod.volumes)...)
	errs = append(errs, volumeDevices(at, c, pod.volumes)...)
	switch c.ImagePullPolicy {
	case corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever:
	default:
		errs = append(errs, pullPolicy(at.Child("imagePullPolicy"), c.ImagePullPolicy)...)
	}
	if len(c.Resources.Limits)+len(c.Resources.Requests)+len(c.Resources.Claims) > 0 {
		errs = append(errs, resourceRequirements(at.Child("resources"), &c.Resources, pod.spec.ResourceClaims, containerResourceName)...)
	}
	errs = append(errs, resizePolicy(at, c.ResizePolicy, pod.spec.RestartPolicy)...)
	return append(errs, containerSecurity(at, c.SecurityContext, pod.hostUsers())...)
}

func pullPolicy(at *field.Path, policy corev1.PullPolicy) field.ErrorList {
	return oneOf(at, policy, corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever)
}

func containerPorts(parent *field.Path, ports []corev1.ContainerPort) field.ErrorList {
	var errs field.ErrorList
	for i := range ports {
		port := &ports[i]
		at := parent.Child("ports").Index(i)
		if port.Name != "" {
			if messages := validation.IsValidPortName(port.Name); messages != nil {
				errs = append(errs, invalid(at.Child("name"), port.Name, messages)...)
			} else if hasPortName(ports[:i], port.Name) {
				errs = append(errs, field.Duplicate(at.Child("name"), port.Name))
			}
		}
		if port.ContainerPort == 0 {
			errs = append(errs, field.Required(at.Child("containerPort"), ""))
		} else {
			errs = append(errs, portNumber(at, "containerPort", port.ContainerPort)...)
		}
		if port.HostPort != 0 {
			errs = append(errs, portNumber(at, "hostPort", port.HostPort)...)
		}
		errs = append(errs, protocol(at, port.Protocol)...)
	}
	return errs
}

func hasPortName(ports []corev1.ContainerPort, name string) bool {
	for i := range ports {
		if ports[i].Name == name {
			return true
		}
	}
	return false
}

func protocol(at *field.Path, p corev1.Protocol) field.ErrorList {
	switch p {
	case corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP:
		return nil
	}
	return oneOf(at.Child("protocol"), p, corev1.ProtocolSCTP, corev1.ProtocolTCP, corev1.ProtocolUDP)
}

func hostPortConflicts(at *field.Path, list []corev1.Container) field.ErrorList {
	var errs field.ErrorList
	var taken map[string]bool
	for i := range list {
		for j := range list[i].Ports {
			port := &list[i].Ports[j]
			if port.HostPort == 0 {
				continue
			}
			key := string(port.Protocol) + "/" + port.HostIP + "/" + strconv.Itoa(int(port.HostPort))
			if taken[key] {
				errs = append(errs, field.Duplicate(at.Index(i).Child("ports").Index(j).Child("hostPort"), key))
			}
			if taken == nil {
				taken = map[string]bool{}
			}
			taken[key] = true
		}
	}
	return errs
}

func resizePolicy(parent *field.Path, policies []corev1.ContainerResizePolicy, restart corev1.RestartPolicy) field.ErrorList {
	var errs field.ErrorList
	for i, policy := range policies {
		at := parent.Child("resizePolicy")
		for _, earlier := range policies[:i] {
			if earlier.ResourceName == policy.ResourceName {
				errs = append(errs, field.Duplicate(at.Index(i), policy.ResourceName))
				break
			}
		}
		errs = append(errs, oneOf(at, policy.ResourceName, corev1.ResourceCPU, corev1.ResourceMemory)...)
		errs = append(errs, oneOf(at, policy.RestartPolicy, corev1.NotRequired, corev1.RestartContainer)...)
		if restart == corev1.RestartPolicyNever && policy.RestartPolicy != corev1.NotRequired {
			errs = append(errs, field.Invalid(at, policy.RestartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"))
		}
	}
	return errs
}

func restartPolicyRules(at *field.Path, c *corev1.Container) field.ErrorList {
	if c.RestartPolicy == nil && len(c.RestartPolicyRules) == 0 {
		return nil
	}
	var errs field.ErrorList
	if c.RestartPolicy == nil {
		errs = append(errs, field.Required(at.Child("restartPolicy"), "must specify restartPolicy when restart rules are used"))
	} else {
		errs = append(errs, supportedOnly(at.Child("restartPolicy"), *c.RestartPolicy,
			corev1.ContainerRestartPolicyAlways, corev1.ContainerRestartPolicyNever, corev1.ContainerRestartPolicyOnFailure)...)
	}
	if len(c.RestartPolicyRules) > 20 {
		errs = append(errs, field.TooMany(at.Child("restartPolicyRules"), len(c.RestartPolicyRules), 20))
	}
	for i, rule := range c.RestartPolicyRules {
		path := at.Child("restartPolicyRules").Index(i)
		errs = append(errs, supportedOnly(path.Child("action"), rule.Action,
			corev1.ContainerRestartRuleActionRestart, corev1.ContainerRestartRuleActionRestartAllContainers)...)
		if rule.ExitCodes == nil {
			errs = append(errs, field.Required(path.Child("exitCodes"), "must be specified"))
			continue
		}
		errs = append(errs, supportedOnly(path.Child("exitCodes", "operator"), rule.ExitCodes.Operator,
			corev1.ContainerRestartRuleOnExitCodesOpIn, corev1.ContainerRestartRuleOnExitCodesOpNotIn)...)
		if count := len(rule.ExitCodes.Values); count > 255 {
			errs = append(errs, field.TooMany(path.Child("exitCodes", "values"), count, 255))
		}
	}
	return errs
}

// containersOfPod checks what templates leave to the pods made from them.
func containersOfPod(parent *field.Path, child string, list []corev1.Container) field.ErrorList {
	var errs field.ErrorList
	for i := range list {
		errs = append(errs, imageWhitespace(parent.Child(child).Index(i), &list[i])...)
	}
	return errs
}

func imageWhitespace(at *field.Path, c *corev1.Container) field.ErrorList {
	if len(strings.TrimSpace(c.Image)) == len(c.Image) {
		return nil
	}
	return field.ErrorList{field.Invalid(at.Child("image"), c.Image, "must not have leading or trailing whitespace")}
}
