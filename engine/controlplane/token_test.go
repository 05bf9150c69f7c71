package controlplane_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const accounts = "/api/v1/namespaces/default/serviceaccounts"

// request asks for a token of the account bot.
func (a *access) request(spec string) (authenticationv1.TokenRequest, string) {
	a.Helper()
	answer := a.as("admin", "POST", accounts+"/bot/token", spec)
	var request authenticationv1.TokenRequest
	if answer.Code != http.StatusCreated {
		return request, message(a.T, answer)
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &request); err != nil {
		a.Fatal(err)
	}
	return request, ""
}

// whoami is the user of a token; empty if it has none.
func (a *access) whoami(token string) string {
	answer := a.as("", "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", "{}", "Authorization: Bearer "+token)
	if answer.Code != http.StatusCreated {
		return ""
	}
	var review authenticationv1.SelfSubjectReview
	if err := json.Unmarshal(answer.Body.Bytes(), &review); err != nil {
		a.Fatal(err)
	}
	return review.Status.UserInfo.Username
}

const bot = "system:serviceaccount:default:bot"

func newAccounts(t *testing.T) *access {
	a := newAccess(t)
	a.must("admin", accounts, `{"metadata":{"name":"bot"}}`)
	a.must("admin", accounts, `{"metadata":{"name":"other"}}`)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
		Spec:       corev1.PodSpec{ServiceAccountName: "bot", NodeName: "node-1", Containers: []corev1.Container{{Name: "c", Image: "nginx"}}},
	}
	if _, err := a.plane.API.Client("kubernetes-admin").Create(t.Context(), "pods", pod); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestTokenSays(t *testing.T) {
	a := newAccounts(t)
	issued, _ := a.request(`{"spec":{"expirationSeconds":3607,"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"web"}}}`)
	body, err := base64.RawURLEncoding.DecodeString(strings.Split(issued.Status.Token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(body, &claims); err != nil {
		t.Fatal(err)
	}
	private := claims["kubernetes.io"].(map[string]any)
	if claims["iss"] != "https://kubernetes.default.svc.cluster.local" || claims["sub"] != bot || claims["jti"] == "" ||
		private["pod"].(map[string]any)["name"] != "web" || private["node"].(map[string]any)["name"] != "node-1" ||
		claims["exp"].(float64)-claims["iat"].(float64) != 365*24*3600 || private["warnafter"].(float64)-claims["iat"].(float64) != 3607 {
		t.Errorf("%s", body)
	}
	if got := issued.Status.ExpirationTimestamp.Sub(a.clock.Now()); got != 3607*time.Second {
		t.Errorf("expires in %v", got)
	}
	review := a.as("admin", "POST", "/apis/authentication.k8s.io/v1/tokenreviews", `{"spec":{"token":"`+issued.Status.Token+`"}}`).Body.String()
	for _, want := range []string{`"authenticated":true`, `"username":"` + bot + `"`, `"groups":["system:serviceaccounts","system:serviceaccounts:default","system:authenticated"]`,
		`"authentication.kubernetes.io/pod-name":["web"]`, `"authentication.kubernetes.io/node-name":["node-1"]`, `"authentication.kubernetes.io/credential-id":["JTI=`,
		`"audiences":["https://kubernetes.default.svc.cluster.local"]`} {
		if !strings.Contains(review, want) {
			t.Errorf("%s\nhas no %s", review, want)
		}
	}
}

func TestTokensEnd(t *testing.T) {
	remove := func(path string) func(*access) {
		return func(a *access) {
			if answer := a.as("admin", "DELETE", path, ""); answer.Code >= 300 {
				a.Fatalf("%d %s", answer.Code, answer.Body)
			}
			a.clock.Set(a.clock.Now().Add(2 * time.Minute))
		}
	}
	for _, test := range []struct {
		name, spec string
		end        func(*access)
	}{
		{"in time", `{"spec":{"expirationSeconds":600}}`, func(a *access) { a.clock.Set(a.clock.Now().Add(662 * time.Second)) }},
		{"with the account", `{}`, remove(accounts + "/bot")},
		{"with a new account of the name", `{}`, func(a *access) {
			remove(accounts + "/bot")(a)
			a.must("admin", accounts, `{"metadata":{"name":"bot"}}`)
		}},
		{"with the pod", `{"spec":{"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"web"}}}`, remove("/api/v1/namespaces/default/pods/web?gracePeriodSeconds=0")},
		{"with the secret", `{"spec":{"boundObjectRef":{"kind":"Secret","apiVersion":"v1","name":"s"}}}`, remove("/api/v1/namespaces/default/secrets/s")},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newAccounts(t)
			a.must("admin", "/api/v1/namespaces/default/secrets", `{"metadata":{"name":"s"}}`)
			issued, problem := a.request(test.spec)
			if got := a.whoami(issued.Status.Token); got != bot {
				t.Fatalf("the token is that of %q: %s", got, problem)
			}
			test.end(a)
			if got := a.whoami(issued.Status.Token); got != "" {
				t.Errorf("the token is still that of %s", got)
			}
		})
	}
}

