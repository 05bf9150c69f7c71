// Package rootca is the control loop that publishes in each namespace, as the
// ConfigMap kube-root-ca.crt, the certificates by which pods verify the API
// server.
package rootca

import (
	"context"
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in causes.
	Name = "root-ca-cert-publisher"

	resource          = "configmaps"
	namespaceResource = "namespaces"

	configMap   = "kube-root-ca.crt"
	annotation  = "kubernetes.io/description"
	description = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. " +
		"No other usage is guaranteed across distributions of Kubernetes clusters."
)

type loop struct {
	cache  *cache.Cache
	client client.Client
	data   map[string]string
}

// New returns the control loop; bundle is what it publishes, in PEM form.
func New(cache *cache.Cache, client client.Client, _ events.Recorder, _ clock.Clock, bundle []byte) controller.Controller {
	return controller.Controller{
		Name: Name,
		Watches: []controller.Watch{
			{Resource: namespaceResource, Map: controller.ForObject},
			{Resource: resource, Map: forConfigMap},
		},
		Reconciler: &loop{cache, client, map[string]string{"ca.crt": string(bundle)}},
	}
}

func forConfigMap(event store.Event) []controller.Request {
	if event.Key.Name != configMap {
		return nil
	}
	return []controller.Request{{Name: event.Key.Namespace}}
}

// Reconcile implements controller.Reconciler; requests name namespaces.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	ns, ok := cache.Get[*corev1.Namespace](l.cache, namespaceResource, "", request.Name)
	if !ok || ns.Status.Phase != corev1.NamespaceActive {
		return controller.Result{}, nil
	}
	present, ok := cache.Get[*corev1.ConfigMap](l.cache, resource, ns.Name, configMap)
	var err error
	switch {
	case !ok:
		_, err = l.client.Create(ctx, resource, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{
				Namespace:   ns.Name,
				Name:        configMap,
				Annotations: map[string]string{annotation: description},
			},
			Data: maps.Clone(l.data),
		})
		if errors.IsAlreadyExists(err) || errors.IsNotFound(err) || errors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
			err = nil
		}
	case !maps.Equal(present.Data, l.data) || present.Annotations[annotation] == "":
		next := present.DeepCopy()
		next.Data = maps.Clone(l.data)
		metav1.SetMetaDataAnnotation(&next.ObjectMeta, annotation, description)
		_, err = l.client.Update(ctx, resource, next)
	}
	return controller.Result{}, err
}
