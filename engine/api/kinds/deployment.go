package kinds

import (
	"fmt"
	"maps"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"tidepool.dev/tidepool/engine/api/defaulting"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func deployment() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         appsv1.SchemeGroupVersion.WithKind("Deployment"),
		Plural:                   "deployments",
		Singular:                 "deployment",
		ShortNames:               []string{"deploy"},
		Categories:               []string{"all"},
		Namespaced:               true,
		New:                      func() store.Object { return &appsv1.Deployment{} },
		NewList:                  func() runtime.Object { return &appsv1.DeploymentList{} },
		Default:                  on(defaultDeployment),
		PrepareForCreate:         on(prepareDeployment),
		PrepareForUpdate:         onUpdate(prepareDeploymentUpdate),
		PrepareForStatusUpdate:   onUpdate(prepareDeploymentStatusUpdate),
		Resets:                   map[string][][]string{"status": {{"spec"}, {"metadata", "labels"}}},
		Validate:                 validate(validation.Deployment),
		ValidateUpdate:           validateUpdate(validation.DeploymentUpdate),
		ValidateStatusUpdate:     validateUpdate(validation.DeploymentStatusUpdate),
		Warnings:                 warnings(deploymentWarnings),
		AllowUnconditionalUpdate: true,
		Scale:                    &kind.Scale{Get: deploymentScale, Set: setDeploymentReplicas},
		Columns:                  deploymentColumns(),
		Row:                      row(deploymentRow),
	}
}

func defaultDeployment(d *appsv1.Deployment) {
	spec := &d.Spec
	if spec.Replicas == nil {
		spec.Replicas = new(int32(1))
	}
	if spec.Strategy.Type == "" {
		spec.Strategy.Type = appsv1.RollingUpdateDeploymentStrategyType
	}
	if spec.Strategy.Type == appsv1.RollingUpdateDeploymentStrategyType {
		if spec.Strategy.RollingUpdate == nil {
			spec.Strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{}
		}
		if spec.Strategy.RollingUpdate.MaxUnavailable == nil {
			spec.Strategy.RollingUpdate.MaxUnavailable = new(intstr.FromString("25%"))
		}
		if spec.Strategy.RollingUpdate.MaxSurge == nil {
			spec.Strategy.RollingUpdate.MaxSurge = new(intstr.FromString("25%"))
		}
	}
	if spec.RevisionHistoryLimit == nil {
		spec.RevisionHistoryLimit = new(int32(10))
	}
	if spec.ProgressDeadlineSeconds == nil {
		spec.ProgressDeadlineSeconds = new(int32(600))
	}
	defaulting.PodSpec(&spec.Template.Spec)
}

func prepareDeployment(d *appsv1.Deployment) {
	d.Status = appsv1.DeploymentStatus{}
	d.Generation = 1
	defaulting.DropGated(&d.Spec.Template.Spec)
}

// prepareDeploymentUpdate raises the generation for changed annotations too,
// since the controller copies them to the ReplicaSets.
func prepareDeploymentUpdate(d, old *appsv1.Deployment) {
	d.Status = old.Status
	defaulting.DropGated(&d.Spec.Template.Spec)
	if !maps.Equal(d.Annotations, old.Annotations) || !equality.Semantic.DeepEqual(&d.Spec, &old.Spec) {
		d.Generation = old.Generation + 1
	}
}

func prepareDeploymentStatusUpdate(d, old *appsv1.Deployment) {
	d.Spec = old.Spec
	d.Labels = old.Labels
}

func deploymentWarnings(d, old *appsv1.Deployment) []string {
	switch {
	case old == nil:
		return validation.TemplateWarnings(d.Name, &d.Spec.Template)
	case d.Generation != old.Generation:
		return validation.TemplateWarnings("", &d.Spec.Template)
	}
	return nil
}

func deploymentScale(obj store.Object) *autoscalingv1.Scale {
	d := obj.(*appsv1.Deployment)
	return scaleOf(&d.ObjectMeta, d.Spec.Replicas, d.Status.Replicas, d.Spec.Selector)
}

func setDeploymentReplicas(obj store.Object, replicas int32) {
	obj.(*appsv1.Deployment).Spec.Replicas = &replicas
}

func deploymentColumns() []metav1.TableColumnDefinition {
	return append([]metav1.TableColumnDefinition{
		nameColumn(),
		textColumn("Ready", "Number of the pod with ready state"),
		textColumn("Up-to-date", "Total number of non-terminating pods targeted by this deployment that have the desired template spec."),
		textColumn("Available", "Total number of available non-terminating pods (ready for at least minReadySeconds) targeted by this deployment."),
		ageColumn(),
	}, templateColumns("Label selector for pods. Existing ReplicaSets whose pods are selected by this will be the ones affected by this deployment. It must match the pod template's labels.")...)
}

func deploymentRow(d *appsv1.Deployment, now time.Time) []any {
	containers := d.Spec.Template.Spec.Containers
	return []any{
		d.Name, fmt.Sprintf("%d/%d", d.Status.ReadyReplicas, replicas(d.Spec.Replicas)),
		int64(d.Status.UpdatedReplicas), int64(d.Status.AvailableReplicas), age(d.CreationTimestamp, now),
		containerNames(containers), containerImages(containers), selectorString(d.Spec.Selector),
	}
}
