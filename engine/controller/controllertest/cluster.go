// Package controllertest runs tests of control loops under both executors. It
// assembles a memory store, the API's operations, a cache, the loops under test
// and, in place of scheduler and kubelets, a binder and nodes on which every
// pod is ready at once.
//
// Under the sequential executor time is virtual; under the concurrent one it is
// real and passes faster. Tests wait for conditions and never for a time.
package controllertest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/api/rest"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/store"
)

// Cluster is what a test acts on.
type Cluster struct {
	testing.TB
	Cache      *cache.Cache
	Clock      clock.Clock
	Client     client.Client // as a person
	Operations *rest.Operations

	nodes  *nodes
	driver driver

	mu       sync.Mutex
	failures []string
	tolerant bool
}

// Build makes the loops under test.
type Build func(c *Cluster) []controller.Controller

// driver lets time pass.
type driver interface {
	// until runs until the condition is true; it reports whether it is.
	until(ctx context.Context, condition func() bool) bool
	// pass lets a time pass.
	pass(ctx context.Context, d time.Duration)
}

// Run runs a test under each executor.
func Run(t *testing.T, build Build, test func(c *Cluster)) {
	t.Helper()
	t.Run("sequential", func(t *testing.T) { Sequential(t, build, test) })
	t.Run("concurrent", func(t *testing.T) { t.Parallel(); runConcurrent(t, build, test) })
}

func newCluster(t testing.TB, clock clock.Clock, s store.Interface, wake func()) *Cluster {
	t.Helper()
	random := rand.New(&lockedSource{source: rand.NewPCG(1, 2)})
	operations := rest.New(s, clock, random, served())
	if err := operations.Bootstrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	var resources []string
	for _, k := range served() {
		resources = append(resources, k.Resource())
	}
	c, err := cache.New(t.Context(), s, resources, wake)
	if err != nil {
		t.Fatal(err)
	}
	c.Follow(operations.Definitions().Resources)
	cluster := &Cluster{TB: t, Cache: c, Clock: clock, Client: operations.Client("kubernetes-admin"), Operations: operations}
	cluster.nodes = &nodes{cluster: cluster, client: operations.Client("system:node:test"), silent: map[string]bool{}}
	return cluster
}

// loops are those of the test and those that stand in for the scheduler, unless
// it is what is tested, and for nodes.
func (c *Cluster) loops(build Build) []controller.Controller {
	loops := append(build(c), c.nodes.kubelets())
	if slices.ContainsFunc(loops, func(loop controller.Controller) bool { return loop.Name == "default-scheduler" }) {
		return loops
	}
	return append(loops, c.nodes.binder())
}

// ClientOf returns the client of a component.
func (c *Cluster) ClientOf(component string) client.Client {
	return c.Operations.Client("system:serviceaccount:kube-system:" + component)
}

// Recorder returns the event recorder of a component.
func (c *Cluster) Recorder(component string) events.Recorder {
	return events.NewRecorder(c.ClientOf(component), c.Clock, component, "")
}

// TolerateFailures accepts turns that fail, where that is what is tested.
func (c *Cluster) TolerateFailures() { c.tolerant = true }

func (c *Cluster) report(name string, request controller.Request, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures = append(c.failures, fmt.Sprintf("%s %s/%s: %v", name, request.Namespace, request.Name, err))
}

// Failures are the turns that have failed.
func (c *Cluster) Failures() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failures
}

// Until waits for a condition.
func (c *Cluster) Until(what string, condition func() bool) {
	c.Helper()
	if !c.driver.until(c.Context(), condition) {
		c.Fatalf("never %s\nfailed turns: %q\n%s", what, c.Failures(), c.dump())
	}
}

// Pass lets a time pass.
func (c *Cluster) Pass(d time.Duration) { c.driver.pass(c.Context(), d) }

