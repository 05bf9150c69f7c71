package kubelettest

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/api/rest"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/executor/concurrent"
	"tidepool.dev/tidepool/engine/executor/sequential"
	"tidepool.dev/tidepool/engine/kubelet"
	"tidepool.dev/tidepool/engine/store"
)

// NodeName is the node on which the suite's pods run, Namespace where they are.
const (
	NodeName  = "node-1"
	Namespace = "default"
)

// start is when virtual time begins.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const (
	// patience is the virtual time, realPatience the real time, after which a
	// condition counts as never true.
	patience     = time.Hour
	realPatience = time.Minute
	// speed is how many seconds pass in one real second where time is neither
	// virtual nor that of real containers.
	speed = 40
)

// Cluster is an API with one kubelet.
type Cluster struct {
	testing.TB
	Client client.Client // as a person
	Clock  clock.Clock
	Cache  *cache.Cache
	Fleet  *kubelet.Fleet

	// virtual: no more time passes than has to.
	virtual    bool
	operations *rest.Operations
	until      func(condition func() bool) bool
	pass       func(d time.Duration)

	// watcher sees every state that a pod has been in, so that none is missed
	// however fast it passes; history holds those from the one that a test has
	// last waited for.
	watcher store.Watcher
	history map[string][]*corev1.Pod
	states  map[string]int // how many there have been

	mu       sync.Mutex
	failures []string
}

// newCluster assembles a cluster over a clock; wake is the cache's, news is
// called when pods have changed.
func newCluster(t testing.TB, clock clock.Clock, newRuntime NewRuntime, wake, news func()) *Cluster {
	t.Helper()
	s := store.NewMemory(0)
	operations := rest.New(s, clock, rand.New(&lockedSource{source: rand.NewPCG(1, 2)}), kinds.All())
	if err := operations.Bootstrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	var resources []string
	for _, k := range kinds.All() {
		resources = append(resources, k.Resource())
	}
	all, err := cache.New(t.Context(), s, resources, wake)
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{TB: t, operations: operations, Client: operations.Client("kubernetes-admin"), Clock: clock, Cache: all, history: map[string][]*corev1.Pod{}, states: map[string]int{}}
	if c.watcher, err = s.Watch("pods", Namespace, 1, news); err != nil {
		t.Fatal(err)
	}
	c.Create("serviceaccounts", &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: "default"}})
	c.Create("configmaps", &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: "kube-root-ca.crt"}, Data: map[string]string{"ca.crt": "test"}})
	kubeletClient := operations.Client("system:node:" + NodeName)
	c.Fleet = kubelet.NewFleet(all, kubelet.New(kubelet.Config{
		Node: kubelet.NodeConfig{
			Name: NodeName, InternalIP: "172.18.0.2", PodCIDR: "10.244.1.0/24",
			Capacity: corev1.ResourceList{
				corev1.ResourceCPU:    resource.MustParse("4"),
				corev1.ResourceMemory: resource.MustParse("8Gi"),
				corev1.ResourcePods:   resource.MustParse("110"),
			},
		},
		Cache: all, Client: kubeletClient, Clock: clock,
		Recorder: events.NewRecorder(kubeletClient, clock, "kubelet", NodeName),
		Runtime:  newRuntime(t, clock),
	}))
	return c
}

// sequentially runs a test under virtual time.
func sequentially(t testing.TB, newRuntime NewRuntime, test func(*Cluster)) {
	virtual := clock.NewVirtual(start)
	c := newCluster(t, virtual, newRuntime, nil, nil)
	c.virtual = true
	executor := sequential.New(virtual, c.Cache, c.Fleet.Controllers(), c.report)
	run := func(end time.Time, done func() bool) {
		if err := executor.RunUntil(t.Context(), end, done); err != nil {
			t.Fatal(err)
		}
	}
	c.until = func(condition func() bool) bool {
		run(virtual.Now().Add(patience), condition)
		return condition()
	}
	c.pass = func(d time.Duration) { run(virtual.Now().Add(d), nil) }
	test(c)
	c.check()
}

// fastClock is the wall clock at a higher speed.
type fastClock struct{ began time.Time }

func (c fastClock) Now() time.Time { return start.Add(time.Since(c.began) * speed) }

func (c fastClock) AfterFunc(d time.Duration, f func()) clock.Timer {
	return time.AfterFunc(d/speed, f)
}

// concurrently runs a test in the time of a clock, one second of which lasts
// 1/speed.
func concurrently(t testing.TB, clock clock.Clock, speed time.Duration, newRuntime NewRuntime, test func(*Cluster)) {
	wake, waker := concurrent.Waker()
	news, notify := concurrent.Waker()
	c := newCluster(t, clock, newRuntime, waker, notify)
	executor := concurrent.New(clock, c.Cache, wake, c.Fleet.Controllers(), c.report)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- executor.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	c.until = func(condition func() bool) bool {
		limit := time.NewTimer(realPatience)
		defer limit.Stop()
		look := time.NewTicker(20 * time.Millisecond) // for what is no write
		defer look.Stop()
		for !condition() {
			select {
			case <-limit.C:
				return condition()
			case <-news:
			case <-look.C:
			}
		}
		return true
	}
	c.pass = func(d time.Duration) {
		over := time.NewTimer(d / speed)
		defer over.Stop()
		<-over.C
	}
	test(c)
	c.check()
	c.watcher.Stop()
}

