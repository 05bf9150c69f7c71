package validation

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func containerSecurity(parent *field.Path, sc *corev1.SecurityContext, hostUsers bool) field.ErrorList {
	if sc == nil {
		return nil
	}
	var errs field.ErrorList
	at := parent.Child("securityContext")
	if sc.RunAsUser != nil {
		errs = append(errs, invalid(at.Child("runAsUser"), *sc.RunAsUser, validation.IsValidUserID(*sc.RunAsUser))...)
	}
	if sc.RunAsGroup != nil {
		errs = append(errs, invalid(at.Child("runAsGroup"), *sc.RunAsGroup, validation.IsValidGroupID(*sc.RunAsGroup))...)
	}
	if sc.ProcMount != nil {
		errs = append(errs, supportedOnly(at.Child("procMount"), *sc.ProcMount, corev1.DefaultProcMount, corev1.UnmaskedProcMount)...)
		if hostUsers && *sc.ProcMount == corev1.UnmaskedProcMount {
			errs = append(errs, field.Invalid(at.Child("procMount"), *sc.ProcMount, "`hostUsers` must be false to use `Unmasked`"))
		}
	}
	errs = append(errs, seccompProfile(at, sc.SeccompProfile)...)
	if sc.AllowPrivilegeEscalation != nil && !*sc.AllowPrivilegeEscalation {
		if sc.Privileged != nil && *sc.Privileged {
			errs = append(errs, field.Invalid(at, internal(sc), "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"))
		}
		if sc.Capabilities != nil && slices.Contains(sc.Capabilities.Add, "CAP_SYS_ADMIN") {
			errs = append(errs, field.Invalid(at, internal(sc), "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"))
		}
	}
	return append(errs, appArmorProfile(at, sc.AppArmorProfile)...)
}

func podSecurity(parent *field.Path, spec *corev1.PodSpec) field.ErrorList {
	sc := spec.SecurityContext
	if sc == nil {
		return nil
	}
	var errs field.ErrorList
	at := parent.Child("securityContext")
	if sc.FSGroup != nil {
		errs = append(errs, invalid(at.Child("fsGroup"), *sc.FSGroup, validation.IsValidGroupID(*sc.FSGroup))...)
	}
	if sc.RunAsUser != nil {
		errs = append(errs, invalid(at.Child("runAsUser"), *sc.RunAsUser, validation.IsValidUserID(*sc.RunAsUser))...)
	}
	if sc.RunAsGroup != nil {
		errs = append(errs, invalid(at.Child("runAsGroup"), *sc.RunAsGroup, validation.IsValidGroupID(*sc.RunAsGroup))...)
	}
	for i, group := range sc.SupplementalGroups {
		errs = append(errs, invalid(at.Child("supplementalGroups").Index(i), group, validation.IsValidGroupID(group))...)
	}
	errs = append(errs, sysctls(at, sc.Sysctls, spec)...)
	if sc.FSGroupChangePolicy != nil {
		errs = append(errs, supportedOnly(at.Child("fsGroupChangePolicy"), *sc.FSGroupChangePolicy,
			corev1.FSGroupChangeAlways, corev1.FSGroupChangeOnRootMismatch)...)
	}
	errs = append(errs, seccompProfile(at, sc.SeccompProfile)...)
	errs = append(errs, appArmorProfile(at, sc.AppArmorProfile)...)
	if sc.SupplementalGroupsPolicy != nil {
		errs = append(errs, supportedOnly(at.Child("supplementalGroupsPolicy"), *sc.SupplementalGroupsPolicy,
			corev1.SupplementalGroupsPolicyMerge, corev1.SupplementalGroupsPolicyStrict)...)
	}
	if sc.SELinuxChangePolicy != nil {
		errs = append(errs, supportedOnly(at.Child("seLinuxChangePolicy"), *sc.SELinuxChangePolicy,
			corev1.SELinuxChangePolicyMountOption, corev1.SELinuxChangePolicyRecursive)...)
	}
	return errs
}

// sysctlFormat is how errors describe a kernel parameter's name.
const sysctlFormat = `^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`

func sysctls(parent *field.Path, list []corev1.Sysctl, spec *corev1.PodSpec) field.ErrorList {
	var errs field.ErrorList
	for i, sysctl := range list {
		at := parent.Child("sysctls").Index(i).Child("name")
		sameName := func(other corev1.Sysctl) bool { return other.Name == sysctl.Name }
		switch {
		case sysctl.Name == "":
			errs = append(errs, field.Required(at, ""))
		case !isSysctlName(sysctl.Name):
			errs = append(errs, field.Invalid(at, sysctl.Name, "must have at most 253 characters and match regex "+sysctlFormat))
		case slices.ContainsFunc(list[:i], sameName):
			errs = append(errs, field.Duplicate(at, sysctl.Name))
		}
		name := strings.ReplaceAll(sysctl.Name, "/", ".")
		switch {
		case spec.HostNetwork && strings.HasPrefix(name, "net."):
			errs = append(errs, field.Invalid(at, sysctl.Name, "may not be specified when 'hostNetwork' is true"))
		case spec.HostIPC && isIPCSysctl(name):
			errs = append(errs, field.Invalid(at, sysctl.Name, "may not be specified when 'hostIPC' is true"))
		}
	}
	return errs
}

func isIPCSysctl(name string) bool {
	switch name {
	case "kernel.sem":
		return true
	}
	return strings.HasPrefix(name, "kernel.shm") || strings.HasPrefix(name, "kernel.msg") || strings.HasPrefix(name, "fs.mqueue.")
}

