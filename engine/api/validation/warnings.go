package validation

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// PodWarnings tells the author of a new pod what is allowed but unwise.
func PodWarnings(pod *corev1.Pod) []string {
	var warnings []string
	if messages := dnsLabel(pod.Name); messages != nil {
		warnings = append(warnings, fmt.Sprintf("metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: %v", messages))
	}
	return append(warnings, podWarnings(nil, pod.Annotations, &pod.Spec)...)
}

// TemplateWarnings are those of a workload's pod template. The name is the
// workload's; it is empty on update.
func TemplateWarnings(name string, template *corev1.PodTemplateSpec) []string {
	var warnings []string
	if name != "" {
		warnings = nameWarnings(name)
	}
	return append(warnings, podWarnings(specPath.Child("template"), template.Annotations, &template.Spec)...)
}

// nameWarnings are about the name of a workload, after which its pods are named.
func nameWarnings(name string) []string {
	messages := dnsLabel(name)
	if messages == nil {
		return nil
	}
	return []string{fmt.Sprintf("metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: %v", messages)}
}

var deprecatedNodeLabels = map[string]string{
	"beta.kubernetes.io/arch":                       `deprecated since v1.14; use "kubernetes.io/arch" instead`,
	"beta.kubernetes.io/os":                         `deprecated since v1.14; use "kubernetes.io/os" instead`,
	"failure-domain.beta.kubernetes.io/region":      `deprecated since v1.17; use "topology.kubernetes.io/region" instead`,
	"failure-domain.beta.kubernetes.io/zone":        `deprecated since v1.17; use "topology.kubernetes.io/zone" instead`,
	"beta.kubernetes.io/instance-type":              `deprecated since v1.17; use "node.kubernetes.io/instance-type" instead`,
	"app.kubernetes.io/created-by":                  "deprecated since v1.9",
	"scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
	"node-role.kubernetes.io/master":                `use "node-role.kubernetes.io/control-plane" instead`,
}

var deprecatedAnnotations = []struct{ key, message string }{
	{"scheduler.alpha.kubernetes.io/critical-pod", `non-functional in v1.16+; use the "priorityClassName" field instead`},
	{"security.alpha.kubernetes.io/sysctls", `non-functional in v1.11+; use the "sysctls" field instead`},
	{"security.alpha.kubernetes.io/unsafe-sysctls", `non-functional in v1.11+; use the "sysctls" field instead`},
}

func podWarnings(root *field.Path, annotations map[string]string, spec *corev1.PodSpec) []string {
	var warnings []string
	warn := func(at *field.Path, format string, args ...any) {
		warnings = append(warnings, at.String()+": "+fmt.Sprintf(format, args...))
	}
	at := root.Child("spec")
	for _, label := range sorted(spec.NodeSelector) {
		if message, deprecated := deprecatedNodeLabels[label]; deprecated {
			warn(at.Child("nodeSelector").Key(label), "%s", message)
		}
	}
	affinityWarnings(at.Child("affinity"), spec.Affinity, warn)
	for i, constraint := range spec.TopologySpreadConstraints {
		path := at.Child("topologySpreadConstraints").Index(i)
		if message, deprecated := deprecatedNodeLabels[constraint.TopologyKey]; deprecated {
			warn(path.Child("topologyKey"), "%s is %s", constraint.TopologyKey, message)
		}
		if constraint.LabelSelector == nil {
			warn(path.Child("labelSelector"), "%s", matchesNothing)
		}
	}
	for _, deprecated := range deprecatedAnnotations {
		if _, has := annotations[deprecated.key]; has {
			warn(root.Child("metadata", "annotations").Key(deprecated.key), "%s", deprecated.message)
		}
	}
	volumeWarnings(at, spec.Volumes, warn)
	warnings = append(warnings, overlappingPaths(spec.Volumes)...)
	for i, alias := range spec.HostAliases {
		for _, earlier := range spec.HostAliases[:i] {
			if earlier.IP == alias.IP {
				warn(at.Child("hostAliases").Index(i).Child("ip"), "duplicate ip %q", alias.IP)
				break
			}
		}
	}
	for i, secret := range spec.ImagePullSecrets {
		path := at.Child("imagePullSecrets").Index(i).Child("name")
		for _, earlier := range spec.ImagePullSecrets[:i] {
			if earlier.Name == secret.Name {
				warn(path, "duplicate name %q", secret.Name)
				break
			}
		}
	}
	for i, secret := range spec.ImagePullSecrets {
		if secret.Name == "" {
			warn(at.Child("imagePullSecrets").Index(i).Child("name"), "invalid empty name %q", secret.Name)
		}
	}
	fractions(at.Child("overhead"), spec.Overhead, warn)
	containerWarnings(at, spec, warn)
	portWarnings(at, spec, warn)
	if seconds := spec.TerminationGracePeriodSeconds; seconds != nil && *seconds < 0 {
		warn(at.Child("terminationGracePeriodSeconds"), "must be >= 0; negative values are invalid and will be treated as 1")
	}
	if spec.DNSConfig != nil {
		for i, server := range spec.DNSConfig.Nameservers {
			warnings = append(warnings, validation.GetWarningsForIP(at.Child("dnsConfig", "nameservers").Index(i), server)...)
		}
	}
	for i, alias := range spec.HostAliases {
		warnings = append(warnings, validation.GetWarningsForIP(at.Child("hostAliases").Index(i).Child("ip"), alias.IP)...)
	}
	return warnings
}

