package api_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api"
	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

func Example() {
	server, err := api.New(api.Config{
		Store:  store.NewMemory(0),
		Clock:  clock.NewVirtual(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
		Random: rand.New(rand.NewPCG(1, 0)),
		Kinds:  kinds.All(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	if err := server.Operations().Bootstrap(ctx); err != nil {
		fmt.Println(err)
		return
	}
	// A component writes through the client ...
	settings := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "settings"}, Data: map[string]string{"colour": "blue"}}
	if _, err := server.Client("system:kube-controller-manager").Create(ctx, "configmaps", settings); err != nil {
		fmt.Println(err)
		return
	}
	// ... and everybody reads over HTTP.
	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, httptest.NewRequest("GET", "/api/v1/namespaces/default/configmaps/settings", http.NoBody))
	fmt.Println(answer.Code, len(answer.Body.Bytes()) > 0)
	// Output: 200 true
}

func TestNewWantsItsParts(t *testing.T) {
	if _, err := api.New(api.Config{Store: store.NewMemory(0)}); err == nil {
		t.Error("a server without a clock")
	}
}
