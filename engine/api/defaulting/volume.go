package defaulting

import corev1 "k8s.io/api/core/v1"

// Volume fills in a volume; one without a source is an empty directory.
func Volume(volume *corev1.Volume) {
	source := &volume.VolumeSource
	switch {
	case *source == corev1.VolumeSource{}:
		source.EmptyDir = &corev1.EmptyDirVolumeSource{}
	case source.HostPath != nil:
		if source.HostPath.Type == nil {
			source.HostPath.Type = new(corev1.HostPathUnset)
		}
	case source.Secret != nil:
		if source.Secret.DefaultMode == nil {
			source.Secret.DefaultMode = new(corev1.SecretVolumeSourceDefaultMode)
		}
	case source.ConfigMap != nil:
		if source.ConfigMap.DefaultMode == nil {
			source.ConfigMap.DefaultMode = new(corev1.ConfigMapVolumeSourceDefaultMode)
		}
	case source.DownwardAPI != nil:
		if source.DownwardAPI.DefaultMode == nil {
			source.DownwardAPI.DefaultMode = new(corev1.DownwardAPIVolumeSourceDefaultMode)
		}
		downwardAPIItems(source.DownwardAPI.Items)
	case source.Projected != nil:
		projected(source.Projected)
	case source.Image != nil:
		if source.Image.PullPolicy == "" {
			source.Image.PullPolicy = imagePullPolicy(source.Image.Reference)
		}
	case source.Ephemeral != nil:
		if template := source.Ephemeral.VolumeClaimTemplate; template != nil {
			VolumeClaimSpec(&template.Spec)
		}
	case source.ISCSI != nil:
		if source.ISCSI.ISCSIInterface == "" {
			source.ISCSI.ISCSIInterface = "default"
		}
	}
}

// VolumeClaimSpec fills in what a claim asks for.
func VolumeClaimSpec(spec *corev1.PersistentVolumeClaimSpec) {
	if spec.VolumeMode == nil {
		spec.VolumeMode = new(corev1.PersistentVolumeFilesystem)
	}
	ResourceList(spec.Resources.Limits)
	ResourceList(spec.Resources.Requests)
}

const oneHour = int64(60 * 60)

func projected(source *corev1.ProjectedVolumeSource) {
	if source.DefaultMode == nil {
		source.DefaultMode = new(corev1.ProjectedVolumeSourceDefaultMode)
	}
	for i := range source.Sources {
		if api := source.Sources[i].DownwardAPI; api != nil {
			downwardAPIItems(api.Items)
		}
		if token := source.Sources[i].ServiceAccountToken; token != nil && token.ExpirationSeconds == nil {
			token.ExpirationSeconds = new(oneHour)
		}
	}
}

func downwardAPIItems(items []corev1.DownwardAPIVolumeFile) {
	for i := range items {
		fieldRef(items[i].FieldRef)
	}
}
