// Package kubelet is the node agent: it brings the pods that are bound to its
// node to life over a Runtime, reports what becomes of them, and keeps its node
// registered. It behaves as the kubelet of Kubernetes v1.37 does wherever that
// can be seen through the API: statuses, conditions, events and their words.
//
// A Kubelet has a worker per pod, a state machine that a turn of the control
// loop advances: completions of the runtime and timers leave a note in the
// worker's inbox and request a turn; in its turn the worker reads its notes,
// starts at most one operation of the start-up sequence, and writes the pod's
// status when a sequence has settled. So nothing blocks, and the number of
// status writes is that of a real kubelet.
//
// A Fleet runs any number of kubelets as two control loops, one for pods and
// one for the nodes' heartbeats.
//
// What may not be here: anything that depends on how containers are run, in
// simulation (engine/sim/runtime) or by containerd.
package kubelet
