package kinds

import (
	"strings"
	"time"

	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func resourceClaim() *kind.Kind {
	type claim = resourcev1.ResourceClaim
	return &kind.Kind{
		GroupVersionKind: resourcev1.SchemeGroupVersion.WithKind("ResourceClaim"),
		Plural:           "resourceclaims",
		Singular:         "resourceclaim",
		Namespaced:       true,
		New:              func() store.Object { return &claim{} },
		NewList:          func() runtime.Object { return &resourcev1.ResourceClaimList{} },
		Default:          on(func(c *claim) { defaultDevices(&c.Spec.Devices) }),
		PrepareForCreate: on(func(c *claim) { c.Status = resourcev1.ResourceClaimStatus{} }),
		PrepareForUpdate: onUpdate(func(c, old *claim) { c.Status = old.Status }),
		PrepareForStatusUpdate: onUpdate(func(c, old *claim) {
			c.Spec = old.Spec
			metav1.ResetObjectMetaForStatus(&c.ObjectMeta, &old.ObjectMeta)
		}),
		Resets: map[string][][]string{
			"":       {{"status"}},
			"status": {{"metadata"}, {"spec"}},
		},
		Validate:                 validate(validation.ResourceClaim),
		ValidateUpdate:           validateUpdate(validation.ResourceClaimUpdate),
		ValidateStatusUpdate:     validateUpdate(validation.ResourceClaimStatusUpdate),
		AllowUnconditionalUpdate: true,
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("State", "A summary of the current state (allocated, pending, reserved, etc.)."),
			ageColumn(),
		},
		Row: row(func(c *claim, now time.Time) []any {
			return []any{c.Name, claimState(c), age(c.CreationTimestamp, now)}
		}),
	}
}

func claimState(c *resourcev1.ResourceClaim) string {
	var states []string
	if c.DeletionTimestamp != nil {
		states = append(states, "deleted")
	}
	switch {
	case c.Status.Allocation != nil && len(c.Status.ReservedFor) > 0:
		states = append(states, "allocated", "reserved")
	case c.Status.Allocation != nil:
		states = append(states, "allocated")
	case c.DeletionTimestamp == nil:
		states = append(states, "pending")
	}
	return strings.Join(states, ",")
}

// defaultDevices: one device, unless more are asked for.
func defaultDevices(claim *resourcev1.DeviceClaim) {
	one := func(mode *resourcev1.DeviceAllocationMode, count *int64) {
		if *mode == "" {
			*mode = resourcev1.DeviceAllocationModeExactCount
		}
		if *mode == resourcev1.DeviceAllocationModeExactCount && *count == 0 {
			*count = 1
		}
	}
	for i := range claim.Requests {
		r := &claim.Requests[i]
		if r.Exactly != nil {
			one(&r.Exactly.AllocationMode, &r.Exactly.Count)
		}
		for j := range r.FirstAvailable {
			one(&r.FirstAvailable[j].AllocationMode, &r.FirstAvailable[j].Count)
		}
	}
}

func resourceClaimTemplate() *kind.Kind {
	type template = resourcev1.ResourceClaimTemplate
	return &kind.Kind{
		GroupVersionKind:         resourcev1.SchemeGroupVersion.WithKind("ResourceClaimTemplate"),
		Plural:                   "resourceclaimtemplates",
		Singular:                 "resourceclaimtemplate",
		Namespaced:               true,
		New:                      func() store.Object { return &template{} },
		NewList:                  func() runtime.Object { return &resourcev1.ResourceClaimTemplateList{} },
		Default:                  on(func(t *template) { defaultDevices(&t.Spec.Spec.Devices) }),
		Validate:                 validate(validation.ResourceClaimTemplate),
		ValidateUpdate:           validateUpdate(validation.ResourceClaimTemplateUpdate),
		AllowUnconditionalUpdate: true,
		Columns:                  []metav1.TableColumnDefinition{nameColumn(), ageColumn()},
		Row:                      row(func(t *template, now time.Time) []any { return []any{t.Name, age(t.CreationTimestamp, now)} }),
	}
}
