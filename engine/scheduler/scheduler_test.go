package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/scheduler"
)

// build assembles the scheduler; wrap, if set, comes between it and the API.
func build(s **scheduler.Scheduler, wrap func(client.Client) client.Client) controllertest.Build {
	return func(c *controllertest.Cluster) []controller.Controller {
		writer := c.ClientOf(scheduler.Name)
		if wrap != nil {
			writer = wrap(writer)
		}
		*s = scheduler.New(c.Cache, writer, c.Recorder(scheduler.Name), c.Clock, rand.New(rand.NewPCG(1, 2)))
		return []controller.Controller{(*s).Controller()}
	}
}

func run(t *testing.T, test func(c *controllertest.Cluster, s *scheduler.Scheduler)) {
	t.Helper()
	// Two executors run at the same time: each needs a scheduler of its own.
	var ofCluster sync.Map
	controllertest.Run(t, func(c *controllertest.Cluster) []controller.Controller {
		var s *scheduler.Scheduler
		loops := build(&s, nil)(c)
		ofCluster.Store(c, s)
		return loops
	}, func(c *controllertest.Cluster) {
		s, _ := ofCluster.Load(c)
		test(c, s.(*scheduler.Scheduler))
	})
}

// addNode adds a node that takes pods: without the taint that admission gives
// to new nodes, which the node lifecycle loop would take away.
func addNode(c *controllertest.Cluster, name, cpu string, change ...func(*corev1.Node)) {
	c.Helper()
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelHostname: name}},
		Status: corev1.NodeStatus{Allocatable: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse("8Gi"), corev1.ResourcePods: resource.MustParse("110"),
		}},
	}
	controllertest.Create(c, node)
	controllertest.Change(c, "", name, func(n *corev1.Node) {
		n.Spec.Taints = nil
		for _, f := range change {
			f(n)
		}
	})
}

func addPod(c *controllertest.Cluster, name, cpu string, change ...func(*corev1.Pod)) {
	c.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "nginx:1.27"}}},
	}
	if cpu != "" {
		pod.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}
	}
	for _, f := range change {
		f(pod)
	}
	if _, ok := controllertest.Get[*corev1.ServiceAccount](c, "default", "default"); !ok {
		controllertest.Create(c, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "default"}})
	}
	controllertest.Create(c, pod)
}

func get(c *controllertest.Cluster, name string) *corev1.Pod {
	pod, ok := controllertest.Get[*corev1.Pod](c, "default", name)
	if !ok {
		return &corev1.Pod{}
	}
	return pod
}

func condition(pod *corev1.Pod) corev1.PodCondition {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled {
			return c
		}
	}
	return corev1.PodCondition{}
}

func untilOn(c *controllertest.Cluster, pod, node string) {
	c.Helper()
	c.Until(fmt.Sprintf("%s on %q", pod, node), func() bool { return get(c, pod).Spec.NodeName == node })
}

func untilRefused(c *controllertest.Cluster, pod, message string) {
	c.Helper()
	c.Until(pod+": "+message, func() bool { return condition(get(c, pod)).Message == message })
}

const noRoom = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."

func TestPodsArePlaced(t *testing.T) {
	run(t, func(c *controllertest.Cluster, s *scheduler.Scheduler) {
		addNode(c, "small", "1")
		addNode(c, "large", "8")
		addPod(c, "web", "2")
		untilOn(c, "web", "large")
		pod := get(c, "web")
		if got := condition(pod); got.Status != corev1.ConditionTrue {
			t.Errorf("the condition is %+v", got)
		}
		c.Until("explained", func() bool { e, ok := s.Explain(pod.UID); return ok && e.Node == "large" && e.Refused == 1 })
		want := []string{"Normal Scheduled: Successfully assigned default/web to large"}
		c.Until("recorded", func() bool { return reflect.DeepEqual(c.Events("Pod", "web"), want) })
	})
}

