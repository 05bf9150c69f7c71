package kinds

import (
	"cmp"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

// flowControlResets are the fields of which the object's own writes and those
// of its status take no notice.
var flowControlResets = map[string][][]string{
	"":       {{"status"}},
	"status": {{"metadata"}, {"spec"}},
}

func flowSchema() *kind.Kind {
	type schema = flowcontrolv1.FlowSchema
	return &kind.Kind{
		GroupVersionKind: flowcontrolv1.SchemeGroupVersion.WithKind("FlowSchema"),
		Plural:           "flowschemas",
		Singular:         "flowschema",
		New:              func() store.Object { return &schema{} },
		NewList:          func() runtime.Object { return &flowcontrolv1.FlowSchemaList{} },
		Default: on(func(s *schema) {
			s.Spec.MatchingPrecedence = cmp.Or(s.Spec.MatchingPrecedence, 1000)
		}),
		PrepareForCreate: on(func(s *schema) {
			s.Status = flowcontrolv1.FlowSchemaStatus{}
			s.Generation = 1
		}),
		PrepareForUpdate: onUpdate(func(s, old *schema) {
			if !equality.Semantic.DeepEqual(s.Spec, old.Spec) {
				s.Generation = old.Generation + 1
			}
			s.Status = old.Status
		}),
		PrepareForStatusUpdate: onUpdate(func(s, old *schema) {
			metav1.ResetObjectMetaForStatus(&s.ObjectMeta, &old.ObjectMeta)
			s.Spec = old.Spec
		}),
		Resets:                   flowControlResets,
		Validate:                 validate(validation.FlowSchema),
		ValidateUpdate:           validateUpdate(validation.FlowSchemaUpdate),
		ValidateStatusUpdate:     validateUpdate(validation.FlowSchemaStatusUpdate),
		AllowUnconditionalUpdate: true,
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("PriorityLevel", "`name` is the name of the priority level configuration being referenced Required."),
			textColumn("MatchingPrecedence", "`matchingPrecedence` is used to choose among the FlowSchemas that match a given request. The chosen FlowSchema is among those with the numerically lowest (which we take to be logically highest) MatchingPrecedence.  Each MatchingPrecedence value must be ranged in [1,10000]. Note that if the precedence is not specified, it will be set to 1000 as default."),
			textColumn("DistinguisherMethod", "`distinguisherMethod` defines how to compute the flow distinguisher for requests that match this schema. `nil` specifies that the distinguisher is disabled and thus will always be the empty string."),
			ageColumn(),
			textColumn("MissingPL", "references a broken or non-existent PriorityLevelConfiguration"),
		},
		Row: row(func(s *schema, now time.Time) []any {
			method, missing := "<none>", "?"
			if s.Spec.DistinguisherMethod != nil {
				method = string(s.Spec.DistinguisherMethod.Type)
			}
			for _, c := range s.Status.Conditions {
				if c.Type == flowcontrolv1.FlowSchemaConditionDangling {
					missing = string(c.Status)
				}
			}
			return []any{s.Name, s.Spec.PriorityLevelConfiguration.Name, int64(s.Spec.MatchingPrecedence), method, age(s.CreationTimestamp, now), missing}
		}),
		// In the order in which they are tried.
		CompareRows: func(a, b store.Object) int {
			x, y := a.(*schema), b.(*schema)
			return cmp.Or(cmp.Compare(x.Spec.MatchingPrecedence, y.Spec.MatchingPrecedence), cmp.Compare(x.Name, y.Name))
		},
	}
}
