// Package podautoscaler is the control loop that gives workloads as many
// replicas as their metrics ask for: every 15 seconds it compares what a
// HorizontalPodAutoscaler's pods use with what they should, and scales the
// workload within the autoscaler's limits, not faster than its policies allow
// and not at once back.
//
// Where metrics come from is not its business (see engine/metrics).
package podautoscaler

import (
	"context"
	"fmt"
	"sync"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/internal/stamp"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/metrics"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in events and causes.
	Name = "horizontal-pod-autoscaler"

	resourceOf = "horizontalpodautoscalers.autoscaling"

	// As kube-controller-manager's defaults.
	period              = 15 * time.Second
	downscaleWindow     = 5 * time.Minute
	defaultTolerance    = 0.1
	cpuInitialization   = 5 * time.Minute
	initialReadiness    = 30 * time.Second
	scaleUpLimitFactor  = 2
	scaleUpLimitMinimum = 4
)

type loop struct {
	cache    *cache.Cache
	client   client.Client
	recorder events.Recorder
	clock    clock.Clock
	source   metrics.Source
	kinds    map[schema.GroupKind]*kind.Kind

	mu       sync.Mutex
	memories map[controller.Request]*memory
}

// New returns the control loop. served are the kinds that autoscalers may name;
// source may be nil, for a cluster that measures nothing.
func New(cache *cache.Cache, client client.Client, recorder events.Recorder, clock clock.Clock, source metrics.Source, served []*kind.Kind) controller.Controller {
	l := &loop{cache: cache, client: client, recorder: recorder, clock: clock, source: source,
		kinds: map[schema.GroupKind]*kind.Kind{}, memories: map[controller.Request]*memory{}}
	for _, k := range served {
		l.kinds[k.GroupVersionKind.GroupKind()] = k
	}
	return controller.Controller{
		Name:       Name,
		Watches:    []controller.Watch{{Resource: resourceOf, Map: l.changed}},
		Reconciler: l,
		Workers:    5,
	}
}

// changed requests a turn for what a person does; the loop's own writes of the
// status must not make it run all the time.
func (l *loop) changed(event store.Event) []controller.Request {
	switch old, modified := event.Prev.(*autoscalingv2.HorizontalPodAutoscaler); {
	case event.Type == store.Deleted:
		l.mu.Lock()
		delete(l.memories, controller.ForObject(event)[0])
		l.mu.Unlock()
		return nil
	case modified && old.Generation == event.Object.GetGeneration():
		return nil
	}
	return controller.ForObject(event)
}

// turn is one look at one autoscaler.
type turn struct {
	*loop
	ctx context.Context
	hpa *autoscalingv2.HorizontalPodAutoscaler // a copy
	*memory
}

// Reconcile implements controller.Reconciler. What fails is told in events and
// conditions and tried again with the next period.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	shared, ok := cache.Get[*autoscalingv2.HorizontalPodAutoscaler](l.cache, resourceOf, request.Namespace, request.Name)
	if !ok {
		return controller.Result{}, nil
	}
	l.mu.Lock()
	remembered := l.memories[request]
	if remembered == nil {
		remembered = &memory{}
		l.memories[request] = remembered
	}
	l.mu.Unlock()
	t := &turn{loop: l, ctx: ctx, hpa: shared.DeepCopy(), memory: remembered}
	t.reconcile()
	if !equality.Semantic.DeepEqual(shared.Status, t.hpa.Status) {
		t.hpa.Spec = shared.Spec
		_, err := l.client.UpdateStatus(ctx, resourceOf, t.hpa)
		if err != nil && !errors.IsConflict(err) && !errors.IsNotFound(err) {
			t.warn("FailedUpdateStatus", err.Error())
		}
	}
	return controller.Result{RequeueAfter: period}, nil
}

func (t *turn) warn(reason, message string) {
	t.recorder.Event(t.ctx, t.hpa, corev1.EventTypeWarning, reason, message)
}

func (t *turn) set(conditionType autoscalingv2.HorizontalPodAutoscalerConditionType, is bool, reason, message string) {
	status := corev1.ConditionFalse
	if is {
		status = corev1.ConditionTrue
	}
	var condition *autoscalingv2.HorizontalPodAutoscalerCondition
	for i := range t.hpa.Status.Conditions {
		if c := &t.hpa.Status.Conditions[i]; c.Type == conditionType {
			condition = c
		}
	}
	if condition == nil {
		t.hpa.Status.Conditions = append(t.hpa.Status.Conditions, autoscalingv2.HorizontalPodAutoscalerCondition{Type: conditionType})
		condition = &t.hpa.Status.Conditions[len(t.hpa.Status.Conditions)-1]
	}
	if condition.Status != status {
		condition.Status, condition.LastTransitionTime = status, stamp.Now(t.clock)
	}
	condition.Reason, condition.Message = reason, message
}

