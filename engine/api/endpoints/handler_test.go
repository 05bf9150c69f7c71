package endpoints_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/authorization"
	"tidepool.dev/tidepool/engine/api/endpoints"
	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/api/openapi/embedded"
	"tidepool.dev/tidepool/engine/api/rest"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

type fixture struct {
	testing.TB
	*endpoints.Handler
	clock *clock.Virtual
	store *store.Memory
}

// newFixture is a bootstrapped API; configure may change its hooks.
func newFixture(t testing.TB, configure func(*endpoints.Config)) *fixture {
	f := &fixture{TB: t, clock: clock.NewVirtual(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)), store: store.NewMemory(0)}
	config := endpoints.Config{
		Operations: rest.New(f.store, f.clock, rand.New(rand.NewPCG(1, 0)), kinds.All()),
		Clock:      f.clock,
		OpenAPI:    embedded.Source,
	}
	if configure != nil {
		configure(&config)
	}
	f.Handler = endpoints.New(config)
	if err := config.Operations.Bootstrap(context.Background()); err != nil {
		t.Fatal(err)
	}
	f.mustCreate("/api/v1/namespaces/default/serviceaccounts", `{"metadata":{"name":"default"}}`)
	return f
}

// call makes a request. body's first word may be a content type.
func (f *fixture) call(method, path, contentType, accept, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	recorder := httptest.NewRecorder()
	f.ServeHTTP(recorder, request)
	return recorder
}

func (f *fixture) mustCreate(path, body string) string {
	f.Helper()
	answer := f.call("POST", path, "", "", body)
	if answer.Code != http.StatusCreated {
		f.Fatalf("create at %s: %d %s", path, answer.Code, answer.Body)
	}
	return answer.Body.String()
}

const (
	configMaps  = "/api/v1/namespaces/default/configmaps"
	deployments = "/apis/apps/v1/namespaces/default/deployments"
	mergePatch  = "application/merge-patch+json"
	jsonPatch   = "application/json-patch+json"
	strategic   = "application/strategic-merge-patch+json"
	deployment  = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"a":"b"}},` +
		`"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"nginx"}]}}}}`
)

