package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
)

const (
	writesPerSecond = 1000
	watchTime       = 3 * time.Second
)

// measureWatches measures how long after a write has been asked for watchers hear
// of it.
func measureWatches(ctx context.Context) ([]record, error) { return served(ctx, measureFanOut) }

func measureFanOut(ctx context.Context, config *rest.Config) ([]record, error) {
	var records []record
	for _, watchers := range []int{100, 1000} {
		delays, written, err := fanOut(ctx, config, watchers)
		if err != nil {
			return nil, err
		}
		conditions := fmt.Sprintf("%.0f writes/s achieved of %d, for %v, watchers on 10 connections, clients on the same machine", written, writesPerSecond, watchTime)
		ours := []record{
			{Name: fmt.Sprintf("watch delay, %d watchers, p50", watchers), Value: milliseconds(quantile(delays, 0.5)), Unit: "ms", Conditions: conditions},
			{Name: fmt.Sprintf("watch delay, %d watchers, p99", watchers), Value: milliseconds(quantile(delays, 0.99)), Unit: "ms", Conditions: conditions},
		}
		print(os.Stderr, ours)
		records = append(records, ours...)
	}
	return records, nil
}

// sent marks when a write was asked for.
var sent = []byte(`"sent":"`)

func fanOut(ctx context.Context, config *rest.Config, watchers int) (delays []time.Duration, written float64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	const connections = 10
	clients := make([]apiClient, connections)
	for i := range clients {
		if clients[i], err = newAPIClient(config); err != nil {
			return nil, 0, err
		}
		defer clients[i].close()
	}
	var mu sync.Mutex
	var group sync.WaitGroup
	for i := range watchers {
		lines, end, err := clients[i%connections].watch(ctx, configMaps+"?watch=true&fieldSelector=metadata.name%3Dpatched-0")
		if err != nil {
			return nil, 0, err
		}
		group.Go(func() {
			defer end()
			mine := heard(lines)
			mu.Lock()
			defer mu.Unlock()
			delays = append(delays, mine...)
		})
	}
	count, err := write1000(ctx, config)
	time.Sleep(time.Second) // for what is still on its way
	cancel()
	group.Wait()
	if err == nil && len(delays) == 0 {
		err = errors.New("no watcher has heard of any write")
	}
	return delays, float64(count) / watchTime.Seconds(), err
}

func (c apiClient) watch(ctx context.Context, path string) (*bufio.Reader, func(), error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.host+path, http.NoBody)
	if err != nil {
		return nil, nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, nil, errors.New(response.Status)
	}
	return bufio.NewReaderSize(response.Body, 32<<10), func() { response.Body.Close() }, nil
}

// heard reads a watch to its end and returns the delays of the writes.
func heard(lines *bufio.Reader) (delays []time.Duration) {
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return delays // cancelled
		}
		_, rest, ok := bytes.Cut(line, sent)
		text, _, _ := bytes.Cut(rest, []byte(`"`))
		if at, err := strconv.ParseInt(string(text), 10, 64); ok && err == nil {
			delays = append(delays, time.Since(time.Unix(0, at)))
		}
	}
}

// write1000 writes as many times in a second as writesPerSecond, for watchTime,
// each write with its time.
func write1000(ctx context.Context, config *rest.Config) (count int64, err error) {
	const writers = 10
	var done atomic.Int64
	failed := make(chan error, writers)
	for writer := range writers {
		c, err := newAPIClient(config)
		if err != nil {
			return 0, err
		}
		defer c.close()
		go func() {
			tick := time.NewTicker(time.Second * writers / writesPerSecond)
			defer tick.Stop()
			var err error
			for began := time.Now(); err == nil && time.Since(began) < watchTime; <-tick.C {
				body := fmt.Sprintf(`{"data":{"sent":"%d","writer":"%d"}}`, time.Now().UnixNano(), writer)
				err = c.ask(ctx, http.MethodPatch, configMaps+"/patched-0", "application/merge-patch+json", body)
				done.Add(1)
			}
			failed <- err
		}()
	}
	for range writers {
		err = errors.Join(err, <-failed)
	}
	return done.Load(), err
}
