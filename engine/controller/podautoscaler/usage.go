package podautoscaler

import (
	"errors"
	"fmt"
	"math"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	podresource "k8s.io/component-helpers/resource"

	"tidepool.dev/tidepool/engine/controller/internal/podutil"
)

// sample is a pod's value of a metric, in thousandths.
type sample struct {
	value  int64
	at     time.Time
	window time.Duration
}

// resource compares what pods use of a resource, or what one of their
// containers does, with its target.
func (c *computation) resource(name corev1.ResourceName, container string, target *autoscalingv2.MetricTarget, current *autoscalingv2.MetricValueStatus) (int32, string, error) {
	what := "utilization"
	if target.AverageValue != nil {
		what = "usage"
	}
	wrap := func(err error) error { return fmt.Errorf("failed to get %s %s: %w", name, what, err) }
	measured, err := c.measure(name, container)
	if err != nil {
		return 0, "", wrap(fmt.Errorf("unable to get metrics for resource %s: %w", name, err))
	}
	format := resource.DecimalSI
	if name == corev1.ResourceMemory {
		format = resource.BinarySI
	}
	if target.AverageValue != nil {
		replicas, usage, err := c.plain(measured, target.AverageValue.MilliValue(), name)
		if err != nil {
			return 0, "", wrap(err)
		}
		current.AverageValue = resource.NewMilliQuantity(usage, format)
		return replicas, string(name) + " resource", nil
	}
	if target.AverageUtilization == nil {
		return 0, "", errors.New("invalid resource metric source: neither an average utilization target nor an average value (usage) target was set")
	}
	replicas, share, usage, err := c.utilization(measured, *target.AverageUtilization, name, container)
	if err != nil {
		return 0, "", wrap(err)
	}
	current.AverageUtilization, current.AverageValue = &share, resource.NewMilliQuantity(usage, format)
	if container != "" {
		return replicas, string(name) + " container resource utilization (percentage of request)", nil
	}
	return replicas, string(name) + " resource utilization (percentage of request)", nil
}

// measure asks for what the pods use.
func (c *computation) measure(name corev1.ResourceName, container string) (map[string]sample, error) {
	if c.source == nil {
		return nil, errors.New("unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)")
	}
	samples := map[string]sample{}
	measuredAny := false
	for _, pod := range c.pods(c.selector) {
		usage, ok := c.source.Pod(pod)
		if !ok {
			continue
		}
		measuredAny = true
		total, all, found := int64(0), len(usage.Containers) > 0, container == ""
		for _, one := range usage.Containers {
			if container != "" && one.Name != container {
				continue
			}
			found = true
			value, known := one.Of(name)
			total, all = total+value, all && known
		}
		if !found {
			return nil, fmt.Errorf("failed to get container metrics: container %s not present in metrics for pod %s/%s", container, pod.Namespace, pod.Name)
		}
		if all {
			samples[pod.Name] = sample{total, usage.Time, usage.Window}
		}
	}
	if !measuredAny {
		return nil, errors.New("no metrics returned from resource metrics API")
	}
	return samples, nil
}

// groups are the pods by what their metrics are worth.
type groups struct {
	ready                     int
	unready, missing, ignored []string
}

func (c *computation) group(pods []*corev1.Pod, measured map[string]sample, name corev1.ResourceName) groups {
	var g groups
	for _, pod := range pods {
		value, found := measured[pod.Name]
		switch {
		case pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodFailed:
			g.ignored = append(g.ignored, pod.Name)
		case pod.Status.Phase == corev1.PodPending:
			g.unready = append(g.unready, pod.Name)
		case !found:
			g.missing = append(g.missing, pod.Name)
		case name == corev1.ResourceCPU && c.starting(pod, value):
			g.unready = append(g.unready, pod.Name)
		default:
			g.ready++
		}
	}
	for _, names := range [...][]string{g.ignored, g.unready} {
		for _, name := range names {
			delete(measured, name)
		}
	}
	return g
}

