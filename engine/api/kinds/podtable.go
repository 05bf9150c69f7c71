package kinds

import (
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func podColumns() []metav1.TableColumnDefinition {
	columns := []metav1.TableColumnDefinition{
		nameColumn(),
		textColumn("Ready", "The aggregate readiness state of this pod for accepting traffic."),
		textColumn("Status", "The aggregate status of the containers in this pod."),
		textColumn("Restarts", "The number of times the containers in this pod have been restarted and when the last container in this pod has restarted."),
		ageColumn(),
	}
	return append(columns, wide(
		textColumn("IP", "podIP address allocated to the pod. Routable at least within the cluster. Empty if not yet allocated."),
		textColumn("Node", "NodeName indicates in which node this pod is scheduled. If empty, this pod is a candidate for scheduling by the scheduler defined in schedulerName. Once this field is set, the kubelet for this node becomes responsible for the lifecycle of this pod. This field should not be used to express a desire for the pod to be scheduled on a specific node. https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename"),
		textColumn("Nominated Node", "nominatedNodeName is set only when this pod preempts other pods on the node, but it cannot be scheduled right away as preemption victims receive their graceful termination periods. This field does not guarantee that the pod will be scheduled on this node. Scheduler may decide to place the pod elsewhere if other nodes become available sooner. Scheduler may also decide to give the resources on this node to a higher priority pod that is created after preemption. As a result, this field may be different than PodSpec.nodeName when the pod is scheduled."),
		textColumn("Readiness Gates", "If specified, all readiness gates will be evaluated for pod readiness. A pod is ready when all its containers are ready AND all conditions specified in the readiness gates have status equal to \"True\" More info: https://git.k8s.io/enhancements/keps/sig-network/580-pod-readiness-gates"),
	)...)
}

func podRow(p *corev1.Pod, now time.Time) []any {
	summary := SummarizePod(p)
	restarts := strconv.Itoa(summary.Restarts)
	if summary.Restarts != 0 && !summary.LastRestart.IsZero() {
		restarts = fmt.Sprintf("%d (%s ago)", summary.Restarts, age(summary.LastRestart, now))
	}
	ip := ""
	if len(p.Status.PodIPs) > 0 {
		ip = p.Status.PodIPs[0].IP
	}
	return []any{
		p.Name, fmt.Sprintf("%d/%d", summary.Ready, summary.Containers), summary.Status, restarts,
		age(p.CreationTimestamp, now),
		orNone(ip), orNone(p.Spec.NodeName), orNone(p.Status.NominatedNodeName), readinessGates(p),
	}
}

func readinessGates(p *corev1.Pod) string {
	if len(p.Spec.ReadinessGates) == 0 {
		return "<none>"
	}
	open := 0
	for _, gate := range p.Spec.ReadinessGates {
		if podConditionIsTrue(p, gate.ConditionType) {
			open++
		}
	}
	return fmt.Sprintf("%d/%d", open, len(p.Spec.ReadinessGates))
}

func podConditionIsTrue(p *corev1.Pod, conditionType corev1.PodConditionType) bool {
	for i := range p.Status.Conditions {
		if condition := &p.Status.Conditions[i]; condition.Type == conditionType {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
