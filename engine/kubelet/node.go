package kubelet

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/controller"
)

const (
	nodeResource   = "nodes"
	leaseResource  = "leases.coordination.k8s.io"
	leaseNamespace = "kube-node-lease"

	// heartbeat is how often a node renews its lease and looks at its status;
	// the status is only written if it has changed or is older than report.
	heartbeat     = 10 * time.Second
	report        = 5 * time.Minute
	leaseDuration = int32(40)

	// KubeletVersion is the version of Kubernetes that this kubelet behaves as.
	KubeletVersion = "v1.37.2"

	kubeletPort = 10250
	// maxImages is how many images a node's status lists at most.
	maxImages = 50
)

// nodeState is what the node's turns know; nothing else touches it but images,
// which arrive as an answer of the runtime.
type nodeState struct {
	// registered: the node has been created or was there; seen: the cache has
	// shown it since.
	registered, seen bool
	unschedulable    bool // as of the last look
	reported         time.Time
	lease            *coordinationv1.Lease
	images           chan []corev1.ContainerImage
	listed           []corev1.ContainerImage
}

// syncNode takes one turn of the node: registers it, then keeps its lease and
// its status fresh.
func (k *Kubelet) syncNode(ctx context.Context) (controller.Result, error) {
	s := &k.node
	if !s.registered || k.takeRestart() {
		if err := k.register(ctx); err != nil {
			return controller.Result{}, err
		}
		s.registered, s.seen, s.lease = true, false, nil
	}
	again := controller.Result{RequeueAfter: heartbeat}
	node, found := cache.Get[*corev1.Node](k.Cache, nodeResource, "", k.Node.Name)
	if s.seen && !found {
		return again, nil // it has been deleted: only a restart registers it again
	}
	s.seen = found
	if err := k.renewLease(ctx); err != nil {
		return controller.Result{}, err
	}
	if found {
		k.recordSchedulable(ctx, node)
		if err := k.reportNode(ctx, node); err != nil {
			return controller.Result{}, err
		}
	}
	return again, nil
}

// register creates the node; one that exists already is only brought up to
// date.
func (k *Kubelet) register(ctx context.Context) error {
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: k.Node.Name,
			Labels: map[string]string{
				corev1.LabelHostname:      k.Node.Name,
				corev1.LabelOSStable:      "linux",
				corev1.LabelArchStable:    k.version.Architecture,
				"beta.kubernetes.io/os":   "linux",
				"beta.kubernetes.io/arch": k.version.Architecture,
			},
			Annotations: map[string]string{"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
		},
		Spec: corev1.NodeSpec{PodCIDR: k.Node.PodCIDR, Taints: k.Node.Taints},
	}
	maps.Copy(node.Labels, k.Node.Labels)
	if k.Node.PodCIDR != "" {
		node.Spec.PodCIDRs = []string{k.Node.PodCIDR}
	}
	node.Status = k.nodeStatus(nil)
	node.Status.Capacity = node.Status.Capacity.DeepCopy() // the API fills in defaults
	node.Status.Allocatable = node.Status.Capacity
	created, err := k.Client.Create(ctx, nodeResource, node)
	if apierrors.IsAlreadyExists(err) {
		return nil // the next heartbeat brings its status up to date
	}
	if err != nil {
		return err
	}
	k.node.reported = k.now()
	k.Recorder.Event(ctx, created, corev1.EventTypeNormal, "Starting", "Starting kubelet.")
	return nil
}

// renewLease tells the control plane that the node is alive.
func (k *Kubelet) renewLease(ctx context.Context) error {
	s := &k.node
	now := metav1.NewMicroTime(k.now().Truncate(time.Microsecond))
	if s.lease != nil {
		next := *s.lease // everything but the spec is shared with the old one
		next.Spec.RenewTime = &now
		written, err := k.Client.Update(ctx, leaseResource, &next)
		if err == nil {
			s.lease = written.(*coordinationv1.Lease)
			return nil
		}
		s.lease = nil
		if !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			return err
		}
	}
	existing, err := k.Client.Get(ctx, leaseResource, leaseNamespace, k.Node.Name)
	if err == nil {
		next := *existing.(*coordinationv1.Lease)
		next.Spec.RenewTime = &now
		written, err := k.Client.Update(ctx, leaseResource, &next)
		if err != nil {
			return err
		}
		s.lease = written.(*coordinationv1.Lease)
		return nil
	}
	if !apierrors.IsNotFound(err) {
		return err
	}
	node, err := k.Client.Get(ctx, nodeResource, "", k.Node.Name)
	if err != nil {
		return ignoreNotFound(err)
	}
	duration := leaseDuration
	written, err := k.Client.Create(ctx, leaseResource, &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Name:      k.Node.Name,
			Namespace: leaseNamespace,
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "v1", Kind: "Node", Name: node.GetName(), UID: node.GetUID(),
			}},
		},
		Spec: coordinationv1.LeaseSpec{HolderIdentity: &k.Node.Name, LeaseDurationSeconds: &duration, RenewTime: &now},
	})
	if err != nil {
		return err
	}
	s.lease = written.(*coordinationv1.Lease)
	return nil
}

