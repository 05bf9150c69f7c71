package scheduler_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/scheduler"
)

func TestMoreImportantPodsMakeOthersGo(t *testing.T) {
	run(t, func(c *controllertest.Cluster, _ *scheduler.Scheduler) {
		controllertest.Create(c, &schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: "urgent"}, Value: 1000})
		addNode(c, "node-1", "4")
		addPod(c, "low", "3")
		addPod(c, "small", "1")
		untilOn(c, "low", "node-1")
		untilOn(c, "small", "node-1")
		addPod(c, "high", "3", func(pod *corev1.Pod) { pod.Spec.PriorityClassName = "urgent" })
		untilOn(c, "high", "node-1")
		if _, there := controllertest.Get[*corev1.Pod](c, "default", "low"); there {
			t.Error("low is still there")
		}
		if _, there := controllertest.Get[*corev1.Pod](c, "default", "small"); !there {
			t.Error("small had to go, too")
		}
		high := get(c, "high")
		if high.Status.NominatedNodeName != "" {
			t.Errorf("bound, but nominated to %s", high.Status.NominatedNodeName)
		}
		events := strings.Join(c.Events("Pod", "low"), "\n")
		if want := "Normal Preempted: Preempted by pod " + string(high.UID) + " on node node-1"; !strings.Contains(events, want) {
			t.Errorf("low's events:\n%s", events)
		}
		events = strings.Join(c.Events("Pod", "high"), "\n")
		const want = "Warning FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu. preemption: found a potential placement for pod on node node-1, preempting 1 victims"
		if !strings.Contains(events, want) {
			t.Errorf("high's events:\n%s", events)
		}
	})
}
