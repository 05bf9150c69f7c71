package kinds

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func configMap() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         corev1.SchemeGroupVersion.WithKind("ConfigMap"),
		Plural:                   "configmaps",
		Singular:                 "configmap",
		ShortNames:               []string{"cm"},
		Namespaced:               true,
		New:                      func() store.Object { return &corev1.ConfigMap{} },
		NewList:                  func() runtime.Object { return &corev1.ConfigMapList{} },
		Validate:                 validate(validation.ConfigMap),
		ValidateUpdate:           validateUpdate(validation.ConfigMapUpdate),
		AllowUnconditionalUpdate: true,
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Data", "Data contains the configuration data. Each key must consist of alphanumeric characters, '-', '_' or '.'. Values with non-UTF-8 byte sequences must use the BinaryData field. The keys stored in Data must not overlap with the keys in the BinaryData field, this is enforced during validation process."),
			ageColumn(),
		},
		Row: row(func(c *corev1.ConfigMap, now time.Time) []any {
			return []any{c.Name, int64(len(c.Data) + len(c.BinaryData)), age(c.CreationTimestamp, now)}
		}),
	}
}
