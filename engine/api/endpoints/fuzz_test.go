package endpoints_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// client hears an answer; it goes as soon as a stream has begun.
type client struct {
	*httptest.ResponseRecorder
	leave context.CancelFunc
}

func (c client) Flush() { c.leave() }

// ask makes a request as nobody's client library would, and checks that it is
// answered, within half a minute, with something that a client can read.
func (f *fixture) ask(t *testing.T, method, target string, headers http.Header, body string) *httptest.ResponseRecorder {
	t.Helper()
	address, err := url.ParseRequestURI(target)
	if err != nil {
		t.Skip("no HTTP server would hand this on")
	}
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	request := (&http.Request{
		Method: method, URL: address, Header: headers, Host: "localhost", RequestURI: target, RemoteAddr: "127.0.0.1:1",
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: http.NoBody, ContentLength: int64(len(body)),
	}).WithContext(ctx)
	if body != "" {
		request.Body = readCloser{strings.NewReader(body)}
	}
	hangs := time.AfterFunc(30*time.Second, func() { panic("a request hangs: " + method + " " + target) })
	defer hangs.Stop()
	answer := httptest.NewRecorder()
	f.ServeHTTP(client{answer, leave}, request)
	if answer.Code == http.StatusInternalServerError && !expected(answer.Body.String()) {
		t.Fatalf("%s %s: %d %s", method, target, answer.Code, answer.Body)
	}
	if answer.Code >= 400 && strings.HasPrefix(answer.Header().Get("Content-Type"), "application/json") {
		var status metav1.Status
		if err := json.Unmarshal(answer.Body.Bytes(), &status); err != nil || status.Kind != "Status" || int(status.Code) != answer.Code {
			t.Fatalf("%s %s: %d %s: %v", method, target, answer.Code, answer.Body, err)
		}
	}
	return answer
}

