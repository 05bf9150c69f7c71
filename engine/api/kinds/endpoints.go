//lint:file-ignore SA1019 the deprecated kind is served as before

package kinds

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

// EndpointsManager is how the control loop labels the Endpoints that it makes.
const EndpointsManager = "endpoint-controller"

// EndpointsManagedBy is the label's key.
const EndpointsManagedBy = "endpoints.kubernetes.io/managed-by"

func endpoints() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind: corev1.SchemeGroupVersion.WithKind("Endpoints"),
		Plural:           "endpoints",
		Singular:         "endpoints",
		ShortNames:       []string{"ep"},
		Namespaced:       true,
		Deprecated:       "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
		New:              func() store.Object { return &corev1.Endpoints{} },
		NewList:          func() runtime.Object { return &corev1.EndpointsList{} },
		Default:          on(defaultEndpoints),
		Validate:         validate(validation.Endpoints),
		ValidateUpdate:   validateUpdate(validation.EndpointsUpdate),
		Warnings: warnings(func(e, _ *corev1.Endpoints) []string {
			if e.Labels[EndpointsManagedBy] == EndpointsManager {
				return nil
			}
			return validation.EndpointsWarnings(e)
		}),
		AllowCreateOnUpdate:      true,
		AllowUnconditionalUpdate: true,
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Endpoints", "The set of all endpoints is the union of all subsets. Addresses are placed into subsets according to the IPs they share. A single address with multiple ports, some of which are ready and some of which are not (because they come from different containers) will result in the address being displayed in different subsets for the different ports. No address will appear in both Addresses and NotReadyAddresses in the same subset. Sets of addresses and ports that comprise a service."),
			ageColumn(),
		},
		Row: row(func(e *corev1.Endpoints, now time.Time) []any {
			return []any{e.Name, endpointList(e.Subsets), age(e.CreationTimestamp, now)}
		}),
	}
}

func defaultEndpoints(e *corev1.Endpoints) {
	for i := range e.Subsets {
		for j := range e.Subsets[i].Ports {
			if port := &e.Subsets[i].Ports[j]; port.Protocol == "" {
				port.Protocol = corev1.ProtocolTCP
			}
		}
	}
}

// endpointList shows the first three endpoints.
func endpointList(subsets []corev1.EndpointSubset) string {
	const shown = 3
	if len(subsets) == 0 {
		return "<none>"
	}
	var list []string
	add := func(addresses []corev1.EndpointAddress, port string) {
		for i := range addresses {
			address := addresses[i].IP
			if ip, err := netip.ParseAddr(address); err == nil && ip.Is6() && port != "" {
				address = "[" + address + "]"
			}
			list = append(list, address+port)
		}
	}
	for i := range subsets {
		if len(subsets[i].Ports) == 0 {
			add(subsets[i].Addresses, "")
		}
		for _, port := range subsets[i].Ports {
			add(subsets[i].Addresses, ":"+strconv.Itoa(int(port.Port)))
		}
	}
	if len(list) > shown {
		return fmt.Sprintf("%s + %d more...", strings.Join(list[:shown], ","), len(list)-shown)
	}
	return strings.Join(list, ",")
}
