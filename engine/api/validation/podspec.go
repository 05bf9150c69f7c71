package validation

import (
	"fmt"
	"math"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// podSpec checks the spec of a pod, or of a template, for which podName is
// empty.
func podSpec(at *field.Path, spec *corev1.PodSpec, podName string, ofPod bool) field.ErrorList {
	var errs field.ErrorList
	if spec.TerminationGracePeriodSeconds == nil {
		errs = append(errs, field.Required(at.Child("terminationGracePeriodSeconds"), ""))
	}
	valid, volumeErrs := volumes(at, spec.Volumes, podName)
	errs = append(errs, volumeErrs...)
	errs = append(errs, podResourceClaims(at.Child("resourceClaims"), spec.ResourceClaims)...)
	pod := podContext{spec: spec, volumes: valid}
	errs = append(errs, containers(at, pod)...)
	errs = append(errs, initContainers(at, pod)...)
	errs = append(errs, ephemeralContainers(at, pod)...)
	errs = append(errs, podResources(at, spec)...)
	errs = append(errs, hostNetworkPorts(at, spec, ofPod)...)
	switch spec.RestartPolicy {
	case corev1.RestartPolicyAlways, corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever:
	default:
		errs = append(errs, oneOf(at.Child("restartPolicy"), spec.RestartPolicy,
			corev1.RestartPolicyAlways, corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever)...)
	}
	switch spec.DNSPolicy {
	case corev1.DNSClusterFirst, corev1.DNSDefault, corev1.DNSNone, corev1.DNSClusterFirstWithHostNet:
	default:
		errs = append(errs, oneOf(at.Child("dnsPolicy"), spec.DNSPolicy,
			corev1.DNSClusterFirstWithHostNet, corev1.DNSClusterFirst, corev1.DNSDefault, corev1.DNSNone)...)
	}
	errs = append(errs, labels(at, "nodeSelector", spec.NodeSelector)...)
	errs = append(errs, podSecurity(at, spec)...)
	if spec.ShareProcessNamespace != nil && *spec.ShareProcessNamespace && spec.HostPID {
		errs = append(errs, field.Invalid(at.Child("shareProcessNamespace"), true, "ShareProcessNamespace and HostPID cannot both be enabled"))
	}
	errs = append(errs, affinity(at, spec.Affinity)...)
	errs = append(errs, dnsConfig(at.Child("dnsConfig"), spec)...)
	for i, gate := range spec.ReadinessGates {
		errs = append(errs, invalid(at.Child("readinessGates").Index(i).Child("conditionType"), string(gate.ConditionType), qualifiedName(string(gate.ConditionType)))...)
	}
	errs = append(errs, schedulingGates(at, spec.SchedulingGates)...)
	errs = append(errs, topologySpread(at, spec.TopologySpreadConstraints)...)
	errs = append(errs, hostUsers(at, spec)...)
	errs = append(errs, hostnameOverride(at, spec)...)
	errs = append(errs, references(at, spec)...)
	errs = append(errs, tolerations(at, spec.Tolerations)...)
	errs = append(errs, hostAliases(at, spec.HostAliases)...)
	return append(errs, podSpecRest(at, spec)...)
}

// references checks the names by which a pod refers to what it needs, and its
// own names in the network.
func references(at *field.Path, spec *corev1.PodSpec) field.ErrorList {
	var errs field.ErrorList
	name := func(child, value string, check func(string) []string) {
		if value == "" {
			return
		}
		if messages := check(value); messages != nil {
			errs = append(errs, invalid(at.Child(child), value, messages)...)
		}
	}
	name("serviceAccountName", spec.ServiceAccountName, isObjectName)
	if spec.DeprecatedServiceAccount != spec.ServiceAccountName {
		errs = append(errs, field.Invalid(at.Child("deprecatedServiceAccount"), spec.DeprecatedServiceAccount,
			fmt.Sprintf("must be the same as serviceAccountName: %q", spec.ServiceAccountName)))
	}
	name("nodeName", spec.NodeName, isObjectName)
	if seconds := spec.ActiveDeadlineSeconds; seconds != nil && (*seconds < 1 || *seconds > math.MaxInt32) {
		errs = append(errs, field.Invalid(at.Child("activeDeadlineSeconds"), *seconds, validation.InclusiveRangeError(1, math.MaxInt32)))
	}
	name("hostname", spec.Hostname, dnsLabel)
	name("subdomain", spec.Subdomain, dnsLabel)
	return errs
}

func isObjectName(name string) []string { return objectName(name, false) }

func podSpecRest(at *field.Path, spec *corev1.PodSpec) field.ErrorList {
	var errs field.ErrorList
	if class := spec.PriorityClassName; class != "" {
		errs = append(errs, invalid(at.Child("priorityClassName"), class, isObjectName(class))...)
	}
	if class := spec.RuntimeClassName; class != nil {
		errs = append(errs, invalid(at.Child("runtimeClassName"), *class, isObjectName(*class))...)
	}
	if policy := spec.PreemptionPolicy; policy != nil {
		errs = append(errs, oneOf(at.Child("preemptionPolicy"), *policy, corev1.PreemptLowerPriority, corev1.PreemptNever)...)
	}
	if spec.Overhead != nil {
		errs = append(errs, resourceRequirements(at.Child("overhead"), &corev1.ResourceRequirements{Limits: spec.Overhead}, nil, containerResourceName)...)
	}
	errs = append(errs, operatingSystem(at, spec)...)
	return append(errs, fileKeyVolumes(at, spec)...)
}

func hostNetworkPorts(at *field.Path, spec *corev1.PodSpec, ofPod bool) field.ErrorList {
	if !spec.HostNetwork {
		return nil
	}
	var errs field.ErrorList
	for i := range spec.Containers {
		for j, port := range spec.Containers[i].Ports {
			// A template may leave host ports to the pods' defaults.
			if (ofPod || port.HostPort != 0) && port.HostPort != port.ContainerPort {
				errs = append(errs, field.Invalid(at.Child("containers").Index(i).Child("ports").Index(j).Child("hostPort"),
					port.HostPort, "must match `containerPort` when `hostNetwork` is true"))
			}
		}
	}
	return errs
}

func dnsConfig(at *field.Path, spec *corev1.PodSpec) field.ErrorList {
	config := spec.DNSConfig
	if spec.DNSPolicy == corev1.DNSNone {
		if config == nil {
			return field.ErrorList{field.Required(at, fmt.Sprintf("must provide `dnsConfig` when `dnsPolicy` is %s", corev1.DNSNone))}
		}
		if len(config.Nameservers) == 0 {
			return field.ErrorList{field.Required(at.Child("nameservers"), fmt.Sprintf("must provide at least one DNS nameserver when `dnsPolicy` is %s", corev1.DNSNone))}
		}
	}
	if config == nil {
		return nil
	}
	const maxServers, maxSearches, maxCharacters = 3, 32, 2048
	var errs field.ErrorList
	if len(config.Nameservers) > maxServers {
		errs = append(errs, field.Invalid(at.Child("nameservers"), config.Nameservers, fmt.Sprintf("must not have more than %v nameservers", maxServers)))
	}
	for i, server := range config.Nameservers {
		errs = append(errs, ipAddress(at.Child("nameservers").Index(i), server, nil)...)
	}
	if len(config.Searches) > maxSearches {
		errs = append(errs, field.Invalid(at.Child("searches"), config.Searches, fmt.Sprintf("must not have more than %v search paths", maxSearches)))
	}
	if len(strings.Join(config.Searches, " ")) > maxCharacters {
		errs = append(errs, field.Invalid(at.Child("searches"), config.Searches, fmt.Sprintf("must not have more than %v characters (including spaces) in the search list", maxCharacters)))
	}
	for i, search := range config.Searches {
		if search != "." {
			search = strings.TrimSuffix(search, ".")
			errs = append(errs, invalid(at.Child("searches").Index(i), search, validation.IsDNS1123SubdomainWithUnderscore(search))...)
		}
	}
	for i, option := range config.Options {
		if option.Name == "" {
			errs = append(errs, field.Required(at.Child("options").Index(i), "must not be empty"))
		}
	}
	return errs
}

func schedulingGates(parent *field.Path, gates []corev1.PodSchedulingGate) field.ErrorList {
	var errs field.ErrorList
	for i, gate := range gates {
		at := parent.Child("schedulingGates").Index(i)
		errs = append(errs, invalid(at, gate.Name, qualifiedName(gate.Name))...)
		for _, earlier := range gates[:i] {
			if earlier.Name == gate.Name {
				errs = append(errs, field.Duplicate(at, gate.Name))
				break
			}
		}
	}
	return errs
}

func hostnameOverride(parent *field.Path, spec *corev1.PodSpec) field.ErrorList {
	if spec.HostnameOverride == nil {
		return nil
	}
	var errs field.ErrorList
	at := parent.Child("hostnameOverride")
	if spec.SetHostnameAsFQDN != nil && *spec.SetHostnameAsFQDN {
		errs = append(errs, field.Forbidden(at, "may not be specified when setHostnameAsFQDN is true"))
	}
	if spec.HostNetwork {
		errs = append(errs, field.Forbidden(at, "may not be specified when hostNetwork is true"))
	}
	if len(*spec.HostnameOverride) > 64 {
		errs = append(errs, field.TooLong(at, "", 64))
	}
	return append(errs, invalid(at, *spec.HostnameOverride, dnsSubdomain(*spec.HostnameOverride))...)
}

func hostAliases(parent *field.Path, aliases []corev1.HostAlias) field.ErrorList {
	var errs field.ErrorList
	for i, alias := range aliases {
		at := parent.Child("hostAliases").Index(i)
		errs = append(errs, ipAddress(at.Child("ip"), alias.IP, nil)...)
		for j, hostname := range alias.Hostnames {
			errs = append(errs, invalid(at.Child("hostnames").Index(j), hostname, dnsSubdomain(hostname))...)
		}
	}
	return errs
}

// fileKeyVolumes checks that variables read from files are in empty
// directories of the pod.
func fileKeyVolumes(parent *field.Path, spec *corev1.PodSpec) field.ErrorList {
	var errs field.ErrorList
	check := func(child string, list []corev1.Container) {
		for i := range list {
			for j := range list[i].Env {
				from := list[i].Env[j].ValueFrom
				if from == nil || from.FileKeyRef == nil {
					continue
				}
				at := parent.Child(child).Index(i).Child("env").Index(j).Child("valueFrom", "fileKeyRef", "volumeName")
				switch volume := findVolume(spec.Volumes, from.FileKeyRef.VolumeName); {
				case volume == nil:
					errs = append(errs, field.NotFound(at, from.FileKeyRef.VolumeName))
				case volume.EmptyDir == nil:
					errs = append(errs, field.Invalid(at, from.FileKeyRef.VolumeName, "referenced volume must be of type emptyDir"))
				}
			}
		}
	}
	check("initContainers", spec.InitContainers)
	check("containers", spec.Containers)
	return errs
}

func findVolume(list []corev1.Volume, name string) *corev1.Volume {
	for i := range list {
		if list[i].Name == name {
			return &list[i]
		}
	}
	return nil
}