// expected are the internal errors that are the client's: those that Kubernetes
// answers so too, and what the fixture lacks.
func expected(answer string) bool {
	for _, message := range []string{"failed to create typed patch object", "this cluster issues no tokens"} {
		if strings.Contains(answer, message) {
			return true
		}
	}
	return false
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// furnished is a cluster with something of several kinds.
func furnished(t *testing.T) *fixture {
	f := newFixture(t, nil)
	f.mustCreate(configMaps, `{"metadata":{"name":"one","labels":{"a":"b"}},"data":{"a":"b"}}`)
	f.mustCreate(deployments, deployment)
	return f
}

// FuzzRequest: whatever is asked in whatever way is answered, and the API goes on
// answering.
func FuzzRequest(f *testing.F) {
	const text = "Content-Type: application/json"
	for _, seed := range [][4]string{
		{"GET", "/api/v1/namespaces/default/configmaps/one", "Accept: application/json;as=Table;g=meta.k8s.io;v=v1", ""},
		{"GET", "/apis/apps/v1/deployments?limit=1&continue=xyz&resourceVersion=1&resourceVersionMatch=Exact", "Accept: application/yaml", ""},
		{"GET", "/api/v1/configmaps?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=1", "", ""},
		{"POST", deployments, text, strings.Replace(deployment, "web", "web2", 1)},
		{"POST", configMaps + "?dryRun=All&fieldValidation=Strict&fieldManager=x", text, `{"metadata":{"generateName":"x-"},"x":1}`},
		{"PUT", configMaps + "/one", "Content-Type: application/yaml", "metadata: {name: one, resourceVersion: \"1\"}"},
		{"PATCH", configMaps + "/one", "Content-Type: " + mergePatch, `{"metadata":{"finalizers":["a/b"],"managedFields":[{}]}}`},
		{"PATCH", deployments + "/web/scale", "Content-Type: " + jsonPatch, `[{"op":"replace","path":"/spec/replicas","value":3}]`},
		{"PATCH", deployments + "/web/status", "Content-Type: " + strategic, `{"status":{"conditions":[{"type":"x"}]}}`},
		{"PATCH", configMaps + "/two?fieldManager=m&force=true", "Content-Type: application/apply-patch+yaml", `{apiVersion: v1, kind: ConfigMap, metadata: {name: two}}`},
		{"DELETE", configMaps + "?labelSelector=a&propagationPolicy=Foreground", text, `{"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"x"},"gracePeriodSeconds":-1}`},
		{"GET", "/apis", "Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", ""},
		{"GET", "/openapi/v3/apis/apps/v1?hash=0", "If-None-Match: \"x\"", ""},
		{"GET", "/api/v1/namespaces/default/pods/x/log?follow=1&tailLines=-1", "Impersonate-User: jane", ""},
		{"POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", text, `{"spec":{"resourceAttributes":{"verb":"get","fieldSelector":{"rawSelector":"a=b"}}}}`},
		{"POST", "/api/v1/namespaces/default/serviceaccounts/default/token", text, `{"spec":{"expirationSeconds":1}}`},
		{"POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", text, `{"metadata":{"name":"as.b.c"},"spec":{"group":"b.c","scope":"Cluster","names":{"plural":"as","kind":"A"},"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"x":{"type":"string","pattern":"("}}}}}]}}`},
		{"CONNECT", "/api/v1/nodes/x/proxy/../y?%zz", "Upgrade: websocket", "\x00"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, method, target, header, body string) {
		cluster := furnished(t)
		headers := http.Header{}
		for line := range strings.SplitSeq(header, "\n") {
			if key, value, ok := strings.Cut(line, ":"); ok {
				headers.Add(strings.TrimSpace(key), strings.TrimSpace(value))
			}
		}
		cluster.ask(t, method, target, headers, body)
		if after := cluster.ask(t, "GET", "/api/v1/namespaces", http.Header{}, ""); after.Code != http.StatusOK {
			t.Errorf("afterwards the namespaces can't be listed: %d %s", after.Code, after.Body)
		}
	})
}

// FuzzSelectors: a list is of some of the objects, or the selector is refused.
func FuzzSelectors(f *testing.F) {
	for _, seed := range [][2]string{
		{"a=b,c!=d", "metadata.name=one"}, {"a in (b,c),!d,e notin ()", "metadata.name!=one,metadata.namespace=default"},
		{"a,", "a\\,b=c"}, {"x in (", "=,==,!="}, {"a gt 3", "metadata.name==\\"}, {"=", "status.phase=x"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, label, field string) {
		cluster := furnished(t)
		query := url.Values{"labelSelector": {label}, "fieldSelector": {field}}.Encode()
		answer := cluster.ask(t, "GET", configMaps+"?"+query, http.Header{}, "")
		if answer.Code != http.StatusOK {
			if answer.Code != http.StatusBadRequest {
				t.Errorf("labels %q, fields %q: %d %s", label, field, answer.Code, answer.Body)
			}
			return
		}
		var list struct{ Items []json.RawMessage }
		if err := json.Unmarshal(answer.Body.Bytes(), &list); err != nil || list.Items == nil || len(list.Items) > 1 {
			t.Errorf("labels %q, fields %q: %s, %v", label, field, answer.Body, err)
		}
	})
}

// FuzzApply: what has been applied is there, and applying it again changes
// nothing.
func FuzzApply(f *testing.F) {
	const head = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"`
	f.Add(deployment, "a", true)
	f.Add(head+`},"spec":{"replicas":3}}`, "b", false)
	f.Add(head+`},"spec":{"template":{"spec":{"containers":[{"name":"c","image":"x"},{"name":"d","image":"y","ports":[{"containerPort":1}]}]}}}}`, "b", true)
	f.Add(head+`,"labels":{"a":null},"annotations":{}},"spec":null}`, "c", true)
	f.Add(head+`,"managedFields":[]},"status":{"replicas":1}}`, "d", true)
	f.Add(head+`},"spec":{"template":{"spec":{"containers":[{"name":"c"},{"name":"c"}]}}}}`, "e", true)
	f.Fuzz(func(t *testing.T, body, manager string, force bool) {
		cluster := furnished(t)
		query := url.Values{"fieldManager": {manager}}
		if force {
			query.Set("force", "true")
		}
		headers := http.Header{"Content-Type": {"application/apply-patch+yaml"}}
		apply := func() (code int, version string) {
			answer := cluster.ask(t, "PATCH", deployments+"/web?"+query.Encode(), headers, body)
			var applied metav1.PartialObjectMetadata
			if answer.Code < 300 {
				if err := json.Unmarshal(answer.Body.Bytes(), &applied); err != nil {
					t.Fatalf("%v in %s", err, answer.Body)
				}
			}
			return answer.Code, applied.ResourceVersion
		}
		code, version := apply()
		if code >= 300 {
			return
		}
		if code, again := apply(); code != http.StatusConflict && (code != http.StatusOK || again != version) {
			t.Errorf("applied again: %d at %s, was at %s\n%s", code, again, version, body)
		}
	})
}
