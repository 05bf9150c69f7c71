package view

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-helpers/resource"

	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/store"
)

// resources are what the stream shows, in the order of a snapshot: what others
// refer to comes first.
var resources = []string{
	"namespaces", "nodes", "deployments.apps", "replicasets.apps", "services", "pods", "events",
}

// appendRecord appends what a map or lesson needs of an object, as JSON. Every
// record has kind, uid, name and created; absent fields are empty or false.
func appendRecord(buf []byte, obj store.Object) []byte {
	o := begin(buf)
	o.text("kind", obj.GetObjectKind().GroupVersionKind().Kind)
	o.text("uid", string(obj.GetUID()))
	o.some("namespace", obj.GetNamespace())
	o.text("name", obj.GetName())
	if ref := metav1.GetControllerOfNoCopy(obj); ref != nil {
		o.text("owner", string(ref.UID))
	}
	o.time("created", obj.GetCreationTimestamp().Time)
	o.flag("deleting", obj.GetDeletionTimestamp() != nil)
	switch obj := obj.(type) {
	case *corev1.Pod:
		pod(&o, obj)
	case *corev1.Node:
		node(&o, obj)
	case *appsv1.Deployment:
		o.number("desired", int64(replicas(obj.Spec.Replicas)))
		o.number("current", int64(obj.Status.Replicas))
		o.number("updated", int64(obj.Status.UpdatedReplicas))
		o.number("ready", int64(obj.Status.ReadyReplicas))
		o.number("available", int64(obj.Status.AvailableReplicas))
		o.flag("paused", obj.Spec.Paused)
		o.list("images", images(&obj.Spec.Template.Spec))
		o.labels("labels", obj.Labels)
	case *appsv1.ReplicaSet:
		o.number("desired", int64(replicas(obj.Spec.Replicas)))
		o.number("current", int64(obj.Status.Replicas))
		o.number("ready", int64(obj.Status.ReadyReplicas))
		o.number("available", int64(obj.Status.AvailableReplicas))
		o.some("revision", obj.Annotations["deployment.kubernetes.io/revision"])
		o.list("images", images(&obj.Spec.Template.Spec))
		o.labels("labels", obj.Labels)
	case *corev1.Service:
		service(&o, obj)
	case *corev1.Namespace:
		o.text("phase", string(obj.Status.Phase))
	case *corev1.Event:
		event(&o, obj)
	}
	return o.end()
}

func pod(o *object, p *corev1.Pod) {
	summary := kinds.SummarizePod(p)
	o.some("node", p.Spec.NodeName)
	o.text("phase", string(p.Status.Phase))
	o.text("status", summary.Status)
	o.number("ready", int64(summary.Ready))
	o.number("containers", int64(summary.Containers))
	o.number("restarts", int64(summary.Restarts))
	requests := resource.PodRequests(p, resource.PodResourcesOptions{})
	o.number("cpu", requests.Cpu().MilliValue())
	o.number("memory", requests.Memory().Value())
	o.some("ip", p.Status.PodIP)
	o.list("images", images(&p.Spec))
	o.labels("labels", p.Labels)
}

func node(o *object, n *corev1.Node) {
	for i := range n.Status.Conditions {
		if c := &n.Status.Conditions[i]; c.Type == corev1.NodeReady {
			o.flag("ready", c.Status == corev1.ConditionTrue)
		}
	}
	o.flag("unschedulable", n.Spec.Unschedulable)
	o.text("status", kinds.NodeStatus(n))
	o.number("cpu", n.Status.Allocatable.Cpu().MilliValue())
	o.number("memory", n.Status.Allocatable.Memory().Value())
	o.number("pods", n.Status.Allocatable.Pods().Value())
	o.some("zone", n.Labels[corev1.LabelTopologyZone])
	taints := make([]string, len(n.Spec.Taints))
	for i := range n.Spec.Taints {
		taints[i] = n.Spec.Taints[i].ToString()
	}
	o.list("taints", taints)
	o.labels("labels", n.Labels)
}

func service(o *object, s *corev1.Service) {
	o.text("type", string(s.Spec.Type))
	o.some("clusterIP", s.Spec.ClusterIP)
	o.labels("selector", s.Spec.Selector)
	ports := make([]string, len(s.Spec.Ports))
	for i := range s.Spec.Ports {
		port := &s.Spec.Ports[i]
		ports[i] = strconv.Itoa(int(port.Port))
		if port.NodePort != 0 {
			ports[i] += ":" + strconv.Itoa(int(port.NodePort))
		}
		ports[i] += "/" + string(port.Protocol)
	}
	o.list("ports", ports)
}

func event(o *object, e *corev1.Event) {
	o.text("type", e.Type)
	o.text("reason", e.Reason)
	o.text("message", e.Message)
	o.text("involved", string(e.InvolvedObject.UID))
	o.number("count", int64(e.Count))
	last := e.LastTimestamp.Time
	if last.IsZero() {
		last = e.EventTime.Time
	}
	o.time("last", last)
	source := e.Source.Component
	if source == "" {
		source = e.ReportingController
	}
	o.text("source", source)
}

func images(spec *corev1.PodSpec) []string {
	list := make([]string, len(spec.Containers))
	for i := range spec.Containers {
		list[i] = spec.Containers[i].Image
	}
	return list
}

func replicas(wanted *int32) int32 {
	if wanted == nil {
		return 1
	}
	return *wanted
}
