package customresources_test

import (
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/custom"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/customresources"
	"tidepool.dev/tidepool/engine/store"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{customresources.New(c.Cache, c.ClientOf(customresources.Name), c.Clock)}
}

func definition(plural, kind string) *apiextensionsv1.CustomResourceDefinition {
	preserve := true
	crd := &apiextensionsv1.CustomResourceDefinition{}
	crd.Name = plural + ".example.com"
	crd.Spec = apiextensionsv1.CustomResourceDefinitionSpec{
		Group: "example.com", Scope: apiextensionsv1.ClusterScoped,
		Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: plural, Kind: kind},
		Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
			Name: "v1", Served: true, Storage: true,
			Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: &preserve}},
		}},
	}
	return crd
}

func get(c *controllertest.Cluster, name string) *apiextensionsv1.CustomResourceDefinition {
	obj, err := c.Operations.Store().Get(c.Context(), store.Key{Resource: custom.Resource, Name: name})
	if err != nil {
		return &apiextensionsv1.CustomResourceDefinition{}
	}
	return obj.(*apiextensionsv1.CustomResourceDefinition)
}

// TestLife: a definition is established, its instances can be created, and go
// with it.
func TestLife(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		controllertest.Create(c, definition("ponies", "Pony"))
		c.Until("established", func() bool { return custom.IsTrue(get(c, "ponies.example.com"), apiextensionsv1.Established) })
		pony := &custom.Object{ObjectMeta: metav1.ObjectMeta{Name: "flash"}, Content: map[string]any{"spec": "x"}}
		if _, err := c.Client.Create(c.Context(), "ponies.example.com", pony); err != nil {
			t.Fatal(err)
		}
		if err := c.Client.Delete(c.Context(), custom.Resource, "", "ponies.example.com", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		c.Until("deleted", func() bool { return get(c, "ponies.example.com").Name == "" })
		if _, err := c.Client.Get(c.Context(), "ponies.example.com", "", "flash"); !errors.IsNotFound(err) {
			t.Errorf("the instance is still there: %v", err)
		}
	})
}

// TestNames: of two definitions with one kind only the first is served, until
// that has gone.
func TestNames(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		controllertest.Create(c, definition("ponies", "Pony"))
		c.Until("established", func() bool { return custom.IsTrue(get(c, "ponies.example.com"), apiextensionsv1.Established) })
		controllertest.Create(c, definition("horses", "Pony"))
		c.Until("refused", func() bool {
			accepted := custom.Condition(get(c, "horses.example.com"), apiextensionsv1.NamesAccepted)
			return accepted != nil && accepted.Status == apiextensionsv1.ConditionFalse
		})
		if got := custom.Condition(get(c, "horses.example.com"), apiextensionsv1.NamesAccepted); got.Reason != "ListKindConflict" || got.Message != `"PonyList" is already in use` {
			t.Errorf("refused for %s: %s", got.Reason, got.Message)
		}
		if err := c.Client.Delete(c.Context(), custom.Resource, "", "ponies.example.com", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		c.Until("accepted", func() bool { return custom.IsTrue(get(c, "horses.example.com"), apiextensionsv1.Established) })
	})
}
