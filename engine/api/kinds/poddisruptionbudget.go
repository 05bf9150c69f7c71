package kinds

import (
	"time"

	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func podDisruptionBudget() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind: policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget"),
		Plural:           "poddisruptionbudgets",
		Singular:         "poddisruptionbudget",
		ShortNames:       []string{"pdb"},
		Namespaced:       true,
		New:              func() store.Object { return &policyv1.PodDisruptionBudget{} },
		NewList:          func() runtime.Object { return &policyv1.PodDisruptionBudgetList{} },
		PrepareForCreate: on(func(b *policyv1.PodDisruptionBudget) {
			b.Status = policyv1.PodDisruptionBudgetStatus{}
			b.Generation = 1
		}),
		PrepareForUpdate: onUpdate(func(b, old *policyv1.PodDisruptionBudget) {
			b.Status = old.Status
			if !equality.Semantic.DeepEqual(b.Spec, old.Spec) {
				b.Generation = old.Generation + 1
			}
		}),
		PrepareForStatusUpdate: onUpdate(func(b, old *policyv1.PodDisruptionBudget) { b.Spec = old.Spec }),
		Validate:               validate(validation.DisruptionBudget),
		ValidateUpdate:         validateUpdate(func(b, _ *policyv1.PodDisruptionBudget) field.ErrorList { return validation.DisruptionBudget(b) }),
		ValidateStatusUpdate:   validateUpdate(validation.DisruptionBudgetStatusUpdate),
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Min Available", "The minimum number of pods that must be available."),
			textColumn("Max Unavailable", "The maximum number of pods that may be unavailable."),
			integerColumn("Allowed Disruptions", "Calculated number of pods that may be disrupted at this time."),
			ageColumn(),
		},
		Row: row(func(b *policyv1.PodDisruptionBudget, now time.Time) []any {
			return []any{
				b.Name, orNotApplicable(b.Spec.MinAvailable), orNotApplicable(b.Spec.MaxUnavailable),
				int64(b.Status.DisruptionsAllowed), age(b.CreationTimestamp, now),
			}
		}),
	}
}

func orNotApplicable(value *intstr.IntOrString) string {
	if value == nil {
		return "N/A"
	}
	return value.String()
}
