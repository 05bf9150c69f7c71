package validation

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// persistentSources are the kinds of source of a PersistentVolume, in the
// order in which they are looked at; as with volumeSources, those of storage
// systems that are gone or that only a cloud provides are not looked into.
var persistentSources = []struct {
	name    string
	present func(*corev1.PersistentVolumeSource) bool
	check   func(*field.Path, *corev1.PersistentVolumeSource) field.ErrorList
}{
	{"hostPath", func(s *corev1.PersistentVolumeSource) bool { return s.HostPath != nil },
		func(at *field.Path, s *corev1.PersistentVolumeSource) field.ErrorList {
			return hostPathSource(at, s.HostPath)
		}},
	{"gcePersistentDisk", func(s *corev1.PersistentVolumeSource) bool { return s.GCEPersistentDisk != nil }, nil},
	{"awsElasticBlockStore", func(s *corev1.PersistentVolumeSource) bool { return s.AWSElasticBlockStore != nil }, nil},
	{"glusterfs", func(s *corev1.PersistentVolumeSource) bool { return s.Glusterfs != nil }, nil},
	{"flocker", func(s *corev1.PersistentVolumeSource) bool { return s.Flocker != nil }, nil},
	{"nfs", func(s *corev1.PersistentVolumeSource) bool { return s.NFS != nil },
		func(at *field.Path, s *corev1.PersistentVolumeSource) field.ErrorList { return nfsSource(at, s.NFS) }},
	{"rbd", func(s *corev1.PersistentVolumeSource) bool { return s.RBD != nil }, nil},
	{"quobyte", func(s *corev1.PersistentVolumeSource) bool { return s.Quobyte != nil }, nil},
	{"cephFS", func(s *corev1.PersistentVolumeSource) bool { return s.CephFS != nil }, nil},
	{"iscsi", func(s *corev1.PersistentVolumeSource) bool { return s.ISCSI != nil }, nil},
	{"cinder", func(s *corev1.PersistentVolumeSource) bool { return s.Cinder != nil }, nil},
	{"fc", func(s *corev1.PersistentVolumeSource) bool { return s.FC != nil }, nil},
	{"flexVolume", func(s *corev1.PersistentVolumeSource) bool { return s.FlexVolume != nil }, nil},
	{"azureFile", func(s *corev1.PersistentVolumeSource) bool { return s.AzureFile != nil }, nil},
	{"vsphereVolume", func(s *corev1.PersistentVolumeSource) bool { return s.VsphereVolume != nil }, nil},
	{"photonPersistentDisk", func(s *corev1.PersistentVolumeSource) bool { return s.PhotonPersistentDisk != nil }, nil},
	{"portworxVolume", func(s *corev1.PersistentVolumeSource) bool { return s.PortworxVolume != nil }, nil},
	{"azureDisk", func(s *corev1.PersistentVolumeSource) bool { return s.AzureDisk != nil }, nil},
	{"scaleIO", func(s *corev1.PersistentVolumeSource) bool { return s.ScaleIO != nil }, nil},
	{"local", func(s *corev1.PersistentVolumeSource) bool { return s.Local != nil },
		func(at *field.Path, s *corev1.PersistentVolumeSource) field.ErrorList {
			if s.Local.Path == "" {
				return field.ErrorList{field.Required(at.Child("path"), "")}
			}
			return noBacksteps(at.Child("path"), s.Local.Path)
		}},
	{"storageos", func(s *corev1.PersistentVolumeSource) bool { return s.StorageOS != nil }, nil},
	{"csi", func(s *corev1.PersistentVolumeSource) bool { return s.CSI != nil }, csiVolume},
}

// persistentSource checks that there is exactly one source and that it is
// valid. What is on one node must say on which.
func persistentSource(at *field.Path, spec *corev1.PersistentVolumeSpec) field.ErrorList {
	var errs field.ErrorList
	source := &spec.PersistentVolumeSource
	found := false
	for i := range persistentSources {
		kind := &persistentSources[i]
		if !kind.present(source) {
			continue
		}
		if found {
			errs = append(errs, field.Forbidden(at.Child(kind.name), "may not specify more than 1 volume type"))
			continue
		}
		found = true
		if kind.check != nil {
			errs = append(errs, kind.check(at.Child(kind.name), source)...)
		}
		if kind.name == "local" && spec.NodeAffinity == nil {
			errs = append(errs, field.Required(at.Child("nodeAffinity"), "Local volume requires node affinity"))
		}
	}
	if !found {
		errs = append(errs, field.Required(at, "must specify a volume type"))
	}
	return errs
}

func csiVolume(at *field.Path, s *corev1.PersistentVolumeSource) field.ErrorList {
	source := s.CSI
	errs := append(driverName(at.Child("driver"), source.Driver), required(at, "volumeHandle", source.VolumeHandle)...)
	for _, secret := range [...]struct {
		name string
		ref  *corev1.SecretReference
	}{
		{"controllerPublishSecretRef", source.ControllerPublishSecretRef},
		{"controllerExpandSecretRef", source.ControllerExpandSecretRef},
		{"nodePublishSecretRef", source.NodePublishSecretRef},
		{"nodeExpandSecretRef", source.NodeExpandSecretRef},
	} {
		if secret.ref == nil {
			continue
		}
		path := at.Child(secret.name)
		if secret.ref.Name == "" {
			errs = append(errs, field.Required(path.Child("name"), ""))
		} else {
			errs = append(errs, invalid(path.Child("name"), secret.ref.Name, objectName(secret.ref.Name, false))...)
		}
		if secret.ref.Namespace == "" {
			errs = append(errs, field.Required(path.Child("namespace"), ""))
		} else {
			errs = append(errs, invalid(path.Child("namespace"), secret.ref.Namespace, dnsLabel(secret.ref.Namespace))...)
		}
	}
	return errs
}
