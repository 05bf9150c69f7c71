// Package metricsapi is metrics.k8s.io/v1beta1: what a metrics.Source measures
// as objects that clients can get and list, as "kubectl top" does
// (sigs.k8s.io/metrics-server upstream, whose kinds an aggregated API has).
package metricsapi

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var groupVersion = schema.GroupVersion{Group: "metrics.k8s.io", Version: "v1beta1"}

// NodeMetrics is what a node used over a window.
type NodeMetrics struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Timestamp         metav1.Time         `json:"timestamp"`
	Window            metav1.Duration     `json:"window"`
	Usage             corev1.ResourceList `json:"usage"`
}

// PodMetrics is what a pod's containers used over a window.
type PodMetrics struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Timestamp         metav1.Time        `json:"timestamp"`
	Window            metav1.Duration    `json:"window"`
	Containers        []ContainerMetrics `json:"containers"`
}

// ContainerMetrics is what a container used.
type ContainerMetrics struct {
	Name  string              `json:"name"`
	Usage corev1.ResourceList `json:"usage"`
}

// NodeMetricsList is several of them.
type NodeMetricsList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []NodeMetrics `json:"items"`
}

// PodMetricsList is several of them.
type PodMetricsList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []PodMetrics `json:"items"`
}

// DeepCopyObject implements runtime.Object.
func (m *NodeMetrics) DeepCopyObject() runtime.Object {
	next := *m
	next.ObjectMeta = *m.ObjectMeta.DeepCopy()
	next.Usage = m.Usage.DeepCopy()
	return &next
}

// DeepCopyObject implements runtime.Object.
func (m *PodMetrics) DeepCopyObject() runtime.Object {
	next := *m
	next.ObjectMeta = *m.ObjectMeta.DeepCopy()
	next.Containers = slices.Clone(m.Containers)
	for i := range next.Containers {
		next.Containers[i].Usage = next.Containers[i].Usage.DeepCopy()
	}
	return &next
}

// DeepCopyObject implements runtime.Object.
func (l *NodeMetricsList) DeepCopyObject() runtime.Object {
	next := *l
	next.Items = make([]NodeMetrics, len(l.Items))
	for i := range l.Items {
		next.Items[i] = *l.Items[i].DeepCopyObject().(*NodeMetrics)
	}
	return &next
}

// DeepCopyObject implements runtime.Object.
func (l *PodMetricsList) DeepCopyObject() runtime.Object {
	next := *l
	next.Items = make([]PodMetrics, len(l.Items))
	for i := range l.Items {
		next.Items[i] = *l.Items[i].DeepCopyObject().(*PodMetrics)
	}
	return &next
}
