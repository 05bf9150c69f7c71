package operator

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

const (
	finalizer = "example.com/domain"
	ready     = "Ready"
)

type reconciler struct {
	client.Client
	recorder events.EventRecorder
}

func (r *reconciler) setup(manager ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(manager).For(&Website{}).Owns(&appsv1.Deployment{}).Complete(r)
}

// Reconcile implements reconcile.Reconciler.
func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	website := &Website{}
	if err := r.Get(ctx, request.NamespacedName, website); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	domain := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "domain-of-" + website.Name, Namespace: website.Namespace}}
	if !website.DeletionTimestamp.IsZero() {
		if err := client.IgnoreNotFound(r.Delete(ctx, domain)); err != nil {
			return ctrl.Result{}, err
		}
		if controllerutil.RemoveFinalizer(website, finalizer) {
			return ctrl.Result{}, r.Update(ctx, website)
		}
		return ctrl.Result{}, nil
	}
	if controllerutil.AddFinalizer(website, finalizer) {
		if err := r.Update(ctx, website); err != nil {
			return ctrl.Result{}, err
		}
	}
	if _, err := controllerutil.CreateOrUpdate(ctx, r.Client, domain, func() error { return nil }); err != nil {
		return ctrl.Result{}, err
	}
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: website.Name, Namespace: website.Namespace}}
	result, err := controllerutil.CreateOrUpdate(ctx, r.Client, deployment, func() error {
		shape(deployment, website)
		return controllerutil.SetControllerReference(website, deployment, r.Scheme())
	})
	if err != nil {
		return ctrl.Result{}, err
	}
	if result == controllerutil.OperationResultCreated {
		r.recorder.Eventf(website, deployment, corev1.EventTypeNormal, "Created", "Create", "Created deployment %s", deployment.Name)
	}
	return ctrl.Result{}, r.report(ctx, website, deployment)
}

func shape(deployment *appsv1.Deployment, website *Website) {
	labels := map[string]string{"website": website.Name}
	deployment.Spec.Replicas = website.Spec.Replicas
	deployment.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
	deployment.Spec.Template.Labels = labels
	if len(deployment.Spec.Template.Spec.Containers) == 0 {
		deployment.Spec.Template.Spec.Containers = []corev1.Container{{Name: "web"}}
	}
	deployment.Spec.Template.Spec.Containers[0].Image = website.Spec.Image
}

// report writes the status if it changes, by a merge patch with the version that
// it was made of.
func (r *reconciler) report(ctx context.Context, website *Website, deployment *appsv1.Deployment) error {
	before := website.DeepCopyObject().(*Website)
	condition := metav1.Condition{Type: ready, Status: metav1.ConditionFalse, Reason: "Starting", ObservedGeneration: website.Generation}
	if website.Spec.Replicas != nil && deployment.Status.ReadyReplicas == *website.Spec.Replicas {
		condition.Status, condition.Reason = metav1.ConditionTrue, "AllReady"
	}
	changed := meta.SetStatusCondition(&website.Status.Conditions, condition)
	if !changed && website.Status.ReadyReplicas == deployment.Status.ReadyReplicas {
		return nil
	}
	website.Status.ReadyReplicas = deployment.Status.ReadyReplicas
	website.Status.ObservedGeneration = website.Generation
	return r.Status().Patch(ctx, website, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}
