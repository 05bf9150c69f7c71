package customresources

import (
	"context"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/custom"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/store"
)

// finalize deletes the instances of a definition that is deleted, and then lets
// it go (controller/finalizer upstream). It is said first that this goes on, so
// that nothing is created any more.
func (l *loop) finalize(ctx context.Context, crd *apiextensionsv1.CustomResourceDefinition) (controller.Result, error) {
	if !slices.Contains(crd.Finalizers, apiextensionsv1.CustomResourceCleanupFinalizer) {
		return controller.Result{}, nil
	}
	next := crd.DeepCopy()
	if said := custom.Condition(crd, apiextensionsv1.Terminating); said == nil || said.Reason == "InstanceDeletionPending" {
		l.set(next, apiextensionsv1.Terminating, apiextensionsv1.ConditionTrue, "InstanceDeletionInProgress", "CustomResource deletion is in progress")
		_, err := l.client.UpdateStatus(ctx, custom.Resource, next)
		return controller.Result{}, ignoreStale(err)
	}
	if !custom.IsTrue(crd, apiextensionsv1.Established) {
		l.set(next, apiextensionsv1.Terminating, apiextensionsv1.ConditionFalse, "NeverEstablished", "resource was never established")
		return controller.Result{}, l.release(ctx, next)
	}
	left, err := l.deleteInstances(ctx, crd.Name)
	if err != nil || left {
		return controller.Result{RequeueAfter: poll}, err
	}
	l.set(next, apiextensionsv1.Terminating, apiextensionsv1.ConditionFalse, "InstanceDeletionCompleted", "removed all instances")
	return controller.Result{}, l.release(ctx, next)
}

// deleteInstances reports whether objects linger.
func (l *loop) deleteInstances(ctx context.Context, resource string) (left bool, err error) {
	for _, obj := range cache.List[store.Object](l.cache, resource, "") {
		if obj.GetDeletionTimestamp() == nil {
			err := l.client.Delete(ctx, resource, obj.GetNamespace(), obj.GetName(), metav1.DeleteOptions{})
			if err != nil && !errors.IsNotFound(err) {
				return true, err
			}
		}
		if _, err := l.client.Get(ctx, resource, obj.GetNamespace(), obj.GetName()); !errors.IsNotFound(err) {
			left = true
		}
	}
	return left, nil
}

func (l *loop) release(ctx context.Context, crd *apiextensionsv1.CustomResourceDefinition) error {
	crd.Finalizers = slices.DeleteFunc(crd.Finalizers, func(name string) bool { return name == apiextensionsv1.CustomResourceCleanupFinalizer })
	_, err := l.client.UpdateStatus(ctx, custom.Resource, crd)
	return ignoreStale(err)
}
