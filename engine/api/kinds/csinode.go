package kinds

import (
	"time"

	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func csiNode() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind: storagev1.SchemeGroupVersion.WithKind("CSINode"),
		Plural:           "csinodes",
		Singular:         "csinode",
		New:              func() store.Object { return &storagev1.CSINode{} },
		NewList:          func() runtime.Object { return &storagev1.CSINodeList{} },
		PrepareForCreate: on(func(n *storagev1.CSINode) { n.Status = storagev1.CSINodeStatus{} }),
		PrepareForUpdate: onUpdate(func(n, old *storagev1.CSINode) { n.Status = old.Status }),
		// The health of storage, all that the status has, is off by default.
		PrepareForStatusUpdate: onUpdate(func(n, old *storagev1.CSINode) {
			n.Spec = old.Spec
			metav1.ResetObjectMetaForStatus(&n.ObjectMeta, &old.ObjectMeta)
			if len(old.Status.StorageHealth) == 0 {
				n.Status.StorageHealth = nil
			}
		}),
		Validate:       validate(validation.CSINode),
		ValidateUpdate: validateUpdate(validation.CSINodeUpdate),
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			integerColumn("Drivers", "Drivers indicates the number of CSI drivers registered on the node"),
			ageColumn(),
		},
		Row: row(func(n *storagev1.CSINode, now time.Time) []any {
			return []any{n.Name, int64(len(n.Spec.Drivers)), age(n.CreationTimestamp, now)}
		}),
	}
}