func TestTokensForOthers(t *testing.T) {
	a := newAccounts(t)
	issued, _ := a.request(`{"spec":{"audiences":["vault"]}}`)
	if got := a.whoami(issued.Status.Token); got != "" {
		t.Errorf("a token for others is that of %s", got)
	}
	review := a.as("admin", "POST", "/apis/authentication.k8s.io/v1/tokenreviews", `{"spec":{"audiences":["vault","x"],"token":"`+issued.Status.Token+`"}}`).Body.String()
	if !strings.Contains(review, `"audiences":["vault"]`) {
		t.Errorf("%s", review)
	}
}

func TestTokenRequestsAreChecked(t *testing.T) {
	a := newAccounts(t)
	for _, test := range []struct{ spec, want string }{
		{`{"spec":{"expirationSeconds":599}}`, `TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes`},
		{`{"spec":{"expirationSeconds":9999999999}}`, `TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 9999999999: may not specify a duration larger than 2^32 seconds`},
		{`{"metadata":{"name":"other"}}`, `TokenRequest.authentication.k8s.io "bot" is invalid: metadata.name: Invalid value: "other": must match the service account name if specified`},
		{`{"spec":{"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"none"}}}`, `pods "none" not found`},
		{`{"spec":{"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"web","uid":"x"}}}`,
			`Operation cannot be fulfilled on Pod "web": the UID in the bound object reference (x) does not match the UID in record. The object might have been deleted and then recreated`},
		{`{"spec":{"boundObjectRef":{"kind":"Deployment","apiVersion":"apps/v1","name":"web"}}}`, `cannot bind token to object of type apps/v1, Kind=Deployment`},
	} {
		if _, got := a.request(test.spec); got != test.want {
			t.Errorf("%s: got %s\nwant %s", test.spec, got, test.want)
		}
	}
	answer := a.as("admin", "POST", accounts+"/other/token", `{"spec":{"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"web"}}}`)
	if want := `cannot bind token for serviceaccount "other" to pod running with different serviceaccount name.`; message(t, answer) != want {
		t.Errorf("%s", answer.Body)
	}
	if answer := a.as("jane", "POST", accounts+"/bot/token", `{}`); answer.Code != http.StatusForbidden {
		t.Errorf("anybody may have a token: %d %s", answer.Code, answer.Body)
	}
}

// TestDiscovery: what others need to verify tokens is there for service
// accounts.
func TestDiscovery(t *testing.T) {
	a := newAccounts(t)
	issued, _ := a.request(`{}`)
	bearer := "Authorization: Bearer " + issued.Status.Token
	configuration := a.as("", "GET", "/.well-known/openid-configuration", "", bearer)
	if !strings.Contains(configuration.Body.String(), `"issuer":"https://kubernetes.default.svc.cluster.local","jwks_uri":"https://example.com/openid/v1/jwks"`) {
		t.Errorf("%d %s", configuration.Code, configuration.Body)
	}
	keys := a.as("", "GET", "/openid/v1/jwks", "", bearer)
	if !strings.Contains(keys.Body.String(), `"kty":"EC"`) || keys.Header().Get("Content-Type") != "application/jwk-set+json" {
		t.Errorf("%d %s", keys.Code, keys.Body)
	}
	if answer := a.as("jane", "GET", "/openid/v1/jwks", ""); answer.Code != http.StatusForbidden {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}
