package kinds

import (
	"time"

	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func deviceClass() *kind.Kind {
	type class = resourcev1.DeviceClass
	return &kind.Kind{
		GroupVersionKind: resourcev1.SchemeGroupVersion.WithKind("DeviceClass"),
		Plural:           "deviceclasses",
		Singular:         "deviceclass",
		New:              func() store.Object { return &class{} },
		NewList:          func() runtime.Object { return &resourcev1.DeviceClassList{} },
		PrepareForCreate: on(func(c *class) { c.Generation = 1 }),
		PrepareForUpdate: onUpdate(func(c, old *class) {
			if !equality.Semantic.DeepEqual(c.Spec, old.Spec) {
				c.Generation = old.Generation + 1
			}
		}),
		Validate:                 validate(validation.DeviceClass),
		ValidateUpdate:           validateUpdate(validation.DeviceClassUpdate),
		AllowUnconditionalUpdate: true,
		Columns:                  []metav1.TableColumnDefinition{nameColumn(), ageColumn()},
		Row:                      row(func(c *class, now time.Time) []any { return []any{c.Name, age(c.CreationTimestamp, now)} }),
	}
}
