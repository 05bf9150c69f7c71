package controllertest

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// NeverReady is an image whose containers run and are never ready.
	NeverReady = "never-ready"

	exits     = "exits-"
	heartbeat = 10 * time.Second
)

// Exits is an image whose containers end at once with an exit code.
func Exits(code int) string { return exits + strconv.Itoa(code) }

// nodes stand in for scheduler and kubelets.
type nodes struct {
	cluster *Cluster
	client  client.Client

	mu     sync.Mutex
	silent map[string]bool
}

// Silence stops a node's kubelet; Resume lets it go on.
func (c *Cluster) Silence(node string) { c.nodes.set(node, true) }

// Resume lets a silenced kubelet go on.
func (c *Cluster) Resume(node string) { c.nodes.set(node, false) }

func (n *nodes) set(node string, silent bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.silent[node] = silent
}

func (n *nodes) isSilent(node string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.silent[node]
}

// AddNodes creates nodes node-1, node-2 and so on.
func (c *Cluster) AddNodes(count int) {
	c.Helper()
	for i := range count {
		c.AddNode(fmt.Sprintf("node-%d", i+1))
	}
}

// AddNode creates a node that pods can be on: it lacks the taint of new nodes,
// which the node lifecycle would take away.
func (c *Cluster) AddNode(name string) {
	c.Helper()
	Create(c, &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name:   name,
		Labels: map[string]string{corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64", corev1.LabelTopologyZone: "a"},
	}})
	Change(c, "", name, func(node *corev1.Node) { node.Spec.Taints = nil })
}

// binder binds each pod to a node by its name, one that its affinity allows.
func (n *nodes) binder() controller.Controller {
	return controller.Controller{
		Name: "test-binder",
		Watches: []controller.Watch{
			{Resource: "pods", Map: func(event store.Event) []controller.Request {
				if event.Type != store.Added || event.Object.(*corev1.Pod).Spec.NodeName != "" {
					return nil
				}
				return controller.ForObject(event)
			}},
		},
		Reconciler: controller.ReconcilerFunc(n.bind),
	}
}

func (n *nodes) bind(ctx context.Context, request controller.Request) (controller.Result, error) {
	pod, ok := cache.Get[*corev1.Pod](n.cluster.Cache, "pods", request.Namespace, request.Name)
	if !ok || pod.Spec.NodeName != "" {
		return controller.Result{}, nil
	}
	affinity := nodeaffinity.GetRequiredNodeAffinity(pod)
	candidates := slices.DeleteFunc(cache.List[*corev1.Node](n.cluster.Cache, "nodes", ""), func(node *corev1.Node) bool {
		fits, err := affinity.Match(node)
		return err != nil || !fits
	})
	if len(candidates) == 0 {
		return controller.Result{}, nil
	}
	hash := fnv.New32a()
	hash.Write([]byte(pod.Name))
	err := n.client.Bind(ctx, &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name},
		Target:     corev1.ObjectReference{Kind: "Node", Name: candidates[hash.Sum32()%uint32(len(candidates))].Name},
	})
	if errors.IsConflict(err) || errors.IsNotFound(err) {
		err = nil
	}
	return controller.Result{}, err
}

// kubelets run pods and keep nodes alive. A request without a namespace names a
// node.
func (n *nodes) kubelets() controller.Controller {
	return controller.Controller{
		Name: "test-kubelets",
		Watches: []controller.Watch{
			{Resource: "pods", Map: func(event store.Event) []controller.Request {
				if event.Object.(*corev1.Pod).Spec.NodeName == "" {
					return nil
				}
				return controller.ForObject(event)
			}},
			{Resource: "nodes", Map: func(event store.Event) []controller.Request {
				if event.Type != store.Added {
					return nil
				}
				return controller.ForObject(event)
			}},
		},
		Reconciler: controller.ReconcilerFunc(func(ctx context.Context, request controller.Request) (controller.Result, error) {
			if request.Namespace == "" {
				return n.beat(ctx, request.Name)
			}
			return controller.Result{}, n.run(ctx, request)
		}),
	}
}