func isSysctlName(name string) bool {
	if len(name) > 253 {
		return false
	}
	for segment := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '.' || r == '/' }) {
		if !isLabel(strings.ReplaceAll(segment, "_", "-")) {
			return false
		}
	}
	return !strings.ContainsAny(name[:1]+name[len(name)-1:], "./") && !strings.Contains(strings.ReplaceAll(name, "/", "."), "..")
}

func seccompProfile(parent *field.Path, profile *corev1.SeccompProfile) field.ErrorList {
	if profile == nil {
		return nil
	}
	var errs field.ErrorList
	at := parent.Child("seccompProfile")
	if profile.Type == "" {
		errs = append(errs, field.Required(at.Child("type"), "type is required when seccompProfile is set"))
	} else {
		errs = append(errs, supportedOnly(at.Child("type"), profile.Type,
			corev1.SeccompProfileTypeLocalhost, corev1.SeccompProfileTypeRuntimeDefault, corev1.SeccompProfileTypeUnconfined)...)
	}
	switch {
	case profile.Type != corev1.SeccompProfileTypeLocalhost:
		if profile.LocalhostProfile != nil {
			errs = append(errs, field.Invalid(at.Child("localhostProfile"), internal(profile), "can only be set when seccomp type is Localhost"))
		}
	case profile.LocalhostProfile == nil:
		errs = append(errs, field.Required(at.Child("localhostProfile"), "must be set when seccomp type is Localhost"))
	default:
		errs = append(errs, descendingPath(at.Child("localhostProfile"), *profile.LocalhostProfile)...)
	}
	return errs
}

func appArmorProfile(parent *field.Path, profile *corev1.AppArmorProfile) field.ErrorList {
	if profile == nil {
		return nil
	}
	at := parent.Child("appArmorProfile")
	local := at.Child("localhostProfile")
	switch profile.Type {
	case corev1.AppArmorProfileTypeLocalhost:
		switch {
		case profile.LocalhostProfile == nil || *profile.LocalhostProfile == "":
			return field.ErrorList{field.Required(local, "must be set when AppArmor type is Localhost")}
		case strings.TrimSpace(*profile.LocalhostProfile) != *profile.LocalhostProfile:
			return field.ErrorList{field.Invalid(local, *profile.LocalhostProfile, "must not be padded with whitespace")}
		case len(*profile.LocalhostProfile) > 4095:
			return field.ErrorList{field.TooLong(local, "", 4095)}
		}
	case corev1.AppArmorProfileTypeRuntimeDefault, corev1.AppArmorProfileTypeUnconfined:
		if profile.LocalhostProfile != nil {
			return field.ErrorList{field.Invalid(local, *profile.LocalhostProfile, "can only be set when AppArmor type is Localhost")}
		}
	case "":
		return field.ErrorList{field.Required(at.Child("type"), "type is required when appArmorProfile is set")}
	default:
		return supportedOnly(at.Child("type"), profile.Type,
			corev1.AppArmorProfileTypeLocalhost, corev1.AppArmorProfileTypeRuntimeDefault, corev1.AppArmorProfileTypeUnconfined)
	}
	return nil
}

// operatingSystem checks that a pod does not mix the settings of systems.
func operatingSystem(parent *field.Path, spec *corev1.PodSpec) field.ErrorList {
	if spec.OS == nil {
		return nil
	}
	switch spec.OS.Name {
	case "":
		return field.ErrorList{field.Required(parent.Child("os", "name"), "")}
	case corev1.Linux:
		return linux(parent, spec)
	case corev1.Windows:
		return nil
	}
	return supportedOnly(parent.Child("os"), spec.OS.Name, corev1.Linux, corev1.Windows)
}

func linux(parent *field.Path, spec *corev1.PodSpec) field.ErrorList {
	const message = "windows options cannot be set for a linux pod"
	var errs field.ErrorList
	if spec.SecurityContext != nil && spec.SecurityContext.WindowsOptions != nil {
		errs = append(errs, field.Forbidden(parent.Child("securityContext", "windowsOptions"), message))
	}
	visitContainers(parent, spec, func(at *field.Path, c *corev1.Container) {
		if c.SecurityContext != nil && c.SecurityContext.WindowsOptions != nil {
			errs = append(errs, field.Forbidden(at.Child("securityContext", "windowsOptions"), message))
		}
	})
	return errs
}

// visitContainers calls f for all containers with their paths.
func visitContainers(parent *field.Path, spec *corev1.PodSpec, f func(at *field.Path, c *corev1.Container)) {
	for i := range spec.InitContainers {
		f(parent.Child("initContainers").Index(i), &spec.InitContainers[i])
	}
	for i := range spec.Containers {
		f(parent.Child("containers").Index(i), &spec.Containers[i])
	}
	for i := range spec.EphemeralContainers {
		f(parent.Child("ephemeralContainers").Index(i), (*corev1.Container)(&spec.EphemeralContainers[i].EphemeralContainerCommon))
	}
}

// hostUsers checks what does not go together with a user namespace.
func hostUsers(parent *field.Path, spec *corev1.PodSpec) field.ErrorList {
	if spec.HostUsers == nil || *spec.HostUsers {
		return nil
	}
	const message = "when `hostUsers` is false"
	var errs field.ErrorList
	if spec.HostNetwork {
		errs = append(errs, field.Forbidden(parent.Child("hostNetwork"), message))
	}
	if spec.HostPID {
		errs = append(errs, field.Forbidden(parent.Child("HostPID"), message))
	}
	if spec.HostIPC {
		errs = append(errs, field.Forbidden(parent.Child("HostIPC"), message))
	}
	visitContainers(parent, spec, func(at *field.Path, c *corev1.Container) {
		if len(c.VolumeDevices) > 0 {
			errs = append(errs, field.Forbidden(at.Child("volumeDevices"), message))
		}
	})
	return errs
}
