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

func volumeAttributesClass() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         storagev1.SchemeGroupVersion.WithKind("VolumeAttributesClass"),
		Plural:                   "volumeattributesclasses",
		Singular:                 "volumeattributesclass",
		ShortNames:               []string{"vac"},
		New:                      func() store.Object { return &storagev1.VolumeAttributesClass{} },
		NewList:                  func() runtime.Object { return &storagev1.VolumeAttributesClassList{} },
		Validate:                 validate(validation.VolumeAttributesClass),
		ValidateUpdate:           validateUpdate(validation.VolumeAttributesClassUpdate),
		AllowUnconditionalUpdate: true,
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("DriverName", "driverName is the name of the CSI driver This field is immutable."),
			ageColumn(),
		},
		Row: row(func(c *storagev1.VolumeAttributesClass, now time.Time) []any {
			return []any{c.Name, c.DriverName, age(c.CreationTimestamp, now)}
		}),
	}
}
