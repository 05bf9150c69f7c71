// Package scheduler finds a node for every pod that has none, as kube-scheduler
// does: it filters the nodes that can take the pod, scores those, and chooses
// at random among the best. Filters, scores and weights are those of Kubernetes
// v1.37's default profile (k8s.io/kubernetes/pkg/scheduler/framework/plugins).
//
// Why a pod is where it is, or nowhere, is never a secret: each node's verdict
// is kept (Explain).
//
// What lives here: the decision. What may not: how a pod gets to run on its
// node; that is engine/kubelet.
package scheduler
