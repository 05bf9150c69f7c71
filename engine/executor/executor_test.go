package executor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/executor/concurrent"
	"tidepool.dev/tidepool/engine/executor/sequential"
	"tidepool.dev/tidepool/engine/store"
)

const maps = "configmaps"

// journal is what the loops of a test did, in order.
type journal struct {
	mu      sync.Mutex
	entries []string
}

func (j *journal) add(format string, values ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = append(j.entries, fmt.Sprintf(format, values...))
}

func (j *journal) read() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.entries)
}

func create(t *testing.T, s store.Interface, name string) {
	t.Helper()
	obj := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: name}}
	if _, err := s.Create(t.Context(), store.Key{Resource: maps, Namespace: "a", Name: name}, obj); err != nil {
		t.Fatal(err)
	}
}

// cases are what both executors do alike: loops makes the control loops, and
// the journal ends up as want.
var cases = []struct {
	name    string
	objects []string
	loops   func(j *journal, s store.Interface) []controller.Controller
	want    []string
}{
	{
		name:    "objects of the start and later ones are reconciled",
		objects: []string{"x", "y"},
		loops: func(j *journal, s store.Interface) []controller.Controller {
			return []controller.Controller{{
				Name:    "test",
				Watches: []controller.Watch{{Resource: maps, Map: controller.ForObject}},
				Reconciler: controller.ReconcilerFunc(func(ctx context.Context, r controller.Request) (controller.Result, error) {
					j.add("%s/%s", r.Namespace, r.Name)
					if r.Name == "x" {
						obj := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "z"}}
						if _, err := s.Create(ctx, store.Key{Resource: maps, Namespace: "a", Name: "z"}, obj); err != nil {
							return controller.Result{}, err
						}
					}
					return controller.Result{}, nil
				}),
			}}
		},
		want: []string{"a/x", "a/y", "a/z"},
	},
	{
		name:    "a failed turn is tried again, and a panic is a failure",
		objects: []string{"x"},
		loops: func(j *journal, _ store.Interface) []controller.Controller {
			turns := 0
			return []controller.Controller{{
				Name:    "test",
				Watches: []controller.Watch{{Resource: maps, Map: controller.ForObject}},
				Reconciler: controller.ReconcilerFunc(func(context.Context, controller.Request) (controller.Result, error) {
					turns++
					j.add("turn %d", turns)
					switch turns {
					case 1:
						return controller.Result{}, errors.New("no")
					case 2:
						panic("no")
					}
					return controller.Result{}, nil
				}),
			}}
		},
		want: []string{"turn 1", "failed", "turn 2", "failed", "turn 3"},
	},
	{
		name:    "a turn asks for another one",
		objects: []string{"x"},
		loops: func(j *journal, _ store.Interface) []controller.Controller {
			turns := 0
			return []controller.Controller{{
				Name:    "test",
				Watches: []controller.Watch{{Resource: maps, Map: controller.ForObject}},
				Reconciler: controller.ReconcilerFunc(func(context.Context, controller.Request) (controller.Result, error) {
					turns++
					j.add("turn %d", turns)
					if turns < 3 {
						return controller.Result{RequeueAfter: time.Millisecond}, nil
					}
					return controller.Result{}, nil
				}),
			}}
		},
		want: []string{"turn 1", "turn 2", "turn 3"},
	},
	{
		name: "a source requests turns, and a request that waits is one turn",
		loops: func(j *journal, _ store.Interface) []controller.Controller {
			return []controller.Controller{{
				Name: "test",
				Reconciler: controller.ReconcilerFunc(func(_ context.Context, r controller.Request) (controller.Result, error) {
					j.add("%s", r.Name)
					return controller.Result{}, nil
				}),
				Delay: time.Millisecond,
				Source: func(enqueue func(controller.Request)) {
					enqueue(controller.Request{Name: "x"})
					enqueue(controller.Request{Name: "y"})
					enqueue(controller.Request{Name: "x"})
				},
			}}
		},
		want: []string{"x", "y"},
	},
}

func TestSequential(t *testing.T) {
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			s, j := store.NewMemory(0), &journal{}
			for _, name := range test.objects {
				create(t, s, name)
			}
			c, err := cache.New(t.Context(), s, []string{maps}, nil)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			virtual := clock.NewVirtual(start)
			e := sequential.New(virtual, c, test.loops(j, s), func(string, controller.Request, error) { j.add("failed") })
			if err := e.RunUntil(t.Context(), start.Add(time.Minute), nil); err != nil {
				t.Fatal(err)
			}
			if got := j.read(); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if !virtual.Now().Equal(start.Add(time.Minute)) {
				t.Errorf("the clock stands at %v", virtual.Now())
			}
			if next, ok := e.Next(); ok {
				t.Errorf("something is due at %v", next)
			}
		})
	}
}

func TestConcurrent(t *testing.T) {
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			s, j := store.NewMemory(0), &journal{}
			for _, name := range test.objects {
				create(t, s, name)
			}
			wake, waker := concurrent.Waker()
			c, err := cache.New(t.Context(), s, []string{maps}, waker)
			if err != nil {
				t.Fatal(err)
			}
			e := concurrent.New(concurrent.Clock{}, c, wake, test.loops(j, s), func(string, controller.Request, error) { j.add("failed") })
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- e.Run(ctx) }()
			for deadline := time.Now().Add(10 * time.Second); len(j.read()) < len(test.want) && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			cancel()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if got := j.read(); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestConcurrentKeepsKeysApart: however many workers there are, no request has
// two turns at a time, and none is lost.
func TestConcurrentKeepsKeysApart(t *testing.T) {
	const turns = 200
	var mu sync.Mutex
	running, done, overlaps := map[controller.Request]bool{}, map[controller.Request]int{}, 0
	finished := make(chan struct{})
	loop := controller.Controller{
		Name:    "test",
		Workers: 4,
		Source: func(enqueue func(controller.Request)) {
			for _, name := range []string{"x", "y", "z"} {
				enqueue(controller.Request{Name: name})
			}
		},
		Reconciler: controller.ReconcilerFunc(func(_ context.Context, r controller.Request) (controller.Result, error) {
			mu.Lock()
			if running[r] {
				overlaps++
			}
			running[r] = true
			mu.Unlock()
			mu.Lock()
			defer mu.Unlock()
			running[r] = false
			done[r]++
			if done[r] < turns {
				return controller.Result{RequeueAfter: time.Nanosecond}, nil
			}
			if done[controller.Request{Name: "x"}]+done[controller.Request{Name: "y"}]+done[controller.Request{Name: "z"}] == 3*turns {
				close(finished)
			}
			return controller.Result{}, nil
		}),
	}
	s := store.NewMemory(0)
	wake, waker := concurrent.Waker()
	c, err := cache.New(t.Context(), s, nil, waker)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- concurrent.New(concurrent.Clock{}, c, wake, []controller.Controller{loop}, nil).Run(ctx)
	}()
	<-finished
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if overlaps > 0 {
		t.Errorf("%d turns overlapped with one of the same request", overlaps)
	}
}
