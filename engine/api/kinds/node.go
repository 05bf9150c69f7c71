package kinds

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/defaulting"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func node() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         corev1.SchemeGroupVersion.WithKind("Node"),
		Plural:                   "nodes",
		Singular:                 "node",
		ShortNames:               []string{"no"},
		New:                      func() store.Object { return &corev1.Node{} },
		NewList:                  func() runtime.Object { return &corev1.NodeList{} },
		Default:                  on(defaultNode),
		PrepareForCreate:         on(dropConfiguration),
		PrepareForUpdate:         onUpdate(keepNodeStatus),
		PrepareForStatusUpdate:   onUpdate(keepNodeSpec),
		Warnings:                 warnings(nodeWarnings),
		Validate:                 validate(validation.Node),
		ValidateUpdate:           validateUpdate(validation.NodeUpdate),
		ValidateStatusUpdate:     validateUpdate(validation.NodeStatusUpdate),
		AllowUnconditionalUpdate: true,
		Fields: selectable(func(n *corev1.Node) fields.Set {
			return fields.Set{"spec.unschedulable": strconv.FormatBool(n.Spec.Unschedulable)}
		}),
		Columns: nodeColumns(),
		Row:     row(nodeRow),
	}
}

// defaultNode also keeps the pods' range and its list in step.
func defaultNode(n *corev1.Node) {
	if first := n.Spec.PodCIDR; first != "" && (len(n.Spec.PodCIDRs) == 0 || n.Spec.PodCIDRs[0] != first) {
		n.Spec.PodCIDRs = []string{first}
	} else if len(n.Spec.PodCIDRs) > 0 {
		n.Spec.PodCIDR = n.Spec.PodCIDRs[0]
	}
	if n.Status.Allocatable == nil && n.Status.Capacity != nil {
		n.Status.Allocatable = n.Status.Capacity.DeepCopy()
	}
	defaulting.ResourceList(n.Status.Capacity)
	defaulting.ResourceList(n.Status.Allocatable)
}

// dropConfiguration drops the configuration source, a feature that Kubernetes
// has removed. All else of a new node's status stays: kubelets bring it along.
func dropConfiguration(n *corev1.Node) {
	//lint:ignore SA1019 clients may still set it
	n.Spec.ConfigSource = nil
	n.Status.Config = nil
}

func keepNodeStatus(n, old *corev1.Node) {
	n.Status = old.Status
	dropConfiguration(n)
}

func keepNodeSpec(n, old *corev1.Node) {
	n.Spec = old.Spec
	n.Status.Config = nil
}

func nodeWarnings(n, _ *corev1.Node) []string {
	if n.Spec.DoNotUseExternalID == "" {
		return nil
	}
	return []string{"spec.externalID: this field is deprecated, and is unused by Kubernetes"}
}

func nodeColumns() []metav1.TableColumnDefinition {
	const addresses = "List of addresses reachable to the node. Queried from cloud provider, if available. More info: https://kubernetes.io/docs/reference/node/node-status/#addresses Note: This field is declared as mergeable, but the merge key is not sufficiently unique, which can cause data corruption when it is merged. Callers should instead use a full-replacement patch. See https://pr.k8s.io/79391 for an example. Consumers should assume that addresses can change during the lifetime of a Node. However, there are some exceptions where this may not be possible, such as Pods that inherit a Node's address in its own status or consumers of the downward API (status.hostIP)."
	columns := []metav1.TableColumnDefinition{
		nameColumn(),
		textColumn("Status", "The status of the node"),
		textColumn("Roles", "The roles of the node"),
		ageColumn(),
		textColumn("Version", "Kubelet Version reported by the node."),
	}
	return append(columns, wide(
		textColumn("Internal-IP", addresses),
		textColumn("External-IP", addresses),
		textColumn("OS-Image", "OS Image reported by the node from /etc/os-release (e.g. Debian GNU/Linux 7 (wheezy))."),
		textColumn("Kernel-Version", "Kernel Version reported by the node from 'uname -r' (e.g. 3.16.0-0.bpo.4-amd64)."),
		textColumn("Container-Runtime", "ContainerRuntime Version reported by the node through runtime remote API (e.g. containerd://1.4.2)."),
	)...)
}

func nodeRow(n *corev1.Node, now time.Time) []any {
	info := &n.Status.NodeInfo
	kernel := cmp.Or(info.KernelVersion, "<unknown>")
	if info.Architecture != "" {
		kernel += " (" + info.Architecture + ")"
	}
	return []any{
		n.Name, NodeStatus(n), orNone(nodeRoles(n)), age(n.CreationTimestamp, now), info.KubeletVersion,
		nodeAddress(n, corev1.NodeInternalIP), nodeAddress(n, corev1.NodeExternalIP),
		cmp.Or(info.OSImage, "<unknown>"), kernel, cmp.Or(info.ContainerRuntimeVersion, "<unknown>"),
	}
}

// NodeStatus is what the STATUS column says of a node, e.g.
// "Ready,SchedulingDisabled".
func NodeStatus(n *corev1.Node) string {
	status := "Unknown"
	for i := range n.Status.Conditions {
		if condition := &n.Status.Conditions[i]; condition.Type == corev1.NodeReady {
			status = "NotReady"
			if condition.Status == corev1.ConditionTrue {
				status = "Ready"
			}
		}
	}
	if n.Spec.Unschedulable {
		status += ",SchedulingDisabled"
	}
	return status
}

func nodeRoles(n *corev1.Node) string {
	var roles []string
	for key, value := range n.Labels {
		if role, is := strings.CutPrefix(key, "node-role.kubernetes.io/"); is && role != "" {
			roles = append(roles, role)
		} else if key == "kubernetes.io/role" && value != "" {
			roles = append(roles, value)
		}
	}
	slices.Sort(roles)
	return strings.Join(slices.Compact(roles), ",")
}

func nodeAddress(n *corev1.Node, addressType corev1.NodeAddressType) string {
	for i := range n.Status.Addresses {
		if n.Status.Addresses[i].Type == addressType {
			return n.Status.Addresses[i].Address
		}
	}
	return "<none>"
}
