package kinds

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func priorityClass() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind: schedulingv1.SchemeGroupVersion.WithKind("PriorityClass"),
		Plural:           "priorityclasses",
		Singular:         "priorityclass",
		ShortNames:       []string{"pc"},
		New:              func() store.Object { return &schedulingv1.PriorityClass{} },
		NewList:          func() runtime.Object { return &schedulingv1.PriorityClassList{} },
		Default: on(func(class *schedulingv1.PriorityClass) {
			if class.PreemptionPolicy == nil {
				class.PreemptionPolicy = new(corev1.PreemptLowerPriority)
			}
		}),
		PrepareForCreate:         on(func(class *schedulingv1.PriorityClass) { class.Generation = 1 }),
		Validate:                 validate(validation.PriorityClass),
		ValidateUpdate:           validateUpdate(validation.PriorityClassUpdate),
		AllowUnconditionalUpdate: true,
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			integerColumn("Value", "value represents the integer value of this priority class. This is the actual priority that pods receive when they have the name of this class in their pod spec."),
			{Name: "Global-Default", Type: "boolean", Description: "globalDefault specifies whether this PriorityClass should be considered as the default priority for pods that do not have any priority class. Only one PriorityClass can be marked as `globalDefault`. However, if more than one PriorityClasses exists with their `globalDefault` field set to true, the smallest value of such global default PriorityClasses will be used as the default priority."},
			ageColumn(),
			textColumn("PreemptionPolicy", "preemptionPolicy is the Policy for preempting pods with lower priority. One of Never, PreemptLowerPriority. Defaults to PreemptLowerPriority if unset."),
		},
		Row: row(func(class *schedulingv1.PriorityClass, now time.Time) []any {
			policy := ""
			if class.PreemptionPolicy != nil {
				policy = string(*class.PreemptionPolicy)
			}
			return []any{class.Name, int64(class.Value), class.GlobalDefault, age(class.CreationTimestamp, now), policy}
		}),
	}
}
