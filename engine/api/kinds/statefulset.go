package kinds

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"tidepool.dev/tidepool/engine/api/defaulting"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func statefulSet() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         appsv1.SchemeGroupVersion.WithKind("StatefulSet"),
		Plural:                   "statefulsets",
		Singular:                 "statefulset",
		ShortNames:               []string{"sts"},
		Categories:               []string{"all"},
		Namespaced:               true,
		New:                      func() store.Object { return &appsv1.StatefulSet{} },
		NewList:                  func() runtime.Object { return &appsv1.StatefulSetList{} },
		Default:                  on(defaultStatefulSet),
		PrepareForCreate:         on(prepareStatefulSet),
		PrepareForUpdate:         onUpdate(prepareStatefulSetUpdate),
		PrepareForStatusUpdate:   onUpdate(func(sts, old *appsv1.StatefulSet) { sts.Spec = old.Spec }),
		ValidateName:             apivalidation.NameIsDNSLabel, // pods are named after it
		Validate:                 validate(validation.StatefulSet),
		ValidateUpdate:           validateUpdate(validation.StatefulSetUpdate),
		ValidateStatusUpdate:     validateUpdate(validation.StatefulSetStatusUpdate),
		Warnings:                 warnings(statefulSetWarnings),
		AllowUnconditionalUpdate: true,
		Scale:                    &kind.Scale{Get: statefulSetScale, Set: setStatefulSetReplicas},
		Columns: append([]metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Ready", "Number of the pod with ready state"),
			ageColumn(),
		}, wide(textColumn("Containers", containerColumnContents), textColumn("Images", imageColumnContents))...),
		Row: row(statefulSetRow),
	}
}

func defaultStatefulSet(sts *appsv1.StatefulSet) {
	spec := &sts.Spec
	if spec.PodManagementPolicy == "" {
		spec.PodManagementPolicy = appsv1.OrderedReadyPodManagement
	}
	strategy := &spec.UpdateStrategy
	if strategy.Type == "" {
		strategy.Type = appsv1.RollingUpdateStatefulSetStrategyType
		if strategy.RollingUpdate == nil {
			strategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{}
		}
	}
	if rolling := strategy.RollingUpdate; rolling != nil && strategy.Type == appsv1.RollingUpdateStatefulSetStrategyType {
		if rolling.Partition == nil {
			rolling.Partition = new(int32(0))
		}
		if rolling.MaxUnavailable == nil {
			rolling.MaxUnavailable = new(intstr.FromInt32(1))
		}
	}
	if spec.PersistentVolumeClaimRetentionPolicy == nil {
		spec.PersistentVolumeClaimRetentionPolicy = &appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{}
	}
	retention := spec.PersistentVolumeClaimRetentionPolicy
	if retention.WhenDeleted == "" {
		retention.WhenDeleted = appsv1.RetainPersistentVolumeClaimRetentionPolicyType
	}
	if retention.WhenScaled == "" {
		retention.WhenScaled = appsv1.RetainPersistentVolumeClaimRetentionPolicyType
	}
	if spec.Replicas == nil {
		spec.Replicas = new(int32(1))
	}
	if spec.RevisionHistoryLimit == nil {
		spec.RevisionHistoryLimit = new(int32(10))
	}
	defaulting.PodSpec(&spec.Template.Spec)
	for i := range spec.VolumeClaimTemplates {
		defaultClaimTemplate(&spec.VolumeClaimTemplates[i])
	}
}

// defaultClaimTemplate makes a claim in a template say its kind, as it would
// on its own.
func defaultClaimTemplate(claim *corev1.PersistentVolumeClaim) {
	claim.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"))
	if claim.Status.Phase == "" {
		claim.Status.Phase = corev1.ClaimPending
	}
	if claim.Spec.VolumeMode == nil {
		claim.Spec.VolumeMode = new(corev1.PersistentVolumeFilesystem)
	}
	defaulting.ResourceList(claim.Spec.Resources.Limits)
	defaulting.ResourceList(claim.Spec.Resources.Requests)
}

func prepareStatefulSet(sts *appsv1.StatefulSet) {
	sts.Status = appsv1.StatefulSetStatus{}
	sts.Generation = 1
	defaulting.DropGated(&sts.Spec.Template.Spec)
}

func prepareStatefulSetUpdate(sts, old *appsv1.StatefulSet) {
	sts.Status = old.Status
	defaulting.DropGated(&sts.Spec.Template.Spec)
	if !equality.Semantic.DeepEqual(&sts.Spec, &old.Spec) {
		sts.Generation = old.Generation + 1
	}
}

func statefulSetWarnings(sts, old *appsv1.StatefulSet) []string {
	var list []string
	if old == nil || sts.Generation != old.Generation {
		list = validation.TemplateWarnings("", &sts.Spec.Template)
	}
	if limit := sts.Spec.RevisionHistoryLimit; limit != nil && *limit < 0 {
		list = append(list, "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended")
	}
	return list
}

func statefulSetScale(obj store.Object) *autoscalingv1.Scale {
	sts := obj.(*appsv1.StatefulSet)
	return scaleOf(&sts.ObjectMeta, sts.Spec.Replicas, sts.Status.Replicas, sts.Spec.Selector)
}

func setStatefulSetReplicas(obj store.Object, replicas int32) {
	obj.(*appsv1.StatefulSet).Spec.Replicas = &replicas
}

func statefulSetRow(sts *appsv1.StatefulSet, now time.Time) []any {
	containers := sts.Spec.Template.Spec.Containers
	return []any{
		sts.Name, fmt.Sprintf("%d/%d", sts.Status.ReadyReplicas, replicas(sts.Spec.Replicas)), age(sts.CreationTimestamp, now),
		containerNames(containers), containerImages(containers),
	}
}