// dump says what there is, for a test that has failed.
func (c *Cluster) dump() string {
	text := ""
	for _, k := range served() {
		for _, obj := range c.list(k.Resource(), "") {
			text += fmt.Sprintf("%s %s/%s", k.Resource(), obj.GetNamespace(), obj.GetName())
			if event, ok := obj.(*corev1.Event); ok {
				text += fmt.Sprintf(": %s %s %s", event.Type, event.Reason, event.Message)
			}
			text += "\n"
		}
	}
	return text
}

func (c *Cluster) list(resource, namespace string) []store.Object {
	list, err := c.Operations.Store().List(c.Context(), resource, namespace, store.ListOptions{})
	if err != nil {
		c.Fatal(err)
	}
	return list.Items
}

// resource is that of an object's kind.
func resource(obj store.Object) string {
	name, ok := resources()[reflect.TypeOf(obj)]
	if !ok {
		panic(fmt.Sprintf("no kind has the type %T", obj))
	}
	return name
}

var resources = sync.OnceValue(func() map[reflect.Type]string {
	names := map[reflect.Type]string{}
	for _, k := range served() {
		names[reflect.TypeOf(k.New())] = k.Resource()
	}
	return names
})

// Create creates an object and returns it as stored.
func Create[T store.Object](c *Cluster, obj T) T {
	c.Helper()
	created, err := c.Client.Create(c.Context(), resource(obj), obj)
	if err != nil {
		c.Fatalf("%T: %v", obj, err)
	}
	return created.(T)
}

// Get returns the newest state of an object; false if there is none.
func Get[T store.Object](c *Cluster, namespace, name string) (T, bool) {
	c.Helper()
	var none T
	obj, err := c.Client.Get(c.Context(), resource(none), namespace, name)
	if errors.IsNotFound(err) {
		return none, false
	}
	if err != nil {
		c.Fatal(err)
	}
	return obj.(T), true
}

// List returns a namespace's objects, or every namespace's.
func List[T store.Object](c *Cluster, namespace string) []T {
	c.Helper()
	var none T
	var items []T
	for _, obj := range c.list(resource(none), namespace) {
		items = append(items, obj.(T))
	}
	return items
}

// Change edits an object.
func Change[T store.Object](c *Cluster, namespace, name string, change func(T)) T {
	c.Helper()
	return modify(c, namespace, name, c.Client.Update, change)
}

// ChangeStatus edits an object's status.
func ChangeStatus[T store.Object](c *Cluster, namespace, name string, change func(T)) T {
	c.Helper()
	return modify(c, namespace, name, c.Client.UpdateStatus, change)
}

func modify[T store.Object](c *Cluster, namespace, name string,
	write func(context.Context, string, store.Object) (store.Object, error), change func(T)) T {
	c.Helper()
	var none T
	written, err := client.Modify(c.Context(), c.Client, resource(none), namespace, name, write, func(obj T) bool {
		change(obj)
		return true
	})
	if err != nil {
		c.Fatal(err)
	}
	return written
}

// Delete deletes an object.
func Delete[T store.Object](c *Cluster, namespace, name string, opts metav1.DeleteOptions) {
	c.Helper()
	var none T
	if err := c.Client.Delete(c.Context(), resource(none), namespace, name, opts); err != nil {
		c.Fatal(err)
	}
}

// Events are those about an object, in the order in which they first happened:
// "Normal Reason: message".
func (c *Cluster) Events(kind, name string) []string {
	c.Helper()
	var found []*corev1.Event
	for _, event := range List[*corev1.Event](c, "") {
		if event.InvolvedObject.Kind == kind && event.InvolvedObject.Name == name {
			found = append(found, event)
		}
	}
	sortEvents(found)
	var lines []string
	for _, event := range found {
		lines = append(lines, fmt.Sprintf("%s %s: %s", event.Type, event.Reason, event.Message))
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

// served are all kinds that there are.
func served() []*kind.Kind { return append(kinds.All(), kinds.Administrative(nil)...) }