const matchesNothing = "a null labelSelector results in matching no pod"

type warnFunc func(at *field.Path, format string, args ...any)

func affinityWarnings(at *field.Path, a *corev1.Affinity, warn warnFunc) {
	if a == nil {
		return
	}
	if node := a.NodeAffinity; node != nil {
		path := at.Child("nodeAffinity")
		if required := node.RequiredDuringSchedulingIgnoredDuringExecution; required != nil {
			for i := range required.NodeSelectorTerms {
				termWarnings(path.Child(requiredTerms, "nodeSelectorTerms").Index(i), &required.NodeSelectorTerms[i], false, warn)
			}
		}
		for i := range node.PreferredDuringSchedulingIgnoredDuringExecution {
			term := &node.PreferredDuringSchedulingIgnoredDuringExecution[i].Preference
			termWarnings(path.Child(preferredTerms).Index(i).Child("preference"), term, true, warn)
		}
	}
	if pods := a.PodAffinity; pods != nil {
		selectorWarnings(at.Child("podAffinity"), pods.RequiredDuringSchedulingIgnoredDuringExecution, pods.PreferredDuringSchedulingIgnoredDuringExecution, warn)
	}
	if pods := a.PodAntiAffinity; pods != nil {
		selectorWarnings(at.Child("podAntiAffinity"), pods.RequiredDuringSchedulingIgnoredDuringExecution, pods.PreferredDuringSchedulingIgnoredDuringExecution, warn)
	}
}

func termWarnings(at *field.Path, term *corev1.NodeSelectorTerm, checkValues bool, warn warnFunc) {
	for i, expression := range term.MatchExpressions {
		path := at.Child("matchExpressions").Index(i)
		if message, deprecated := deprecatedNodeLabels[expression.Key]; deprecated {
			warn(path.Child("key"), "%s is %s", expression.Key, message)
		}
		if !checkValues {
			continue
		}
		for j, value := range expression.Values {
			for _, message := range labelValue(value) {
				warn(path.Child("values").Index(j), "%s is invalid, %s", value, message)
			}
		}
	}
}

func selectorWarnings(at *field.Path, requiredList []corev1.PodAffinityTerm, preferred []corev1.WeightedPodAffinityTerm, warn warnFunc) {
	for i := range requiredList {
		if requiredList[i].LabelSelector == nil {
			warn(at.Child(requiredTerms).Index(i).Child("labelSelector"), "%s", matchesNothing)
		}
	}
	for i := range preferred {
		if preferred[i].PodAffinityTerm.LabelSelector == nil {
			warn(at.Child(preferredTerms).Index(i).Child("podAffinityTerm", "labelSelector"), "%s", matchesNothing)
		}
	}
}

