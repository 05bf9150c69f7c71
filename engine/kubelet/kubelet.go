package kubelet

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/events"
)

const podResource = "pods"

// Config is what a kubelet is given.
type Config struct {
	Node     NodeConfig
	Cache    *cache.Cache
	Client   client.Client
	Recorder events.Recorder
	Clock    clock.Clock
	Runtime  Runtime
}

// NodeConfig describes the node to register.
type NodeConfig struct {
	Name       string
	InternalIP string
	PodCIDR    string
	Capacity   corev1.ResourceList
	// Labels and Taints are added to those that every node has.
	Labels map[string]string
	Taints []corev1.Taint
}

// Kubelet runs the pods of one node. A Fleet drives it.
type Kubelet struct {
	Config
	version   Version
	pulls     *pullQueue
	node      nodeState
	admission admission

	mu      sync.Mutex
	enqueue func(controller.Request)
	stopped bool
	workers map[types.UID]*worker
	named   map[controller.Request][]*worker
	// owners maps the IDs of the containers that live to their workers.
	owners map[string]*worker
}

// New returns a kubelet that does nothing until a Fleet runs it.
func New(config Config) *Kubelet {
	k := &Kubelet{
		Config:  config,
		version: config.Runtime.Version(),
		workers: map[types.UID]*worker{},
		named:   map[controller.Request][]*worker{},
		owners:  map[string]*worker{},
	}
	k.pulls = newPullQueue(config.Runtime, config.Clock)
	k.admission.init()
	config.Runtime.Watch(k.containerEnded)
	return k
}

// syncPod takes one turn of the workers that a pod's name has: that of the pod
// that the API shows and, for as long as they are being ended, those of its
// predecessors.
func (k *Kubelet) syncPod(ctx context.Context, request controller.Request) (controller.Result, error) {
	pod, found := cache.Get[*corev1.Pod](k.Cache, podResource, request.Namespace, request.Name)
	if found && pod.Spec.NodeName != k.Node.Name {
		found = false
	}
	workers := k.workersOf(request)
	var result controller.Result
	var failed error
	known := false
	for _, w := range workers {
		seen := pod
		if !found || pod.UID != w.uid {
			seen = nil
		} else {
			known = true
		}
		failed = k.turn(ctx, w, seen, &result, failed)
	}
	if found && !known {
		failed = k.turn(ctx, k.addWorker(request, pod), pod, &result, failed)
	}
	return result, failed
}

// turn takes one worker's turn and adds its outcome to those of the others.
func (k *Kubelet) turn(ctx context.Context, w *worker, pod *corev1.Pod, result *controller.Result, failed error) error {
	again, err := w.turn(ctx, pod)
	if w.gone {
		k.removeWorker(w)
	}
	if again > 0 && (result.RequeueAfter == 0 || again < result.RequeueAfter) {
		result.RequeueAfter = again
	}
	if failed == nil {
		failed = err
	}
	return failed
}

func (k *Kubelet) workersOf(request controller.Request) []*worker {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.named[request]
}

func (k *Kubelet) addWorker(request controller.Request, pod *corev1.Pod) *worker {
	w := newWorker(k, request, pod)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.workers[pod.UID] = w
	k.named[request] = append(k.named[request][:len(k.named[request]):len(k.named[request])], w)
	return w
}

func (k *Kubelet) removeWorker(w *worker) {
	k.admission.remove(w)
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.workers, w.uid)
	var rest []*worker
	for _, other := range k.named[w.request] {
		if other != w {
			rest = append(rest, other)
		}
	}
	if len(rest) == 0 {
		delete(k.named, w.request)
	} else {
		k.named[w.request] = rest
	}
}

// holds reports whether the kubelet has workers of a pod's name.
func (k *Kubelet) holds(request controller.Request) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.named[request]) > 0
}

// own notes whose container an ID is, disown forgets it.
func (k *Kubelet) own(id string, w *worker) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.owners[id] = w
}

func (k *Kubelet) disown(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.owners, id)
}

func (k *Kubelet) containerEnded(status ContainerStatus) {
	k.mu.Lock()
	w := k.owners[status.ID]
	k.mu.Unlock()
	if w != nil {
		w.post(func(context.Context) { w.containerEnded(status) })
	}
}

// request asks for a turn of a pod.
func (k *Kubelet) request(request controller.Request) {
	k.mu.Lock()
	enqueue := k.enqueue
	if k.stopped {
		enqueue = nil
	}
	k.mu.Unlock()
	if enqueue != nil {
		enqueue(request)
	}
}

// setStopped stops the kubelet's work or lets it go on; it reports whether that
// changed anything.
func (k *Kubelet) setStopped(stopped bool) (changed bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	changed = k.stopped != stopped
	k.stopped = stopped
	return changed
}

func (k *Kubelet) isStopped() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.stopped
}

func (k *Kubelet) now() time.Time { return k.Clock.Now() }
