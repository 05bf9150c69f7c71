package kinds

import (
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func ingressClass() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind: networkingv1.SchemeGroupVersion.WithKind("IngressClass"),
		Plural:           "ingressclasses",
		Singular:         "ingressclass",
		New:              func() store.Object { return &networkingv1.IngressClass{} },
		NewList:          func() runtime.Object { return &networkingv1.IngressClassList{} },
		Default: on(func(c *networkingv1.IngressClass) {
			if params := c.Spec.Parameters; params != nil && params.Scope == nil {
				params.Scope = new(networkingv1.IngressClassParametersReferenceScopeCluster)
			}
		}),
		PrepareForCreate: on(func(c *networkingv1.IngressClass) { c.Generation = 1 }),
		PrepareForUpdate: onUpdate(func(c, old *networkingv1.IngressClass) {
			if !equality.Semantic.DeepEqual(c.Spec, old.Spec) {
				c.Generation = old.Generation + 1
			}
		}),
		Validate:                 validate(validation.IngressClass),
		ValidateUpdate:           validateUpdate(validation.IngressClassUpdate),
		AllowUnconditionalUpdate: true,
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Controller", "Controller that is responsible for handling this class"),
			textColumn("Parameters", "A reference to a resource with additional parameters"),
			ageColumn(),
		},
		Row: row(func(c *networkingv1.IngressClass, now time.Time) []any {
			name, parameters := c.Name, "<none>"
			if c.Annotations[networkingv1.AnnotationIsDefaultIngressClass] == "true" {
				name += " (default)"
			}
			if params := c.Spec.Parameters; params != nil {
				parameters = params.Kind
				if params.APIGroup != nil {
					parameters += "." + *params.APIGroup
				}
				parameters += "/" + params.Name
			}
			return []any{name, c.Spec.Controller, parameters, age(c.CreationTimestamp, now)}
		}),
	}
}
