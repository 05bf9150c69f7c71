package kinds

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func ingress() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind: networkingv1.SchemeGroupVersion.WithKind("Ingress"),
		Plural:           "ingresses",
		Singular:         "ingress",
		ShortNames:       []string{"ing"},
		Namespaced:       true,
		New:              func() store.Object { return &networkingv1.Ingress{} },
		NewList:          func() runtime.Object { return &networkingv1.IngressList{} },
		PrepareForCreate: on(func(i *networkingv1.Ingress) {
			i.Status = networkingv1.IngressStatus{}
			i.Generation = 1
		}),
		PrepareForUpdate: onUpdate(func(i, old *networkingv1.Ingress) {
			i.Status = old.Status
			if !equality.Semantic.DeepEqual(i.Spec, old.Spec) {
				i.Generation = old.Generation + 1
			}
		}),
		PrepareForStatusUpdate:   onUpdate(func(i, old *networkingv1.Ingress) { i.Spec = old.Spec }),
		Validate:                 validate(validation.Ingress),
		ValidateUpdate:           validateUpdate(validation.IngressUpdate),
		ValidateStatusUpdate:     validateUpdate(validation.IngressStatusUpdate),
		Warnings:                 warnings(validation.IngressWarnings),
		AllowUnconditionalUpdate: true,
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Class", "The name of the IngressClass resource that should be used for additional configuration"),
			textColumn("Hosts", "Hosts that incoming requests are matched against before the ingress rule"),
			textColumn("Address", "Address is a list containing ingress points for the load-balancer"),
			textColumn("Ports", "Ports of TLS configurations that open"),
			ageColumn(),
		},
		Row: row(func(i *networkingv1.Ingress, now time.Time) []any {
			class := "<none>"
			if i.Spec.IngressClassName != nil {
				class = *i.Spec.IngressClassName
			}
			ports := "80"
			if len(i.Spec.TLS) > 0 {
				ports = "80, 443"
			}
			return []any{i.Name, class, ingressHosts(i.Spec.Rules), ingressAddresses(i), ports, age(i.CreationTimestamp, now)}
		}),
	}
}

// ingressHosts are the hosts of the rules; upstream counts rules without a host
// among those that it leaves out.
func ingressHosts(rules []networkingv1.IngressRule) string {
	const shown = 3
	var hosts []string
	more := false
	for _, rule := range rules {
		if len(hosts) == shown {
			more = true
			break
		}
		if rule.Host != "" {
			hosts = append(hosts, rule.Host)
		}
	}
	switch {
	case len(hosts) == 0:
		return "*"
	case more:
		return fmt.Sprintf("%s + %d more...", strings.Join(hosts, ","), len(rules)-shown)
	}
	return strings.Join(hosts, ",")
}

// ingressAddresses are where the Ingress can be reached.
func ingressAddresses(i *networkingv1.Ingress) string {
	const widest = 16
	var addresses []string
	for _, point := range i.Status.LoadBalancer.Ingress {
		if address := cmp.Or(point.IP, point.Hostname); address != "" {
			addresses = append(addresses, address)
		}
	}
	slices.Sort(addresses)
	joined := strings.Join(slices.Compact(addresses), ",")
	if len(joined) > widest {
		return joined[:widest-3] + "..."
	}
	return joined
}
