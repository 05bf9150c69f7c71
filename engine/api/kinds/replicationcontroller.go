package kinds

import (
	"strconv"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/defaulting"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func replicationController() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         corev1.SchemeGroupVersion.WithKind("ReplicationController"),
		Plural:                   "replicationcontrollers",
		Singular:                 "replicationcontroller",
		ShortNames:               []string{"rc"},
		Categories:               []string{"all"},
		Namespaced:               true,
		New:                      func() store.Object { return &corev1.ReplicationController{} },
		NewList:                  func() runtime.Object { return &corev1.ReplicationControllerList{} },
		Default:                  on(defaultReplicationController),
		PrepareForCreate:         on(prepareReplicationController),
		PrepareForUpdate:         onUpdate(prepareReplicationControllerUpdate),
		PrepareForStatusUpdate:   onUpdate(func(rc, old *corev1.ReplicationController) { rc.Spec = old.Spec }),
		Validate:                 validate(validation.ReplicationController),
		ValidateUpdate:           validateUpdate(validation.ReplicationControllerUpdate),
		ValidateStatusUpdate:     validateUpdate(validation.ReplicationControllerStatusUpdate),
		Warnings:                 warnings(replicationControllerWarnings),
		AllowUnconditionalUpdate: true,
		DefaultPropagation:       metav1.DeletePropagationOrphan, // as ever in this version
		Scale:                    &kind.Scale{Get: replicationControllerScale, Set: setReplicationControllerReplicas},
		Fields: selectable(func(rc *corev1.ReplicationController) fields.Set {
			return fields.Set{"status.replicas": strconv.Itoa(int(rc.Status.Replicas))}
		}),
		Columns: replicationControllerColumns(),
		Row:     row(replicationControllerRow),
	}
}

func defaultReplicationController(rc *corev1.ReplicationController) {
	if rc.Spec.Template != nil {
		if template := rc.Spec.Template.Labels; template != nil {
			if len(rc.Spec.Selector) == 0 {
				rc.Spec.Selector = template
			}
			if len(rc.Labels) == 0 {
				rc.Labels = template
			}
		}
		defaulting.PodSpec(&rc.Spec.Template.Spec)
	}
	if rc.Spec.Replicas == nil {
		rc.Spec.Replicas = new(int32(1))
	}
}

func prepareReplicationController(rc *corev1.ReplicationController) {
	rc.Status = corev1.ReplicationControllerStatus{}
	rc.Generation = 1
	if rc.Spec.Template != nil {
		defaulting.DropGated(&rc.Spec.Template.Spec)
	}
}

func prepareReplicationControllerUpdate(rc, old *corev1.ReplicationController) {
	rc.Status = old.Status
	if rc.Spec.Template != nil {
		defaulting.DropGated(&rc.Spec.Template.Spec)
	}
	if !equality.Semantic.DeepEqual(&rc.Spec, &old.Spec) {
		rc.Generation = old.Generation + 1
	}
}

func replicationControllerWarnings(rc, old *corev1.ReplicationController) []string {
	switch {
	case rc.Spec.Template == nil:
		return nil
	case old == nil:
		return validation.TemplateWarnings(rc.Name, rc.Spec.Template)
	case rc.Generation != old.Generation:
		return validation.TemplateWarnings("", rc.Spec.Template)
	}
	return nil
}

func replicationControllerScale(obj store.Object) *autoscalingv1.Scale {
	rc := obj.(*corev1.ReplicationController)
	return scaleOf(&rc.ObjectMeta, rc.Spec.Replicas, rc.Status.Replicas, &metav1.LabelSelector{MatchLabels: rc.Spec.Selector})
}

func setReplicationControllerReplicas(obj store.Object, replicas int32) {
	obj.(*corev1.ReplicationController).Spec.Replicas = &replicas
}

func replicationControllerColumns() []metav1.TableColumnDefinition {
	const moreInfo = " More info: https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller#what-is-a-replicationcontroller"
	return append([]metav1.TableColumnDefinition{
		nameColumn(),
		integerColumn("Desired", "Replicas is the number of desired replicas. This is a pointer to distinguish between explicit zero and unspecified. Defaults to 1."+moreInfo),
		integerColumn("Current", "Replicas is the most recently observed number of replicas."+moreInfo),
		integerColumn("Ready", "The number of ready replicas for this replication controller."),
		ageColumn(),
	}, templateColumns("Selector is a label query over pods that should match the Replicas count. If Selector is empty, it is defaulted to the labels present on the Pod template. Label keys and values that must match in order to be controlled by this replication controller, if empty defaulted to labels on Pod template. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors")...)
}

func replicationControllerRow(rc *corev1.ReplicationController, now time.Time) []any {
	var containers []corev1.Container
	if rc.Spec.Template != nil {
		containers = rc.Spec.Template.Spec.Containers
	}
	return []any{
		rc.Name, int64(replicas(rc.Spec.Replicas)), int64(rc.Status.Replicas), int64(rc.Status.ReadyReplicas),
		age(rc.CreationTimestamp, now),
		containerNames(containers), containerImages(containers), labels.FormatLabels(rc.Spec.Selector),
	}
}
