package rest

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

// bootstrapActor is who creates what every cluster has.
const bootstrapActor = "kube-apiserver"

// Bootstrap creates the namespaces, the PriorityClasses and the Service of the
// API server that every cluster has, if they are not there.
func (o *Operations) Bootstrap(ctx context.Context) error {
	ctx = store.WithCause(ctx, store.Cause{Actor: bootstrapActor})
	for _, name := range []string{metav1.NamespaceDefault, metav1.NamespaceSystem, metav1.NamespacePublic, corev1.NamespaceNodeLease} {
		if err := o.ensure(ctx, "namespaces", &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return err
		}
	}
	for _, class := range validation.SystemPriorityClasses() {
		if err := o.ensure(ctx, "priorityclasses.scheduling.k8s.io", class); err != nil {
			return err
		}
	}
	return o.ensure(ctx, "services", &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Name:      "kubernetes",
			Namespace: metav1.NamespaceDefault,
			Labels:    map[string]string{"component": "apiserver", "provider": "kubernetes"},
		},
		Spec: corev1.ServiceSpec{
			ClusterIP: serviceRange.Addr().Next().String(),
			Type:      corev1.ServiceTypeClusterIP,
			Ports:     []corev1.ServicePort{{Name: "https", Port: 443, Protocol: corev1.ProtocolTCP, TargetPort: intstr.FromInt32(6443)}},
		},
	})
}

func (o *Operations) ensure(ctx context.Context, resource string, obj store.Object) error {
	k, ok := o.kinds[resource]
	if !ok {
		return nil // a server of fewer kinds
	}
	_, err := o.Create(ctx, k, obj, WriteOptions{Manager: bootstrapActor})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
