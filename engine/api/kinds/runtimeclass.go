package kinds

import (
	"time"

	nodev1 "k8s.io/api/node/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/defaulting"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func runtimeClass() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind: nodev1.SchemeGroupVersion.WithKind("RuntimeClass"),
		Plural:           "runtimeclasses",
		Singular:         "runtimeclass",
		New:              func() store.Object { return &nodev1.RuntimeClass{} },
		NewList:          func() runtime.Object { return &nodev1.RuntimeClassList{} },
		Default: on(func(c *nodev1.RuntimeClass) {
			if c.Overhead != nil {
				defaulting.ResourceList(c.Overhead.PodFixed)
			}
		}),
		Validate:            validate(validation.RuntimeClass),
		ValidateUpdate:      validateUpdate(validation.RuntimeClassUpdate),
		Warnings:            warnings(func(c, _ *nodev1.RuntimeClass) []string { return validation.RuntimeClassWarnings(c) }),
		AllowCreateOnUpdate: true,
		// Upstream describes the second column by a field that metadata has not.
		Columns: []metav1.TableColumnDefinition{nameColumn(), textColumn("Handler", ""), ageColumn()},
		Row: row(func(c *nodev1.RuntimeClass, now time.Time) []any {
			return []any{c.Name, c.Handler, age(c.CreationTimestamp, now)}
		}),
	}
}
