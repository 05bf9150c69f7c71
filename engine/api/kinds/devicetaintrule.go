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

func deviceTaintRule() *kind.Kind {
	type rule = resourcev1.DeviceTaintRule
	return &kind.Kind{
		GroupVersionKind: resourcev1.SchemeGroupVersion.WithKind("DeviceTaintRule"),
		Plural:           "devicetaintrules",
		Singular:         "devicetaintrule",
		New:              func() store.Object { return &rule{} },
		NewList:          func() runtime.Object { return &resourcev1.DeviceTaintRuleList{} },
		PrepareForCreate: on(func(r *rule) {
			r.Status = resourcev1.DeviceTaintRuleStatus{}
			r.Generation = 1
		}),
		PrepareForUpdate: onUpdate(func(r, old *rule) {
			r.Status = old.Status
			if !equality.Semantic.DeepEqual(r.Spec, old.Spec) {
				r.Generation = old.Generation + 1
			}
		}),
		PrepareForStatusUpdate: onUpdate(func(r, old *rule) {
			r.Spec = old.Spec
			metav1.ResetObjectMetaForStatus(&r.ObjectMeta, &old.ObjectMeta)
		}),
		// The time is that of the effect.
		Stamp: func(obj, old store.Object, now metav1.Time) {
			taint := &obj.(*rule).Spec.Taint
			if was, ok := old.(*rule); ok && taint.Effect != was.Spec.Taint.Effect && taint.TimeAdded.Equal(was.Spec.Taint.TimeAdded) {
				taint.TimeAdded = nil
			}
			if taint.TimeAdded == nil {
				taint.TimeAdded = &now
			}
		},
		Resets: map[string][][]string{
			"":       {{"status"}},
			"status": {{"metadata"}, {"spec"}},
		},
		Validate:                 validate(validation.DeviceTaintRule),
		ValidateUpdate:           validateUpdate(validation.DeviceTaintRuleUpdate),
		ValidateStatusUpdate:     validateUpdate(validation.DeviceTaintRuleStatusUpdate),
		AllowUnconditionalUpdate: true,
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Key", "The taint key to be applied to a device. Must be a label name."),
			textColumn("Value", "The taint value corresponding to the taint key. Must be a label value."),
			textColumn("Effect", "The effect of the taint on claims that do not tolerate the taint and through such claims on the pods using them.\n\nValid effects are None, NoSchedule and NoExecute. PreferNoSchedule as used for nodes is not valid here. More effects may get added in the future. Consumers must treat unknown effects like None."),
			textColumn("TimeAdded", "TimeAdded represents the time at which the taint was added or (only in a DeviceTaintRule) the effect was modified. Added automatically during create or update if not set.\n\nIn addition, in a DeviceTaintRule a value provided during an update gets replaced with the current time if the provided value is the same as the old one and the new effect is different. Changing the key and/or value while keeping the effect unchanged is possible and does not update the time stamp because the eviction which uses it is either already started (NoExecute) or not started yet (NoEffect, NoSchedule)."),
			ageColumn(),
		},
		Row: row(func(r *rule, now time.Time) []any {
			t := &r.Spec.Taint
			added := metav1.Time{}
			if t.TimeAdded != nil {
				added = *t.TimeAdded
			}
			return []any{r.Name, t.Key, t.Value, string(t.Effect), age(added, now), age(r.CreationTimestamp, now)}
		}),
	}
}
