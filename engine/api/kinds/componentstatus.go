package kinds

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/store"
)

// Computed returns the kinds whose objects are made when they are asked for.
// healthy says whether the store answers; it may be nil.
func Computed(healthy func() error) []*kind.Kind {
	return []*kind.Kind{componentStatus(healthy)}
}

func componentStatus(healthy func() error) *kind.Kind {
	return &kind.Kind{
		GroupVersionKind: corev1.SchemeGroupVersion.WithKind("ComponentStatus"),
		Plural:           "componentstatuses",
		Singular:         "componentstatus",
		ShortNames:       []string{"cs"},
		New:              func() store.Object { return &corev1.ComponentStatus{} },
		NewList:          func() runtime.Object { return &corev1.ComponentStatusList{} },
		NoVerbs:          []string{"watch", "create", "update", "patch", "delete", "deletecollection"},
		Deprecated:       "v1 ComponentStatus is deprecated in v1.19+",
		Computed:         components{healthy},
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Status", "Status of the component conditions"),
			textColumn("Message", "Message of the component conditions"),
			textColumn("Error", "Error of the component conditions"),
		},
		Row: row(func(c *corev1.ComponentStatus, _ time.Time) []any {
			for _, condition := range c.Conditions {
				switch {
				case condition.Type != corev1.ComponentHealthy:
				case condition.Status == corev1.ConditionTrue:
					return []any{c.Name, "Healthy", condition.Message, condition.Error}
				default:
					return []any{c.Name, "Unhealthy", condition.Message, condition.Error}
				}
			}
			return []any{c.Name, "Unknown", "", ""}
		}),
	}
}

// components are the parts of the control plane. The loops and the scheduler
// run in the process that answers; the store may be another one.
type components struct{ healthy func() error }

var componentNames = []string{"controller-manager", "etcd-0", "scheduler"}

// Get implements kind.Computed.
func (c components) Get(_, name string) (store.Object, bool) {
	for _, known := range componentNames {
		if known == name {
			return c.status(name), true
		}
	}
	return nil, false
}

// List implements kind.Computed.
func (c components) List(string) []store.Object {
	list := make([]store.Object, len(componentNames))
	for i, name := range componentNames {
		list[i] = c.status(name)
	}
	return list
}

func (c components) status(name string) *corev1.ComponentStatus {
	condition := corev1.ComponentCondition{Type: corev1.ComponentHealthy, Status: corev1.ConditionTrue, Message: "ok"}
	if name == "etcd-0" && c.healthy != nil {
		if err := c.healthy(); err != nil {
			condition.Status, condition.Message, condition.Error = corev1.ConditionFalse, "", err.Error()
		}
	}
	status := &corev1.ComponentStatus{ObjectMeta: metav1.ObjectMeta{Name: name}, Conditions: []corev1.ComponentCondition{condition}}
	status.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ComponentStatus"))
	return status
}