// reportNode writes the node's status if it is not what it should be, or old.
func (k *Kubelet) reportNode(ctx context.Context, node *corev1.Node) error {
	s := &k.node
	k.listImages()
	select {
	case s.listed = <-s.images:
	default:
	}
	healthy := true
	for _, want := range nodeConditions {
		if c := nodeCondition(node.Status.Conditions, want.Type); c == nil || c.Status != want.Status || c.Reason != want.Reason {
			healthy = false
		}
	}
	sameImages := slices.EqualFunc(node.Status.Images, s.listed, func(a, b corev1.ContainerImage) bool { return slices.Equal(a.Names, b.Names) })
	if healthy && sameImages && k.now().Sub(s.reported) < report {
		return nil
	}
	next := *node // everything but the status is shared with the old one
	next.Status = k.nodeStatus(node)
	written, err := k.Client.UpdateStatus(ctx, nodeResource, &next)
	if err != nil {
		return ignoreNotFound(err)
	}
	s.reported = k.now()
	k.recordNode(ctx, node, written.(*corev1.Node))
	return nil
}

// recordSchedulable records that the node has been cordoned or uncordoned.
func (k *Kubelet) recordSchedulable(ctx context.Context, node *corev1.Node) {
	if node.Spec.Unschedulable == k.node.unschedulable {
		return
	}
	k.node.unschedulable = node.Spec.Unschedulable
	reason := "NodeSchedulable"
	if node.Spec.Unschedulable {
		reason = "NodeNotSchedulable"
	}
	k.recordNodeStatus(ctx, node, reason)
}

func (k *Kubelet) recordNodeStatus(ctx context.Context, node *corev1.Node, reason string) {
	k.Recorder.Event(ctx, node, corev1.EventTypeNormal, reason, fmt.Sprintf("Node %s status is now: %s", k.Node.Name, reason))
}

// recordNode records the conditions that have become good again.
func (k *Kubelet) recordNode(ctx context.Context, before, after *corev1.Node) {
	for _, want := range nodeConditions {
		if c := nodeCondition(before.Status.Conditions, want.Type); c == nil || c.Status != want.Status {
			k.recordNodeStatus(ctx, after, want.event)
		}
	}
}

// listImages asks the runtime for the node's images if they have changed; the
// answer is taken at the next heartbeat at the latest.
func (k *Kubelet) listImages() {
	s := &k.node
	if s.images == nil {
		s.images = make(chan []corev1.ContainerImage, 1)
	}
	if !k.pulls.changed() {
		return
	}
	answers := s.images
	k.Runtime.Images(func(images []Image, err error) {
		if err != nil {
			return
		}
		list := make([]corev1.ContainerImage, 0, len(images))
		for _, image := range images[:min(len(images), maxImages)] {
			list = append(list, corev1.ContainerImage{Names: []string{image.Ref, image.Name}, SizeBytes: image.Size})
		}
		select {
		case <-answers: // an older answer that nobody has taken
		default:
		}
		answers <- list
	})
}

// healthyCondition is a condition of a healthy node with the reason of the event
// that says that it has become so.
type healthyCondition struct {
	corev1.NodeCondition
	event string
}

var nodeConditions = []healthyCondition{
	{corev1.NodeCondition{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientMemory", Message: "kubelet has sufficient memory available"}, "NodeHasSufficientMemory"},
	{corev1.NodeCondition{Type: corev1.NodeDiskPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasNoDiskPressure", Message: "kubelet has no disk pressure"}, "NodeHasNoDiskPressure"},
	{corev1.NodeCondition{Type: corev1.NodePIDPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientPID", Message: "kubelet has sufficient PID available"}, "NodeHasSufficientPID"},
	{corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "kubelet is posting ready status"}, "NodeReady"},
}

func nodeCondition(conditions []corev1.NodeCondition, kind corev1.NodeConditionType) *corev1.NodeCondition {
	for i := range conditions {
		if conditions[i].Type == kind {
			return &conditions[i]
		}
	}
	return nil
}

// nodeStatus is the node's whole status; before is the node as it was, nil for
// a new one.
func (k *Kubelet) nodeStatus(before *corev1.Node) corev1.NodeStatus {
	now := stamp(k.now())
	status := corev1.NodeStatus{
		Capacity:    k.Node.Capacity,
		Allocatable: k.Node.Capacity,
		Addresses: []corev1.NodeAddress{
			{Type: corev1.NodeInternalIP, Address: k.Node.InternalIP},
			{Type: corev1.NodeHostName, Address: k.Node.Name},
		},
		DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: kubeletPort}},
		NodeInfo: corev1.NodeSystemInfo{
			MachineID:               k.version.MachineID,
			SystemUUID:              k.version.SystemID,
			BootID:                  k.version.BootID,
			KernelVersion:           k.version.KernelVersion,
			OSImage:                 k.version.OSImage,
			ContainerRuntimeVersion: k.version.Name + "://" + k.version.Version,
			KubeletVersion:          KubeletVersion,
			OperatingSystem:         "linux",
			Architecture:            k.version.Architecture,
		},
		Images: k.node.listed,
	}
	var old []corev1.NodeCondition
	if before != nil {
		old = before.Status.Conditions
		for i := range old {
			if !slices.ContainsFunc(nodeConditions, func(own healthyCondition) bool { return own.Type == old[i].Type }) {
				status.Conditions = append(status.Conditions, old[i])
			}
		}
	}
	for _, want := range nodeConditions {
		c := want.NodeCondition
		c.LastHeartbeatTime, c.LastTransitionTime = now, now
		if prev := nodeCondition(old, c.Type); prev != nil && prev.Status == c.Status {
			c.LastTransitionTime = prev.LastTransitionTime
		}
		status.Conditions = append(status.Conditions, c)
	}
	return status
}
