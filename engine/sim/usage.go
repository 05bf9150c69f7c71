package sim

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/metrics"
	"tidepool.dev/tidepool/engine/sim/image"
	"tidepool.dev/tidepool/engine/store"
)

// LoadAnnotation on a workload (or on a pod without one) says how many cores
// of work reach it: its running pods share the work equally. It is how a person
// puts load on a simulated application:
//
//	kubectl annotate deployment web sim.tidepool.dev/cpu-load=1500m
const LoadAnnotation = "sim.tidepool.dev/cpu-load"

const (
	// window is how long use is averaged, as metrics-server does it; a
	// container is measured once it has run for so long.
	window = 15 * time.Second
	// What a node uses for itself.
	systemCPU    = 60
	systemMemory = 420 << 20
)

// Usage measures a simulated cluster: what each container's image uses of CPU
// and memory when idle, with its share of the load, within its limits.
type Usage struct {
	metrics.Unregistered
	cache *cache.Cache
	clock clock.Clock
}

// NewUsage returns a source that measures nothing before Read.
func NewUsage(clock clock.Clock) *Usage { return &Usage{clock: clock} }

// Read says what there is to measure; it is called once, before anything runs.
func (u *Usage) Read(cache *cache.Cache) { u.cache = cache }

// now is when the last measurement was.
func (u *Usage) now() time.Time { return u.clock.Now().Truncate(window) }

// Pod implements metrics.Source.
func (u *Usage) Pod(pod *corev1.Pod) (metrics.Usage, bool) {
	if u.cache == nil || pod.Status.Phase != corev1.PodRunning {
		return metrics.Usage{}, false
	}
	usage := metrics.Usage{Time: u.now(), Window: window}
	load := u.load(pod)
	for i := range pod.Spec.Containers {
		container := &pod.Spec.Containers[i]
		status := containerStatus(pod, container.Name)
		if status == nil || status.State.Running == nil || status.State.Running.StartedAt.Add(window).After(u.clock.Now()) {
			continue
		}
		one := idle(container)
		if i == 0 {
			one.MilliCPU += load
		}
		if limit := container.Resources.Limits.Cpu().MilliValue(); limit > 0 {
			one.MilliCPU = min(one.MilliCPU, limit)
		}
		usage.Containers = append(usage.Containers, one)
	}
	return usage, len(usage.Containers) > 0
}

func containerStatus(pod *corev1.Pod, name string) *corev1.ContainerStatus {
	for i := range pod.Status.ContainerStatuses {
		if s := &pod.Status.ContainerStatuses[i]; s.Name == name {
			return s
		}
	}
	return nil
}

func idle(container *corev1.Container) metrics.Container {
	found, _, err := image.Find(image.Normalize(container.Image))
	if err != nil {
		return metrics.Container{Name: container.Name}
	}
	return metrics.Container{Name: container.Name, MilliCPU: found.MilliCPU, Memory: found.Memory}
}

// load is the pod's share of what reaches its workload, in thousandths of a
// core.
func (u *Usage) load(pod *corev1.Pod) int64 {
	total, members := milliCores(pod), int64(1)
	var owner store.Object = pod
	for {
		ref := metav1.GetControllerOfNoCopy(owner)
		if ref == nil {
			return total / members
		}
		resource, known := workloads[ref.Kind]
		parent, ok := cache.Get[store.Object](u.cache, resource, pod.Namespace, ref.Name)
		if !known || !ok || parent.GetUID() != ref.UID {
			return total / members
		}
		owner = parent
		if load := milliCores(owner); load > 0 {
			total, members = load, max(u.running(owner), 1)
		}
	}
}

// workloads are the resources that pods belong to, by kind.
var workloads = map[string]string{
	"ReplicaSet": "replicasets.apps", "Deployment": "deployments.apps", "StatefulSet": "statefulsets.apps",
	"DaemonSet": "daemonsets.apps", "ReplicationController": "replicationcontrollers",
}

func milliCores(obj store.Object) int64 {
	quantity, err := resource.ParseQuantity(obj.GetAnnotations()[LoadAnnotation])
	if err != nil || quantity.Sign() < 0 {
		return 0
	}
	return quantity.MilliValue()
}

// running counts a workload's pods that are ready for work.
func (u *Usage) running(owner store.Object) (count int64) {
	for _, pod := range cache.Find[*corev1.Pod](u.cache, "pods", cache.ByController, string(owner.GetUID())) {
		for _, c := range pod.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil {
				count++
			}
		}
	}
	for _, set := range cache.Find[store.Object](u.cache, "replicasets.apps", cache.ByController, string(owner.GetUID())) {
		count += u.running(set)
	}
	return count
}

// Node implements metrics.Source.
func (u *Usage) Node(node *corev1.Node) (metrics.Usage, bool) {
	if u.cache == nil || node.CreationTimestamp.Add(window).After(u.clock.Now()) || !ready(node) {
		return metrics.Usage{}, false
	}
	usage := metrics.Usage{Time: u.now(), Window: window, Containers: []metrics.Container{{MilliCPU: systemCPU, Memory: systemMemory}}}
	for _, pod := range cache.Find[*corev1.Pod](u.cache, "pods", cache.ByNode, node.Name) {
		if measured, ok := u.Pod(pod); ok {
			usage.Containers = append(usage.Containers, measured.Total())
		}
	}
	return usage, true
}

func ready(node *corev1.Node) bool {
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
