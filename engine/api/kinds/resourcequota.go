package kinds

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/defaulting"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func resourceQuota() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind: corev1.SchemeGroupVersion.WithKind("ResourceQuota"),
		Plural:           "resourcequotas",
		Singular:         "resourcequota",
		ShortNames:       []string{"quota"},
		Namespaced:       true,
		New:              func() store.Object { return &corev1.ResourceQuota{} },
		NewList:          func() runtime.Object { return &corev1.ResourceQuotaList{} },
		Default: on(func(quota *corev1.ResourceQuota) {
			defaulting.ResourceList(quota.Spec.Hard)
			defaulting.ResourceList(quota.Status.Hard)
			defaulting.ResourceList(quota.Status.Used)
		}),
		PrepareForCreate:       on(func(quota *corev1.ResourceQuota) { quota.Status = corev1.ResourceQuotaStatus{} }),
		PrepareForUpdate:       onUpdate(func(quota, old *corev1.ResourceQuota) { quota.Status = old.Status }),
		PrepareForStatusUpdate: onUpdate(func(quota, old *corev1.ResourceQuota) { quota.Spec = old.Spec }),
		Validate:               validate(validation.ResourceQuota),
		ValidateUpdate:         validateUpdate(validation.ResourceQuotaUpdate),
		ValidateStatusUpdate:   validateUpdate(validation.ResourceQuotaStatusUpdate),
		Warnings: warnings(func(quota, old *corev1.ResourceQuota) []string {
			if old != nil {
				return nil
			}
			return validation.ResourceQuotaWarnings(quota)
		}),
		AllowUnconditionalUpdate: true,
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Request", "Request represents a minimum amount of cpu/memory that a container may consume."),
			textColumn("Limit", "Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node."),
			ageColumn(),
		},
		Row: row(resourceQuotaRow),
	}
}

func resourceQuotaRow(quota *corev1.ResourceQuota, now time.Time) []any {
	var requests, limits []string
	for _, name := range slices.Sorted(maps.Keys(quota.Status.Hard)) {
		used, hard := quota.Status.Used[name], quota.Status.Hard[name]
		text := fmt.Sprintf("%s: %s/%s", name, used.String(), hard.String())
		if strings.HasPrefix(string(name), "limits.") {
			limits = append(limits, text)
		} else {
			requests = append(requests, text)
		}
	}
	return []any{quota.Name, strings.Join(requests, ", "), strings.Join(limits, ", "), age(quota.CreationTimestamp, now)}
}
