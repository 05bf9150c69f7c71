package kubelet

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/store"
)

// workers is how many pods, and how many nodes, a fleet handles at a time under
// the concurrent executor.
const workers = 4

// Fleet runs kubelets of any number of nodes as two control loops. It is safe
// for concurrent use.
type Fleet struct {
	cache *cache.Cache

	mu       sync.Mutex
	kubelets map[string]*Kubelet
	// placed are the kubelets that have pods of a name: when a pod is gone, its
	// node can't be looked up any more.
	placed      map[controller.Request][]*Kubelet
	enqueuePod  func(controller.Request)
	enqueueNode func(controller.Request)
}

// NewFleet returns a fleet of kubelets, which read the cache.
func NewFleet(cache *cache.Cache, kubelets ...*Kubelet) *Fleet {
	f := &Fleet{cache: cache, kubelets: map[string]*Kubelet{}, placed: map[controller.Request][]*Kubelet{}}
	for _, k := range kubelets {
		f.Add(k)
	}
	return f
}

// Add runs one more kubelet.
func (f *Fleet) Add(k *Kubelet) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kubelets[k.Node.Name] = k
	f.wire(k)
	if f.enqueueNode != nil {
		f.enqueueNode(controller.Request{Name: k.Node.Name})
	}
}

func (f *Fleet) wire(k *Kubelet) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.enqueue = f.enqueuePod
}

// Kubelet returns the kubelet of a node.
func (f *Fleet) Kubelet(node string) (*Kubelet, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k, ok := f.kubelets[node]
	return k, ok
}

// StopKubelet makes a node's kubelet hang, as after a crash: it neither renews
// its lease nor looks after its pods, whose containers go on. It reports whether
// there is such a node.
func (f *Fleet) StopKubelet(node string) bool {
	k, ok := f.Kubelet(node)
	if ok {
		k.setStopped(true)
	}
	return ok
}

// StartKubelet starts a stopped kubelet again. It still knows its pods, and
// registers its node if that has been deleted.
func (f *Fleet) StartKubelet(node string) bool {
	k, ok := f.Kubelet(node)
	if !ok {
		return false
	}
	if k.setStopped(false) {
		f.enqueueNode(controller.Request{Name: node})
		for _, request := range f.pods(k) {
			f.enqueuePod(request)
		}
	}
	return true
}

// pods are the names of the pods that a kubelet has or is to have, in order.
func (f *Fleet) pods(k *Kubelet) []controller.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	var pods []controller.Request
	for request, kubelets := range f.placed {
		if slices.Contains(kubelets, k) {
			pods = append(pods, request)
		}
	}
	slices.SortFunc(pods, func(a, b controller.Request) int {
		if c := strings.Compare(a.Namespace, b.Namespace); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return pods
}

// Controllers are the fleet's control loops.
func (f *Fleet) Controllers() []controller.Controller {
	return []controller.Controller{
		{
			Name:       "kubelet",
			Watches:    []controller.Watch{{Resource: podResource, Map: f.podChanged}},
			Reconciler: controller.ReconcilerFunc(f.syncPod),
			Source:     f.podSource,
			Workers:    workers,
		},
		{
			Name:       "kubelet-node",
			Reconciler: controller.ReconcilerFunc(f.syncNode),
			Source:     f.nodeSource,
			Workers:    workers,
		},
	}
}

func (f *Fleet) podSource(enqueue func(controller.Request)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.enqueuePod = enqueue
	for _, k := range f.kubelets {
		f.wire(k)
	}
}

func (f *Fleet) nodeSource(enqueue func(controller.Request)) {
	f.mu.Lock()
	f.enqueueNode = enqueue
	var names []string
	for name := range f.kubelets {
		names = append(names, name)
	}
	f.mu.Unlock()
	// Shorter names first, so that node-2 comes before node-10.
	slices.SortFunc(names, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		enqueue(controller.Request{Name: name})
	}
}

// podChanged requests a turn for every change of a bound pod that can matter to
// its kubelet: not for those of its status or its labels.
func (f *Fleet) podChanged(event store.Event) []controller.Request {
	pod, ok := event.Object.(*corev1.Pod)
	if !ok || pod.Spec.NodeName == "" {
		return nil
	}
	if prev, ok := event.Prev.(*corev1.Pod); ok && event.Type == store.Modified &&
		prev.UID == pod.UID && prev.Spec.NodeName != "" && prev.Generation == pod.Generation &&
		(prev.DeletionTimestamp == nil) == (pod.DeletionTimestamp == nil) &&
		grace(prev) == grace(pod) && len(pod.Spec.ReadinessGates) == 0 {
		return nil
	}
	if _, ok := f.Kubelet(pod.Spec.NodeName); !ok {
		return nil
	}
	return []controller.Request{{Namespace: pod.Namespace, Name: pod.Name}}
}

func grace(pod *corev1.Pod) int64 {
	if pod.DeletionGracePeriodSeconds == nil {
		return -1
	}
	return *pod.DeletionGracePeriodSeconds
}

func (f *Fleet) syncPod(ctx context.Context, request controller.Request) (controller.Result, error) {
	var result controller.Result
	var failed error
	var holding []*Kubelet
	pod, found := cache.Get[*corev1.Pod](f.cache, podResource, request.Namespace, request.Name)
	if !found {
		pod = nil
	}
	concerned := f.concerned(request, pod)
	for _, k := range concerned {
		if k.isStopped() {
			holding = append(holding, k)
			continue
		}
		again, holds, err := k.syncPod(ctx, request, pod)
		result.RequeueAfter = sooner(result.RequeueAfter, again)
		if failed == nil {
			failed = err
		}
		if holds {
			holding = append(holding, k)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case len(holding) == 0:
		delete(f.placed, request)
	case !slices.Equal(holding, f.placed[request]):
		f.placed[request] = holding
	}
	return result, failed
}

// sooner is the earlier of two times from now of which 0 is never.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// concerned returns the kubelets that have pods of a name or are to have one.
func (f *Fleet) concerned(request controller.Request, pod *corev1.Pod) []*Kubelet {
	f.mu.Lock()
	defer f.mu.Unlock()
	kubelets := f.placed[request]
	if pod != nil {
		if k, ok := f.kubelets[pod.Spec.NodeName]; ok && !slices.Contains(kubelets, k) {
			kubelets = append(slices.Clip(kubelets), k)
		}
	}
	return kubelets
}

func (f *Fleet) syncNode(ctx context.Context, request controller.Request) (controller.Result, error) {
	k, ok := f.Kubelet(request.Name)
	if !ok || k.isStopped() {
		return controller.Result{}, nil
	}
	return k.syncNode(ctx)
}
