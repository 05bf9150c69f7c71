package server

import (
	"encoding/json"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	openapiv2 "github.com/google/gnostic-models/openapiv2"
	"google.golang.org/protobuf/proto"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"tidepool.dev/tidepool/engine/api"
	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/api/openapi/embedded"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

// TestOpenAPI2: what kubectl downloads describes custom resources too, and
// changes with them.
func TestOpenAPI2(t *testing.T) {
	server, err := api.New(api.Config{
		Store: store.NewMemory(0), Clock: clock.NewVirtual(time.Unix(0, 0)), Random: rand.New(rand.NewPCG(1, 2)),
		Kinds: kinds.All(), OpenAPI: embedded.Source, EncodeOpenAPI: encodeOpenAPI,
	})
	if err != nil {
		t.Fatal(err)
	}
	get := func(accept, tag string) *httptest.ResponseRecorder {
		request := httptest.NewRequest("GET", "/openapi/v2", nil)
		request.Header.Set("Accept", accept)
		request.Header.Set("If-None-Match", tag)
		recorder := httptest.NewRecorder()
		server.ServeHTTP(recorder, request)
		return recorder
	}
	before := get("application/json", "").Header().Get("Etag")
	if answer := get("application/json", before); answer.Code != 304 || answer.Body.Len() > 0 {
		t.Errorf("the same document is answered with %d", answer.Code)
	}
	client := server.Client("somebody")
	crd := &apiextensionsv1.CustomResourceDefinition{}
	crd.Name = "crontabs.stable.example.com"
	crd.Spec = apiextensionsv1.CustomResourceDefinitionSpec{
		Group: "stable.example.com", Scope: apiextensionsv1.ClusterScoped,
		Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "crontabs", Kind: "CronTab"},
		Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{Name: "v1", Served: true, Storage: true, Schema: &apiextensionsv1.CustomResourceValidation{
			OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object", Description: "A cron tab.", Properties: map[string]apiextensionsv1.JSONSchemaProps{
				"anything": {Type: "string", Nullable: true}, "either": {XIntOrString: true, AnyOf: []apiextensionsv1.JSONSchemaProps{{Type: "integer"}, {Type: "string"}}},
			}},
		}}},
	}
	created, err := client.Create(t.Context(), "customresourcedefinitions.apiextensions.k8s.io", crd)
	if err != nil {
		t.Fatal(err)
	}
	crd = created.DeepCopyObject().(*apiextensionsv1.CustomResourceDefinition)
	crd.Status.AcceptedNames = crd.Spec.Names
	crd.Status.Conditions = []apiextensionsv1.CustomResourceDefinitionCondition{{Type: apiextensionsv1.Established, Status: apiextensionsv1.ConditionTrue}}
	if _, err := client.UpdateStatus(t.Context(), "customresourcedefinitions.apiextensions.k8s.io", crd); err != nil {
		t.Fatal(err)
	}
	if answer := get("application/json", before); answer.Code != 200 || !strings.Contains(answer.Body.String(), `"com.example.stable.v1.CronTab":{"description":"A cron tab."`) {
		t.Errorf("got %d, %d bytes", answer.Code, answer.Body.Len())
	}
	// Otherwise kubectl would check fields itself.
	recorder := httptest.NewRecorder()
	server.ServeHTTP(recorder, httptest.NewRequest("GET", "/openapi/v3/apis/stable.example.com/v1", nil))
	var newer struct {
		Paths map[string]struct {
			Patch struct{ Parameters []struct{ Name string } }
		}
	}
	if err := json.Unmarshal(recorder.Body.Bytes(), &newer); err != nil {
		t.Fatal(err)
	}
	var parameters []string
	for _, parameter := range newer.Paths["/apis/stable.example.com/v1/crontabs/{name}"].Patch.Parameters {
		parameters = append(parameters, parameter.Name)
	}
	if !slices.Contains(parameters, "fieldValidation") {
		t.Errorf("patches have the parameters %q", parameters)
	}
	var document openapiv2.Document
	if err := proto.Unmarshal(get("application/com.github.proto-openapi.spec.v2@v1.0+protobuf", "").Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	found := map[string]*openapiv2.Schema{}
	for _, each := range document.Definitions.AdditionalProperties {
		found[each.Name] = each.Value
	}
	if found["io.k8s.api.core.v1.Pod"] == nil || found["com.example.stable.v1.CronTab"].GetDescription() != "A cron tab." {
		t.Errorf("%d schemas, the custom one is %v", len(found), found["com.example.stable.v1.CronTab"])
	}
}
