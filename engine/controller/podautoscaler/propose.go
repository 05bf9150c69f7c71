package podautoscaler

import (
	"errors"
	"fmt"
	"math"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"tidepool.dev/tidepool/engine/cache"
)

// propose asks every metric and takes the largest answer. ok is false when
// there is none to rely on, which it has told.
func (t *turn) propose(scale *autoscalingv1.Scale) (replicas int32, metric string, measured []autoscalingv2.MetricStatus, ok bool) {
	selector, err := t.selector(scale.Status.Selector)
	if err != nil {
		t.warn("FailedComputeMetricsReplicas", err.Error())
		return 0, "", nil, false
	}
	list := t.hpa.Spec.Metrics
	measured = make([]autoscalingv2.MetricStatus, len(list))
	var first error
	var reason, message string
	invalid := 0
	for i := range list {
		c := &computation{turn: t, spec: scale.Spec.Replicas, status: scale.Status.Replicas, selector: selector}
		proposed, name, err := c.compute(&list[i], &measured[i])
		if err != nil {
			t.warn(c.reason, err.Error())
			if invalid++; first == nil {
				first = fmt.Errorf("%s: %w", c.failed, err)
				reason, message = c.reason, "the HPA was unable to compute the replica count: "+err.Error()
			}
			continue
		}
		if replicas == 0 || proposed > replicas {
			replicas, metric = proposed, name
		}
	}
	if invalid == len(list) || invalid > 0 && replicas < scale.Spec.Replicas {
		t.set(autoscalingv2.ScalingActive, false, reason, message)
		t.warn("FailedComputeMetricsReplicas", fmt.Sprintf("invalid metrics (%v invalid out of %v), first error is: %v", invalid, len(list), first))
		return 0, "", measured, false
	}
	t.set(autoscalingv2.ScalingActive, true, "ValidMetricFound", "the HPA was able to successfully calculate a replica count from "+metric)
	return replicas, metric, measured, true
}

// selector parses the selector of the target's pods and refuses to share them
// with another autoscaler.
func (t *turn) selector(text string) (labels.Selector, error) {
	if text == "" {
		t.warn("SelectorRequired", "selector is required")
		t.set(autoscalingv2.ScalingActive, false, "InvalidSelector", "the HPA target's scale is missing a selector")
		return nil, errors.New("selector is required")
	}
	selector, err := labels.Parse(text)
	if err != nil {
		message := fmt.Sprintf("couldn't convert selector into a corresponding internal selector object: %v", err)
		t.warn("InvalidSelector", message)
		t.set(autoscalingv2.ScalingActive, false, "InvalidSelector", message)
		return nil, errors.New(message)
	}
	if others := t.rivals(selector); len(others) > 0 {
		message := fmt.Sprintf("pods by selector %v are controlled by more than one HPA (e.g. %v)", text, append([]string{t.hpa.Namespace + "/" + t.hpa.Name}, others...))
		t.warn("AmbiguousSelector", message)
		t.set(autoscalingv2.ScalingActive, false, "AmbiguousSelector", message)
		return nil, errors.New(message)
	}
	return selector, nil
}

// rivals are other autoscalers whose target has some of the pods.
func (t *turn) rivals(selector labels.Selector) []string {
	var names []string
	for _, other := range cache.List[*autoscalingv2.HorizontalPodAutoscaler](t.cache, resourceOf, t.hpa.Namespace) {
		if other.Name == t.hpa.Name {
			continue
		}
		k, obj, err := (&turn{loop: t.loop, hpa: other}).target()
		if err != nil {
			continue
		}
		theirs, err := labels.Parse(k.Scale.Get(obj).Status.Selector)
		if err != nil {
			continue
		}
		for _, pod := range t.pods(selector) {
			if theirs.Matches(labels.Set(pod.Labels)) {
				return append(names, other.Namespace+"/"+other.Name)
			}
		}
	}
	return names
}

