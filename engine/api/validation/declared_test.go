package validation

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// What Kubernetes 1.37 checks declaratively comes last, in the order of the
// fields and without details.
func TestDeclaredComesLast(t *testing.T) {
	for name, test := range map[string]struct {
		errs field.ErrorList
		want string
	}{
		"slice": {EndpointSlice(read[discoveryv1.EndpointSlice](t, `{"endpoints":[{"nodeName":"-"},{"addresses":["::1"]}],"ports":[{"name":"","protocol":"X"}]}`)),
			"ports[0].protocol endpoints[0].nodeName addressType endpoints[0].addresses"},
		"controller": {ReplicationController(read[corev1.ReplicationController](t, `{"spec":{"replicas":-1,"minReadySeconds":-1}}`)),
			"spec.selector spec.template spec.replicas spec.minReadySeconds"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, err := range test.errs {
				got = append(got, err.Field)
				if strings.HasSuffix(err.Field, "addresses") && err.Detail != "" {
					t.Errorf("detail %q", err.Detail)
				}
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got  %v\nwant %s", test.errs, test.want)
			}
		})
	}
}
