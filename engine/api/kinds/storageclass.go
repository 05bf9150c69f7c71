package kinds

import (
	"cmp"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func storageClass() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         storagev1.SchemeGroupVersion.WithKind("StorageClass"),
		Plural:                   "storageclasses",
		Singular:                 "storageclass",
		ShortNames:               []string{"sc"},
		New:                      func() store.Object { return &storagev1.StorageClass{} },
		NewList:                  func() runtime.Object { return &storagev1.StorageClassList{} },
		Default:                  on(defaultStorageClass),
		Validate:                 validate(validation.StorageClass),
		ValidateUpdate:           validateUpdate(validation.StorageClassUpdate),
		Warnings:                 warnings(func(c, _ *storagev1.StorageClass) []string { return validation.StorageClassWarnings(c) }),
		AllowUnconditionalUpdate: true,
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Provisioner", "provisioner indicates the type of the provisioner."),
			textColumn("ReclaimPolicy", "reclaimPolicy controls the reclaimPolicy for dynamically provisioned PersistentVolumes of this storage class. Defaults to Delete."),
			textColumn("VolumeBindingMode", "volumeBindingMode indicates how PersistentVolumeClaims should be provisioned and bound.  When unset, VolumeBindingImmediate is used. This field is only honored by servers that enable the VolumeScheduling feature."),
			textColumn("AllowVolumeExpansion", "allowVolumeExpansion shows whether the storage class allow volume expand."),
			ageColumn(),
		},
		Row:     row(storageClassRow),
		ListRow: storageClassListRow,
	}
}

func defaultStorageClass(c *storagev1.StorageClass) {
	if c.ReclaimPolicy == nil {
		c.ReclaimPolicy = new(corev1.PersistentVolumeReclaimDelete)
	}
	if c.VolumeBindingMode == nil {
		c.VolumeBindingMode = new(storagev1.VolumeBindingImmediate)
	}
}

func storageClassRow(c *storagev1.StorageClass, now time.Time) []any {
	reclaim, binding, expands := corev1.PersistentVolumeReclaimDelete, storagev1.VolumeBindingImmediate, false
	if c.ReclaimPolicy != nil {
		reclaim = *c.ReclaimPolicy
	}
	if c.VolumeBindingMode != nil {
		binding = *c.VolumeBindingMode
	}
	if c.AllowVolumeExpansion != nil {
		expands = *c.AllowVolumeExpansion
	}
	return []any{c.Name, c.Provisioner, string(reclaim), string(binding), expands, age(c.CreationTimestamp, now)}
}

// storageClassListRow marks the class that claims get which name none; only a
// list shows which one of several it is.
func storageClassListRow(list []store.Object) func(store.Object, time.Time) []any {
	var chosen *storagev1.StorageClass
	for _, obj := range list {
		if class := obj.(*storagev1.StorageClass); IsDefaultStorageClass(class) && (chosen == nil || preferred(class, chosen)) {
			chosen = class
		}
	}
	return func(obj store.Object, now time.Time) []any {
		class := obj.(*storagev1.StorageClass)
		cells := storageClassRow(class, now)
		if chosen != nil && class.Name == chosen.Name {
			cells[0] = class.Name + " (default)"
		}
		return cells
	}
}

// IsDefaultStorageClass reports whether a class is marked as the default.
func IsDefaultStorageClass(class *storagev1.StorageClass) bool {
	return class.Annotations["storageclass.kubernetes.io/is-default-class"] == "true" ||
		class.Annotations["storageclass.beta.kubernetes.io/is-default-class"] == "true"
}

// preferred reports whether a is the default rather than b: the newer one.
func preferred(a, b *storagev1.StorageClass) bool {
	return cmp.Or(b.CreationTimestamp.Compare(a.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name)) < 0
}
