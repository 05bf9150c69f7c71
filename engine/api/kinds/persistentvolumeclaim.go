package kinds

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/defaulting"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func persistentVolumeClaim() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"),
		Plural:                   "persistentvolumeclaims",
		Singular:                 "persistentvolumeclaim",
		ShortNames:               []string{"pvc"},
		Namespaced:               true,
		New:                      func() store.Object { return &corev1.PersistentVolumeClaim{} },
		NewList:                  func() runtime.Object { return &corev1.PersistentVolumeClaimList{} },
		Default:                  on(defaultVolumeClaim),
		PrepareForCreate:         on(prepareVolumeClaim),
		PrepareForUpdate:         onUpdate(prepareVolumeClaimUpdate),
		PrepareForStatusUpdate:   onUpdate(prepareVolumeClaimStatusUpdate),
		Validate:                 validate(validation.VolumeClaim),
		ValidateUpdate:           validateUpdate(validation.VolumeClaimUpdate),
		ValidateStatusUpdate:     validateUpdate(validation.VolumeClaimStatusUpdate),
		Warnings:                 warnings(func(c, _ *corev1.PersistentVolumeClaim) []string { return validation.VolumeClaimWarnings(c) }),
		AllowUnconditionalUpdate: true,
		// "name" is a mistake of Kubernetes' that clients may rely on.
		Fields: selectable(func(c *corev1.PersistentVolumeClaim) fields.Set { return fields.Set{"name": c.Name} }),
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Status", "phase represents the current phase of PersistentVolumeClaim."),
			textColumn("Volume", "volumeName is the binding reference to the PersistentVolume backing this claim."),
			textColumn("Capacity", "capacity represents the actual resources of the underlying volume."),
			textColumn("Access Modes", "accessModes contains the actual access modes the volume backing the PVC has. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#access-modes-1"),
			textColumn("StorageClass", "StorageClass of the pvc"),
			textColumn("VolumeAttributesClass", "VolumeAttributesClass of the pvc"),
			ageColumn(),
			wide(textColumn("VolumeMode", "volumeMode defines what type of volume is required by the claim. Value of Filesystem is implied when not included in claim spec."))[0],
		},
		Row: row(volumeClaimRow),
	}
}

func defaultVolumeClaim(c *corev1.PersistentVolumeClaim) {
	if c.Status.Phase == "" {
		c.Status.Phase = corev1.ClaimPending
	}
	defaulting.VolumeClaimSpec(&c.Spec)
	defaulting.ResourceList(c.Status.Capacity)
	defaulting.ResourceList(c.Status.AllocatedResources)
}

func prepareVolumeClaim(c *corev1.PersistentVolumeClaim) {
	c.Status = corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending}
	prepareDataSources(&c.Spec, nil)
}

func prepareVolumeClaimUpdate(c, old *corev1.PersistentVolumeClaim) {
	c.Status = old.Status
	prepareDataSources(&c.Spec, &old.Spec)
}

// prepareDataSources drops what Kubernetes has always ignored in dataSource
// and sources in other namespaces, which are off by default, and then makes
// dataSource and dataSourceRef say the same. old is nil on create.
func prepareDataSources(spec, old *corev1.PersistentVolumeClaimSpec) {
	if ref := spec.DataSourceRef; ref != nil && ref.Namespace != nil && *ref.Namespace != "" && (old == nil || old.DataSourceRef == nil) {
		spec.DataSourceRef = nil
	}
	inUse := old != nil && (old.DataSource != nil || old.DataSourceRef != nil)
	if !inUse && spec.DataSourceRef == nil && !copiesVolume(spec.DataSource) {
		spec.DataSource = nil
	}
	switch source, ref := spec.DataSource, spec.DataSourceRef; {
	case source != nil && ref == nil:
		spec.DataSourceRef = &corev1.TypedObjectReference{APIGroup: source.APIGroup, Kind: source.Kind, Name: source.Name}
	case source == nil && ref != nil && (ref.Namespace == nil || *ref.Namespace == ""):
		spec.DataSource = &corev1.TypedLocalObjectReference{APIGroup: ref.APIGroup, Kind: ref.Kind, Name: ref.Name}
	}
}

// copiesVolume reports whether a source is another claim or a snapshot.
func copiesVolume(source *corev1.TypedLocalObjectReference) bool {
	if source == nil {
		return false
	}
	group := ""
	if source.APIGroup != nil {
		group = *source.APIGroup
	}
	return source.Kind == "PersistentVolumeClaim" && group == "" || source.Kind == "VolumeSnapshot" && group == "snapshot.storage.k8s.io"
}

// prepareVolumeClaimStatusUpdate also drops the health of volumes, which is
// off by default.
func prepareVolumeClaimStatusUpdate(c, old *corev1.PersistentVolumeClaim) {
	c.Spec = old.Spec
	if old.Status.HealthStatus == nil {
		c.Status.HealthStatus = nil
	}
}

func volumeClaimRow(c *corev1.PersistentVolumeClaim, now time.Time) []any {
	phase := string(c.Status.Phase)
	if c.DeletionTimestamp != nil {
		phase = "Terminating"
	}
	capacity, modes := "", ""
	if c.Spec.VolumeName != "" {
		size := c.Status.Capacity[corev1.ResourceStorage]
		capacity, modes = size.String(), accessModes(c.Status.AccessModes)
	}
	return []any{
		c.Name, phase, c.Spec.VolumeName, capacity, modes, claimClass(c),
		orUnset(c.Spec.VolumeAttributesClassName), age(c.CreationTimestamp, now), orUnset(c.Spec.VolumeMode),
	}
}

func claimClass(c *corev1.PersistentVolumeClaim) string {
	if class, ok := c.Annotations[corev1.BetaStorageClassAnnotation]; ok {
		return class
	}
	if c.Spec.StorageClassName != nil {
		return *c.Spec.StorageClassName
	}
	return ""
}
