package openapi_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"tidepool.dev/tidepool/engine/api/openapi"
	"tidepool.dev/tidepool/engine/api/openapi/embedded"
)

// What kubectl relies on, as published for Kubernetes 1.37.
func TestDocumentsSayWhatClientsRelyOn(t *testing.T) {
	const pods, schemas = "paths|/api/v1/namespaces/{namespace}/pods|", "components|schemas|io.k8s.api."
	for _, test := range []struct{ document, at, want string }{
		{"v3/api/v1", schemas + "core.v1.Pod|x-kubernetes-group-version-kind", `[{"group":"","kind":"Pod","version":"v1"}]`},
		{"v3/api/v1", schemas + "core.v1.PodSpec|required", `["containers"]`},
		{"v3/api/v1", schemas + "core.v1.PodSpec|properties|containers|x-kubernetes-patch-merge-key", `"name"`},
		{"v3/api/v1", schemas + "core.v1.PodSpec|properties|containers|x-kubernetes-patch-strategy", `"merge"`},
		{"v3/api/v1", schemas + "core.v1.PodSpec|properties|volumes|x-kubernetes-patch-strategy", `"merge,retainKeys"`},
		{"v3/api/v1", schemas + "core.v1.PodSpec|properties|restartPolicy|enum", `["Always","Never","OnFailure"]`},
		{"v3/api/v1", schemas + "core.v1.Container|properties|ports|x-kubernetes-list-map-keys", `["containerPort","protocol"]`},
		{"v3/api/v1", schemas + "core.v1.ContainerPort|properties|protocol|default", `"TCP"`},
		{"v3/api/v1", schemas + "core.v1.ContainerPort|properties|containerPort",
			`{"default":0,"description":"Number of port to expose on the pod's IP address. This must be a valid port number, 0 < x < 65536.","format":"int32","type":"integer"}`},
		{"v3/api/v1", schemas + "core.v1.Secret|properties|data|additionalProperties", `{"format":"byte","type":"string"}`},
		{"v3/api/v1", "components|schemas|io.k8s.apimachinery.pkg.util.intstr.IntOrString|oneOf", `[{"type":"integer"},{"type":"string"}]`},
		{"v3/api/v1", pods + "post|x-kubernetes-action", `"post"`},
		{"v3/api/v1", pods + "post|x-kubernetes-group-version-kind", `{"group":"","kind":"Pod","version":"v1"}`},
		{"v3/api/v1", pods + "post|parameters|2|name", `"fieldValidation"`},
		{"v3/apis/apps/v1", schemas + "apps.v1.Deployment|properties|metadata",
			`{"allOf":[{"$ref":"#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}],"default":{},"description":"Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"}`},
		{"v3/apis/apps/v1", "paths|/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale|put|x-kubernetes-group-version-kind",
			`{"group":"autoscaling","kind":"Scale","version":"v1"}`},
		{"v3/apis/events.k8s.io/v1", schemas + "events.v1.Event|x-kubernetes-group-version-kind", `[{"group":"events.k8s.io","kind":"Event","version":"v1"}]`},
		{"v2", "definitions|io.k8s.apimachinery.pkg.util.intstr.IntOrString|format", `"int-or-string"`},
		{"v2", "definitions|io.k8s.api.core.v1.PodSpec|properties|affinity|$ref", `"#/definitions/io.k8s.api.core.v1.Affinity"`},
	} {
		t.Run(test.at, func(t *testing.T) {
			text, err := embedded.Source(t.Context(), test.document)
			if err != nil {
				t.Fatal(err)
			}
			var got, want any
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			for key := range strings.SplitSeq(test.at, "|") {
				got = step(got, key)
			}
			if err := json.Unmarshal([]byte(test.want), &want); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func step(value any, key string) any {
	switch value := value.(type) {
	case map[string]any:
		return value[key]
	case []any:
		if i := int(key[0] - '0'); i < len(value) {
			return value[i]
		}
	}
	return nil
}

func TestIndex(t *testing.T) {
	for _, entry := range openapi.Index {
		if !strings.HasPrefix(entry.URL(), "/openapi/v3/"+entry.GroupVersion()+"?hash=") {
			t.Errorf("%s is at %s", entry.GroupVersion(), entry.URL())
		}
	}
	if got := openapi.File("v3/apis/apps/v1"); got != "v3_apis_apps_v1.json" {
		t.Errorf("file is %s", got)
	}
}
