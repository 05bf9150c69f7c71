// Package customresources is the control loop of CustomResourceDefinitions: it
// accepts their names unless others have them, establishes them, so that
// engine/api/custom serves their resources, and deletes the resources of a
// definition that is deleted before it lets that go. In Kubernetes these are the
// naming, establishing, approval and finalizing controllers of
// k8s.io/apiextensions-apiserver/pkg/controller.
package customresources

import (
	"context"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/custom"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/store"
)

// Name is the component in causes: the loops are a part of the API server.
const Name = "crd-controller"

// poll is how often it is looked whether all instances are gone.
const poll = 5 * time.Second

type loop struct {
	cache  *cache.Cache
	client client.Client
	clock  clock.Clock
}

// New returns the control loop.
func New(cache *cache.Cache, client client.Client, clock clock.Clock) controller.Controller {
	l := &loop{cache: cache, client: client, clock: clock}
	return controller.Controller{
		Name: Name,
		Watches: []controller.Watch{
			{Resource: custom.Resource, Map: l.forDefinition},
			{Resource: controller.Custom, Map: l.forInstance},
		},
		Reconciler: l,
	}
}

// forDefinition requests the definition and those that may get a name of it.
func (l *loop) forDefinition(event store.Event) []controller.Request {
	requests := controller.ForObject(event)
	if event.Type == store.Added {
		return requests
	}
	group := event.Object.(*apiextensionsv1.CustomResourceDefinition).Spec.Group
	for _, crd := range l.definitions(group) {
		if !custom.IsTrue(crd, apiextensionsv1.NamesAccepted) {
			requests = append(requests, controller.Request{Name: crd.Name})
		}
	}
	return requests
}

// forInstance looks again when an object has gone whose definition waits for it.
func (l *loop) forInstance(event store.Event) []controller.Request {
	if event.Type != store.Deleted {
		return nil
	}
	crd, ok := cache.Get[*apiextensionsv1.CustomResourceDefinition](l.cache, custom.Resource, "", event.Key.Resource)
	if !ok || crd.DeletionTimestamp == nil {
		return nil
	}
	return []controller.Request{{Name: crd.Name}}
}

func (l *loop) definitions(group string) []*apiextensionsv1.CustomResourceDefinition {
	var list []*apiextensionsv1.CustomResourceDefinition
	for _, crd := range cache.List[*apiextensionsv1.CustomResourceDefinition](l.cache, custom.Resource, "") {
		if crd.Spec.Group == group {
			list = append(list, crd)
		}
	}
	return list
}

// Reconcile implements controller.Reconciler.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	crd, ok := cache.Get[*apiextensionsv1.CustomResourceDefinition](l.cache, custom.Resource, "", request.Name)
	if !ok {
		return controller.Result{}, nil
	}
	if crd.DeletionTimestamp != nil {
		return l.finalize(ctx, crd)
	}
	next := crd.DeepCopy()
	if !equality.Semantic.DeepEqual(crd.Spec.Names, crd.Status.AcceptedNames) || custom.Condition(crd, apiextensionsv1.NamesAccepted) == nil {
		l.name(next)
	}
	if custom.IsTrue(next, apiextensionsv1.NamesAccepted) && !custom.IsTrue(next, apiextensionsv1.Established) {
		l.set(next, apiextensionsv1.Established, apiextensionsv1.ConditionTrue, "InitialNamesAccepted", "the initial names have been accepted")
	}
	l.approve(next)
	if equality.Semantic.DeepEqual(next.Status, crd.Status) {
		return controller.Result{}, nil
	}
	_, err := l.client.UpdateStatus(ctx, custom.Resource, next)
	return controller.Result{}, ignoreStale(err)
}

// ignoreStale drops errors after which there is another turn anyway, or nothing
// left to do.
func ignoreStale(err error) error {
	if errors.IsNotFound(err) || errors.IsConflict(err) {
		return nil
	}
	return err
}

// set gives a definition a condition; the time is that of its latest change of
// status.
func (l *loop) set(crd *apiextensionsv1.CustomResourceDefinition, kind apiextensionsv1.CustomResourceDefinitionConditionType, status apiextensionsv1.ConditionStatus, reason, message string) {
	next := apiextensionsv1.CustomResourceDefinitionCondition{Type: kind, Status: status, Reason: reason, Message: message,
		LastTransitionTime: metav1.NewTime(l.clock.Now().Truncate(time.Second))}
	had := custom.Condition(crd, kind)
	if had == nil {
		crd.Status.Conditions = append(crd.Status.Conditions, next)
		return
	}
	if had.Status == status {
		next.LastTransitionTime = had.LastTransitionTime
	}
	*had = next
}