func TestWhatHelpsAPodThatWaits(t *testing.T) {
	for _, test := range []struct {
		name, message string
		node          func(*corev1.Node)
		pod           func(*corev1.Pod)
		help          func(c *controllertest.Cluster)
	}{
		{"room", noRoom, nil, nil, func(c *controllertest.Cluster) {
			controllertest.Delete[*corev1.Pod](c, "default", "first", metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))})
		}},
		{"a pod that has ended", noRoom, nil, nil, func(c *controllertest.Cluster) {
			c.Until("first runs", func() bool { return get(c, "first").Status.Phase == corev1.PodRunning })
			controllertest.ChangeStatus(c, "default", "first", func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded })
		}},
		{"a larger node", noRoom, nil, nil, func(c *controllertest.Cluster) {
			controllertest.ChangeStatus(c, "", "n", func(n *corev1.Node) {
				n.Status.Allocatable = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("8"), corev1.ResourcePods: resource.MustParse("110")}
			})
		}},
		{"an uncordoned node",
			"0/1 nodes are available: 1 node(s) were unschedulable. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
			func(n *corev1.Node) { n.Spec.Unschedulable = true }, func(p *corev1.Pod) { p.Spec.Containers[0].Resources.Requests = nil },
			func(c *controllertest.Cluster) {
				controllertest.Change(c, "", "n", func(n *corev1.Node) { n.Spec.Unschedulable, n.Spec.Taints = false, nil })
			}},
		{"a label",
			"0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
			nil, func(p *corev1.Pod) {
				p.Spec.NodeSelector, p.Spec.Containers[0].Resources.Requests = map[string]string{"disk": "ssd"}, nil
			}, func(c *controllertest.Cluster) {
				controllertest.Change(c, "", "n", func(n *corev1.Node) { n.Labels["disk"] = "ssd" })
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			run(t, func(c *controllertest.Cluster, _ *scheduler.Scheduler) {
				addNode(c, "n", "4")
				addPod(c, "first", "3")
				untilOn(c, "first", "n")
				if test.node != nil {
					controllertest.Change(c, "", "n", test.node)
				}
				if test.pod == nil {
					addPod(c, "second", "3")
				} else {
					addPod(c, "second", "3", test.pod)
				}
				untilRefused(c, "second", test.message)
				got := condition(get(c, "second"))
				if got.Status != corev1.ConditionFalse || got.Reason != "Unschedulable" || got.LastTransitionTime.IsZero() {
					t.Errorf("the condition is %+v", got)
				}
				c.Until("recorded", func() bool {
					return reflect.DeepEqual(c.Events("Pod", "second"), []string{"Warning FailedScheduling: " + test.message})
				})
				test.help(c)
				untilOn(c, "second", "n")
			})
		})
	}
}

func TestWithoutNodesPodsWait(t *testing.T) {
	run(t, func(c *controllertest.Cluster, _ *scheduler.Scheduler) {
		addPod(c, "web", "")
		untilRefused(c, "web", "no nodes available to schedule pods")
		addNode(c, "n", "4")
		untilOn(c, "web", "n")
	})
}

func TestPodsThatAreNotTheSchedulers(t *testing.T) {
	run(t, func(c *controllertest.Cluster, _ *scheduler.Scheduler) {
		addNode(c, "n", "4")
		addPod(c, "other", "", func(p *corev1.Pod) { p.Spec.SchedulerName = "mine" })
		addPod(c, "gated", "", func(p *corev1.Pod) { p.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "wait.for/it"}} })
		addPod(c, "direct", "", func(p *corev1.Pod) { p.Spec.NodeName = "nowhere" })
		addPod(c, "web", "")
		untilOn(c, "web", "n")
		for name, want := range map[string]string{"other": "", "gated": "", "direct": "nowhere"} {
			if got := get(c, name).Spec.NodeName; got != want {
				t.Errorf("%s is on %q", name, got)
			}
		}
		controllertest.Change(c, "default", "gated", func(p *corev1.Pod) { p.Spec.SchedulingGates = nil })
		untilOn(c, "gated", "n")
	})
}

