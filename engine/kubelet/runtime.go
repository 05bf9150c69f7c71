package kubelet

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/api/logs"
	"tidepool.dev/tidepool/engine/api/remote"
)

// Runtime runs the sandboxes and containers of one node. It is modelled on the
// Kubernetes Container Runtime Interface (CRI), with one difference: no
// operation blocks. Each one takes a callback that is called exactly once, from
// any goroutine, possibly before the operation returns.
//
// Errors are worded as they are to appear in statuses and events.
type Runtime interface {
	// Version describes the runtime and its machine for the node's status.
	Version() Version

	// Watch registers the one function that is told of every container that
	// ends, however it ends. It is called once, before anything else.
	Watch(ended func(ContainerStatus))

	// RunSandbox makes the pod's shared environment, its network above all.
	RunSandbox(pod *corev1.Pod, attempt int, done func(Sandbox, error))
	// StopSandbox kills whatever still runs in a sandbox and gives back its
	// network; stopping one that is stopped or gone succeeds.
	StopSandbox(id string, done func(error))
	// RemoveSandbox also removes its containers and their logs.
	RemoveSandbox(id string, done func(error))

	// Image looks up an image on the node; nil if it is not there.
	Image(name string, done func(*Image, error))
	// PullImage fetches an image from its registry.
	PullImage(name string, done func(Image, error))
	// Images lists the images on the node, the largest first.
	Images(done func([]Image, error))

	// CreateContainer prepares a container in a sandbox.
	CreateContainer(sandbox string, config ContainerConfig, done func(id string, err error))
	// StartContainer runs a created container. If it can't, the status says so
	// too where the container counts as ended.
	StartContainer(id string, done func(ContainerStatus, error))
	// StopContainer asks a container to end and kills it after the grace
	// period; done follows its end. Stopping one that has ended succeeds.
	StopContainer(id string, grace time.Duration, done func(error))
	// RemoveContainer removes a container that has ended, with its log.
	RemoveContainer(id string, done func(error))

	// Exec runs a command in a running container. A command that fails is not
	// an error: its result says so.
	Exec(id string, command []string, timeout time.Duration, done func(ExecResult, error))
	// HTTPGet makes a request from the node to an address.
	HTTPGet(request HTTPGet, done func(status int, err error))
	// DialTCP opens and closes a connection from the node to an address.
	DialTCP(host string, port int, timeout time.Duration, done func(error))

	// CheckGRPC asks a service at an address for its health, by the gRPC health
	// checking protocol; no error means that it serves.
	CheckGRPC(host string, port int, service string, timeout time.Duration, done func(error))

	// StartProcess runs a command in a running container, or attaches to its
	// main program; wake is as in remote.Source. A command that can't be started
	// is one that ends with an error.
	StartProcess(id string, options remote.Options, wake func()) (remote.Process, error)
	// Dial connects to a port on a pod's loopback interface.
	Dial(pod types.UID, port int, wake func()) (remote.Connection, error)

	// Log opens the output of a container, from its beginning. wake, which may
	// be nil and must not block, is called whenever there may be more.
	Log(id string, wake func()) (logs.Reader, error)
}

// Version describes a runtime and its machine.
type Version struct {
	Name, Version                             string // "containerd", "2.1.4"
	OSImage, KernelVersion                    string
	Architecture, MachineID, SystemID, BootID string
}

// Sandbox is a running pod sandbox.
type Sandbox struct {
	ID string
	// IPs are the pod's addresses, empty for a pod on the host's network.
	IPs []string
}

// Image is an image on the node.
type Image struct {
	// Name is the whole name: "docker.io/library/nginx:1.14.2".
	Name string
	// Ref names the content: "docker.io/library/nginx@sha256:...".
	Ref  string
	Size int64
}

// ContainerConfig is what a container is made of.
type ContainerConfig struct {
	Pod       *corev1.Pod
	Container *corev1.Container
	Image     Image
	// Target is the ID of the container whose processes this one sees too, if any.
	Target string
	// Attempt counts the container's predecessors.
	Attempt int
	// Command and Args have their variables expanded; Env is what they and
	// the container see.
	Command, Args []string
	Env           []EnvVar
	Mounts        []Mount
}

// EnvVar is a resolved environment variable.
type EnvVar struct{ Name, Value string }

// ContainerState is where a container is in its life.
type ContainerState uint8

const (
	ContainerCreated ContainerState = iota
	ContainerRunning
	ContainerExited
)

// ContainerStatus is what the runtime knows of a container.
type ContainerStatus struct {
	ID    string
	State ContainerState
	// User is shared and immutable.
	User                  *corev1.ContainerUser
	StartedAt, FinishedAt metav1.Time
	ExitCode              int32
	// Reason is "Completed", "Error", "OOMKilled" or "StartError".
	Reason, Message string
}

// ExecResult is how a command in a container ended.
type ExecResult struct {
	ExitCode int
	Output   string // standard output and error
	TimedOut bool
}

// HTTPGet is a request from the node.
type HTTPGet struct {
	Scheme, Host, Path string
	Port               int
	Headers            []corev1.HTTPHeader
	Timeout            time.Duration
}
