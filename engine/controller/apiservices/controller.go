// Package apiservices is the control loop that keeps an APIService for each
// group version that is served: those of Kubernetes itself from the start, those
// of CustomResourceDefinitions as they come and go. It also says of APIServices
// that point to a Service, which nobody asks here, why they are not available.
// In Kubernetes these are the autoregister, crd-autoregister and
// availability controllers (k8s.io/kube-aggregator/pkg/controllers).
package apiservices

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"

	"tidepool.dev/tidepool/engine/api/custom"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in causes: the loops are a part of the API server.
	Name = "kube-aggregator"

	resource        = "apiservices.apiregistration.k8s.io"
	serviceResource = "services"

	// managed marks the loop's own objects, and how long it cares for them.
	managed   = "kube-aggregator.kubernetes.io/automanaged"
	onStart   = "onstart"
	alwaysSet = "true"
)

type loop struct {
	cache   *cache.Cache
	client  client.Client
	clock   clock.Clock
	builtin map[string]schema.GroupVersion // by the names of their APIServices
}

// New returns the control loop; builtin are the group versions that are there
// without a definition.
func New(cache *cache.Cache, client client.Client, clock clock.Clock, builtin []schema.GroupVersion) controller.Controller {
	l := &loop{cache, client, clock, map[string]schema.GroupVersion{}}
	for _, gv := range builtin {
		if gv.Group != apiregistrationv1.GroupName { // the aggregator does not register itself
			l.builtin[nameOf(gv)] = gv
		}
	}
	return controller.Controller{
		Name: Name,
		Watches: []controller.Watch{
			{Resource: resource, Map: controller.ForObject},
			{Resource: custom.Resource, Map: forDefinition},
			{Resource: serviceResource, Map: l.forService},
		},
		Source: func(enqueue func(controller.Request)) {
			for _, gv := range builtin { // in order
				enqueue(controller.Request{Name: nameOf(gv)})
			}
		},
		Reconciler: l,
	}
}

func nameOf(gv schema.GroupVersion) string { return gv.Version + "." + gv.Group }

// forDefinition requests the group versions that a definition has or had.
func forDefinition(event store.Event) []controller.Request {
	var requests []controller.Request
	for _, obj := range [...]store.Object{event.Prev, event.Object} {
		crd, ok := obj.(*apiextensionsv1.CustomResourceDefinition)
		if !ok {
			continue
		}
		for i := range crd.Spec.Versions {
			requests = append(requests, controller.Request{Name: crd.Spec.Versions[i].Name + "." + crd.Spec.Group})
		}
	}
	return requests
}

// forService requests those that point to a Service.
func (l *loop) forService(event store.Event) []controller.Request {
	var requests []controller.Request
	for _, s := range cache.List[*apiregistrationv1.APIService](l.cache, resource, "") {
		if ref := s.Spec.Service; ref != nil && ref.Namespace == event.Key.Namespace && ref.Name == event.Key.Name {
			requests = append(requests, controller.Request{Name: s.Name})
		}
	}
	return requests
}

// Reconcile implements controller.Reconciler.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	present, exists := cache.Get[*apiregistrationv1.APIService](l.cache, resource, "", request.Name)
	wanted := l.wanted(request.Name)
	var err error
	switch {
	case !exists && wanted != nil:
		_, err = l.client.Create(ctx, resource, wanted)
	case !exists:
	case present.Spec.Service != nil:
		err = l.judge(ctx, present)
	case present.Labels[managed] == alwaysSet && wanted == nil:
		err = l.client.Delete(ctx, resource, "", present.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &present.UID}})
	case present.Labels[managed] == alwaysSet && !equality.Semantic.DeepEqual(present.Spec, wanted.Spec):
		next := present.DeepCopy()
		next.Spec = wanted.Spec
		_, err = l.client.Update(ctx, resource, next)
	}
	if errors.IsNotFound(err) || errors.IsConflict(err) || errors.IsAlreadyExists(err) {
		err = nil // that change leads to another turn
	}
	return controller.Result{}, err
}

// wanted is the APIService of a served group version, nil if it is not served.
func (l *loop) wanted(name string) *apiregistrationv1.APIService {
	gv, ok := l.builtin[name]
	if ok {
		of := priorityOf(gv)
		return local(gv, onStart, of.group, of.version)
	}
	version, group, _ := strings.Cut(name, ".")
	for _, crd := range cache.List[*apiextensionsv1.CustomResourceDefinition](l.cache, custom.Resource, "") {
		if crd.Spec.Group != group {
			continue
		}
		for i := range crd.Spec.Versions {
			if v := &crd.Spec.Versions[i]; v.Name == version && v.Served {
				return local(schema.GroupVersion{Group: group, Version: version}, alwaysSet, 1000, 100)
			}
		}
	}
	return nil
}

func local(gv schema.GroupVersion, management string, group, version int32) *apiregistrationv1.APIService {
	return &apiregistrationv1.APIService{
		ObjectMeta: metav1.ObjectMeta{Name: nameOf(gv), Labels: map[string]string{managed: management}},
		Spec:       apiregistrationv1.APIServiceSpec{Group: gv.Group, Version: gv.Version, GroupPriorityMinimum: group, VersionPriority: version},
	}
}

// judge tells of an APIService that points to a Service that it is not
// available: requests are not passed on.
func (l *loop) judge(ctx context.Context, s *apiregistrationv1.APIService) error {
	at := s.Spec.Service
	condition := apiregistrationv1.APIServiceCondition{Type: apiregistrationv1.Available, Status: apiregistrationv1.ConditionFalse,
		LastTransitionTime: metav1.NewTime(l.clock.Now().Truncate(time.Second))}
	service, ok := cache.Get[*corev1.Service](l.cache, serviceResource, at.Namespace, at.Name)
	switch {
	case !ok:
		condition.Reason, condition.Message = "ServiceNotFound", fmt.Sprintf("service/%s in %q is not present", at.Name, at.Namespace)
	case !listens(service, *at.Port):
		condition.Reason, condition.Message = "ServicePortError", fmt.Sprintf("service/%s in %q is not listening on port %d", at.Name, at.Namespace, *at.Port)
	default:
		condition.Reason, condition.Message = "FailedDiscoveryCheck", fmt.Sprintf("requests are not passed on to service/%s in %q: this API server aggregates no others", at.Name, at.Namespace)
	}
	next := s.DeepCopy()
	next.Status.Conditions = []apiregistrationv1.APIServiceCondition{condition}
	if had := s.Status.Conditions; len(had) == 1 && had[0].Status == condition.Status {
		next.Status.Conditions[0].LastTransitionTime = had[0].LastTransitionTime
	}
	if equality.Semantic.DeepEqual(next.Status, s.Status) {
		return nil
	}
	_, err := l.client.UpdateStatus(ctx, resource, next)
	return err
}

func listens(service *corev1.Service, port int32) bool {
	for i := range service.Spec.Ports {
		if service.Spec.Ports[i].Port == port {
			return true
		}
	}
	return service.Spec.Type == corev1.ServiceTypeExternalName
}
