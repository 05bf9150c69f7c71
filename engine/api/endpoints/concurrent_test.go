package endpoints_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/api/endpoints"
	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/api/rest"
	"tidepool.dev/tidepool/engine/clock"
)

// shared makes a source safe for concurrent use.
type shared struct {
	mu     sync.Mutex
	source rand.Source
}

func (s *shared) Uint64() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.source.Uint64()
}

// TestConcurrentRequests: writers of one object do not lose each other's
// changes, and no two Services get the same address or port.
func TestConcurrentRequests(t *testing.T) {
	const writers, rounds = 8, 20
	f := newFixture(t, func(c *endpoints.Config) {
		c.Operations = rest.New(c.Operations.Store(), clock.NewVirtual(c.Clock.Now()),
			rand.New(&shared{source: rand.NewPCG(1, 0)}), kinds.All())
	})
	f.mustCreate(configMaps, `{"metadata":{"name":"all"}}`)
	const services = "/api/v1/namespaces/default/services"
	var wait sync.WaitGroup
	for writer := range writers {
		wait.Go(func() {
			for round := range rounds {
				name := fmt.Sprintf("w%d-%d", writer, round)
				if answer := f.call("PATCH", configMaps+"/all", mergePatch, "", fmt.Sprintf(`{"data":{%q:"x"}}`, name)); answer.Code != http.StatusOK {
					t.Errorf("a patch without a resourceVersion: %d %s", answer.Code, answer.Body)
				}
				f.call("POST", services, "", "", fmt.Sprintf(`{"metadata":{"name":%q},"spec":{"type":"NodePort","ports":[{"port":80}]}}`, name))
			}
		})
	}
	wait.Wait()
	var all corev1.ConfigMap
	if err := json.Unmarshal(f.call("GET", configMaps+"/all", "", "", "").Body.Bytes(), &all); err != nil || len(all.Data) != writers*rounds {
		t.Errorf("%d changes of %d, %v", len(all.Data), writers*rounds, err)
	}
	var list corev1.ServiceList
	if err := json.Unmarshal(f.call("GET", services, "", "", "").Body.Bytes(), &list); err != nil || len(list.Items) != writers*rounds+1 {
		t.Fatalf("%d services, %v", len(list.Items), err)
	}
	taken := map[string]bool{}
	for _, service := range list.Items {
		port := fmt.Sprint(service.Spec.Ports[0].NodePort)
		if taken[service.Spec.ClusterIP] || port != "0" && taken[port] {
			t.Errorf("%s or %s is taken twice", service.Spec.ClusterIP, port)
		}
		taken[service.Spec.ClusterIP], taken[port] = true, true
	}
}
