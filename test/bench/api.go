package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"tidepool.dev/tidepool/test/harness"
)

const (
	configMaps = "/api/v1/namespaces/default/configmaps"
	benchPods  = "/api/v1/namespaces/bench/pods"
	// benchTime is how long each kind of request is made by each number of clients.
	benchTime = 2 * time.Second
)

var clientCounts = []int{1, 10, 100}

// measureAPI measures requests to the API of tidepool serve over HTTPS, on the
// same machine.
func measureAPI(ctx context.Context) ([]record, error) { return served(ctx, measureRequests) }

// served measures a server of its own.
func served(ctx context.Context, measure func(context.Context, *rest.Config) ([]record, error)) ([]record, error) {
	dir, err := os.MkdirTemp("", "bench-api")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	server, err := harness.Start(dir, "--nodes", "0")
	if err != nil {
		return nil, err
	}
	defer server.End() //nolint:errcheck // the figures are there
	config, err := clientcmd.BuildConfigFromFlags("", server.Kubeconfig)
	if err != nil {
		return nil, err
	}
	first, err := newAPIClient(config)
	if err != nil {
		return nil, err
	}
	if err := furnish(ctx, first); err != nil {
		return nil, err
	}
	return measure(ctx, config)
}

// apiClient is a client with a connection of its own.
type apiClient struct {
	http *http.Client
	host string
}

func newAPIClient(config *rest.Config) (apiClient, error) {
	secure, err := rest.TLSConfigFor(config)
	if err != nil {
		return apiClient{}, err
	}
	transport := &http.Transport{TLSClientConfig: secure, ForceAttemptHTTP2: true}
	return apiClient{&http.Client{Transport: transport}, config.Host}, nil
}

func (c apiClient) close() { c.http.CloseIdleConnections() }

// ask makes a request and reads its whole answer.
func (c apiClient) ask(ctx context.Context, method, path, contentType, body string) error {
	request, err := http.NewRequestWithContext(ctx, method, c.host+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", contentType)
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		text, _ := io.ReadAll(response.Body)
		return fmt.Errorf("%s %s: %s %s", method, path, response.Status, text)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

const benchPod = `{"metadata":{"name":"pod-%d"},"spec":{"automountServiceAccountToken":false,"serviceAccountName":"bench","containers":[{"name":"nginx","image":"nginx:1.14.2","ports":[{"containerPort":80}]}]}}`

// furnish makes a namespace with a thousand pods, and what is read and patched.
func furnish(ctx context.Context, c apiClient) error {
	const asJSON = "application/json"
	err := errors.Join(
		c.ask(ctx, "POST", "/api/v1/namespaces", asJSON, `{"metadata":{"name":"bench"}}`),
		c.ask(ctx, "POST", "/api/v1/namespaces/bench/serviceaccounts", asJSON, `{"metadata":{"name":"bench"}}`),
	)
	for i := 0; i < 1000 && err == nil; i++ {
		err = c.ask(ctx, "POST", benchPods, asJSON, fmt.Sprintf(benchPod, i))
	}
	for i := 0; i < slices.Max(clientCounts) && err == nil; i++ {
		err = c.ask(ctx, "POST", configMaps, asJSON, fmt.Sprintf(`{"metadata":{"name":"patched-%d"},"data":{"n":"0"}}`, i))
	}
	return err
}

func measureRequests(ctx context.Context, config *rest.Config) ([]record, error) {
	var created atomic.Int64
	var records []record
	for _, kind := range []struct {
		name string
		ask  func(c apiClient, client, n int) error
	}{
		{"get", func(c apiClient, _, n int) error {
			return c.ask(ctx, "GET", fmt.Sprintf("%s/pod-%d", benchPods, n%1000), "", "")
		}},
		{"list of 1,000 pods", func(c apiClient, _, _ int) error { return c.ask(ctx, "GET", benchPods, "", "") }},
		{"create", func(c apiClient, _, _ int) error {
			return c.ask(ctx, "POST", configMaps, "application/json", fmt.Sprintf(`{"metadata":{"name":"made-%d"},"data":{"a":"b"}}`, created.Add(1)))
		}},
		{"patch", func(c apiClient, client, n int) error {
			return c.ask(ctx, "PATCH", fmt.Sprintf("%s/patched-%d", configMaps, client), "application/merge-patch+json", fmt.Sprintf(`{"data":{"n":"%d"}}`, n))
		}},
	} {
		for _, clients := range clientCounts {
			took, elapsed, err := hammer(config, clients, kind.ask)
			if err != nil {
				return nil, err
			}
			conditions := fmt.Sprintf("%d clients on connections of their own, HTTPS on the loopback of the same machine, memory store, %v", clients, benchTime)
			name := fmt.Sprintf("API %s, %d clients", kind.name, clients)
			ours := []record{
				{Name: name, Value: float64(len(took)) / elapsed.Seconds(), Unit: "requests/s", Conditions: conditions},
				{Name: name + ", p50", Value: milliseconds(quantile(took, 0.5)), Unit: "ms", Conditions: conditions},
				{Name: name + ", p99", Value: milliseconds(quantile(took, 0.99)), Unit: "ms", Conditions: conditions},
			}
			print(os.Stderr, ours)
			records = append(records, ours...)
		}
	}
	return records, nil
}

// hammer has clients ask, each one request after another, for benchTime, and
// returns how long each request took, and all of them.
func hammer(config *rest.Config, clients int, ask func(c apiClient, client, n int) error) ([]time.Duration, time.Duration, error) {
	var mu sync.Mutex
	var all []time.Duration
	var failed error
	var group sync.WaitGroup
	start := make(chan struct{})
	for client := range clients {
		c, err := newAPIClient(config)
		if err != nil {
			return nil, 0, err
		}
		defer c.close()
		err = ask(c, client, 0) // connects
		if err != nil {
			return nil, 0, err
		}
		group.Go(func() {
			<-start
			var took []time.Duration
			var err error
			for n, began := 1, time.Now(); err == nil && time.Since(began) < benchTime; n++ {
				asked := time.Now()
				err = ask(c, client, n)
				took = append(took, time.Since(asked))
			}
			mu.Lock()
			defer mu.Unlock()
			all, failed = append(all, took...), errors.Join(failed, err)
		})
	}
	began := time.Now()
	close(start)
	group.Wait()
	return all, time.Since(began), failed
}

func quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[int(q*float64(len(values)-1))]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