func (t *turn) pods(selector labels.Selector) []*corev1.Pod {
	var pods []*corev1.Pod
	for _, pod := range cache.List[*corev1.Pod](t.cache, "pods", t.hpa.Namespace) {
		if selector.Matches(labels.Set(pod.Labels)) {
			pods = append(pods, pod)
		}
	}
	return pods
}

// computation is the work for one metric; reason and failed say, if it fails,
// what has.
type computation struct {
	*turn
	spec, status   int32 // replicas
	selector       labels.Selector
	reason, failed string
}

func (c *computation) compute(metric *autoscalingv2.MetricSpec, status *autoscalingv2.MetricStatus) (int32, string, error) {
	result := autoscalingv2.MetricStatus{Type: metric.Type}
	var replicas int32
	var name string
	var err error
	switch metric.Type {
	case autoscalingv2.ResourceMetricSourceType:
		source := metric.Resource
		c.reason, c.failed = "FailedGetResourceMetric", fmt.Sprintf("failed to get %s resource metric value", source.Name)
		result.Resource = &autoscalingv2.ResourceMetricStatus{Name: source.Name}
		replicas, name, err = c.resource(source.Name, "", &source.Target, &result.Resource.Current)
	case autoscalingv2.ContainerResourceMetricSourceType:
		source := metric.ContainerResource
		c.reason, c.failed = "FailedGetContainerResourceMetric", fmt.Sprintf("failed to get %s container metric value", source.Container)
		result.ContainerResource = &autoscalingv2.ContainerResourceMetricStatus{Name: source.Name, Container: source.Container}
		replicas, name, err = c.resource(source.Name, source.Container, &source.Target, &result.ContainerResource.Current)
	case autoscalingv2.PodsMetricSourceType:
		c.reason, c.failed = "FailedGetPodsMetric", "failed to get pods metric value"
		result.Pods = &autoscalingv2.PodsMetricStatus{Metric: metric.Pods.Metric}
		replicas, name, err = c.custom(metric.Pods, &result.Pods.Current)
	case autoscalingv2.ObjectMetricSourceType:
		c.reason, c.failed = "FailedGetObjectMetric", "failed to get object metric value"
		result.Object = &autoscalingv2.ObjectMetricStatus{DescribedObject: metric.Object.DescribedObject, Metric: metric.Object.Metric}
		replicas, name, err = c.object(metric.Object, &result.Object.Current)
	case autoscalingv2.ExternalMetricSourceType:
		c.reason, c.failed = "FailedGetExternalMetric", fmt.Sprintf("failed to get %s external metric value", metric.External.Metric.Name)
		result.External = &autoscalingv2.ExternalMetricStatus{Metric: metric.External.Metric}
		replicas, name, err = c.external(metric.External, &result.External.Current)
	default:
		c.reason = "InvalidMetricSourceType"
		return 0, "", fmt.Errorf("unknown metric source type %q", metric.Type)
	}
	if err == nil {
		*status = result
	}
	return replicas, name, err
}

// custom compares a metric of each pod with its target.
func (c *computation) custom(source *autoscalingv2.PodsMetricSource, current *autoscalingv2.MetricValueStatus) (int32, string, error) {
	if c.source == nil {
		return 0, "", fmt.Errorf("unable to get metric %s: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered", source.Metric.Name)
	}
	values, err := c.source.Custom(c.hpa.Namespace, source.Metric.Name, c.selector)
	if err != nil {
		return 0, "", fmt.Errorf("unable to get metric %s: unable to fetch metrics from custom metrics API: %w", source.Metric.Name, err)
	}
	measured := map[string]sample{}
	for pod, value := range values {
		measured[pod] = sample{value: value}
	}
	replicas, usage, err := c.plain(measured, source.Target.AverageValue.MilliValue(), "")
	current.AverageValue = resource.NewMilliQuantity(usage, resource.DecimalSI)
	return replicas, "pods metric " + source.Metric.Name, err
}

