package podautoscaler_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/deployment"
	"tidepool.dev/tidepool/engine/controller/podautoscaler"
	"tidepool.dev/tidepool/engine/controller/replicaset"
	"tidepool.dev/tidepool/engine/metrics"
)

// meter measures what a test says.
type meter struct {
	metrics.Unregistered
	cluster *controllertest.Cluster

	mu       sync.Mutex
	milliCPU int64 // of each pod
	external int64
}

func (m *meter) set(milliCPU int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.milliCPU = milliCPU
}

func (m *meter) Pod(pod *corev1.Pod) (metrics.Usage, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return metrics.Usage{Time: m.cluster.Clock.Now().Add(time.Hour), Window: 15 * time.Second,
		Containers: []metrics.Container{{Name: "c", MilliCPU: m.milliCPU, Memory: 1 << 20}}}, true
}

func (m *meter) Node(*corev1.Node) (metrics.Usage, bool) { return metrics.Usage{}, false }

func (m *meter) External(string, string, labels.Selector) ([]int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return []int64{m.external}, nil
}

func run(t *testing.T, measured bool, test func(c *controllertest.Cluster, m *meter)) {
	meters := map[*controllertest.Cluster]*meter{}
	build := func(c *controllertest.Cluster) []controller.Controller {
		m := &meter{cluster: c}
		meters[c] = m
		var source metrics.Source
		if measured {
			source = m
		}
		return []controller.Controller{
			podautoscaler.New(c.Cache, c.ClientOf(podautoscaler.Name), c.Recorder(podautoscaler.Name), c.Clock, source, kinds.All()),
			deployment.New(c.Cache, c.ClientOf(deployment.Name), c.Recorder(deployment.Name), c.Clock),
			replicaset.New(c.Cache, c.ClientOf(replicaset.Name), c.Recorder(replicaset.Name), c.Clock),
		}
	}
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		c.AddNodes(3)
		controllertest.Create(c, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "default"}})
		test(c, meters[c])
	})
}

func start(c *controllertest.Cluster, replicas int32) {
	c.Helper()
	web := map[string]string{"app": "web"}
	controllertest.Create(c, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: web},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: web}, Spec: corev1.PodSpec{Containers: []corev1.Container{{
				Name: "c", Image: "nginx", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("100m")}},
			}}}},
		},
	})
	if replicas > 0 {
		ready(c, replicas)
	}
	for _, pod := range controllertest.List[*corev1.Pod](c, "default") {
		controllertest.ChangeStatus(c, "default", pod.Name, func(p *corev1.Pod) { p.Status.StartTime = new(metav1.NewTime(c.Clock.Now().Truncate(time.Second))) })
	}
}

func ready(c *controllertest.Cluster, replicas int32) {
	c.Helper()
	c.Until(fmt.Sprint(replicas, " ready"), func() bool {
		d, _ := controllertest.Get[*appsv1.Deployment](c, "default", "web")
		return d.Status.ReadyReplicas == replicas && d.Status.Replicas == replicas
	})
}

func autoscale(c *controllertest.Cluster, spec autoscalingv2.HorizontalPodAutoscalerSpec) {
	c.Helper()
	spec.ScaleTargetRef = autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}
	controllertest.Create(c, &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}, Spec: spec})
}

// conditions are "Type=Status Reason".
func conditions(c *controllertest.Cluster) (list []string) {
	hpa, _ := controllertest.Get[*autoscalingv2.HorizontalPodAutoscaler](c, "default", "web")
	for _, condition := range hpa.Status.Conditions {
		list = append(list, fmt.Sprintf("%s=%s %s", condition.Type, condition.Status, condition.Reason))
	}
	return list
}

func TestScalesUpAndLaterDown(t *testing.T) {
	run(t, true, func(c *controllertest.Cluster, m *meter) {
		start(c, 2)
		m.set(100)
		autoscale(c, autoscalingv2.HorizontalPodAutoscalerSpec{MinReplicas: new(int32(1)), MaxReplicas: 3, Metrics: []autoscalingv2.MetricSpec{{
			Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{Name: "cpu",
				Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: new(int32(50))}}}}})
		ready(c, 3) // 2 × 100 / 50 is 4, which is more than it may have
		m.set(51)
		grown := c.Clock.Now()
		c.Until("stabilized", func() bool {
			return slices.Contains(conditions(c), "AbleToScale=True ScaleDownStabilized") || c.Clock.Now().Sub(grown) > 20*time.Second
		})
		m.set(10)
		ready(c, 1)
		if waited := c.Clock.Now().Sub(grown); waited < 4*time.Minute {
			c.Errorf("scaled down after %s", waited)
		}
		events := c.Events("HorizontalPodAutoscaler", "web")
		for _, want := range []string{
			"Normal SuccessfulRescale: New size: 3; reason: cpu resource utilization (percentage of request) above target",
			"Normal SuccessfulRescale: New size: 1; reason: All metrics below target",
		} {
			if !slices.Contains(events, want) {
				c.Errorf("no %q in %q", want, events)
			}
		}
	})
}

