package endpoints_test

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// TestMalformed sends thousands of requests in which something is broken. None
// may surprise the server, and none may harm the cluster.
func TestMalformed(t *testing.T) {
	const pod = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"nginx",` +
		`"ports":[{"containerPort":80}],"resources":{"requests":{"cpu":"1","memory":"1Gi"}},"livenessProbe":{"httpGet":{"path":"/","port":80}}}]}}`
	const service = `{"metadata":{"name":"s"},"spec":{"type":"NodePort","clusterIP":"10.96.0.9","ports":[{"port":80,"nodePort":30001}],"selector":{"a":"b"}}}`
	const pods = "/api/v1/namespaces/default/pods"
	requests := []struct{ method, path, contentType, body string }{
		{"POST", pods + "?fieldValidation=Strict&dryRun=All", "application/json", pod},
		{"POST", pods + "?dryRun=All", "application/yaml", "metadata:\n  name: p\nspec:\n  containers:\n  - {name: c, image: nginx}\n"},
		{"POST", "/api/v1/namespaces/default/services?dryRun=All", "application/json", service},
		{"PUT", deployments + "/web?dryRun=All", "application/json", deployment},
		{"PATCH", deployments + "/web?dryRun=All", strategic, `{"spec":{"replicas":2,"template":{"spec":{"$setElementOrder/containers":[{"name":"c"}],"containers":[{"name":"c","$patch":"delete"}]}}}}`},
		{"PATCH", deployments + "/web?dryRun=All", jsonPatch, `[{"op":"replace","path":"/spec/replicas","value":3},{"op":"move","from":"/metadata/labels","path":"/x"}]`},
		{"PATCH", deployments + "/web/scale?dryRun=All", mergePatch, `{"spec":{"replicas":2}}`},
		{"DELETE", deployments + "/web?dryRun=All&gracePeriodSeconds=1", "application/json", `{"propagationPolicy":"Orphan","dryRun":["All"],"preconditions":{"uid":"x"}}`},
		{"GET", pods + "?labelSelector=a+in+(b,c),!d&fieldSelector=status.phase!%3DRunning&limit=1&continue=eyJ2IjoxfQ", "", ""},
		{"GET", deployments + "?resourceVersion=3&resourceVersionMatch=Exact", "", ""},
		{"POST", pods, "application/vnd.kubernetes.protobuf", "k8s\x00\x0a\x0b\x0a\x02v1\x12\x03Pod\x12\x02\x0a\x00"},
	}
	random := rand.New(rand.NewPCG(3, 4))
	f := newFixture(t, nil)
	f.mustCreate(deployments, deployment)
	f.mustCreate(configMaps, `{"metadata":{"name":"bystander"}}`)
	for range 4000 {
		r := requests[random.IntN(len(requests))]
		body, path := r.body, r.path
		if body != "" && random.IntN(4) > 0 {
			body = broken(random, body)
		} else {
			path = broken(random, path)
		}
		if _, err := url.ParseRequestURI(path); err != nil || strings.ContainsAny(path, " \x00") {
			continue // no HTTP server would let it through
		}
		request := httptest.NewRequest(r.method, "/", strings.NewReader(body))
		request.URL, _ = url.ParseRequestURI(path)
		request.Header.Set("Content-Type", r.contentType)
		answer := httptest.NewRecorder()
		f.ServeHTTP(answer, request)
		// Kubernetes itself calls some patches that do not fit an internal
		// error; ours is what recovers from a panic.
		if strings.Contains(answer.Body.String(), "Internal error occurred") {
			t.Fatalf("%s %s\n%q\n%d %s", r.method, path, body, answer.Code, answer.Body)
		}
	}
	for _, path := range []string{configMaps + "/bystander", "/api/v1/namespaces/default", "/api/v1/pods"} {
		if answer := f.call("GET", path, "", "", ""); answer.Code != http.StatusOK {
			t.Errorf("%s: %s", path, answer.Body)
		}
	}
}

// broken changes, drops or repeats a piece of a text.
func broken(random *rand.Rand, text string) string {
	const pieces = `{}[]":,.-/?&=%$0123456789nulltrue` + "\n\\\x00\xff"
	bytes := []byte(text)
	for range 1 + random.IntN(3) {
		at := random.IntN(len(bytes))
		end := min(len(bytes), at+1+random.IntN(8))
		switch random.IntN(4) {
		case 0:
			bytes[at] = pieces[random.IntN(len(pieces))]
		case 1:
			bytes = append(bytes[:at:at], bytes[end:]...)
		case 2:
			bytes = append(bytes[:end:end], bytes[at:]...)
		case 3:
			bytes = append(append(bytes[:at:at], pieces[random.IntN(len(pieces))]), bytes[at:]...)
		}
		if len(bytes) == 0 {
			return "x"
		}
	}
	return string(bytes)
}