func volumeWarnings(at *field.Path, list []corev1.Volume, warn warnFunc) {
	for i := range list {
		path := at.Child("volumes").Index(i)
		switch source := &list[i].VolumeSource; {
		case source.PhotonPersistentDisk != nil:
			warn(path.Child("photonPersistentDisk"), "deprecated in v1.11, non-functional in v1.16+")
		case source.GitRepo != nil:
			warn(path.Child("gitRepo"), "deprecated in v1.11, and disabled by default in v1.33+")
		case source.ScaleIO != nil:
			warn(path.Child("scaleIO"), "deprecated in v1.16, non-functional in v1.22+")
		case source.Flocker != nil:
			warn(path.Child("flocker"), "deprecated in v1.22, non-functional in v1.25+")
		case source.StorageOS != nil:
			warn(path.Child("storageOS"), "deprecated in v1.22, non-functional in v1.25+")
		case source.Quobyte != nil:
			warn(path.Child("quobyte"), "deprecated in v1.22, non-functional in v1.25+")
		case source.Glusterfs != nil:
			warn(path.Child("glusterfs"), "deprecated in v1.25, non-functional in v1.26+")
		case source.CephFS != nil:
			warn(path.Child("cephfs"), "deprecated in v1.28, non-functional in v1.31+")
		case source.RBD != nil:
			warn(path.Child("rbd"), "deprecated in v1.28, non-functional in v1.31+")
		}
	}
}

// fractions warns of parts of bytes, typically "100m" of memory.
func fractions(at *field.Path, list corev1.ResourceList, warn warnFunc) {
	for _, name := range []corev1.ResourceName{corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
		if value, has := list[name]; has && value.MilliValue()%1000 != 0 {
			warn(at.Key(string(name)), "fractional byte value %q is invalid, must be an integer", value.String())
		}
	}
}

func containerWarnings(at *field.Path, spec *corev1.PodSpec, warn warnFunc) {
	visitContainers(at, spec, func(at *field.Path, c *corev1.Container) {
		for _, name := range []corev1.ResourceName{corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
			for _, list := range []struct {
				child  string
				values corev1.ResourceList
			}{{"limits", c.Resources.Limits}, {"requests", c.Resources.Requests}} {
				if value, has := list.values[name]; has && value.MilliValue()%1000 != 0 {
					warn(at.Child("resources", list.child).Key(string(name)), "fractional byte value %q is invalid, must be an integer", value.String())
				}
			}
		}
		for i := range c.Env {
			if hidesEarlier(c.Env, i) {
				warn(at.Child("env").Index(i), "hides previous definition of %q, which may be dropped when using apply", c.Env[i].Name)
			}
		}
	})
}

// hidesEarlier reports whether a variable is defined again other than in terms
// of itself.
func hidesEarlier(env []corev1.EnvVar, i int) bool {
	for j := range i {
		if env[j].Name == env[i].Name {
			reference := "$(" + env[i].Name + ")"
			return env[i].ValueFrom != nil || env[i].Value == reference || !strings.Contains(env[i].Value, reference)
		}
	}
	return false
}

func portWarnings(at *field.Path, spec *corev1.PodSpec, warn warnFunc) {
	type portAt struct {
		at   *field.Path
		port corev1.ContainerPort
	}
	var all []portAt
	visitContainers(at, spec, func(at *field.Path, c *corev1.Container) {
		for i, port := range c.Ports {
			path := at.Child("ports").Index(i)
			if port.HostIP != "" && port.HostPort == 0 {
				warn(path, "hostIP set without hostPort: %+v", port)
			}
			for _, other := range all {
				if port.ContainerPort != other.port.ContainerPort || port.Protocol != other.port.Protocol {
					continue
				}
				switch {
				case port.HostIP == other.port.HostIP && port.HostPort == other.port.HostPort:
					warn(path, "duplicate port definition with %s", other.at)
				case port.HostPort == 0 || other.port.HostPort == 0:
					warn(path, "overlapping port definition with %s", other.at)
				case port.HostPort == other.port.HostPort && (port.HostIP == "") != (other.port.HostIP == ""):
					warn(path, "dangerously ambiguous port definition with %s", other.at)
				}
			}
			all = append(all, portAt{path, port})
		}
	})
	for i, one := range all {
		for _, other := range all[:i] {
			if one.port.Name != "" && one.port.Name == other.port.Name {
				warn(one.at, "duplicate port name %q with %s, services and probes that select ports by name will use %s", one.port.Name, other.at, other.at)
				break
			}
		}
	}
}
