package kinds

import (
	"cmp"
	"slices"
	"strings"
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

func persistentVolume() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:       corev1.SchemeGroupVersion.WithKind("PersistentVolume"),
		Plural:                 "persistentvolumes",
		Singular:               "persistentvolume",
		ShortNames:             []string{"pv"},
		New:                    func() store.Object { return &corev1.PersistentVolume{} },
		NewList:                func() runtime.Object { return &corev1.PersistentVolumeList{} },
		Default:                on(defaultVolume),
		PrepareForCreate:       on(prepareVolume),
		PrepareForUpdate:       onUpdate(func(v, old *corev1.PersistentVolume) { v.Status = old.Status }),
		PrepareForStatusUpdate: onUpdate(func(v, old *corev1.PersistentVolume) { v.Spec = old.Spec }),
		Stamp: func(obj, old store.Object, now metav1.Time) {
			was, _ := old.(*corev1.PersistentVolume)
			stampVolumePhase(obj.(*corev1.PersistentVolume), was, now)
		},
		Validate:                 validate(validation.Volume),
		ValidateUpdate:           validateUpdate(validation.VolumeUpdate),
		Warnings:                 warnings(func(v, _ *corev1.PersistentVolume) []string { return validation.VolumeWarnings(v) }),
		AllowUnconditionalUpdate: true,
		// "name" is a mistake of Kubernetes' that clients may rely on.
		Fields: selectable(func(v *corev1.PersistentVolume) fields.Set { return fields.Set{"name": v.Name} }),
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Capacity", "capacity is the description of the persistent volume's resources and capacity. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#capacity"),
			textColumn("Access Modes", "accessModes contains all ways the volume can be mounted. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#access-modes"),
			textColumn("Reclaim Policy", "persistentVolumeReclaimPolicy defines what happens to a persistent volume when released from its claim. Valid options are Retain (default for manually created PersistentVolumes), Delete (default for dynamically provisioned PersistentVolumes), and Recycle (deprecated). Recycle must be supported by the volume plugin underlying this PersistentVolume. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#reclaiming"),
			textColumn("Status", "phase indicates if a volume is available, bound to a claim, or released by a claim. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#phase"),
			textColumn("Claim", "claimRef is part of a bi-directional binding between PersistentVolume and PersistentVolumeClaim. Expected to be non-nil when bound. claim.VolumeName is the authoritative bind between PV and PVC. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#binding"),
			textColumn("StorageClass", "StorageClass of the pv"),
			textColumn("VolumeAttributesClass", "VolumeAttributesClass of the pv"),
			textColumn("Reason", "reason is a brief CamelCase string that describes any failure and is meant for machine parsing and tidy display in the CLI."),
			ageColumn(),
			wide(textColumn("VolumeMode", "volumeMode defines if a volume is intended to be used with a formatted filesystem or to remain in raw block state. Value of Filesystem is implied when not included in spec."))[0],
		},
		Row: row(volumeRow),
	}
}

func defaultVolume(v *corev1.PersistentVolume) {
	if v.Status.Phase == "" {
		v.Status.Phase = corev1.VolumePending
	}
	if v.Spec.PersistentVolumeReclaimPolicy == "" {
		v.Spec.PersistentVolumeReclaimPolicy = corev1.PersistentVolumeReclaimRetain
	}
	if v.Spec.VolumeMode == nil {
		v.Spec.VolumeMode = new(corev1.PersistentVolumeFilesystem)
	}
	if source := v.Spec.HostPath; source != nil && source.Type == nil {
		source.Type = new(corev1.HostPathUnset)
	}
	if source := v.Spec.ISCSI; source != nil && source.ISCSIInterface == "" {
		source.ISCSIInterface = "default"
	}
	defaulting.ResourceList(v.Spec.Capacity)
}

func prepareVolume(v *corev1.PersistentVolume) {
	v.Status = corev1.PersistentVolumeStatus{Phase: corev1.VolumePending}
}

// stampVolumePhase notes when the phase changed, unless the client does.
func stampVolumePhase(v, old *corev1.PersistentVolume, now metav1.Time) {
	at := v.Status.LastPhaseTransitionTime
	switch {
	case old == nil:
		v.Status.LastPhaseTransitionTime = &now
	case old.Status.Phase == v.Status.Phase:
		if at == nil {
			v.Status.LastPhaseTransitionTime = old.Status.LastPhaseTransitionTime
		}
	case at == nil || at.Equal(old.Status.LastPhaseTransitionTime):
		v.Status.LastPhaseTransitionTime = &now
	}
}

func volumeRow(v *corev1.PersistentVolume, now time.Time) []any {
	claim := ""
	if ref := v.Spec.ClaimRef; ref != nil {
		claim = ref.Namespace + "/" + ref.Name
	}
	capacity := v.Spec.Capacity[corev1.ResourceStorage]
	phase := string(v.Status.Phase)
	if v.DeletionTimestamp != nil {
		phase = "Terminating"
	}
	return []any{
		v.Name, capacity.String(), accessModes(v.Spec.AccessModes), string(v.Spec.PersistentVolumeReclaimPolicy), phase, claim,
		cmp.Or(v.Annotations[corev1.BetaStorageClassAnnotation], v.Spec.StorageClassName),
		orUnset(v.Spec.VolumeAttributesClassName), v.Status.Reason, age(v.CreationTimestamp, now), orUnset(v.Spec.VolumeMode),
	}
}

func orUnset[T ~string](value *T) string {
	if value == nil {
		return "<unset>"
	}
	return string(*value)
}

// accessModes shortens modes, in a fixed order.
func accessModes(modes []corev1.PersistentVolumeAccessMode) string {
	var short []string
	for _, known := range [...]struct {
		mode corev1.PersistentVolumeAccessMode
		name string
	}{
		{corev1.ReadWriteOnce, "RWO"}, {corev1.ReadOnlyMany, "ROX"}, {corev1.ReadWriteMany, "RWX"}, {corev1.ReadWriteOncePod, "RWOP"},
	} {
		if slices.Contains(modes, known.mode) {
			short = append(short, known.name)
		}
	}
	return strings.Join(short, ",")
}