func (c *computation) object(source *autoscalingv2.ObjectMetricSource, current *autoscalingv2.MetricValueStatus) (int32, string, error) {
	ref, name := source.DescribedObject, source.Metric.Name
	wrap := func(err error) error {
		return fmt.Errorf("unable to get metric %s on %s %s/%s: unable to fetch metrics from custom metrics API: %w", name, ref.Kind, c.hpa.Namespace, ref.Name, err)
	}
	usage, err := int64(0), errors.New("no custom metrics API (custom.metrics.k8s.io) registered")
	if c.source != nil {
		usage, err = c.source.Object(c.hpa.Namespace, name, ref)
	}
	perPod := source.Target.Type == autoscalingv2.AverageValueMetricType
	switch {
	case perPod && source.Target.AverageValue == nil || !perPod && source.Target.Value == nil:
		return 0, "", errors.New("invalid object metric source: neither a value target nor an average value target was set")
	case err != nil && perPod:
		return 0, "", fmt.Errorf("failed to get %s object metric: %w", name, wrap(err))
	case err != nil:
		return 0, "", wrap(err)
	case perPod:
		replicas, average := c.perPod(usage, source.Target.AverageValue.MilliValue())
		current.AverageValue = resource.NewMilliQuantity(average, resource.DecimalSI)
		return replicas, externalName(&source.Metric), nil
	}
	current.Value = resource.NewMilliQuantity(usage, resource.DecimalSI)
	replicas, err := c.whole(float64(usage) / float64(source.Target.Value.MilliValue()))
	return replicas, fmt.Sprintf("%s metric %s", ref.Kind, name), err
}

func (c *computation) external(source *autoscalingv2.ExternalMetricSource, current *autoscalingv2.MetricValueStatus) (int32, string, error) {
	name := source.Metric.Name
	selector, err := metav1.LabelSelectorAsSelector(source.Metric.Selector)
	if err != nil {
		return 0, "", err
	}
	values, err := []int64(nil), fmt.Errorf("the server could not find the requested resource (get %s.external.metrics.k8s.io)", name)
	if c.source != nil {
		values, err = c.source.External(c.hpa.Namespace, name, selector)
	}
	perPod := source.Target.AverageValue != nil
	if err != nil {
		err = fmt.Errorf("unable to get external metric %s/%s/%s: unable to fetch metrics from external metrics API: %w", c.hpa.Namespace, name, selectorText(source.Metric.Selector), err)
		if perPod {
			return 0, "", fmt.Errorf("failed to get %s external metric: %w", name, err)
		}
		return 0, "", fmt.Errorf("failed to get external metric %s: %w", name, err)
	}
	usage := int64(0)
	for _, value := range values {
		if value > 0 && usage > math.MaxInt64-value {
			usage = math.MaxInt64
			break
		}
		usage += value
	}
	if perPod {
		replicas, average := c.perPod(usage, source.Target.AverageValue.MilliValue())
		current.AverageValue = resource.NewMilliQuantity(average, resource.DecimalSI)
		return replicas, externalName(&source.Metric), nil
	}
	if source.Target.Value == nil {
		return 0, "", errors.New("invalid external metric source: neither a value target nor an average value target was set")
	}
	current.Value = resource.NewMilliQuantity(usage, resource.DecimalSI)
	replicas, err := c.whole(float64(usage) / float64(source.Target.Value.MilliValue()))
	return replicas, externalName(&source.Metric), err
}

func externalName(metric *autoscalingv2.MetricIdentifier) string {
	return fmt.Sprintf("external metric %s(%s)", metric.Name, selectorText(metric.Selector))
}

// selectorText writes a selector as %+v does where its type has its String
// method, which builds for the browser leave out.
func selectorText(s *metav1.LabelSelector) string {
	if s == nil {
		return "nil"
	}
	return metav1.FormatLabelSelector(s)
}