// refusing fails the first bindings.
type refusing struct {
	client.Client
	left *atomic.Int32
}

func (r refusing) Bind(ctx context.Context, binding *corev1.Binding) error {
	if r.left.Add(-1) >= 0 {
		return errors.New("etcdserver: request timed out")
	}
	return r.Client.Bind(ctx, binding)
}

func TestAFailedBindingIsTriedAgain(t *testing.T) {
	var s *scheduler.Scheduler
	var left atomic.Int32
	left.Store(1)
	controllertest.Sequential(t, build(&s, func(c client.Client) client.Client { return refusing{c, &left} }), func(c *controllertest.Cluster) {
		addNode(c, "n", "4")
		addPod(c, "web", "3")
		untilRefused(c, "web", `running Bind plugin "DefaultBinder": etcdserver: request timed out`)
		if got := condition(get(c, "web")).Reason; got != "SchedulerError" {
			t.Errorf("the reason is %q", got)
		}
		before := c.Clock.Now()
		untilOn(c, "web", "n") // so the node's room was given back
		if waited := c.Clock.Now().Sub(before); waited < 900*time.Millisecond || waited > 1100*time.Millisecond {
			t.Errorf("it was tried again after %v", waited)
		}
	})
}

// TestTwoBindersAgree: a pod that somebody else binds meanwhile stays where it
// is, and counts there.
func TestTwoBindersAgree(t *testing.T) {
	var s *scheduler.Scheduler
	controllertest.Sequential(t, build(&s, func(c client.Client) client.Client { return overtaken{c} }), func(c *controllertest.Cluster) {
		addNode(c, "a", "4")
		addNode(c, "b", "4")
		addPod(c, "web", "3", func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{corev1.LabelHostname: "a"} })
		untilOn(c, "web", "b")
		addPod(c, "next", "3", func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{corev1.LabelHostname: "a"} })
		untilOn(c, "next", "b")
		addPod(c, "last", "3")
		untilOn(c, "last", "a")
	})
}

// overtaken binds pods that want a to b before the scheduler does.
type overtaken struct{ client.Client }

func (o overtaken) Bind(ctx context.Context, binding *corev1.Binding) error {
	pod, err := o.Get(ctx, "pods", binding.Namespace, binding.Name)
	if err == nil && pod.(*corev1.Pod).Spec.NodeSelector != nil {
		other := *binding
		other.Target.Name = "b"
		if err := o.Client.Bind(ctx, &other); err != nil {
			return err
		}
	}
	return o.Client.Bind(ctx, binding)
}

// TestRunsAreRepeatable: the same inputs give the same events in the same order.
func TestRunsAreRepeatable(t *testing.T) {
	story := func() string {
		var s *scheduler.Scheduler
		var log strings.Builder
		controllertest.Sequential(t, build(&s, nil), func(c *controllertest.Cluster) {
			for i := range 5 {
				addNode(c, fmt.Sprint("node-", i), "4")
			}
			for i := range 60 {
				addPod(c, fmt.Sprint("pod-", i), "500m")
			}
			c.Until("the cluster is full", func() bool {
				placed := 0
				for _, pod := range controllertest.List[*corev1.Pod](c, "default") {
					if pod.Spec.NodeName != "" {
						placed++
					}
				}
				return placed == 40
			})
			c.Pass(time.Minute)
			for i := range 60 {
				fmt.Fprintln(&log, i, get(c, fmt.Sprint("pod-", i)).Spec.NodeName, c.Events("Pod", fmt.Sprint("pod-", i)))
			}
		})
		return log.String()
	}
	if first, second := story(), story(); first != second {
		t.Errorf("got\n%s\nand\n%s", first, second)
	}
}