// TestAnswers makes one request to a cluster that has ConfigMap one and
// Deployment web, and reads the answer.
func TestAnswers(t *testing.T) {
	tests := map[string]struct {
		method, path, contentType, accept, body string
		code                                    int
		want                                    []string // in the answer
	}{
		"get":             {path: configMaps + "/one", code: 200, want: []string{`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"one"`, `"data":{"a":"b"}`}},
		"get as YAML":     {path: configMaps + "/one", accept: "application/yaml", code: 200, want: []string{"apiVersion: v1\ndata:\n  a: b\n"}},
		"get pretty":      {path: configMaps + "/one?pretty=1", code: 200, want: []string{"{\n  \"kind\": \"ConfigMap\",\n"}},
		"falls back":      {path: configMaps + "/one", accept: "application/vnd.kubernetes.protobuf,application/json", code: 200, want: []string{`{"kind":"ConfigMap"`}},
		"not acceptable":  {path: configMaps + "/one", accept: "application/cbor", code: 406, want: []string{`"reason":"NotAcceptable"`, "only the following media types are accepted: application/json, application/yaml"}},
		"absent":          {path: configMaps + "/none", code: 404, want: []string{`"message":"configmaps \"none\" not found","reason":"NotFound","details":{"name":"none","kind":"configmaps"},"code":404`}},
		"absent in group": {path: deployments + "/none", code: 404, want: []string{`deployments.apps \"none\" not found`, `"group":"apps"`}},
		"list":            {path: configMaps, code: 200, want: []string{`{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"`, `"items":[{"metadata":{"name":"one"`}},
		"empty list":      {path: "/api/v1/namespaces/default/secrets", code: 200, want: []string{`"items":[]}`}},
		"everywhere":      {path: "/api/v1/configmaps", code: 200, want: []string{`"namespace":"default"`}},
		"list by label":   {path: configMaps + "?labelSelector=x%3Dy", code: 200, want: []string{`"items":[]`}},
		"bad label":       {path: configMaps + "?labelSelector=x%20in%20(", code: 400, want: []string{`"reason":"BadRequest"`, "unable to parse requirement"}},
		"list by field":   {path: configMaps + "?fieldSelector=metadata.name%3Done", code: 200, want: []string{`"name":"one"`}},
		"bad field":       {path: configMaps + "?fieldSelector=data.a%3Db", code: 400, want: []string{`\"data.a\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"`}},
		"bad limit":       {path: configMaps + "?limit=many", code: 400, want: []string{"invalid syntax"}},
		"bad continue":    {path: configMaps + "?continue=xyz", code: 400, want: []string{"continue key is not valid"}},
		"bad match":       {path: configMaps + "?resourceVersionMatch=Exact", code: 422, want: []string{"resourceVersionMatch is forbidden unless resourceVersion is provided"}},
		"future":          {path: configMaps + "?resourceVersion=99999&resourceVersionMatch=Exact", code: 504, want: []string{"Too large resource version"}},
		"head":            {method: "HEAD", path: configMaps + "/one", code: 405}, // as go-restful has it
		"options":         {method: "OPTIONS", path: configMaps + "/one", code: 405, want: []string{"the server does not allow this method on the requested resource"}},
		"timeout":         {path: configMaps + "?timeout=1s", code: 200},
		"no timeout":      {path: configMaps + "?timeout=soon", code: 400, want: []string{`invalid timeout specified in the request URL - time: invalid duration \"soon\"`}},

		"table": {path: configMaps, accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json", code: 200,
			want: []string{`{"kind":"Table","apiVersion":"meta.k8s.io/v1"`, `"columnDefinitions":[{"name":"Name","type":"string","format":"name"`, `"cells":["one",1,"0s"]`, `"object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1"`}},
		"table of one":       {path: configMaps + "/one?includeObject=Object", accept: "application/json;as=Table;v=v1;g=meta.k8s.io", code: 200, want: []string{`"object":{"kind":"ConfigMap"`}},
		"bare table":         {path: configMaps + "?includeObject=None", accept: "application/json;as=Table;v=v1;g=meta.k8s.io", code: 200, want: []string{`"object":null`}},
		"bad table":          {path: configMaps + "?includeObject=Some", accept: "application/json;as=Table;v=v1;g=meta.k8s.io", code: 400, want: []string{"Unable to convert to Table as requested"}},
		"unknown conversion": {path: configMaps, accept: "application/json;as=Chair;v=v1;g=meta.k8s.io", code: 406},
		"metadata":           {path: configMaps + "/one", accept: "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", code: 200, want: []string{`{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"one"`}},
		"metadata list":      {path: configMaps, accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", code: 200, want: []string{`{"kind":"PartialObjectMetadataList"`, `"items":[{"kind":"PartialObjectMetadata"`}},
		"metadata of a list": {path: configMaps, accept: "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", code: 406, want: []string{"but the requested object is a list"}},

		"create":             {method: "POST", path: configMaps, body: `{"metadata":{"name":"two"}}`, code: 201, want: []string{`"creationTimestamp":"2026-01-01T00:00:00Z"`, `"uid":"`}},
		"create from YAML":   {method: "POST", path: configMaps, contentType: "application/yaml", body: "metadata:\n  name: two\n", code: 201},
		"create by protobuf": {method: "POST", path: configMaps, contentType: "application/vnd.kubernetes.protobuf", body: protobufOf(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "two"}}, "v1", "ConfigMap"), code: 201, want: []string{`"name":"two"`}},
		"broken protobuf":    {method: "POST", path: configMaps, contentType: "application/vnd.kubernetes.protobuf", body: "k8s\x00\xff\xff", code: 400, want: []string{"proto: illegal message"}},
		"no protobuf":        {method: "POST", path: configMaps, contentType: "application/vnd.kubernetes.protobuf", body: "{}", code: 400, want: []string{"does not appear to be a protobuf message"}},
		"generated name":     {method: "POST", path: configMaps, body: `{"metadata":{"generateName":"some-"}}`, code: 201, want: []string{`"name":"some-`}},
		"exists":             {method: "POST", path: configMaps, body: `{"metadata":{"name":"one"}}`, code: 409, want: []string{`"message":"configmaps \"one\" already exists","reason":"AlreadyExists"`}},
		"dry run":            {method: "POST", path: configMaps + "?dryRun=All", body: `{"metadata":{"name":"two"}}`, code: 201},
		"bad dry run":        {method: "POST", path: configMaps + "?dryRun=Some", body: `{"metadata":{"name":"two"}}`, code: 422, want: []string{`CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"Some\"]`}},
		"empty body":         {method: "POST", path: configMaps, code: 400, want: []string{"the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input (\\u003cempty\\u003e)"}},
		"no JSON":            {method: "POST", path: configMaps, body: "hello", code: 400, want: []string{"json parse error", "(68656c6c6f)"}},
		"cut JSON":           {method: "POST", path: configMaps, body: `{"metadata":{"name"`, code: 400, want: []string{"unexpected end of JSON input"}},
		"no YAML":            {method: "POST", path: configMaps, contentType: "application/yaml", body: "a: [", code: 400, want: []string{"must be of type ConfigMap"}},
		"wrong type":         {method: "POST", path: configMaps, body: `{"data":{"a":1}}`, code: 400, want: []string{`ConfigMap in version \"v1\" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string`}},
		"other kind":         {method: "POST", path: configMaps, body: `{"apiVersion":"v1","kind":"Secret"}`, code: 400, want: []string{`Secret in version \"v1\" cannot be handled as a ConfigMap`}},
		"unknown kind":       {method: "POST", path: configMaps, body: `{"apiVersion":"v1","kind":"Thing"}`, code: 400, want: []string{`no kind \"Thing\" is registered for version \"v1\"`}},
		"other version":      {method: "POST", path: deployments, body: `{"apiVersion":"apps/v9","kind":"Deployment"}`, code: 400},
		"other namespace":    {method: "POST", path: configMaps, body: `{"metadata":{"name":"x","namespace":"y"}}`, code: 400, want: []string{"the namespace of the provided object does not match the namespace sent on the request"}},
		"no such namespace":  {method: "POST", path: "/api/v1/namespaces/none/configmaps", body: `{"metadata":{"name":"x"}}`, code: 404, want: []string{`namespaces \"none\" not found`}},
		"no namespace":       {method: "POST", path: "/api/v1/configmaps", body: `{"metadata":{"name":"x"}}`, code: 405},
		"unknown format":     {method: "POST", path: configMaps, contentType: "text/plain", body: "{}", code: 415, want: []string{"the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf"}},
		"too large":          {method: "POST", path: configMaps, body: `{"data":{"a":"` + strings.Repeat("x", 3<<20) + `"}}`, code: 413, want: []string{`"message":"Request entity too large: limit is 3145728"`}},
		"invalid":            {method: "POST", path: configMaps, body: `{"metadata":{"name":"A"}}`, code: 422, want: []string{`"reason":"Invalid"`, `ConfigMap \"A\" is invalid: metadata.name: Invalid value: \"A\": a lowercase RFC 1123 subdomain`, `"causes":[{`}},
		"strict":             {method: "POST", path: configMaps + "?fieldValidation=Strict", body: `{"metadata":{"name":"x"},"spec":{}}`, code: 400, want: []string{`strict decoding error: unknown field \"spec\"`}},
		"strict, twice":      {method: "POST", path: configMaps + "?fieldValidation=Strict", body: `{"metadata":{"name":"x"},"data":{},"data":{}}`, code: 400, want: []string{`strict decoding error: duplicate field \"data\"`}},
		"ignored":            {method: "POST", path: configMaps + "?fieldValidation=Ignore", body: `{"metadata":{"name":"x"},"spec":{}}`, code: 201},

		"update":          {method: "PUT", path: configMaps + "/one", body: `{"metadata":{"name":"one"},"data":{"c":"d"}}`, code: 200, want: []string{`"data":{"c":"d"}`}},
		"update stale":    {method: "PUT", path: configMaps + "/one", body: `{"metadata":{"name":"one","resourceVersion":"1"}}`, code: 409, want: []string{`Operation cannot be fulfilled on configmaps \"one\": the object has been modified; please apply your changes to the latest version and try again`}},
		"update another":  {method: "PUT", path: configMaps + "/one", body: `{"metadata":{"name":"two"}}`, code: 400, want: []string{"the name of the object (two) does not match the name on the URL (one)"}},
		"update absent":   {method: "PUT", path: configMaps + "/none", body: `{"metadata":{"name":"none"}}`, code: 404},
		"update wrong ID": {method: "PUT", path: configMaps + "/one", body: `{"metadata":{"name":"one","uid":"x"}}`, code: 409, want: []string{"Precondition failed: UID in precondition: x"}},
		"update gone":     {method: "PUT", path: "/apis/coordination.k8s.io/v1/namespaces/default/leases/new", body: `{"metadata":{"name":"new","uid":"x"}}`, code: 409},
		"update creates":  {method: "PUT", path: "/apis/coordination.k8s.io/v1/namespaces/default/leases/new", body: `{"metadata":{"name":"new"}}`, code: 201},

		"merge patch":        {method: "PATCH", path: configMaps + "/one", contentType: mergePatch, body: `{"data":{"a":null,"c":"d"}}`, code: 200, want: []string{`"data":{"c":"d"}`}},
		"JSON patch":         {method: "PATCH", path: configMaps + "/one", contentType: jsonPatch, body: `[{"op":"add","path":"/data/c","value":"d"}]`, code: 200, want: []string{`"data":{"a":"b","c":"d"}`}},
		"strategic patch":    {method: "PATCH", path: deployments + "/web", contentType: strategic, body: `{"spec":{"template":{"spec":{"containers":[{"name":"d","image":"redis"}]}}}}`, code: 200, want: []string{`"name":"d"`, `"name":"c"`, `"generation":2`}},
		"no change":          {method: "PATCH", path: deployments + "/web", contentType: strategic, body: `{"spec":{"replicas":1}}`, code: 200, want: []string{`"generation":1`}},
		"patch absent":       {method: "PATCH", path: configMaps + "/none", contentType: mergePatch, body: `{}`, code: 404},
		"patch no JSON":      {method: "PATCH", path: configMaps + "/one", contentType: mergePatch, body: `{`, code: 400, want: []string{`"message":"invalid JSON patch"`}},
		"patch not possible": {method: "PATCH", path: configMaps + "/one", contentType: jsonPatch, body: `[{"op":"remove","path":"/data/z"}]`, code: 422},
		"patch wrong type":   {method: "PATCH", path: deployments + "/web", contentType: strategic, body: `{"spec":{"replicas":"two"}}`, code: 422, want: []string{`patch: Invalid value: \"map[spec:map[replicas:two]]\": unrecognized type: int32`}},
		"patch unknown":      {method: "PATCH", path: configMaps + "/one?fieldValidation=Strict", contentType: mergePatch, body: `{"spec":1}`, code: 422, want: []string{`strict decoding error: unknown field`}},
		"patch format":       {method: "PATCH", path: configMaps + "/one", contentType: "application/toml", body: `{}`, code: 415, want: []string{"accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml"}},
		"patch name":         {method: "PATCH", path: configMaps + "/one", contentType: mergePatch, body: `{"metadata":{"name":"two"}}`, code: 400, want: []string{"does not match the name on the URL"}},
		"patch stale":        {method: "PATCH", path: configMaps + "/one", contentType: mergePatch, body: `{"metadata":{"resourceVersion":"1"}}`, code: 409},

		"delete":            {method: "DELETE", path: configMaps + "/one", code: 200, want: []string{`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","details":{"name":"one","kind":"configmaps","uid":"`}},
		"delete absent":     {method: "DELETE", path: configMaps + "/none", code: 404},
		"delete other UID":  {method: "DELETE", path: configMaps + "/one", body: `{"preconditions":{"uid":"x"}}`, code: 409, want: []string{`Operation cannot be fulfilled on ConfigMap \"one\": the UID in the precondition (x) does not match the UID in record`}},
		"delete foreground": {method: "DELETE", path: deployments + "/web?propagationPolicy=Foreground", code: 200, want: []string{`"finalizers":["foregroundDeletion"]`, `"deletionTimestamp":"2026-01-01T00:00:00Z"`}},
		"delete bad policy": {method: "DELETE", path: deployments + "/web?propagationPolicy=Up", code: 422, want: []string{"DeleteOptions.meta.k8s.io"}},
		"delete bad body":   {method: "DELETE", path: configMaps + "/one", body: `[]`, code: 400},
		"delete all":        {method: "DELETE", path: configMaps, code: 200, want: []string{`"kind":"ConfigMapList"`, `"name":"one"`}},
		"delete immortal":   {method: "DELETE", path: "/api/v1/namespaces/default", code: 403, want: []string{`namespaces \"default\" is forbidden: this namespace may not be deleted`}},
		"delete namespaces": {method: "DELETE", path: "/api/v1/namespaces", code: 405},

		"scale":            {path: deployments + "/web/scale", code: 200, want: []string{`{"kind":"Scale","apiVersion":"autoscaling/v1"`, `"spec":{"replicas":1}`, `"selector":"a=b"`}},
		"set scale":        {method: "PUT", path: deployments + "/web/scale", body: `{"metadata":{"name":"web"},"spec":{"replicas":3}}`, code: 200, want: []string{`"spec":{"replicas":3}`}},
		"patch scale":      {method: "PATCH", path: deployments + "/web/scale", contentType: mergePatch, body: `{"spec":{"replicas":4}}`, code: 200, want: []string{`"spec":{"replicas":4}`}},
		"negative scale":   {method: "PATCH", path: deployments + "/web/scale", contentType: mergePatch, body: `{"spec":{"replicas":-1}}`, code: 422, want: []string{"must be greater than or equal to 0"}},
		"status":           {path: deployments + "/web/status", code: 200, want: []string{`"kind":"Deployment"`}},
		"set status":       {method: "PATCH", path: deployments + "/web/status", contentType: mergePatch, body: `{"spec":{"replicas":9},"status":{"replicas":1}}`, code: 200, want: []string{`"spec":{"replicas":1`, `"status":{"replicas":1`}},
		"no status":        {path: configMaps + "/one/status", code: 404},
		"no subresource":   {path: deployments + "/web/thing", code: 404},
		"too deep":         {path: deployments + "/web/status/more", code: 404},
		"create status":    {method: "POST", path: deployments + "/web/status", body: "{}", code: 405},
		"finalize":         {method: "PUT", path: "/api/v1/namespaces/default/finalize", body: `{"metadata":{"name":"default"},"spec":{"finalizers":["kubernetes"]}}`, code: 200},
		"bind absent":      {method: "POST", path: "/api/v1/namespaces/default/pods/x/binding", body: `{"target":{"name":"node-1"}}`, code: 404},
		"evict absent":     {method: "POST", path: "/api/v1/namespaces/default/pods/x/eviction", body: `{"apiVersion":"policy/v1","kind":"Eviction"}`, code: 404},
		"events.k8s.io":    {path: "/apis/events.k8s.io/v1/events", code: 200, want: []string{`{"kind":"EventList","apiVersion":"events.k8s.io/v1"`}},
		"unknown resource": {path: "/api/v1/things", code: 404, want: []string{`"message":"the server could not find the requested resource","reason":"NotFound"`}},
		"unknown group":    {path: "/apis/none/v1/things", code: 404},
		"in no namespace":  {path: "/api/v1/namespaces/default/nodes", code: 404},
		"unknown path":     {path: "/nowhere", code: 404, want: []string{"the server could not find the requested resource"}},
		"wrong method":     {method: "PUT", path: configMaps, body: "{}", code: 405, want: []string{`"message":"the server does not allow this method on the requested resource","reason":"MethodNotAllowed"`}},
		"unknown method":   {method: "BREW", path: configMaps, code: 405},
		"post to version":  {method: "POST", path: "/version", code: 405},
		"post to nowhere":  {method: "POST", path: "/nowhere", code: 404},
		"custom resources": {path: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", code: 200, want: []string{`"items":[]`}},

		"version":         {path: "/version", code: 200, want: []string{`"gitVersion":"v1.37.2"`}},
		"health":          {path: "/healthz", code: 200, want: []string{"ok"}},
		"one check":       {path: "/readyz/ping", code: 200, want: []string{"ok"}},
		"verbose health":  {path: "/livez?verbose", code: 200, want: []string{"[+]ping ok\n[+]log ok\n[+]etcd ok\nlivez check passed\n"}},
		"readiness":       {path: "/readyz?verbose", code: 200, want: []string{"[+]etcd ok\n[+]etcd-readiness ok\nreadyz check passed\n"}},
		"no readiness":    {path: "/livez/etcd-readiness", code: 404},
		"without a check": {path: "/livez?verbose&exclude=etcd&exclude=none", code: 200, want: []string{"[+]etcd excluded: ok\n" + `warn: some health checks cannot be excluded: no matches for "none"` + "\nlivez check passed"}},
		"unknown check":   {path: "/livez/none", code: 404},
		"roots":           {path: "/", code: 200, want: []string{`"/apis/apps/v1"`}},
		"core versions":   {path: "/api", code: 200, want: []string{`{"kind":"APIVersions","versions":["v1"]`}},
		"groups":          {path: "/apis", code: 200, want: []string{`{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"apps","versions":[{"groupVersion":"apps/v1","version":"v1"}]`}},
		"group":           {path: "/apis/apps", code: 200, want: []string{`{"kind":"APIGroup","apiVersion":"v1","name":"apps"`}},
		"no group":        {path: "/apis/none", code: 404},
		"resources":       {path: "/api/v1", code: 200, want: []string{`"groupVersion":"v1"`, `{"name":"pods/eviction","singularName":"","namespaced":true,"group":"policy","version":"v1","kind":"Eviction","verbs":["create"]}`}},
		"group resources": {path: "/apis/apps/v1", code: 200, want: []string{`"shortNames":["deploy"]`, `{"name":"deployments/scale","singularName":"","namespaced":true,"group":"autoscaling","version":"v1","kind":"Scale","verbs":["get","patch","update"]}`}},
		"aggregated": {path: "/apis", accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json", code: 200,
			want: []string{`{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2"`, `"responseKind":{"group":"apps","version":"v1","kind":"Deployment"}`}},
		"OpenAPI":         {path: "/openapi/v3", code: 200, want: []string{`"apis/apps/v1":{"serverRelativeURL":"/openapi/v3/apis/apps/v1?hash=`}},
		"OpenAPI v3":      {path: "/openapi/v3/apis/apps/v1", code: 200, want: []string{`"openapi":"3.0.0"`}},
		"OpenAPI v2":      {path: "/openapi/v2", code: 200, want: []string{`"swagger":"2.0"`}},
		"no OpenAPI":      {path: "/openapi/v3/apis/none", code: 404},
		"old OpenAPI":     {path: "/openapi/v3/apis/apps/v1?hash=x", code: 301},
		"bad watch":       {path: configMaps + "?watch=1&resourceVersionMatch=Exact", code: 422},
		"bad timeout":     {path: configMaps + "?watch=1&timeoutSeconds=x", code: 400},
		"unable to watch": {path: configMaps + "?watch=1&fieldSelector=x%3Dy", code: 400},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			f.mustCreate(configMaps, `{"metadata":{"name":"one"},"data":{"a":"b"}}`)
			f.mustCreate(deployments, deployment)
			if test.method == "" {
				test.method = "GET"
			}
			answer := f.call(test.method, test.path, test.contentType, test.accept, test.body)
			text := answer.Body.String()
			if answer.Code != test.code {
				t.Fatalf("got %d %s", answer.Code, text)
			}
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("missing %s in\n%s", want, text)
				}
			}
			if test.code >= 400 && test.accept == "" {
				checkStatus(t, text, test.code)
			}
			if again := f.call("GET", configMaps+"/one", "", "", ""); test.code >= 400 && again.Code != 200 {
				t.Errorf("after the error, ConfigMap one is gone: %s", again.Body)
			}
		})
	}
}