func TestWithoutMetrics(t *testing.T) {
	run(t, false, func(c *controllertest.Cluster, _ *meter) {
		start(c, 2)
		autoscale(c, autoscalingv2.HorizontalPodAutoscalerSpec{MaxReplicas: 5})
		want := []string{"AbleToScale=True SucceededGetScale", "ScalingActive=False FailedGetResourceMetric"}
		c.Until("says so", func() bool { return slices.Equal(conditions(c), want) })
		const missing = "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)"
		c.Until("tells events", func() bool { return len(c.Events("HorizontalPodAutoscaler", "web")) >= 2 })
		if got := c.Events("HorizontalPodAutoscaler", "web"); !slices.Equal(got, []string{
			"Warning FailedGetResourceMetric: " + missing,
			"Warning FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: " + missing,
		}) {
			c.Errorf("events %q", got)
		}
		hpa, _ := controllertest.Get[*autoscalingv2.HorizontalPodAutoscaler](c, "default", "web")
		if hpa.Status.CurrentReplicas != 2 || hpa.Status.DesiredReplicas != 0 {
			c.Errorf("status %+v", hpa.Status)
		}
	})
}

func TestLimitsHoldWithoutMetrics(t *testing.T) {
	run(t, false, func(c *controllertest.Cluster, _ *meter) {
		start(c, 1)
		autoscale(c, autoscalingv2.HorizontalPodAutoscalerSpec{MinReplicas: new(int32(2)), MaxReplicas: 5})
		ready(c, 2)
		if got := c.Events("HorizontalPodAutoscaler", "web")[0]; got != "Normal SuccessfulRescale: New size: 2; reason: Current number of replicas below Spec.MinReplicas" {
			c.Errorf("event %q", got)
		}
	})
}

func TestWhatCantBeScaled(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*autoscalingv2.CrossVersionObjectReference)
		want   string
	}{
		{"nothing of that name", func(ref *autoscalingv2.CrossVersionObjectReference) { ref.Name = "none" }, `deployments.apps "none" not found`},
		{"no such kind", func(ref *autoscalingv2.CrossVersionObjectReference) { ref.Kind = "Robot" }, `no matches for kind "Robot" in group "apps"`},
		{"a kind without replicas", func(ref *autoscalingv2.CrossVersionObjectReference) {
			ref.APIVersion, ref.Kind = "discovery.k8s.io/v1", "EndpointSlice"
		}, "the server could not find the requested resource"},
	} {
		t.Run(test.name, func(t *testing.T) {
			run(t, true, func(c *controllertest.Cluster, _ *meter) {
				ref := autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}
				test.change(&ref)
				controllertest.Create(c, &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
					Spec: autoscalingv2.HorizontalPodAutoscalerSpec{MaxReplicas: 2, ScaleTargetRef: ref}})
				c.Until("says so", func() bool { return slices.Equal(conditions(c), []string{"AbleToScale=False FailedGetScale"}) })
				c.Until("tells why", func() bool {
					return slices.Contains(c.Events("HorizontalPodAutoscaler", "web"), "Warning FailedGetScale: "+test.want)
				})
			})
		})
	}
}

// TestScalesToZeroAndBack: an external metric alone can bring pods back.
func TestScalesToZeroAndBack(t *testing.T) {
	run(t, true, func(c *controllertest.Cluster, m *meter) {
		start(c, 1)
		autoscale(c, autoscalingv2.HorizontalPodAutoscalerSpec{MinReplicas: new(int32(0)), MaxReplicas: 5,
			Behavior: &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleDown: &autoscalingv2.HPAScalingRules{StabilizationWindowSeconds: new(int32(0))}},
			Metrics: []autoscalingv2.MetricSpec{{Type: autoscalingv2.ExternalMetricSourceType, External: &autoscalingv2.ExternalMetricSource{
				Metric: autoscalingv2.MetricIdentifier{Name: "queue"},
				Target: autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: new(resource.MustParse("10"))}}}}})
		ready(c, 0)
		c.Until("says so", func() bool { return slices.Contains(conditions(c), "ScaledToZero=True ScaledToZero") })
		m.mu.Lock()
		m.external = 25_000 // 25 things in the queue
		m.mu.Unlock()
		ready(c, 3)
	})
}

func TestRateOfABehaviour(t *testing.T) {
	run(t, true, func(c *controllertest.Cluster, m *meter) {
		start(c, 1)
		m.set(1000)
		autoscale(c, autoscalingv2.HorizontalPodAutoscalerSpec{MaxReplicas: 8,
			Behavior: &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: &autoscalingv2.HPAScalingRules{
				Policies: []autoscalingv2.HPAScalingPolicy{{Type: autoscalingv2.PodsScalingPolicy, Value: 2, PeriodSeconds: 600}}}}})
		ready(c, 3)
		c.Until("limited", func() bool { return slices.Contains(conditions(c), "ScalingLimited=True ScaleUpLimit") })
		c.Pass(time.Minute)
		if d, _ := controllertest.Get[*appsv1.Deployment](c, "default", "web"); *d.Spec.Replicas != 3 {
			c.Errorf("%d replicas", *d.Spec.Replicas)
		}
	})
}
