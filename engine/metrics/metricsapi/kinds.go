package metricsapi

import (
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/metrics"
	"tidepool.dev/tidepool/engine/store"
)

// API makes the objects. It is safe for concurrent use.
type API struct {
	source metrics.Source
	cache  atomic.Pointer[cache.Cache]
}

// New returns an API that has nothing to show until Read is called.
func New(source metrics.Source) *API { return &API{source: source} }

// Read says where the pods and nodes are that have been measured.
func (a *API) Read(cache *cache.Cache) { a.cache.Store(cache) }

var readOnly = []string{"watch", "create", "update", "patch", "delete", "deletecollection"}

// Kinds are what the API serves.
func (a *API) Kinds() []*kind.Kind {
	columns := []metav1.TableColumnDefinition{
		{Name: "Name", Type: "string", Format: "name", Description: "Name of the resource"},
		{Name: "cpu", Type: "string", Format: "quantity", Description: "cpu usage"},
		{Name: "memory", Type: "string", Format: "quantity", Description: "memory usage"},
		{Name: "Window", Type: "string", Format: "duration", Description: "Window of the usage"},
	}
	return []*kind.Kind{
		{
			GroupVersionKind: groupVersion.WithKind("NodeMetrics"),
			Plural:           "nodes",
			Singular:         "",
			New:              func() store.Object { return &NodeMetrics{} },
			NewList:          func() runtime.Object { return &NodeMetricsList{} },
			Computed:         nodes{a},
			NoVerbs:          readOnly,
			Columns:          columns,
			Row: func(obj store.Object, _ time.Time) []any {
				m := obj.(*NodeMetrics)
				return row(m.Name, m.Usage, m.Window)
			},
		},
		{
			GroupVersionKind: groupVersion.WithKind("PodMetrics"),
			Plural:           "pods",
			Singular:         "",
			Namespaced:       true,
			New:              func() store.Object { return &PodMetrics{} },
			NewList:          func() runtime.Object { return &PodMetricsList{} },
			Computed:         pods{a},
			NoVerbs:          readOnly,
			Columns:          columns,
			Row: func(obj store.Object, _ time.Time) []any {
				m := obj.(*PodMetrics)
				total := corev1.ResourceList{}
				for _, c := range m.Containers {
					for name, quantity := range c.Usage {
						sum := total[name]
						sum.Add(quantity)
						total[name] = sum
					}
				}
				return row(m.Name, total, m.Window)
			},
		},
	}
}

func row(name string, usage corev1.ResourceList, window metav1.Duration) []any {
	return []any{name, usage.Cpu().String(), usage.Memory().String(), window.Duration.String()}
}

func listOf(c metrics.Container) corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewMilliQuantity(c.MilliCPU, resource.DecimalSI),
		corev1.ResourceMemory: *resource.NewQuantity(c.Memory>>10<<10, resource.BinarySI), // in whole Ki, as read from the kernel
	}
}

type nodes struct{ *API }

// Get implements kind.Computed.
func (n nodes) Get(_, name string) (store.Object, bool) {
	shared := n.cache.Load()
	if shared == nil {
		return nil, false
	}
	node, ok := cache.Get[*corev1.Node](shared, "nodes", "", name)
	if !ok {
		return nil, false
	}
	return n.of(node)
}

// List implements kind.Computed.
func (n nodes) List(string) []store.Object {
	shared := n.cache.Load()
	if shared == nil {
		return nil
	}
	var list []store.Object
	for _, node := range cache.List[*corev1.Node](shared, "nodes", "") {
		if m, ok := n.of(node); ok {
			list = append(list, m)
		}
	}
	return list
}

func (n nodes) of(node *corev1.Node) (store.Object, bool) {
	usage, ok := n.source.Node(node)
	if !ok {
		return nil, false
	}
	m := &NodeMetrics{Timestamp: metav1.NewTime(usage.Time), Window: metav1.Duration{Duration: usage.Window}, Usage: listOf(usage.Total())}
	m.ObjectMeta = metav1.ObjectMeta{Name: node.Name, Labels: node.Labels, CreationTimestamp: m.Timestamp}
	m.SetGroupVersionKind(groupVersion.WithKind("NodeMetrics"))
	return m, true
}

type pods struct{ *API }

// Get implements kind.Computed.
func (p pods) Get(namespace, name string) (store.Object, bool) {
	shared := p.cache.Load()
	if shared == nil {
		return nil, false
	}
	pod, ok := cache.Get[*corev1.Pod](shared, "pods", namespace, name)
	if !ok {
		return nil, false
	}
	return p.of(pod)
}

// List implements kind.Computed.
func (p pods) List(namespace string) []store.Object {
	shared := p.cache.Load()
	if shared == nil {
		return nil
	}
	var list []store.Object
	for _, pod := range cache.List[*corev1.Pod](shared, "pods", namespace) {
		if m, ok := p.of(pod); ok {
			list = append(list, m)
		}
	}
	return list
}

func (p pods) of(pod *corev1.Pod) (store.Object, bool) {
	usage, ok := p.source.Pod(pod)
	if !ok {
		return nil, false
	}
	m := &PodMetrics{Timestamp: metav1.NewTime(usage.Time), Window: metav1.Duration{Duration: usage.Window}}
	m.ObjectMeta = metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace, Labels: pod.Labels, CreationTimestamp: m.Timestamp}
	for _, c := range usage.Containers {
		m.Containers = append(m.Containers, ContainerMetrics{Name: c.Name, Usage: listOf(c)})
	}
	m.SetGroupVersionKind(groupVersion.WithKind("PodMetrics"))
	return m, true
}
