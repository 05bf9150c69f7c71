package kubelet

import (
	"context"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
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
	// serviceVars are those of the containers.
	serviceVars serviceVars

	mu      sync.Mutex
	enqueue func(controller.Request)
	stopped bool
	// restarted: it has been started again, and its node is to be told.
	restarted bool
	// named are the workers by the names of their pods.
	named map[controller.Request][]*worker
	// owners maps the IDs of the containers that live to their workers.
	owners map[string]*worker
}

// New returns a kubelet that does nothing until a Fleet runs it.
func New(config Config) *Kubelet {
	k := &Kubelet{
		Config:  config,
		version: config.Runtime.Version(),
		named:   map[controller.Request][]*worker{},
		owners:  map[string]*worker{},
	}
	k.pulls = newPullQueue(config.Runtime, config.Clock)
	k.admission.init()
	config.Runtime.Watch(k.containerEnded)
	return k
}

// syncPod takes one turn of the workers that a pod's name has: that of the pod
// that the API shows, which may be nil, and, for as long as they are being
// ended, those of its predecessors. It returns when the next turn is due and
// whether there are workers left.
func (k *Kubelet) syncPod(ctx context.Context, request controller.Request, pod *corev1.Pod) (again time.Duration, holds bool, failed error) {
	if pod != nil && pod.Spec.NodeName != k.Node.Name {
		pod = nil
	}
	k.mu.Lock()
	workers := k.named[request]
	k.mu.Unlock()
	if pod != nil && !slices.ContainsFunc(workers, func(w *worker) bool { return w.uid == pod.UID }) {
		workers = k.addWorker(request, pod)
	}
	left := len(workers)
	for _, w := range workers {
		seen := pod
		if pod != nil && pod.UID != w.uid {
			seen = nil
		}
		due, err := w.turn(ctx, seen)
		if w.gone {
			k.removeWorker(w)
			left--
		}
		again = sooner(again, due)
		if failed == nil {
			failed = err
		}
	}
	return again, left > 0, failed
}

// addWorker returns the workers of a name with one for a new pod.
func (k *Kubelet) addWorker(request controller.Request, pod *corev1.Pod) []*worker {
	w := newWorker(k, request, pod)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.named[request] = append(slices.Clip(k.named[request]), w)
	return k.named[request]
}

func (k *Kubelet) removeWorker(w *worker) {
	k.admission.remove(w)
	k.mu.Lock()
	defer k.mu.Unlock()
	rest := slices.DeleteFunc(slices.Clone(k.named[w.request]), func(other *worker) bool { return other == w })
	if len(rest) == 0 {
		delete(k.named, w.request)
	} else {
		k.named[w.request] = rest
	}
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
	k.restarted = k.restarted || changed && !stopped
	return changed
}

// takeRestart reports, once, that the kubelet has been started again.
func (k *Kubelet) takeRestart() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	restarted := k.restarted
	k.restarted = false
	return restarted
}

func (k *Kubelet) isStopped() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.stopped
}

func (k *Kubelet) now() time.Time { return k.Clock.Now() }
