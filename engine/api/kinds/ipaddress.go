package kinds

import (
	"strings"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func ipAddress() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         networkingv1.SchemeGroupVersion.WithKind("IPAddress"),
		Plural:                   "ipaddresses",
		Singular:                 "ipaddress",
		ShortNames:               []string{"ip"},
		New:                      func() store.Object { return &networkingv1.IPAddress{} },
		NewList:                  func() runtime.Object { return &networkingv1.IPAddressList{} },
		ValidateName:             validation.IPAddressName,
		Validate:                 validate(validation.IPAddress),
		ValidateUpdate:           validateUpdate(validation.IPAddressUpdate),
		AllowUnconditionalUpdate: true,
		// Upstream declares two columns and fills three.
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("ParentRef", "parentRef references the resource that an IPAddress is attached to. An IPAddress must reference a parent object."),
		},
		Row: row(func(a *networkingv1.IPAddress, _ time.Time) []any { return []any{a.Name, parentName(a.Spec.ParentRef)} }),
	}
}

func parentName(ref *networkingv1.ParentReference) string {
	if ref == nil {
		return "<none>"
	}
	name := strings.ToLower(schema.GroupResource{Group: ref.Group, Resource: ref.Resource}.String())
	if ref.Namespace != "" {
		name += "/" + ref.Namespace
	}
	return name + "/" + ref.Name
}