func (c *Cluster) report(name string, request controller.Request, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures = append(c.failures, fmt.Sprintf("%s %s/%s: %v", name, request.Namespace, request.Name, err))
}

func (c *Cluster) check() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.failures) > 0 {
		c.Errorf("turns failed: %q", c.failures)
	}
}

// Until waits for a condition.
func (c *Cluster) Until(what string, condition func() bool) {
	c.Helper()
	if !c.until(condition) {
		c.Fatalf("never %s\nfailed turns: %q\n%s", what, c.failures, c.dump())
	}
}

// Took checks how long something took. That it took no longer than it should is
// only certain under virtual time: a real machine may be busy.
func (c *Cluster) Took(what string, since time.Time, least, most time.Duration) {
	c.Helper()
	if took := c.Clock.Now().Sub(since); took < least || c.virtual && took > most {
		c.Errorf("%s took %v", what, took)
	}
}

// Pass lets a time pass.
func (c *Cluster) Pass(d time.Duration) { c.pass(d) }

func (c *Cluster) dump() string {
	text := ""
	for _, pod := range cache.List[*corev1.Pod](c.Cache, "pods", "") {
		text += fmt.Sprintf("%s: %+v\n", pod.Name, pod.Status)
		for _, line := range c.Events(pod.Name) {
			text += "  " + line + "\n"
		}
	}
	return text
}

// Create creates an object.
func (c *Cluster) Create(resource string, obj store.Object) store.Object {
	c.Helper()
	created, err := c.Client.Create(c.Context(), resource, obj)
	if err != nil {
		c.Fatal(err)
	}
	return created
}

// Run creates a pod on the node. Without a name for them, its containers are
// called "main".
func (c *Cluster) Run(name string, spec corev1.PodSpec) *corev1.Pod {
	c.Helper()
	c.look()
	delete(c.history, name) // of another pod of that name
	delete(c.states, name)
	spec = *spec.DeepCopy() // the client owns what it is given
	spec.NodeName = NodeName
	for i := range spec.Containers {
		if spec.Containers[i].Name == "" {
			spec.Containers[i].Name = "main"
		}
	}
	return c.Create("pods", &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: name}, Spec: spec}).(*corev1.Pod)
}

// ChangePart changes a pod by way of a subresource.
func (c *Cluster) ChangePart(name string, part rest.Part, change func(*corev1.Pod)) {
	c.Helper()
	pods, _ := c.operations.Kind("pods")
	_, err := c.operations.Update(c.Context(), pods, Namespace, name, part, func(current store.Object) (store.Object, error) {
		pod := current.(*corev1.Pod).DeepCopy()
		change(pod)
		return pod, nil
	}, rest.WriteOptions{})
	if err != nil {
		c.Fatal(err)
	}
}

// Pod returns a pod; false if there is none.
func (c *Cluster) Pod(name string) (*corev1.Pod, bool) {
	c.Helper()
	pod, err := c.Client.Get(c.Context(), "pods", Namespace, name)
	if errors.IsNotFound(err) {
		return nil, false
	}
	if err != nil {
		c.Fatal(err)
	}
	return pod.(*corev1.Pod), true
}

// When waits until a pod is, or has been since the last When, as the condition
// says and returns it.
func (c *Cluster) When(name, what string, condition func(*corev1.Pod) bool) *corev1.Pod {
	c.Helper()
	var found *corev1.Pod
	c.Until(name+" "+what, func() bool {
		c.look()
		for i, pod := range c.history[name] {
			if condition(pod) {
				found = pod
				c.history[name] = c.history[name][i:]
				return true
			}
		}
		return false
	})
	return found
}

// look adds what has happened to the history.
func (c *Cluster) look() {
	events, err := c.watcher.Next(nil, 10_000)
	if err != nil {
		c.Fatal(err)
	}
	for _, event := range events {
		if pod, ok := event.Object.(*corev1.Pod); ok && event.Type != store.Deleted {
			c.states[pod.Name]++
			c.history[pod.Name] = append(c.history[pod.Name], pod)
		}
	}
}

// Delete deletes a pod; a negative grace period is the pod's own.
func (c *Cluster) Delete(name string, grace int64) {
	c.Helper()
	opts := metav1.DeleteOptions{}
	if grace >= 0 {
		opts.GracePeriodSeconds = &grace
	}
	if err := c.Client.Delete(c.Context(), "pods", Namespace, name, opts); err != nil {
		c.Fatal(err)
	}
}

// Events are those about an object of the namespace, in the order of their
// first time, each as "Reason: message".
func (c *Cluster) Events(name string) []string {
	var found []*corev1.Event
	for _, event := range cache.List[*corev1.Event](c.Cache, "events", "") {
		if event.InvolvedObject.Name == name {
			found = append(found, event)
		}
	}
	slices.SortStableFunc(found, func(a, b *corev1.Event) int {
		if n := a.FirstTimestamp.Compare(b.FirstTimestamp.Time); n != 0 {
			return n
		}
		return cmp.Compare(store.RevisionOf(a), store.RevisionOf(b))
	})
	var lines []string
	for _, event := range found {
		lines = append(lines, event.Reason+": "+event.Message)
	}
	return lines
}

// lockedSource makes a rand.Rand over it safe for concurrent use.
type lockedSource struct {
	mu     sync.Mutex
	source *rand.PCG
}

func (s *lockedSource) Uint64() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.source.Uint64()
}
