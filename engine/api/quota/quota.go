// Package quota knows how much of a ResourceQuota an object uses
// (k8s.io/kubernetes/pkg/quota/v1 upstream). Admission charges what is created
// by it, the quota controller counts what is there.
package quota

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"tidepool.dev/tidepool/engine/store"
)

// evaluator measures the objects of one resource.
type evaluator struct {
	// counts reports whether a quota's name is about these objects.
	counts func(name corev1.ResourceName) bool
	// usage is what an object uses.
	usage func(obj store.Object, now time.Time) corev1.ResourceList
	// scoped reports whether an object is in a scope; nil for never.
	scoped func(requirement *corev1.ScopedResourceSelectorRequirement, obj store.Object) bool
	// lacks says what of the names a quota needs the object to state; nil for
	// nothing.
	lacks func(names []corev1.ResourceName, obj store.Object) error
}

// Ignored reports whether quotas leave a resource alone.
func Ignored(resource string) bool { return resource == "events" || resource == "events.events.k8s.io" }

func evaluatorOf(resource string) evaluator {
	switch resource {
	case "pods":
		return pods
	case "services":
		return services
	case "persistentvolumeclaims":
		return claims
	}
	names := []corev1.ResourceName{countOf(resource)}
	switch resource {
	case "configmaps", "secrets", "resourcequotas", "replicationcontrollers": // from before there was count/
		names = append(names, corev1.ResourceName(resource))
	}
	return evaluator{
		counts: func(name corev1.ResourceName) bool { return slices.Contains(names, name) },
		usage: func(store.Object, time.Time) corev1.ResourceList {
			used := corev1.ResourceList{}
			for _, name := range names {
				used[name] = *one()
			}
			return used
		},
	}
}

func countOf(resource string) corev1.ResourceName { return corev1.ResourceName("count/" + resource) }

func one() *resource.Quantity { return resource.NewQuantity(1, resource.DecimalSI) }

// requirements are a quota's scopes and scope selector in one form.
func requirements(spec *corev1.ResourceQuotaSpec) []corev1.ScopedResourceSelectorRequirement {
	var all []corev1.ScopedResourceSelectorRequirement
	for _, scope := range spec.Scopes {
		all = append(all, corev1.ScopedResourceSelectorRequirement{ScopeName: scope, Operator: corev1.ScopeSelectorOpExists})
	}
	if spec.ScopeSelector != nil {
		all = append(all, spec.ScopeSelector.MatchExpressions...)
	}
	return all
}

func (e *evaluator) inScope(spec *corev1.ResourceQuotaSpec, obj store.Object) bool {
	all := requirements(spec)
	for i := range all {
		if e.scoped == nil || !e.scoped(&all[i], obj) {
			return false
		}
	}
	return true
}

// counted returns those of the names in a list that are about these objects, in
// order.
func (e *evaluator) counted(list corev1.ResourceList) []corev1.ResourceName {
	var names []corev1.ResourceName
	for _, name := range slices.Sorted(maps.Keys(list)) {
		if e.counts(name) {
			names = append(names, name)
		}
	}
	return names
}

// holds applies a requirement to a value that an object may have.
func holds(requirement *corev1.ScopedResourceSelectorRequirement, values ...string) bool {
	switch requirement.Operator {
	case corev1.ScopeSelectorOpExists:
		return len(values) > 0
	case corev1.ScopeSelectorOpDoesNotExist:
		return len(values) == 0
	}
	wanted := requirement.Operator == corev1.ScopeSelectorOpIn
	for _, value := range values {
		if slices.Contains(requirement.Values, value) == wanted {
			return true
		}
	}
	return len(values) == 0 && !wanted
}

// Change is a request whose objects are charged. Old is nil for a new object.
type Change struct {
	Resource    string
	Subresource string
	Object, Old store.Object
}

// charges reports whether a change can need more of any quota.
func (c *Change) charges() bool {
	if Ignored(c.Resource) {
		return false
	}
	created := c.Old == nil
	switch c.Resource {
	case "pods":
		switch {
		case c.Subresource == "resize":
			return !created
		case c.Subresource != "":
			return false
		}
		return created || isTerminating(c.Object.(*corev1.Pod)) != isTerminating(c.Old.(*corev1.Pod))
	case "services":
		return c.Subresource == ""
	case "persistentvolumeclaims":
		return c.Subresource == "" || c.Subresource == "status" && claimChanges(c.Object.(*corev1.PersistentVolumeClaim), c.Old.(*corev1.PersistentVolumeClaim))
	}
	return c.Subresource == "" && created
}

