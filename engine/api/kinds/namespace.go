package kinds

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func namespace() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         corev1.SchemeGroupVersion.WithKind("Namespace"),
		Plural:                   "namespaces",
		Singular:                 "namespace",
		ShortNames:               []string{"ns"},
		New:                      func() store.Object { return &corev1.Namespace{} },
		NewList:                  func() runtime.Object { return &corev1.NamespaceList{} },
		Default:                  on(defaultNamespace),
		PrepareForCreate:         on(prepareNamespace),
		PrepareForUpdate:         onUpdate(keepNamespaceStatus),
		Resets:                   map[string][][]string{"finalize": {{"status"}}},
		PrepareForStatusUpdate:   onUpdate(func(ns, old *corev1.Namespace) { ns.Spec = old.Spec }),
		ValidateName:             apivalidation.ValidateNamespaceName,
		Validate:                 validate(validation.Namespace),
		ValidateUpdate:           validateUpdate(func(ns, _ *corev1.Namespace) field.ErrorList { return validation.Namespace(ns) }),
		ValidateStatusUpdate:     validateUpdate(validation.NamespaceStatusUpdate),
		AllowUnconditionalUpdate: true,
		Fields: selectable(func(ns *corev1.Namespace) fields.Set {
			return fields.Set{"status.phase": string(ns.Status.Phase)}
		}),
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Status", "The status of the namespace"),
			ageColumn(),
		},
		Row: row(func(ns *corev1.Namespace, now time.Time) []any {
			return []any{ns.Name, string(ns.Status.Phase), age(ns.CreationTimestamp, now)}
		}),
		// Namespaces are emptied one by one, each by the namespace controller.
		NoVerbs: []string{"deletecollection"},
	}
}

func defaultNamespace(ns *corev1.Namespace) {
	labelWithName(ns)
	if ns.Status.Phase == "" {
		ns.Status.Phase = corev1.NamespaceActive
	}
}

// labelWithName gives a namespace the label by which selectors find it.
func labelWithName(ns *corev1.Namespace) {
	if ns.Name == "" || ns.Labels[corev1.LabelMetadataName] == ns.Name {
		return
	}
	if ns.Labels == nil {
		ns.Labels = make(map[string]string, 1)
	}
	ns.Labels[corev1.LabelMetadataName] = ns.Name
}

func prepareNamespace(ns *corev1.Namespace) {
	// A generated name is known only now.
	labelWithName(ns)
	ns.Status = corev1.NamespaceStatus{Phase: corev1.NamespaceActive}
	if !slices.Contains(ns.Spec.Finalizers, corev1.FinalizerKubernetes) {
		ns.Spec.Finalizers = append(ns.Spec.Finalizers, corev1.FinalizerKubernetes)
	}
}

// keepNamespaceStatus leaves the finalizers to the finalize subresource.
func keepNamespaceStatus(ns, old *corev1.Namespace) {
	ns.Spec.Finalizers = old.Spec.Finalizers
	ns.Status = old.Status
}
