package kinds

import (
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func controllerRevision() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         appsv1.SchemeGroupVersion.WithKind("ControllerRevision"),
		Plural:                   "controllerrevisions",
		Singular:                 "controllerrevision",
		Namespaced:               true,
		New:                      func() store.Object { return &appsv1.ControllerRevision{} },
		NewList:                  func() runtime.Object { return &appsv1.ControllerRevisionList{} },
		Validate:                 validate(validation.ControllerRevision),
		ValidateUpdate:           validateUpdate(validation.ControllerRevisionUpdate),
		AllowUnconditionalUpdate: true,
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Controller", "Controller of the object"),
			textColumn("Revision", "Revision indicates the revision of the state represented by Data."),
			ageColumn(),
		},
		Row: row(func(r *appsv1.ControllerRevision, now time.Time) []any {
			return []any{r.Name, controllerName(r), r.Revision, age(r.CreationTimestamp, now)}
		}),
	}
}

// controllerName is the controlling owner as kubectl writes resources, for
// instance "daemonset.apps/agent".
func controllerName(obj store.Object) string {
	ref := metav1.GetControllerOfNoCopy(obj)
	if ref == nil {
		return "<none>"
	}
	gk := schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind).GroupKind()
	return strings.ToLower(gk.String()) + "/" + ref.Name
}
