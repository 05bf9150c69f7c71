// Package flowcontrol is the control loop of API priority and fairness: it keeps
// the FlowSchemas and PriorityLevelConfigurations that every cluster has, and
// tells which FlowSchema points to a level that does not exist. In Kubernetes
// these are the post-start hook of
// k8s.io/kubernetes/pkg/registry/flowcontrol/rest, whose turns are a minute
// apart, and k8s.io/apiserver/pkg/util/flowcontrol.
package flowcontrol

import (
	"context"
	"fmt"
	"slices"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in causes: the loops are a part of the API server.
	Name = "api-priority-and-fairness-config-consumer-v1"

	schemaResource = "flowschemas.flowcontrol.apiserver.k8s.io"
	levelResource  = "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io"
)

type loop struct {
	cache  *cache.Cache
	client client.Client
	clock  clock.Clock
}

// New returns the control loops of levels and of schemas.
func New(cache *cache.Cache, client client.Client, clock clock.Clock) []controller.Controller {
	l := &loop{cache, client, clock}
	return []controller.Controller{
		{
			Name:       Name,
			Watches:    []controller.Watch{{Resource: levelResource, Map: controller.ForObject}},
			Source:     requests(levels()),
			Reconciler: controller.ReconcilerFunc(l.level),
		},
		{
			Name: Name,
			Watches: []controller.Watch{
				{Resource: schemaResource, Map: controller.ForObject},
				{Resource: levelResource, Map: l.forLevel},
			},
			Source:     requests(schemas()),
			Reconciler: controller.ReconcilerFunc(l.schema),
		},
	}
}

func levels() []*flowcontrolv1.PriorityLevelConfiguration {
	return slices.Concat(bootstrap.SuggestedPriorityLevelConfigurations, bootstrap.MandatoryPriorityLevelConfigurations)
}

func schemas() []*flowcontrolv1.FlowSchema {
	return slices.Concat(bootstrap.SuggestedFlowSchemas, bootstrap.MandatoryFlowSchemas)
}

// requests are for the objects that there have to be.
func requests[T metav1.Object](objects []T) func(func(controller.Request)) {
	return func(enqueue func(controller.Request)) {
		for _, obj := range objects {
			enqueue(controller.Request{Name: obj.GetName()})
		}
	}
}

// forLevel requests the schemas that point to a level that comes or goes.
func (l *loop) forLevel(event store.Event) []controller.Request {
	var found []controller.Request
	for _, s := range cache.List[*flowcontrolv1.FlowSchema](l.cache, schemaResource, "") {
		if s.Spec.PriorityLevelConfiguration.Name == event.Key.Name {
			found = append(found, controller.Request{Name: s.Name})
		}
	}
	return found
}

// named finds one of the objects that every cluster has.
func named[T metav1.Object](objects []T, name string) (found T, ok bool) {
	for _, obj := range objects {
		if obj.GetName() == name {
			return obj, true
		}
	}
	return found, false
}

// automatic says whether an object's spec is kept as it was made: unless its
// annotation says so, where nobody has changed it
// (k8s.io/kubernetes/pkg/registry/flowcontrol/ensurer upstream).
func automatic(obj metav1.Object) bool {
	switch obj.GetAnnotations()[flowcontrolv1.AutoUpdateAnnotationKey] {
	case "true":
		return true
	case "false":
		return false
	}
	return obj.GetGeneration() == 1
}

func (l *loop) level(ctx context.Context, request controller.Request) (controller.Result, error) {
	wanted, ok := named(levels(), request.Name)
	if !ok {
		return controller.Result{}, nil
	}
	present, exists := cache.Get[*flowcontrolv1.PriorityLevelConfiguration](l.cache, levelResource, "", request.Name)
	var err error
	if !exists {
		_, err = l.client.Create(ctx, levelResource, wanted.DeepCopy())
	} else if automatic(present) && !equality.Semantic.DeepEqual(present.Spec, wanted.Spec) {
		next := present.DeepCopy()
		next.Spec = *wanted.Spec.DeepCopy()
		_, err = l.client.Update(ctx, levelResource, next)
	}
	return controller.Result{}, ignoreStale(err)
}

func (l *loop) schema(ctx context.Context, request controller.Request) (controller.Result, error) {
	wanted, ours := named(schemas(), request.Name)
	present, exists := cache.Get[*flowcontrolv1.FlowSchema](l.cache, schemaResource, "", request.Name)
	var err error
	switch {
	case !exists && ours:
		_, err = l.client.Create(ctx, schemaResource, wanted.DeepCopy())
	case !exists:
	case ours && automatic(present) && !equality.Semantic.DeepEqual(present.Spec, wanted.Spec):
		next := present.DeepCopy()
		next.Spec = *wanted.Spec.DeepCopy()
		_, err = l.client.Update(ctx, schemaResource, next)
	default:
		err = l.judge(ctx, present)
	}
	return controller.Result{}, ignoreStale(err)
}

// ignoreStale drops errors after which there is another turn anyway.
func ignoreStale(err error) error {
	if errors.IsNotFound(err) || errors.IsConflict(err) || errors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// judge says whether the level that a schema points to exists.
func (l *loop) judge(ctx context.Context, s *flowcontrolv1.FlowSchema) error {
	level := s.Spec.PriorityLevelConfiguration.Name
	now := metav1.NewTime(l.clock.Now().Truncate(time.Second))
	condition := flowcontrolv1.FlowSchemaCondition{
		Type: flowcontrolv1.FlowSchemaConditionDangling, Status: flowcontrolv1.ConditionFalse, LastTransitionTime: now, Reason: "Found",
		Message: fmt.Sprintf("This FlowSchema references the PriorityLevelConfiguration object named %q and it exists", level),
	}
	if _, found := cache.Get[*flowcontrolv1.PriorityLevelConfiguration](l.cache, levelResource, "", level); !found {
		condition.Status, condition.Reason = flowcontrolv1.ConditionTrue, "NotFound"
		condition.Message = fmt.Sprintf("This FlowSchema references the PriorityLevelConfiguration object named %q but there is no such object", level)
	}
	next := s.DeepCopy()
	for i, had := range next.Status.Conditions {
		if had.Type != condition.Type {
			continue
		}
		if had.Status == condition.Status && had.Reason == condition.Reason && had.Message == condition.Message {
			return nil
		}
		next.Status.Conditions[i] = condition
		_, err := l.client.UpdateStatus(ctx, schemaResource, next)
		return err
	}
	next.Status.Conditions = append(next.Status.Conditions, condition)
	_, err := l.client.UpdateStatus(ctx, schemaResource, next)
	return err
}
