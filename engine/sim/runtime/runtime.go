// Package runtime is the simulated container runtime: it pulls the images of
// engine/sim/image, gives pods their addresses and runs their programs, all of
// it in the time that the clock tells and with the luck of a seeded source.
// It implements kubelet.Runtime for one node.
package runtime

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/kubelet"
	"tidepool.dev/tidepool/engine/sim/image"
)

// How long things take: at least the first, at most the sum of both.
var (
	sandboxTime = span{15 * time.Millisecond, 25 * time.Millisecond}
	stopTime    = span{10 * time.Millisecond, 20 * time.Millisecond}
	createTime  = span{5 * time.Millisecond, 10 * time.Millisecond}
	startTime   = span{45 * time.Millisecond, 60 * time.Millisecond}
	resolveTime = span{20 * time.Millisecond, 20 * time.Millisecond}
	// exitTime is how long a program takes to end that handles SIGTERM.
	exitTime = span{40 * time.Millisecond, 80 * time.Millisecond}
	// execTime is what it takes to begin a command in a container.
	execTime = span{10 * time.Millisecond, 20 * time.Millisecond}
	// latency is that of a request and its answer between two pods.
	latency = span{300 * time.Microsecond, 700 * time.Microsecond}
)

// bandwidth is how many bytes of an image a node pulls and unpacks per second:
// the simulated registry is in the nodes' own network, at 10 Gbit/s.
const bandwidth = 1_000_000_000

type span struct{ least, more time.Duration }

// Config describes a simulated machine.
type Config struct {
	Clock clock.Clock
	// Random is the node's own source; the runtime does the locking.
	Random *rand.Rand
	// PodCIDR is where pods get their addresses; the first is the node's.
	PodCIDR netip.Prefix
	// HostIP is the node's own address, from which its probes come too.
	HostIP string
}

// Runtime runs the simulated containers of one node.
type Runtime struct {
	clock   clock.Clock
	version kubelet.Version
	ended   func(kubelet.ContainerStatus)
	hostIP  string
	network Network

	mu         sync.Mutex
	random     *rand.Rand
	calls      []func() // of others, to be made once mu is free
	images     map[string]kubelet.Image
	sandboxes  map[string]*sandbox
	byIP       map[string]*sandbox
	containers map[string]*container
	addresses  addresses
	pids       processes // of the machine
	// hostPorts are those of the pods on the host's network.
	hostPorts map[int]listener
}

type sandbox struct {
	id         string
	pod        *corev1.Pod
	ip         netip.Addr
	stopped    bool
	containers []*container
	ports      map[int]listener
	volumes    []volume
	pids       processes // where the containers share them
}

type volume struct {
	name  string
	files *image.Files
}

type listener struct {
	of    *container
	serve func(image.Request) image.Response
}

// New returns the runtime of a machine with no images.
func New(config Config) *Runtime {
	r := &Runtime{
		clock:      config.Clock,
		random:     config.Random,
		hostIP:     config.HostIP,
		network:    nowhere{},
		images:     map[string]kubelet.Image{},
		sandboxes:  map[string]*sandbox{},
		byIP:       map[string]*sandbox{},
		containers: map[string]*container{},
		addresses:  newAddresses(config.PodCIDR),
		hostPorts:  map[int]listener{},
		pids:       processes{name: "/sbin/init"},
	}
	machine := r.hex(16)
	r.version = kubelet.Version{
		Name: "containerd", Version: "2.1.4",
		OSImage: "Tidepool simulated node", KernelVersion: "6.12.0-tidepool", Architecture: "amd64",
		MachineID: machine, SystemID: uuid(machine), BootID: uuid(r.hex(16)),
	}
	return r
}

func (r *Runtime) Version() kubelet.Version { return r.version }

func (r *Runtime) Watch(ended func(kubelet.ContainerStatus)) { r.ended = ended }

// do runs f under the lock and makes the calls that it has collected
// afterwards, so that nobody is called under it.
func (r *Runtime) do(f func()) {
	r.mu.Lock()
	f()
	calls := r.calls
	r.calls = nil
	r.mu.Unlock()
	for _, call := range calls {
		call()
	}
}

func (r *Runtime) call(f func()) { r.calls = append(r.calls, f) }

// after runs f under the lock, later.
func (r *Runtime) after(d time.Duration, f func()) {
	r.clock.AfterFunc(d, func() { r.do(f) })
}

// draw picks how long something takes.
func (r *Runtime) draw(s span) time.Duration {
	return s.least + time.Duration(r.random.Int64N(int64(s.more)+1))
}

// hex returns n random bytes in hexadecimal.
func (r *Runtime) hex(n int) string {
	raw := make([]byte, n)
	for i := 0; i < n; i += 8 {
		word := r.random.Uint64()
		for j := i; j < min(i+8, n); j++ {
			raw[j] = byte(word)
			word >>= 8
		}
	}
	return hex.EncodeToString(raw)
}

func uuid(h string) string {
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:32]
}

func (r *Runtime) RunSandbox(pod *corev1.Pod, _ int, done func(kubelet.Sandbox, error)) {
	r.do(func() {
		r.after(r.draw(sandboxTime), func() {
			s := &sandbox{id: r.hex(32), pod: pod, ports: r.hostPorts, pids: processes{name: "/pause"}}
			result := kubelet.Sandbox{ID: s.id}
			if !pod.Spec.HostNetwork {
				ip, err := r.addresses.take()
				if err != nil {
					r.call(func() { done(kubelet.Sandbox{}, err) })
					return
				}
				s.ip, s.ports = ip, map[int]listener{}
				result.IPs = []string{ip.String()}
				r.byIP[result.IPs[0]] = s
			}
			r.sandboxes[s.id] = s
			r.call(func() { done(result, nil) })
		})
	})
}

func (r *Runtime) StopSandbox(id string, done func(error)) {
	r.do(func() {
		s := r.sandboxes[id]
		if s == nil || s.stopped {
			r.call(func() { done(nil) })
			return
		}
		r.after(r.draw(stopTime), func() {
			if !s.stopped {
				s.stopped = true
				for _, c := range s.containers {
					r.exit(c, killed)
				}
				if s.ip.IsValid() {
					delete(r.byIP, s.ip.String())
					r.addresses.give(s.ip)
				}
			}
			r.call(func() { done(nil) })
		})
	})
}

func (r *Runtime) RemoveSandbox(id string, done func(error)) {
	r.do(func() {
		if s := r.sandboxes[id]; s != nil {
			for _, c := range s.containers {
				r.forget(c)
			}
			delete(r.sandboxes, id)
		}
		r.call(func() { done(nil) })
	})
}

func (r *Runtime) RemoveContainer(id string, done func(error)) {
	r.do(func() {
		if c := r.containers[id]; c != nil {
			r.forget(c)
		}
		r.call(func() { done(nil) })
	})
}

// forget removes a container and its log.
func (r *Runtime) forget(c *container) {
	delete(r.containers, c.id)
	c.log.close(r)
}

// get finds a container that must be there.
func (r *Runtime) get(id string) (*container, error) {
	if c := r.containers[id]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("rpc error: code = NotFound desc = an error occurred when try to find container %q: not found", id)
}

func (r *Runtime) now() metav1.Time { return metav1.NewTime(r.clock.Now()) }
