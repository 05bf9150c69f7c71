package rest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/store"
)

// admitCreate does what Kubernetes' default admission plugins do on creation
// (k8s.io/kubernetes/plugin/pkg/admission): it may change the object and refuse
// it.
func (o *Operations) admitCreate(ctx context.Context, k *kind.Kind, obj store.Object) error {
	if k.Namespaced {
		if err := o.namespaceLifecycle(ctx, k, obj); err != nil {
			return err
		}
	}
	switch obj := obj.(type) {
	case *corev1.Pod:
		return o.admitPod(ctx, obj)
	case *corev1.Service:
		return o.allocateService(ctx, obj, nil)
	}
	return nil
}

func (o *Operations) admitUpdate(ctx context.Context, k *kind.Kind, obj, old store.Object) error {
	if service, ok := obj.(*corev1.Service); ok {
		return o.allocateService(ctx, service, old.(*corev1.Service))
	}
	return nil
}

// immortal namespaces are those that Kubernetes' NamespaceLifecycle plugin
// protects.
var immortal = []string{metav1.NamespaceDefault, metav1.NamespaceSystem, metav1.NamespacePublic}

func admitDelete(k *kind.Kind, name string) error {
	if k.Kind == "Namespace" && slices.Contains(immortal, name) {
		return apierrors.NewForbidden(k.GroupResource(), name, errors.New("this namespace may not be deleted"))
	}
	return nil
}

// namespaceLifecycle refuses objects in namespaces that do not exist or are
// being deleted.
func (o *Operations) namespaceLifecycle(ctx context.Context, k *kind.Kind, obj store.Object) error {
	name := obj.GetNamespace()
	found, err := o.store.Get(ctx, store.Key{Resource: "namespaces", Name: name})
	if errors.Is(err, store.ErrNotFound) {
		return apierrors.NewNotFound(corev1.Resource("namespaces"), name)
	}
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	if found.(*corev1.Namespace).Status.Phase != corev1.NamespaceTerminating && found.GetDeletionTimestamp() == nil {
		return nil
	}
	forbidden := apierrors.NewForbidden(k.GroupResource(), obj.GetName(),
		fmt.Errorf("unable to create new content in namespace %s because it is being terminated", name))
	forbidden.ErrStatus.Details.Causes = append(forbidden.ErrStatus.Details.Causes, metav1.StatusCause{
		Type:    corev1.NamespaceTerminatingCause,
		Message: fmt.Sprintf("namespace %s is being terminated", name),
		Field:   "metadata.namespace",
	})
	return forbidden
}