// checkStatus wants an error to be a complete Status.
func checkStatus(t *testing.T, text string, code int) {
	t.Helper()
	var status metav1.Status
	if err := json.Unmarshal([]byte(text), &status); err != nil {
		t.Fatalf("not a Status: %v: %s", err, text)
	}
	if status.Kind != "Status" || status.APIVersion != "v1" || status.Status != "Failure" || int(status.Code) != code || status.Message == "" {
		t.Errorf("not a complete Status: %s", text)
	}
}

// protobufOf wraps a message in Kubernetes' envelope.
func protobufOf(message interface{ Marshal() ([]byte, error) }, apiVersion, kind string) string {
	raw, err := message.Marshal()
	if err != nil {
		panic(err)
	}
	field := func(number, content string) string { return number + string(rune(len(content))) + content }
	meta := field("\x0a", apiVersion) + field("\x12", kind)
	return "k8s\x00" + field("\x0a", meta) + field("\x12", string(raw))
}

func TestWarnings(t *testing.T) {
	f := newFixture(t, nil)
	answer := f.call("POST", configMaps, "application/yaml", "", "metadata: {name: x}\nspec: 1\nspec: 2\n")
	if answer.Code != http.StatusCreated {
		t.Fatal(answer.Body)
	}
	warnings := strings.Join(answer.Header().Values("Warning"), "\n")
	for _, want := range []string{`299 - "unknown field \"spec\""`, `key \"spec\" already set in map`} {
		if !strings.Contains(warnings, want) {
			t.Errorf("missing %s in %s", want, warnings)
		}
	}
}