func (n *nodes) run(ctx context.Context, request controller.Request) error {
	pod, ok := cache.Get[*corev1.Pod](n.cluster.Cache, "pods", request.Namespace, request.Name)
	if !ok || n.isSilent(pod.Spec.NodeName) {
		return nil
	}
	if pod.DeletionTimestamp != nil {
		now := int64(0)
		err := n.client.Delete(ctx, "pods", pod.Namespace, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &pod.UID}})
		if errors.IsNotFound(err) {
			return nil
		}
		return err
	}
	if pod.Status.Phase != corev1.PodPending {
		return nil
	}
	if code, ends := exitCode(pod); ends {
		return n.end(ctx, pod, code)
	}
	ready := corev1.ConditionTrue
	if pod.Spec.Containers[0].Image == NeverReady {
		ready = corev1.ConditionFalse
	}
	hash := fnv.New32a()
	hash.Write([]byte(pod.UID))
	sum := hash.Sum32()
	_, err := client.Modify(ctx, n.client, "pods", pod.Namespace, pod.Name, n.client.UpdateStatus, func(fresh *corev1.Pod) bool {
		fresh.Status.Phase = corev1.PodRunning
		fresh.Status.PodIP = fmt.Sprintf("10.%d.%d.%d", sum>>16&0xff, sum>>8&0xff, sum&0xff)
		fresh.Status.PodIPs = []corev1.PodIP{{IP: fresh.Status.PodIP}}
		fresh.Status.Conditions = append(fresh.Status.Conditions, corev1.PodCondition{
			Type:               corev1.PodReady,
			Status:             ready,
			LastTransitionTime: metav1.NewTime(n.cluster.Clock.Now().Truncate(time.Second)),
		})
		return true
	})
	if errors.IsNotFound(err) {
		return nil
	}
	return err
}

// exitCode is the code with which a pod of an image such as Exits(1) ends.
func exitCode(pod *corev1.Pod) (int32, bool) {
	text, ends := strings.CutPrefix(pod.Spec.Containers[0].Image, exits)
	if !ends {
		return 0, false
	}
	code, err := strconv.ParseInt(text, 10, 32)
	return int32(code), err == nil
}

func (n *nodes) end(ctx context.Context, pod *corev1.Pod, code int32) error {
	now := metav1.NewTime(n.cluster.Clock.Now().Truncate(time.Second))
	_, err := client.Modify(ctx, n.client, "pods", pod.Namespace, pod.Name, n.client.UpdateStatus, func(fresh *corev1.Pod) bool {
		fresh.Status.Phase = corev1.PodSucceeded
		if code != 0 {
			fresh.Status.Phase = corev1.PodFailed
		}
		fresh.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name:  fresh.Spec.Containers[0].Name,
			State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, StartedAt: now, FinishedAt: now}},
		}}
		return true
	})
	if errors.IsNotFound(err) {
		return nil
	}
	return err
}

// beat reports the node as ready once and then renews its lease.
func (n *nodes) beat(ctx context.Context, name string) (controller.Result, error) {
	node, ok := cache.Get[*corev1.Node](n.cluster.Cache, "nodes", "", name)
	if !ok {
		return controller.Result{}, nil
	}
	again := controller.Result{RequeueAfter: heartbeat}
	if n.isSilent(name) {
		return again, nil
	}
	if err := n.reportReady(ctx, node); err != nil {
		return again, err
	}
	now := metav1.NewMicroTime(n.cluster.Clock.Now())
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: corev1.NamespaceNodeLease, Name: name},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &name, RenewTime: &now},
	}
	_, err := client.Modify(ctx, n.client, "leases.coordination.k8s.io", lease.Namespace, name, n.client.Update, func(fresh *coordinationv1.Lease) bool {
		fresh.Spec.RenewTime = &now
		return true
	})
	if errors.IsNotFound(err) {
		_, err = n.client.Create(ctx, "leases.coordination.k8s.io", lease)
	}
	return again, err
}

func (n *nodes) reportReady(ctx context.Context, node *corev1.Node) error {
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
			return nil
		}
	}
	now := metav1.NewTime(n.cluster.Clock.Now().Truncate(time.Second))
	_, err := client.Modify(ctx, n.client, "nodes", "", node.Name, n.client.UpdateStatus, func(fresh *corev1.Node) bool {
		fresh.Status.Conditions = []corev1.NodeCondition{{
			Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", LastHeartbeatTime: now, LastTransitionTime: now,
		}}
		return true
	})
	return err
}
