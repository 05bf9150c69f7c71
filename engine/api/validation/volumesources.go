package validation

import (
	"fmt"
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// volumeSources are the kinds of source in the order in which they are looked
// at. Those of storage systems that Kubernetes has removed, or that only a
// cloud provides, are counted but not looked into.
var volumeSources = []struct {
	name    string
	present func(*corev1.VolumeSource) bool
	check   func(*field.Path, *corev1.VolumeSource) field.ErrorList
}{
	{"emptyDir", func(s *corev1.VolumeSource) bool { return s.EmptyDir != nil }, emptyDir},
	{"hostPath", func(s *corev1.VolumeSource) bool { return s.HostPath != nil }, hostPath},
	{"gitRepo", func(s *corev1.VolumeSource) bool { return s.GitRepo != nil }, nil},
	{"gcePersistentDisk", func(s *corev1.VolumeSource) bool { return s.GCEPersistentDisk != nil }, nil},
	{"awsElasticBlockStore", func(s *corev1.VolumeSource) bool { return s.AWSElasticBlockStore != nil }, nil},
	{"secret", func(s *corev1.VolumeSource) bool { return s.Secret != nil }, secretVolume},
	{"nfs", func(s *corev1.VolumeSource) bool { return s.NFS != nil }, nfs},
	{"iscsi", func(s *corev1.VolumeSource) bool { return s.ISCSI != nil }, nil},
	{"glusterfs", func(s *corev1.VolumeSource) bool { return s.Glusterfs != nil }, nil},
	{"flocker", func(s *corev1.VolumeSource) bool { return s.Flocker != nil }, nil},
	{"persistentVolumeClaim", func(s *corev1.VolumeSource) bool { return s.PersistentVolumeClaim != nil }, volumeClaim},
	{"rbd", func(s *corev1.VolumeSource) bool { return s.RBD != nil }, nil},
	{"cinder", func(s *corev1.VolumeSource) bool { return s.Cinder != nil }, nil},
	{"cephFS", func(s *corev1.VolumeSource) bool { return s.CephFS != nil }, nil},
	{"quobyte", func(s *corev1.VolumeSource) bool { return s.Quobyte != nil }, nil},
	{"downwardAPI", func(s *corev1.VolumeSource) bool { return s.DownwardAPI != nil }, downwardAPI},
	{"fc", func(s *corev1.VolumeSource) bool { return s.FC != nil }, nil},
	{"flexVolume", func(s *corev1.VolumeSource) bool { return s.FlexVolume != nil }, nil},
	{"configMap", func(s *corev1.VolumeSource) bool { return s.ConfigMap != nil }, configMapVolume},
	{"azureFile", func(s *corev1.VolumeSource) bool { return s.AzureFile != nil }, nil},
	{"vsphereVolume", func(s *corev1.VolumeSource) bool { return s.VsphereVolume != nil }, nil},
	{"photonPersistentDisk", func(s *corev1.VolumeSource) bool { return s.PhotonPersistentDisk != nil }, nil},
	{"portworxVolume", func(s *corev1.VolumeSource) bool { return s.PortworxVolume != nil }, nil},
	{"azureDisk", func(s *corev1.VolumeSource) bool { return s.AzureDisk != nil }, nil},
	{"storageos", func(s *corev1.VolumeSource) bool { return s.StorageOS != nil }, nil},
	{"projected", func(s *corev1.VolumeSource) bool { return s.Projected != nil }, projected},
	{"scaleIO", func(s *corev1.VolumeSource) bool { return s.ScaleIO != nil }, nil},
	{"csi", func(s *corev1.VolumeSource) bool { return s.CSI != nil }, csi},
	{"ephemeral", func(s *corev1.VolumeSource) bool { return s.Ephemeral != nil }, ephemeral},
	{"image", func(s *corev1.VolumeSource) bool { return s.Image != nil }, imageVolume},
}

func emptyDir(at *field.Path, s *corev1.VolumeSource) field.ErrorList {
	if limit := s.EmptyDir.SizeLimit; limit != nil && limit.Sign() < 0 {
		return field.ErrorList{field.Forbidden(at.Child("sizeLimit"), "SizeLimit field must be a valid resource quantity")}
	}
	return nil
}

func hostPath(at *field.Path, s *corev1.VolumeSource) field.ErrorList {
	return hostPathSource(at, s.HostPath)
}

func hostPathSource(at *field.Path, source *corev1.HostPathVolumeSource) field.ErrorList {
	if source.Path == "" {
		return field.ErrorList{field.Required(at.Child("path"), "")}
	}
	errs := noBacksteps(at.Child("path"), source.Path)
	if source.Type != nil {
		errs = append(errs, supportedOnly(at.Child("type"), *source.Type,
			corev1.HostPathUnset, corev1.HostPathBlockDev, corev1.HostPathCharDev, corev1.HostPathDirectory,
			corev1.HostPathDirectoryOrCreate, corev1.HostPathFile, corev1.HostPathFileOrCreate, corev1.HostPathSocket)...)
	}
	return errs
}

func nfs(at *field.Path, s *corev1.VolumeSource) field.ErrorList { return nfsSource(at, s.NFS) }

func nfsSource(at *field.Path, source *corev1.NFSVolumeSource) field.ErrorList {
	errs := append(required(at, "server", source.Server), required(at, "path", source.Path)...)
	if !path.IsAbs(source.Path) {
		errs = append(errs, field.Invalid(at.Child("path"), source.Path, "must be an absolute path"))
	}
	return errs
}

func csi(at *field.Path, s *corev1.VolumeSource) field.ErrorList {
	source := s.CSI
	errs := driverName(at.Child("driver"), source.Driver)
	if secret := source.NodePublishSecretRef; secret != nil {
		if secret.Name == "" {
			errs = append(errs, field.Required(at.Child("nodePublishSecretRef", "name"), ""))
		} else {
			errs = append(errs, invalid(at.Child("name"), secret.Name, objectName(secret.Name, false))...)
		}
	}
	return errs
}

// driverName checks the name of a CSI driver.
func driverName(at *field.Path, name string) field.ErrorList {
	if name == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	var errs field.ErrorList
	if len(name) > 63 {
		errs = append(errs, field.TooLong(at, "", 63))
	}
	return append(errs, invalid(at, name, dnsSubdomain(strings.ToLower(name)))...)
}

func ephemeral(at *field.Path, source *corev1.VolumeSource) field.ErrorList {
	template := source.Ephemeral.VolumeClaimTemplate
	if template == nil {
		return field.ErrorList{field.Required(at.Child("volumeClaimTemplate"), "")}
	}
	return volumeClaimSpec(at.Child("volumeClaimTemplate", "spec"), &template.Spec)
}

func ephemeralClaimName(at *field.Path, podName, volumeName string) field.ErrorList {
	var errs field.ErrorList
	claim := podName + "-" + volumeName
	for _, message := range dnsSubdomain(claim) {
		errs = append(errs, field.Invalid(at.Child("name"), volumeName, fmt.Sprintf("PVC name %q: %v", claim, message)))
	}
	return errs
}

func secretVolume(at *field.Path, s *corev1.VolumeSource) field.ErrorList {
	errs := required(at, "secretName", s.Secret.SecretName)
	errs = append(errs, mode(at, "defaultMode", s.Secret.DefaultMode)...)
	return append(errs, keysToPaths(at, s.Secret.Items)...)
}

func configMapVolume(at *field.Path, s *corev1.VolumeSource) field.ErrorList {
	errs := required(at, "name", s.ConfigMap.Name)
	errs = append(errs, mode(at, "defaultMode", s.ConfigMap.DefaultMode)...)
	return append(errs, keysToPaths(at, s.ConfigMap.Items)...)
}

func volumeClaim(at *field.Path, s *corev1.VolumeSource) field.ErrorList {
	return required(at, "claimName", s.PersistentVolumeClaim.ClaimName)
}

func downwardAPI(at *field.Path, s *corev1.VolumeSource) field.ErrorList {
	errs := mode(at, "defaultMode", s.DownwardAPI.DefaultMode)
	for i := range s.DownwardAPI.Items {
		errs = append(errs, downwardAPIFile(at, &s.DownwardAPI.Items[i])...)
	}
	return errs
}

func imageVolume(at *field.Path, s *corev1.VolumeSource) field.ErrorList {
	errs := required(at, "reference", s.Image.Reference)
	return append(errs, pullPolicy(at.Child("pullPolicy"), s.Image.PullPolicy)...)
}
