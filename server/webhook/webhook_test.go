package webhook_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"

	"tidepool.dev/tidepool/server/webhook"
)

func TestCall(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || r.URL.Query().Get("timeout") != "5s" {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		switch r.URL.Path {
		case "/slow":
			<-r.Context().Done()
		case "/broken":
			w.WriteHeader(http.StatusTeapot)
		}
		w.Write([]byte("answer"))
	}))
	defer server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	url := func(path string) *string { return new(server.URL + path) }
	for name, test := range map[string]struct {
		client admissionregistrationv1.WebhookClientConfig
		want   string // in the error
	}{
		"trusted":   {admissionregistrationv1.WebhookClientConfig{URL: url("/"), CABundle: ca}, ""},
		"untrusted": {admissionregistrationv1.WebhookClientConfig{URL: url("/")}, "certificate"},
		"no CA":     {admissionregistrationv1.WebhookClientConfig{URL: url("/"), CABundle: []byte("x")}, "unable to parse bytes as PEM block"},
		"broken":    {admissionregistrationv1.WebhookClientConfig{URL: url("/broken"), CABundle: ca}, "418"},
		"service":   {admissionregistrationv1.WebhookClientConfig{Service: &admissionregistrationv1.ServiceReference{Namespace: "n", Name: "s"}}, `service "s" in namespace "n" can't be called`},
	} {
		t.Run(name, func(t *testing.T) {
			answer, err := webhook.Call(t.Context(), test.client, 5*time.Second, []byte("{}"))
			if test.want == "" && (err != nil || string(answer) != "answer") || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %q, %v", answer, err)
			}
		})
	}
}