// starting reports whether the CPU that a pod uses is still that of its start.
func (c *computation) starting(pod *corev1.Pod, value sample) bool {
	condition := podutil.Condition(pod, corev1.PodReady)
	if condition == nil || pod.Status.StartTime == nil {
		return true
	}
	unready, began := condition.Status == corev1.ConditionFalse, pod.Status.StartTime.Time
	if began.Add(cpuInitialization).After(c.clock.Now()) {
		return unready || value.at.Before(condition.LastTransitionTime.Add(value.window))
	}
	return unready && began.Add(initialReadiness).After(condition.LastTransitionTime.Time)
}

var (
	errNoPods    = errors.New("no pods returned by selector while calculating replica count")
	errUnready   = errors.New("did not receive metrics for targeted pods (pods might be unready)")
	errUnmatched = errors.New("no metrics returned matched known pods")
)

// utilization compares a share of what the pods request.
func (c *computation) utilization(measured map[string]sample, target int32, name corev1.ResourceName, container string) (replicas, share int32, usage int64, err error) {
	pods := c.pods(c.selector)
	if len(pods) == 0 {
		return 0, 0, 0, errNoPods
	}
	g := c.group(pods, measured, name)
	if len(measured) == 0 {
		return 0, 0, 0, errUnready
	}
	requests := map[string]int64{}
	for _, pod := range pods {
		if requests[pod.Name], err = requestOf(pod, name, container); err != nil {
			return 0, 0, 0, err
		}
	}
	ratio, share, usage, err := shareOf(measured, requests, target)
	if err != nil {
		return 0, 0, 0, err
	}
	fill := func(pod string) int64 { return requests[pod] * int64(max(100, target)) / 100 }
	replicas, err = c.adjust(measured, &g, ratio, fill, func() (float64, error) {
		ratio, _, _, err := shareOf(measured, requests, target)
		return ratio, err
	})
	return replicas, share, usage, err
}

// plain compares an average with its target.
func (c *computation) plain(measured map[string]sample, target int64, name corev1.ResourceName) (replicas int32, usage int64, err error) {
	pods := c.pods(c.selector)
	if len(pods) == 0 {
		return 0, 0, errNoPods
	}
	g := c.group(pods, measured, name)
	if len(measured) == 0 {
		return 0, 0, errUnready
	}
	average := func() int64 {
		total := int64(0)
		for _, value := range measured {
			total += value.value
		}
		return total / int64(len(measured))
	}
	usage = average()
	replicas, err = c.adjust(measured, &g, float64(usage)/float64(target), func(string) int64 { return target }, func() (float64, error) {
		return float64(average()) / float64(target), nil
	})
	return replicas, usage, err
}

// adjust turns a ratio into replicas. Pods without metrics are taken to need
// what speaks against a change: when scaling down what missing says, when
// scaling up nothing.
func (c *computation) adjust(measured map[string]sample, g *groups, ratio float64, missing func(pod string) int64, again func() (float64, error)) (int32, error) {
	upWithUnready := len(g.unready) > 0 && ratio > 1
	if !upWithUnready && len(g.missing) == 0 {
		if c.tolerates(ratio) {
			return c.spec, nil
		}
		return int32(math.Ceil(ratio * float64(g.ready))), nil
	}
	for _, pod := range g.missing {
		switch {
		case ratio < 1:
			measured[pod] = sample{value: missing(pod)}
		case ratio > 1:
			measured[pod] = sample{}
		}
	}
	if upWithUnready {
		for _, pod := range g.unready {
			measured[pod] = sample{}
		}
	}
	careful, err := again()
	if err != nil {
		return 0, err
	}
	if c.tolerates(careful) || ratio < 1 && careful > 1 || ratio > 1 && careful < 1 {
		return c.spec, nil
	}
	replicas := int32(math.Ceil(careful * float64(len(measured))))
	if careful < 1 && replicas > c.spec || careful > 1 && replicas < c.spec {
		return c.spec, nil
	}
	return replicas, nil
}