// Charge returns those of the quotas whose use a change raises, with their new
// use, or why it may not. The quotas themselves are not changed.
func Charge(quotas []*corev1.ResourceQuota, change Change, now time.Time) ([]*corev1.ResourceQuota, error) {
	if len(quotas) == 0 || !change.charges() {
		return nil, nil
	}
	e := evaluatorOf(change.Resource)
	var concerned []*corev1.ResourceQuota
	for _, quota := range quotas {
		names := e.counted(quota.Status.Hard)
		if len(names) == 0 || !e.inScope(&quota.Spec, change.Object) {
			continue
		}
		if e.lacks != nil {
			if err := e.lacks(names, change.Object); err != nil {
				return nil, fmt.Errorf("failed quota: %s: %w", quota.Name, err)
			}
		}
		if !slices.ContainsFunc(names, func(name corev1.ResourceName) bool { _, known := quota.Status.Used[name]; return !known }) {
			concerned = append(concerned, quota)
			continue
		}
		return nil, fmt.Errorf("status unknown for quota: %s, resources: %s", quota.Name, join(names))
	}
	if len(concerned) == 0 {
		return nil, nil
	}
	usage := e.usage(change.Object, now)
	if negative := namesOf(usage, func(q resource.Quantity) bool { return q.Sign() < 0 }); len(negative) > 0 {
		return nil, fmt.Errorf("quota usage is negative for resource(s): %s", join(negative))
	}
	var charged []*corev1.ResourceQuota
	for _, quota := range concerned {
		more := usage
		if change.Old != nil && e.inScope(&quota.Spec, change.Old) {
			more = growth(usage, e.usage(change.Old, now))
		}
		next, err := charge(quota, more)
		if err != nil {
			return nil, err
		}
		if next != nil {
			charged = append(charged, next)
		}
	}
	return charged, nil
}

// charge adds to a quota's use; nil if there is nothing to add.
func charge(quota *corev1.ResourceQuota, more corev1.ResourceList) (*corev1.ResourceQuota, error) {
	requested := corev1.ResourceList{}
	for name, amount := range more {
		if _, limited := quota.Status.Hard[name]; limited && !amount.IsZero() {
			requested[name] = amount
		}
	}
	if len(requested) == 0 {
		return nil, nil
	}
	used := maps.Clone(quota.Status.Used)
	for name, amount := range requested {
		sum := used[name].DeepCopy()
		sum.Add(amount)
		used[name] = sum
	}
	if exceeded := namesOf(requested, nil); len(exceeded) > 0 {
		exceeded = slices.DeleteFunc(exceeded, func(name corev1.ResourceName) bool {
			sum := used[name]
			return sum.Cmp(quota.Status.Hard[name]) <= 0
		})
		if len(exceeded) > 0 {
			return nil, fmt.Errorf("exceeded quota: %s, requested: %s, used: %s, limited: %s", quota.Name,
				amounts(requested, exceeded), amounts(quota.Status.Used, exceeded), amounts(quota.Status.Hard, exceeded))
		}
	}
	next := *quota // the status is replaced, nothing is changed
	next.Status.Used = used
	return &next, nil
}

// growth is usage without what was used before, never less than nothing.
func growth(usage, before corev1.ResourceList) corev1.ResourceList {
	more := corev1.ResourceList{}
	for name, amount := range usage {
		left := amount.DeepCopy()
		left.Sub(before[name])
		if left.Sign() > 0 {
			more[name] = left
		}
	}
	return more
}

// Names returns those of a list's names that a resource's objects count for.
func Names(list corev1.ResourceList, resource string) []corev1.ResourceName {
	if Ignored(resource) {
		return nil
	}
	e := evaluatorOf(resource)
	return e.counted(list)
}

// Use adds up what objects of one resource use of a quota's names that they
// count for.
func Use(spec *corev1.ResourceQuotaSpec, resourceName string, objects []store.Object, now time.Time) corev1.ResourceList {
	e := evaluatorOf(resourceName)
	used := corev1.ResourceList{}
	names := e.counted(spec.Hard)
	for _, name := range names {
		used[name] = resource.Quantity{Format: resource.DecimalSI}
	}
	for _, obj := range objects {
		if !e.inScope(spec, obj) {
			continue
		}
		usage := e.usage(obj, now)
		for _, name := range names {
			if amount, uses := usage[name]; uses {
				sum := used[name]
				sum.Add(amount)
				used[name] = sum
			}
		}
	}
	return used
}

func namesOf(list corev1.ResourceList, wanted func(resource.Quantity) bool) []corev1.ResourceName {
	var names []corev1.ResourceName
	for _, name := range slices.Sorted(maps.Keys(list)) {
		if wanted == nil || wanted(list[name]) {
			names = append(names, name)
		}
	}
	return names
}

func join(names []corev1.ResourceName) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = string(name)
	}
	return strings.Join(texts, ",")
}

func amounts(list corev1.ResourceList, names []corev1.ResourceName) string {
	texts := make([]string, len(names))
	for i, name := range names {
		amount := list[name]
		texts[i] = string(name) + "=" + amount.String()
	}
	return strings.Join(texts, ",")
}