// target finds the workload and its kind.
func (t *turn) target() (*kind.Kind, store.Object, error) {
	ref := t.hpa.Spec.ScaleTargetRef
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	if err != nil {
		return nil, nil, err
	}
	k, served := t.kinds[schema.GroupKind{Group: gv.Group, Kind: ref.Kind}]
	switch {
	case !served:
		return nil, nil, fmt.Errorf("no matches for kind %q in group %q", ref.Kind, gv.Group)
	case k.Scale == nil:
		return nil, nil, fmt.Errorf("the server could not find the requested resource")
	}
	obj, ok := cache.Get[store.Object](t.cache, k.Resource(), t.hpa.Namespace, ref.Name)
	if !ok {
		return nil, nil, errors.NewNotFound(k.GroupResource(), ref.Name)
	}
	return k, obj, nil
}

func (t *turn) reconcile() {
	k, obj, err := t.target()
	if err != nil {
		t.warn("FailedGetScale", err.Error())
		t.set(autoscalingv2.AbleToScale, false, "FailedGetScale", "the HPA controller was unable to get the target's current scale: "+err.Error())
		return
	}
	t.set(autoscalingv2.AbleToScale, true, "SucceededGetScale", "the HPA controller was able to get the target's current scale")
	scale := k.Scale.Get(obj)
	current := scale.Spec.Replicas
	t.begin(current, t.clock.Now())
	least, most := int32(1), t.hpa.Spec.MaxReplicas
	if t.hpa.Spec.MinReplicas != nil {
		least = *t.hpa.Spec.MinReplicas
	}
	fromZero := t.scaledToZero() && (least != 0 || t.seesOutside())
	desired, reason, measured := int32(0), "", []autoscalingv2.MetricStatus(nil)
	switch {
	case current == 0 && !fromZero:
		t.set(autoscalingv2.ScalingActive, false, "ScalingDisabled", "scaling is disabled since the replica count of the target is zero")
		t.settle(current, current, nil)
		return
	case current > most:
		desired, reason = most, "Current number of replicas above Spec.MaxReplicas"
	case current != 0 && current < least:
		desired, reason = least, "Current number of replicas below Spec.MinReplicas"
	default:
		var metric string
		var ok bool
		if desired, metric, measured, ok = t.propose(scale); !ok {
			t.settle(current, t.hpa.Status.DesiredReplicas, measured)
			return
		}
		switch {
		case desired > current:
			reason = metric + " above target"
		case desired < current:
			reason = "All metrics below target"
		}
		desired = t.normalize(current, desired, least)
		if current == 0 && desired < least {
			desired, reason = least, "Current number of replicas below Spec.MinReplicas"
		}
		if desired == current {
			t.settle(current, current, measured)
			return
		}
	}
	t.rescale(k, scale, desired, reason, measured)
}

func (t *turn) rescale(k *kind.Kind, scale *autoscalingv1.Scale, desired int32, reason string, measured []autoscalingv2.MetricStatus) {
	current := scale.Spec.Replicas
	_, err := client.Modify(t.ctx, t.client, k.Resource(), t.hpa.Namespace, t.hpa.Spec.ScaleTargetRef.Name, t.client.Update, func(fresh store.Object) bool {
		k.Scale.Set(fresh, desired)
		return true
	})
	if err != nil {
		t.warn("FailedRescale", fmt.Sprintf("New size: %d; reason: %s; error: %v", desired, reason, err))
		t.set(autoscalingv2.AbleToScale, false, "FailedUpdateScale", "the HPA controller was unable to update the target scale: "+err.Error())
		t.settle(current, t.hpa.Status.DesiredReplicas, measured)
		return
	}
	t.set(autoscalingv2.AbleToScale, true, "SucceededRescale", fmt.Sprintf("the HPA controller was able to update the target scale to %d", desired))
	t.recorder.Event(t.ctx, t.hpa, corev1.EventTypeNormal, "SuccessfulRescale", fmt.Sprintf("New size: %d; reason: %s", desired, reason))
	t.scaled(t.hpa.Spec.Behavior, current, desired, t.clock.Now())
	if desired == 0 && t.seesOutside() {
		t.set(autoscalingv2.ScaledToZero, true, "ScaledToZero", "the HPA controller scaled the workload to zero")
	} else {
		t.set(autoscalingv2.ScaledToZero, false, "NotScaledToZero", "the HPA controller did not scale the workload to zero")
	}
	t.settle(current, desired, measured)
	now := stamp.Now(t.clock)
	t.hpa.Status.LastScaleTime = &now
}

// settle fills in the counts of the status.
func (t *turn) settle(current, desired int32, measured []autoscalingv2.MetricStatus) {
	t.hpa.Status.CurrentReplicas, t.hpa.Status.DesiredReplicas, t.hpa.Status.CurrentMetrics = current, desired, measured
	t.hpa.Status.ObservedGeneration = new(t.hpa.Generation)
}

func (t *turn) scaledToZero() bool {
	for _, c := range t.hpa.Status.Conditions {
		if c.Type == autoscalingv2.ScaledToZero {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// seesOutside reports whether some metric is not one of the pods: without pods
// it alone can ask for them.
func (t *turn) seesOutside() bool {
	for i := range t.hpa.Spec.Metrics {
		switch t.hpa.Spec.Metrics[i].Type {
		case autoscalingv2.ObjectMetricSourceType, autoscalingv2.ExternalMetricSourceType:
			return true
		}
	}
	return false
}
