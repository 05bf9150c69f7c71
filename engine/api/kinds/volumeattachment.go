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

func volumeAttachment() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind: storagev1.SchemeGroupVersion.WithKind("VolumeAttachment"),
		Plural:           "volumeattachments",
		Singular:         "volumeattachment",
		New:              func() store.Object { return &storagev1.VolumeAttachment{} },
		NewList:          func() runtime.Object { return &storagev1.VolumeAttachmentList{} },
		PrepareForCreate: on(func(a *storagev1.VolumeAttachment) { a.Status = storagev1.VolumeAttachmentStatus{} }),
		PrepareForUpdate: onUpdate(func(a, old *storagev1.VolumeAttachment) { a.Status = old.Status }),
		PrepareForStatusUpdate: onUpdate(func(a, old *storagev1.VolumeAttachment) {
			a.Spec = old.Spec
			metav1.ResetObjectMetaForStatus(&a.ObjectMeta, &old.ObjectMeta)
		}),
		Validate:             validate(validation.VolumeAttachment),
		ValidateUpdate:       validateUpdate(validation.VolumeAttachmentUpdate),
		ValidateStatusUpdate: validateUpdate(validation.VolumeAttachmentUpdate),
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			{Name: "Attacher", Type: "string", Format: "name", Description: "attacher indicates the name of the volume driver that MUST handle this request. This is the name returned by GetPluginName()."},
			textColumn("PV", "persistentVolumeName represents the name of the persistent volume to attach."),
			textColumn("Node", "nodeName represents the node that the volume should be attached to."),
			booleanColumn("Attached", "attached indicates the volume is successfully attached. This field must only be set by the entity completing the attach operation, i.e. the external-attacher."),
			ageColumn(),
		},
		Row: row(func(a *storagev1.VolumeAttachment, now time.Time) []any {
			volume := ""
			if name := a.Spec.Source.PersistentVolumeName; name != nil {
				volume = *name
			}
			return []any{a.Name, a.Spec.Attacher, volume, a.Spec.NodeName, a.Status.Attached, age(a.CreationTimestamp, now)}
		}),
	}
}
