// Package metrics is what is known about the use of resources by pods and nodes
// (what the resource metrics API, custom metrics and external metrics tell in
// Kubernetes). A Source measures; autoscalers and metrics.k8s.io read.
package metrics

import (
	"errors"
	"fmt"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Usage is what something used over Window, until Time.
type Usage struct {
	Time       time.Time
	Window     time.Duration
	Containers []Container // of a pod, in the order of its spec
}

// Container is one container's use: CPU in thousandths of a core, memory in
// bytes.
type Container struct {
	Name             string
	MilliCPU, Memory int64
}

// Total is the sum of the containers.
func (u Usage) Total() Container {
	var total Container
	for _, c := range u.Containers {
		total.MilliCPU += c.MilliCPU
		total.Memory += c.Memory
	}
	return total
}

// Of is the use of a resource in thousandths; false if it is not measured.
func (c Container) Of(resource corev1.ResourceName) (int64, bool) {
	switch resource {
	case corev1.ResourceCPU:
		return c.MilliCPU, true
	case corev1.ResourceMemory:
		return c.Memory * 1000, true
	}
	return 0, false
}

// Source measures. It is safe for concurrent use. Values are in thousandths.
type Source interface {
	// Pod is a running pod's use, false as long as it has not been measured.
	Pod(pod *corev1.Pod) (Usage, bool)
	// Node is a node's use with everything that runs on it.
	Node(node *corev1.Node) (Usage, bool)
	// Custom are a metric's values for pods, by name.
	Custom(namespace, metric string, pods labels.Selector) (map[string]int64, error)
	// Object is a metric of one object.
	Object(namespace, metric string, object autoscalingv2.CrossVersionObjectReference) (int64, error)
	// External are the values of a metric from outside of the cluster.
	External(namespace, metric string, selector labels.Selector) ([]int64, error)
}

// Unregistered implements the metrics of a Source that a cluster without
// adapters has not.
type Unregistered struct{}

var errNoCustom = errors.New("no custom metrics API (custom.metrics.k8s.io) registered")

func (Unregistered) Custom(string, string, labels.Selector) (map[string]int64, error) {
	return nil, errNoCustom
}

func (Unregistered) Object(string, string, autoscalingv2.CrossVersionObjectReference) (int64, error) {
	return 0, errNoCustom
}

func (Unregistered) External(_, metric string, _ labels.Selector) ([]int64, error) {
	return nil, fmt.Errorf("the server could not find the requested resource (get %s.external.metrics.k8s.io)", metric)
}
