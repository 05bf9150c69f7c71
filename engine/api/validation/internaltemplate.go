package validation

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// podTemplateValue is a pod template as Kubernetes has it internally, for
// errors that show all of it: fields in another order, and the host's
// namespaces beside the security context.
type podTemplateValue struct {
	metav1.ObjectMeta
	Spec podSpecValue
}

type podSpecValue struct {
	Volumes                       []corev1.Volume
	InitContainers, Containers    []corev1.Container
	EphemeralContainers           []corev1.EphemeralContainer
	RestartPolicy                 corev1.RestartPolicy
	TerminationGracePeriodSeconds *int64
	ActiveDeadlineSeconds         *int64
	DNSPolicy                     corev1.DNSPolicy
	NodeSelector                  map[string]string
	ServiceAccountName            string
	DeprecatedServiceAccount      string
	AutomountServiceAccountToken  *bool
	NodeName                      string
	HostNetwork, HostPID, HostIPC bool
	ShareProcessNamespace         *bool
	SecurityContext               *podSecurityContextValue
	ImagePullSecrets              []corev1.LocalObjectReference
	Hostname, Subdomain           string
	Affinity                      *corev1.Affinity
	SchedulerName                 string
	Tolerations                   []corev1.Toleration
	HostAliases                   []corev1.HostAlias
	PriorityClassName             string
	Priority                      *int32
	DNSConfig                     *corev1.PodDNSConfig
	ReadinessGates                []corev1.PodReadinessGate
	RuntimeClassName              *string
	EnableServiceLinks            *bool
	PreemptionPolicy              *corev1.PreemptionPolicy
	Overhead                      corev1.ResourceList
	TopologySpreadConstraints     []corev1.TopologySpreadConstraint
	SetHostnameAsFQDN             *bool
	OS                            *corev1.PodOS
	HostUsers                     *bool
	SchedulingGates               []corev1.PodSchedulingGate
	ResourceClaims                []corev1.PodResourceClaim
	Resources                     *corev1.ResourceRequirements
	HostnameOverride              *string
	SchedulingGroup               *corev1.PodSchedulingGroup
	EvictionResponders            []corev1.EvictionResponder
}

type podSecurityContextValue struct {
	SELinuxOptions           *corev1.SELinuxOptions
	WindowsOptions           *corev1.WindowsSecurityContextOptions
	RunAsUser, RunAsGroup    *int64
	RunAsNonRoot             *bool
	SupplementalGroups       []int64
	SupplementalGroupsPolicy *corev1.SupplementalGroupsPolicy
	FSGroup                  *int64
	Sysctls                  []corev1.Sysctl
	FSGroupChangePolicy      *corev1.PodFSGroupChangePolicy
	SeccompProfile           *corev1.SeccompProfile
	AppArmorProfile          *corev1.AppArmorProfile
	SELinuxChangePolicy      *corev1.PodSELinuxChangePolicy
}

func internalTemplate(template *corev1.PodTemplateSpec) podTemplateValue {
	s := &template.Spec
	return podTemplateValue{template.ObjectMeta, podSpecValue{
		s.Volumes, s.InitContainers, s.Containers, s.EphemeralContainers, s.RestartPolicy, s.TerminationGracePeriodSeconds,
		s.ActiveDeadlineSeconds, s.DNSPolicy, s.NodeSelector, s.ServiceAccountName, s.DeprecatedServiceAccount,
		s.AutomountServiceAccountToken, s.NodeName, s.HostNetwork, s.HostPID, s.HostIPC, s.ShareProcessNamespace,
		internalSecurityContext(s.SecurityContext), s.ImagePullSecrets, s.Hostname, s.Subdomain, s.Affinity, s.SchedulerName,
		s.Tolerations, s.HostAliases, s.PriorityClassName, s.Priority, s.DNSConfig, s.ReadinessGates, s.RuntimeClassName,
		s.EnableServiceLinks, s.PreemptionPolicy, s.Overhead, s.TopologySpreadConstraints, s.SetHostnameAsFQDN, s.OS, s.HostUsers,
		s.SchedulingGates, s.ResourceClaims, s.Resources, s.HostnameOverride, s.SchedulingGroup, s.EvictionResponders,
	}}
}

func internalSecurityContext(c *corev1.PodSecurityContext) *podSecurityContextValue {
	if c == nil {
		return nil
	}
	return &podSecurityContextValue{
		c.SELinuxOptions, c.WindowsOptions, c.RunAsUser, c.RunAsGroup, c.RunAsNonRoot, c.SupplementalGroups,
		c.SupplementalGroupsPolicy, c.FSGroup, c.Sysctls, c.FSGroupChangePolicy, c.SeccompProfile, c.AppArmorProfile,
		c.SELinuxChangePolicy,
	}
}