// tolerates reports whether a ratio is near enough to 1.
func (c *computation) tolerates(ratio float64) bool {
	down, up := defaultTolerance, defaultTolerance
	if behavior := c.hpa.Spec.Behavior; behavior != nil {
		if behavior.ScaleDown != nil && behavior.ScaleDown.Tolerance != nil {
			down = behavior.ScaleDown.Tolerance.AsApproximateFloat64()
		}
		if behavior.ScaleUp != nil && behavior.ScaleUp.Tolerance != nil {
			up = behavior.ScaleUp.Tolerance.AsApproximateFloat64()
		}
	}
	return 1-down <= ratio && ratio <= 1+up
}

func shareOf(measured map[string]sample, requests map[string]int64, target int32) (ratio float64, share int32, usage int64, err error) {
	total, requested, count := int64(0), int64(0), int64(0)
	for pod, value := range measured {
		if request, known := requests[pod]; known {
			total, requested, count = total+value.value, requested+request, count+1
		}
	}
	if requested == 0 {
		return 0, 0, 0, errUnmatched
	}
	share = int32(total * 100 / requested)
	return float64(share) / float64(target), share, total / count, nil
}

func requestOf(pod *corev1.Pod, name corev1.ResourceName, container string) (int64, error) {
	if container == "" && podresource.IsPodLevelRequestsSet(pod) {
		request, ok := podresource.PodRequests(pod, podresource.PodResourcesOptions{})[name]
		if !ok {
			return 0, fmt.Errorf("missing pod-level request for %s in Pod %s", name, pod.Name)
		}
		return request.MilliValue(), nil
	}
	total, found := int64(0), container == ""
	add := func(one *corev1.Container) error {
		if container != "" && one.Name != container {
			return nil
		}
		found = true
		request, ok := one.Resources.Requests[name]
		if !ok {
			return fmt.Errorf("missing request for %s in container %s of Pod %s", name, one.Name, pod.Name)
		}
		total += request.MilliValue()
		return nil
	}
	for i := range pod.Spec.Containers {
		if err := add(&pod.Spec.Containers[i]); err != nil {
			return 0, err
		}
	}
	for i := range pod.Spec.InitContainers {
		if policy := pod.Spec.InitContainers[i].RestartPolicy; policy == nil || *policy != corev1.ContainerRestartPolicyAlways {
			continue
		}
		if err := add(&pod.Spec.InitContainers[i]); err != nil {
			return 0, err
		}
	}
	if !found {
		return 0, fmt.Errorf("container %s not found in Pod %s", container, pod.Name)
	}
	return total, nil
}

// whole turns the ratio of a value that all pods share into replicas.
func (c *computation) whole(ratio float64) (int32, error) {
	if c.spec == 0 {
		return int32(math.Ceil(ratio)), nil
	}
	if c.tolerates(ratio) {
		return c.spec, nil
	}
	pods := c.pods(c.selector)
	if len(pods) == 0 {
		return 0, fmt.Errorf("unable to calculate ready pods: %w", errNoPods)
	}
	ready := 0
	for _, pod := range pods {
		if pod.Status.Phase == corev1.PodRunning && podutil.Ready(pod) {
			ready++
		}
	}
	return clamp(ratio * float64(ready)), nil
}

// perPod divides a value that all pods share among them.
func (c *computation) perPod(usage, target int64) (replicas int32, average int64) {
	replicas = c.status
	if ratio := float64(usage) / (float64(target) * float64(replicas)); !c.tolerates(ratio) {
		replicas = clamp(float64(usage) / float64(target))
	}
	average = usage
	if c.status > 0 {
		average = int64(math.Ceil(float64(usage) / float64(c.status)))
	}
	return replicas, average
}

func clamp(replicas float64) int32 { return int32(min(math.Ceil(replicas), math.MaxInt32)) }