func TestPages(t *testing.T) {
	f := newFixture(t, nil)
	for _, name := range []string{"a", "b", "c"} {
		f.mustCreate(configMaps, `{"metadata":{"name":"`+name+`"}}`)
	}
	first := listOf(t, f.call("GET", configMaps+"?limit=2", "", "", ""))
	if len(first.Items) != 2 || first.RemainingItemCount == nil || *first.RemainingItemCount != 1 {
		t.Fatalf("%+v", first.ListMeta)
	}
	f.mustCreate(configMaps, `{"metadata":{"name":"bb"}}`)
	second := listOf(t, f.call("GET", configMaps+"?limit=2&continue="+first.Continue, "", "", ""))
	if len(second.Items) != 1 || second.Items[0].Name != "c" || second.Continue != "" || second.ResourceVersion != first.ResourceVersion {
		t.Errorf("not the rest of the first list: %+v", second)
	}
	if err := f.store.Compact(context.Background(), mustRevision(f)); err != nil {
		t.Fatal(err)
	}
	if answer := f.call("GET", configMaps+"?continue="+first.Continue, "", "", ""); answer.Code != http.StatusGone || !strings.Contains(answer.Body.String(), `"reason":"Expired"`) {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func mustRevision(f *fixture) int64 {
	revision, err := f.store.Revision(context.Background())
	if err != nil {
		f.Fatal(err)
	}
	return revision
}

func listOf(t *testing.T, answer *httptest.ResponseRecorder) metav1.PartialObjectMetadataList {
	t.Helper()
	var list metav1.PartialObjectMetadataList
	if err := json.Unmarshal(answer.Body.Bytes(), &list); err != nil || answer.Code != http.StatusOK {
		t.Fatalf("%d %s %v", answer.Code, answer.Body, err)
	}
	return list
}

func TestUsers(t *testing.T) {
	var observed []endpoints.Observed
	f := newFixture(t, func(c *endpoints.Config) {
		c.Authenticate = func(r *http.Request) (identity.User, bool, error) {
			name := r.Header.Get("Accept-Language")
			if name == "stranger" {
				return identity.User{}, false, errors.New("signed by an unknown authority")
			}
			return identity.User{Name: name}, name != "", nil
		}
		c.Authorize = func(_ context.Context, user identity.User, a authorization.Attributes) (bool, string) {
			return user.Name != "guest" && (user.Name != identity.Anonymous || a.Verb == "create"), ""
		}
		c.Observe = func(o endpoints.Observed) { observed = append(observed, o) }
	})
	as := func(user, method, path string) *httptest.ResponseRecorder {
		request := httptest.NewRequest(method, path, http.NoBody)
		request.Header.Set("Accept-Language", user)
		recorder := httptest.NewRecorder()
		f.ServeHTTP(recorder, request)
		return recorder
	}
	if answer := as("stranger", "GET", configMaps); answer.Code != http.StatusUnauthorized || !strings.Contains(answer.Body.String(), `"message":"Unauthorized"`) {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	const want = `deployments.apps \"web\" is forbidden: User \"guest\" cannot get resource \"deployments/scale\" in API group \"apps\" in the namespace \"default\"`
	if answer := as("guest", "GET", deployments+"/web/scale"); answer.Code != http.StatusForbidden || !strings.Contains(answer.Body.String(), want) {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if answer := as("", "GET", "/version"); answer.Code != http.StatusForbidden || !strings.Contains(answer.Body.String(), `User \"system:anonymous\" cannot get path \"/version\"`) {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if answer := as("guest", "GET", "/version"); answer.Code != http.StatusForbidden || !strings.Contains(answer.Body.String(), `User \"guest\" cannot get path \"/version\"`) {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	observed = nil
	as("admin", "GET", deployments+"/web")
	if len(observed) != 1 || observed[0].Verb != "get" || observed[0].Resource != "deployments.apps" || observed[0].Name != "web" ||
		observed[0].User.Name != "admin" || observed[0].Code != http.StatusNotFound {
		t.Errorf("%+v", observed)
	}
}

// TestPanic: a bug in an operation is an error of that request alone.
func TestPanic(t *testing.T) {
	f := newFixture(t, nil)
	var reason any
	var stack string
	broken := endpoints.New(endpoints.Config{
		Operations: rest.New(f.store, f.clock, nil, kinds.All()), // without randomness, creating panics
		Clock:      f.clock,
		Panicked:   func(_ *http.Request, r any, s []byte) { reason, stack = r, string(s) },
	})
	request := httptest.NewRequest("POST", configMaps, strings.NewReader(`{"metadata":{"name":"x"}}`))
	recorder := httptest.NewRecorder()
	broken.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusInternalServerError {
		t.Fatalf("%d %s", recorder.Code, recorder.Body)
	}
	checkStatus(t, recorder.Body.String(), http.StatusInternalServerError)
	_, _ = io.Copy(io.Discard, recorder.Body)
	if reason == nil || !strings.Contains(stack, "prepareNewMeta") {
		t.Errorf("it was reported as %v\n%s", reason, stack)
	}
	f.mustCreate(configMaps, `{"metadata":{"name":"x"}}`)
}
