package apiservices_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"

	"tidepool.dev/tidepool/engine/api/custom"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/apiservices"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/store"
)

const resource = "apiservices.apiregistration.k8s.io"

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{apiservices.New(c.Cache, c.ClientOf(apiservices.Name), c.Clock, []schema.GroupVersion{
		{Version: "v1"}, {Group: "apps", Version: "v1"}, {Group: "apiregistration.k8s.io", Version: "v1"},
	})}
}

func get(c *controllertest.Cluster, name string) *apiregistrationv1.APIService {
	obj, err := c.Operations.Store().Get(c.Context(), store.Key{Resource: resource, Name: name})
	if err != nil {
		return nil
	}
	return obj.(*apiregistrationv1.APIService)
}

func definition() *apiextensionsv1.CustomResourceDefinition {
	crd := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: "ponies.example.com"}}
	version := func(name string, stored bool) apiextensionsv1.CustomResourceDefinitionVersion {
		return apiextensionsv1.CustomResourceDefinitionVersion{
			Name: name, Served: true, Storage: stored,
			Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object"}},
		}
	}
	crd.Spec = apiextensionsv1.CustomResourceDefinitionSpec{
		Group: "example.com", Scope: apiextensionsv1.ClusterScoped,
		Names:    apiextensionsv1.CustomResourceDefinitionNames{Plural: "ponies", Kind: "Pony"},
		Versions: []apiextensionsv1.CustomResourceDefinitionVersion{version("v1", true), version("v1beta1", false)},
	}
	return crd
}

func TestBuiltin(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		c.Until("registered", func() bool { return get(c, "v1.") != nil && get(c, "v1.apps") != nil })
		apps := get(c, "v1.apps")
		if apps.Spec.GroupPriorityMinimum != 17800 || apps.Spec.VersionPriority != 15 || apps.Labels["kube-aggregator.kubernetes.io/automanaged"] != "onstart" {
			t.Errorf("got %+v, labels %v", apps.Spec, apps.Labels)
		}
		if got := apps.Status.Conditions; len(got) != 1 || got[0].Status != apiregistrationv1.ConditionTrue || got[0].Reason != "Local" || got[0].LastTransitionTime.IsZero() {
			t.Errorf("conditions %+v", got)
		}
		if get(c, "v1.apiregistration.k8s.io") != nil {
			t.Error("the aggregator has registered itself")
		}
	})
}

// TestDefinitions: what a definition serves is registered while it does.
func TestDefinitions(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		controllertest.Create(c, definition())
		c.Until("registered", func() bool { return get(c, "v1.example.com") != nil && get(c, "v1beta1.example.com") != nil })
		if spec := get(c, "v1.example.com").Spec; spec.GroupPriorityMinimum != 1000 || spec.VersionPriority != 100 {
			t.Errorf("got %+v", spec)
		}
		obj, err := c.Client.Get(c.Context(), custom.Resource, "", "ponies.example.com")
		if err != nil {
			t.Fatal(err)
		}
		crd := obj.(*apiextensionsv1.CustomResourceDefinition).DeepCopy()
		crd.Spec.Versions[1].Served = false
		if _, err := c.Client.Update(c.Context(), custom.Resource, crd); err != nil {
			t.Fatal(err)
		}
		c.Until("no longer served", func() bool { return get(c, "v1beta1.example.com") == nil })
		if get(c, "v1.example.com") == nil {
			t.Error("the other version has gone too")
		}
	})
}

// TestElsewhere: what others would serve is said to be out of reach.
func TestElsewhere(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		reason := func() string {
			if s := get(c, "v1.elsewhere.io"); s != nil && len(s.Status.Conditions) == 1 {
				return s.Status.Conditions[0].Reason
			}
			return ""
		}
		controllertest.Create(c, &apiregistrationv1.APIService{
			ObjectMeta: metav1.ObjectMeta{Name: "v1.elsewhere.io"},
			Spec: apiregistrationv1.APIServiceSpec{
				Group: "elsewhere.io", Version: "v1", GroupPriorityMinimum: 100, VersionPriority: 100,
				Service: &apiregistrationv1.ServiceReference{Namespace: "default", Name: "elsewhere"},
			},
		})
		c.Until("not found", func() bool { return reason() == "ServiceNotFound" })
		if got, want := get(c, "v1.elsewhere.io").Status.Conditions[0].Message, `service/elsewhere in "default" is not present`; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		controllertest.Create(c, &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "elsewhere"},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
		})
		c.Until("not listening", func() bool { return reason() == "ServicePortError" })
	})
}
