package kinds

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/defaulting"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func podTemplate() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind: corev1.SchemeGroupVersion.WithKind("PodTemplate"),
		Plural:           "podtemplates",
		Singular:         "podtemplate",
		Namespaced:       true,
		New:              func() store.Object { return &corev1.PodTemplate{} },
		NewList:          func() runtime.Object { return &corev1.PodTemplateList{} },
		Default:          on(func(t *corev1.PodTemplate) { defaulting.PodSpec(&t.Template.Spec) }),
		PrepareForCreate: on(func(t *corev1.PodTemplate) {
			t.Generation = 1
			defaulting.DropGated(&t.Template.Spec)
		}),
		PrepareForUpdate: onUpdate(func(t, old *corev1.PodTemplate) {
			defaulting.DropGated(&t.Template.Spec)
			if !equality.Semantic.DeepEqual(&t.Template, &old.Template) {
				t.Generation = old.Generation + 1
			}
		}),
		Validate:                 validate(validation.PodTemplate),
		ValidateUpdate:           validateUpdate(validation.PodTemplateUpdate),
		Warnings:                 warnings(podTemplateWarnings),
		AllowUnconditionalUpdate: true,
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Containers", containerColumnContents),
			textColumn("Images", imageColumnContents),
			textColumn("Pod Labels", "The labels for the pod template."),
		},
		Row: row(func(t *corev1.PodTemplate, _ time.Time) []any {
			containers := t.Template.Spec.Containers
			return []any{t.Name, containerNames(containers), containerImages(containers), labels.FormatLabels(t.Template.Labels)}
		}),
	}
}

func podTemplateWarnings(t, old *corev1.PodTemplate) []string {
	if old != nil && t.Generation == old.Generation {
		return nil
	}
	return validation.PodTemplateWarnings(t)
}
