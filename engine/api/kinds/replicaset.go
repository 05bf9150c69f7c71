package kinds

import (
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/defaulting"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func replicaSet() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         appsv1.SchemeGroupVersion.WithKind("ReplicaSet"),
		Plural:                   "replicasets",
		Singular:                 "replicaset",
		ShortNames:               []string{"rs"},
		Categories:               []string{"all"},
		Namespaced:               true,
		New:                      func() store.Object { return &appsv1.ReplicaSet{} },
		NewList:                  func() runtime.Object { return &appsv1.ReplicaSetList{} },
		Default:                  on(defaultReplicaSet),
		PrepareForCreate:         on(prepareReplicaSet),
		PrepareForUpdate:         onUpdate(prepareReplicaSetUpdate),
		PrepareForStatusUpdate:   onUpdate(func(rs, old *appsv1.ReplicaSet) { rs.Spec = old.Spec }),
		Validate:                 validate(validation.ReplicaSet),
		ValidateUpdate:           validateUpdate(validation.ReplicaSetUpdate),
		ValidateStatusUpdate:     validateUpdate(validation.ReplicaSetStatusUpdate),
		Warnings:                 warnings(replicaSetWarnings),
		AllowUnconditionalUpdate: true,
		Scale:                    &kind.Scale{Get: replicaSetScale, Set: setReplicaSetReplicas},
		Fields: selectable(func(rs *appsv1.ReplicaSet) fields.Set {
			return fields.Set{"status.replicas": strconv.Itoa(int(rs.Status.Replicas))}
		}),
		Columns: replicaSetColumns(),
		Row:     row(replicaSetRow),
	}
}

func defaultReplicaSet(rs *appsv1.ReplicaSet) {
	if rs.Spec.Replicas == nil {
		rs.Spec.Replicas = new(int32(1))
	}
	defaulting.PodSpec(&rs.Spec.Template.Spec)
}

func prepareReplicaSet(rs *appsv1.ReplicaSet) {
	rs.Status = appsv1.ReplicaSetStatus{}
	rs.Generation = 1
	defaulting.DropGated(&rs.Spec.Template.Spec)
}

func prepareReplicaSetUpdate(rs, old *appsv1.ReplicaSet) {
	rs.Status = old.Status
	defaulting.DropGated(&rs.Spec.Template.Spec)
	if !equality.Semantic.DeepEqual(&rs.Spec, &old.Spec) {
		rs.Generation = old.Generation + 1
	}
}

func replicaSetWarnings(rs, old *appsv1.ReplicaSet) []string {
	switch {
	case old == nil:
		return validation.TemplateWarnings(rs.Name, &rs.Spec.Template)
	case rs.Generation != old.Generation:
		return validation.TemplateWarnings("", &rs.Spec.Template)
	}
	return nil
}

func replicaSetScale(obj store.Object) *autoscalingv1.Scale {
	rs := obj.(*appsv1.ReplicaSet)
	return scaleOf(&rs.ObjectMeta, rs.Spec.Replicas, rs.Status.Replicas, rs.Spec.Selector)
}

func setReplicaSetReplicas(obj store.Object, replicas int32) {
	obj.(*appsv1.ReplicaSet).Spec.Replicas = &replicas
}

func replicaSetColumns() []metav1.TableColumnDefinition {
	return append([]metav1.TableColumnDefinition{
		nameColumn(),
		integerColumn("Desired", "Replicas is the number of desired pods. This is a pointer to distinguish between explicit zero and unspecified. Defaults to 1. More info: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset"),
		integerColumn("Current", "Replicas is the most recently observed number of non-terminating pods. More info: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset"),
		integerColumn("Ready", "The number of non-terminating pods targeted by this ReplicaSet with a Ready Condition."),
		ageColumn(),
	}, templateColumns("Selector is a label query over pods that should match the replica count. Label keys and values that must match in order to be controlled by this replica set. It must match the pod template's labels. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors")...)
}

func replicaSetRow(rs *appsv1.ReplicaSet, now time.Time) []any {
	containers := rs.Spec.Template.Spec.Containers
	return []any{
		rs.Name, int64(replicas(rs.Spec.Replicas)), int64(rs.Status.Replicas), int64(rs.Status.ReadyReplicas),
		age(rs.CreationTimestamp, now),
		containerNames(containers), containerImages(containers), metav1.FormatLabelSelector(rs.Spec.Selector),
	}
}
