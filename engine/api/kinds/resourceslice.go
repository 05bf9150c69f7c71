package kinds

import (
	"time"

	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func resourceSlice() *kind.Kind {
	type slice = resourcev1.ResourceSlice
	return &kind.Kind{
		GroupVersionKind: resourcev1.SchemeGroupVersion.WithKind("ResourceSlice"),
		Plural:           "resourceslices",
		Singular:         "resourceslice",
		New:              func() store.Object { return &slice{} },
		NewList:          func() runtime.Object { return &resourcev1.ResourceSliceList{} },
		PrepareForCreate: on(func(s *slice) { s.Generation = 1 }),
		PrepareForUpdate: onUpdate(func(s, old *slice) {
			if !equality.Semantic.DeepEqual(s.Spec, old.Spec) {
				s.Generation = old.Generation + 1
			}
		}),
		Stamp: func(obj, _ store.Object, now metav1.Time) {
			for i := range obj.(*slice).Spec.Devices {
				stampTaints(obj.(*slice).Spec.Devices[i].Taints, now)
			}
		},
		Validate:                 validate(validation.ResourceSlice),
		ValidateUpdate:           validateUpdate(validation.ResourceSliceUpdate),
		AllowUnconditionalUpdate: true,
		Fields: selectable(func(s *slice) fields.Set {
			return fields.Set{"spec.nodeName": nodeOf(s), "spec.driver": s.Spec.Driver, "spec.pool.name": s.Spec.Pool.Name}
		}),
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Node", "NodeName identifies the node which provides the resources in this pool. A field selector can be used to list only ResourceSlice objects belonging to a certain node.\n\nThis field can be used to limit access from nodes to ResourceSlices with the same node name. It also indicates to autoscalers that adding new nodes of the same type as some old node might also make new resources available.\n\nExactly one of NodeName, NodeSelector, AllNodes, and PerDeviceNodeSelection must be set. This field is immutable."),
			textColumn("Driver", "Driver identifies the DRA driver providing the capacity information. A field selector can be used to list only ResourceSlice objects with a certain driver name.\n\nMust be a DNS subdomain and should end with a DNS domain owned by the vendor of the driver. It should use only lower case characters. This field is immutable."),
			textColumn("Pool", "Name is used to identify the pool. For node-local devices, this is often the node name, but this is not required. A field selector can be used to list only ResourceSlice objects belonging to a certain pool.\n\nIt must not be longer than 253 characters and must consist of one or more DNS sub-domains separated by slashes. This field is immutable."),
			ageColumn(),
		},
		Row: row(func(s *slice, now time.Time) []any {
			return []any{s.Name, nodeOf(s), s.Spec.Driver, s.Spec.Pool.Name, age(s.CreationTimestamp, now)}
		}),
	}
}

func nodeOf(s *resourcev1.ResourceSlice) string {
	if s.Spec.NodeName == nil {
		return ""
	}
	return *s.Spec.NodeName
}

// stampTaints says since when there are those that don't say so.
func stampTaints(taints []resourcev1.DeviceTaint, now metav1.Time) {
	for i := range taints {
		if taints[i].TimeAdded == nil {
			taints[i].TimeAdded = &now
		}
	}
}
