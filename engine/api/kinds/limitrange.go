package kinds

import (
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/defaulting"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func limitRange() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         corev1.SchemeGroupVersion.WithKind("LimitRange"),
		Plural:                   "limitranges",
		Singular:                 "limitrange",
		ShortNames:               []string{"limits"},
		Namespaced:               true,
		New:                      func() store.Object { return &corev1.LimitRange{} },
		NewList:                  func() runtime.Object { return &corev1.LimitRangeList{} },
		Default:                  on(defaultLimitRange),
		Validate:                 validate(validation.LimitRange),
		ValidateUpdate:           validateUpdate(func(limits, _ *corev1.LimitRange) field.ErrorList { return validation.LimitRange(limits) }),
		AllowCreateOnUpdate:      true,
		AllowUnconditionalUpdate: true,
		Columns:                  []metav1.TableColumnDefinition{nameColumn(), createdColumn()},
		Row: row(func(limits *corev1.LimitRange, _ time.Time) []any {
			return []any{limits.Name, createdAt(limits.CreationTimestamp)}
		}),
	}
}

// defaultLimitRange derives a container's default limits from the bounds, and
// its default requests from the limits or the bounds.
func defaultLimitRange(limits *corev1.LimitRange) {
	for i := range limits.Spec.Limits {
		limit := &limits.Spec.Limits[i]
		for _, list := range []corev1.ResourceList{limit.Max, limit.Min, limit.Default, limit.DefaultRequest, limit.MaxLimitRequestRatio} {
			defaulting.ResourceList(list)
		}
		if limit.Type != corev1.LimitTypeContainer {
			continue
		}
		most := corev1.ResourceList{}
		maps.Copy(most, limit.Max)
		maps.Copy(most, limit.Default)
		requests := corev1.ResourceList{}
		maps.Copy(requests, limit.Min)
		maps.Copy(requests, most)
		maps.Copy(requests, limit.DefaultRequest)
		limit.Default, limit.DefaultRequest = most, requests
	}
}
