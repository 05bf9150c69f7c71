package endpoints

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"tidepool.dev/tidepool/engine/api/remote"
)

// Carrier takes over the connection of a request and carries streams over it:
// a WebSocket, for instance. It returns when they have ended. What it is given
// is called from any goroutine.
type Carrier interface {
	// CarryProcess carries the streams of a process, which it starts once it
	// can tell the client of an error.
	CarryProcess(w http.ResponseWriter, r *http.Request, options remote.Options, start func(wake func()) (remote.Process, error))
	// CarryPorts carries connections to a pod's ports.
	CarryPorts(w http.ResponseWriter, r *http.Request, pod string, dial func(port int, wake func()) (remote.Connection, error))
}

// connectable are the methods that connect to a container.
var connectable = []string{"create", "get"}

// process runs a command in a container or attaches to it
// (k8s.io/kubernetes/pkg/registry/core/pod/rest.ExecREST and AttachREST
// upstream).
func (q *request) process() error {
	if err := q.mayConnect(); err != nil {
		return err
	}
	query := parameters{values: q.r.URL.Query()}
	container := query.text("container")
	options := remote.Options{Stdin: query.flag("stdin"), Stdout: query.flag("stdout"), Stderr: query.flag("stderr"), TTY: query.flag("tty")}
	if q.subresource == "exec" {
		options.Command = query.values["command"]
	}
	var pod *corev1.Pod
	err := q.do(func() (err error) {
		if pod, err = q.pod(q.name); err != nil {
			return err
		}
		container, err = chooseContainer(pod, container)
		if err == nil && pod.Spec.NodeName == "" {
			err = noHost(pod)
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case !wantsUpgrade(q.r):
		return errNoUpgrade
	case !options.Stdin && !options.Stdout && !options.Stderr:
		return apierrors.NewBadRequest("you must specify at least 1 of stdin, stdout, stderr")
	case q.subresource == "exec" && len(options.Command) == 0:
		return apierrors.NewBadRequest("you must specify at least one command for the container")
	}
	if options.TTY {
		options.Stderr = false // a terminal has one screen
	}
	q.Carrier.CarryProcess(q.w, q.r, options, func(wake func()) (process remote.Process, err error) {
		q.Do(func() { process, err = q.Remote.StartProcess(pod, container, options, wake) })
		if err != nil {
			return nil, err
		}
		return turnedProcess{process, q.Do}, nil
	})
	return nil
}

// portForward connects to ports of a pod
// (k8s.io/kubernetes/pkg/registry/core/pod/rest.PortForwardREST upstream).
func (q *request) portForward() error {
	if err := q.mayConnect(); err != nil {
		return err
	}
	var pod *corev1.Pod
	err := q.do(func() (err error) {
		if pod, err = q.pod(q.name); err == nil && pod.Spec.NodeName == "" {
			err = noHost(pod)
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case !wantsUpgrade(q.r):
		return errNoUpgrade
	}
	q.Carrier.CarryPorts(q.w, q.r, pod.Name, func(port int, wake func()) (remote.Connection, error) {
		return q.dial(pod, port, wake)
	})
	return nil
}

// mayConnect refuses where nothing can be carried, and who may only look: a GET
// connects too, and that needs the permission to create
// (AuthorizePodWebsocketUpgradeCreatePermission upstream).
func (q *request) mayConnect() error {
	if q.Carrier == nil || q.Remote == nil {
		return apierrors.NewMethodNotSupported(corev1.Resource(q.plural+"/"+q.subresource), q.verb)
	}
	if q.verb == "create" {
		return nil
	}
	wants := q.attributes(true)
	wants.Verb = "create"
	return q.authorize(q.user, wants)
}

// errNoUpgrade is for a plain request, which can carry no streams.
var errNoUpgrade = apierrors.NewBadRequest("Upgrade request required")

// wantsUpgrade says whether a client wants to speak another protocol than HTTP
// (k8s.io/apimachinery/pkg/util/httpstream.IsUpgradeRequest).
func wantsUpgrade(r *http.Request) bool {
	return slices.ContainsFunc(r.Header.Values("Connection"), func(value string) bool {
		return strings.Contains(strings.ToLower(value), "upgrade")
	})
}

func (q *request) pod(name string) (*corev1.Pod, error) {
	pods, _ := q.Operations.Kind("pods")
	obj, err := q.Operations.Get(q.ctx, pods, q.namespace, name)
	if err != nil {
		return nil, err
	}
	return obj.(*corev1.Pod), nil
}

func noHost(pod *corev1.Pod) error {
	return apierrors.NewBadRequest(fmt.Sprintf("pod %s does not have a host assigned", pod.Name))
}

// dial opens a connection whose uses are turns of Config.Do.
func (q *request) dial(pod *corev1.Pod, port int, wake func()) (connection remote.Connection, err error) {
	q.Do(func() { connection, err = q.Remote.Dial(pod, port, wake) })
	if err != nil {
		return nil, err
	}
	return turnedConnection{connection, q.Do}, nil
}

// turnedProcess makes each use of a process an input of Config.Do's.
type turnedProcess struct {
	remote.Process
	do func(func())
}

func (p turnedProcess) Write(data []byte) { p.do(func() { p.Process.Write(slices.Clone(data)) }) }
func (p turnedProcess) CloseInput()       { p.do(p.Process.CloseInput) }
func (p turnedProcess) Close()            { p.do(p.Process.Close) }
func (p turnedProcess) Resize(columns, rows int) {
	p.do(func() { p.Process.Resize(columns, rows) })
}

// turnedConnection is the same for a connection.
type turnedConnection struct {
	remote.Connection
	do func(func())
}

func (c turnedConnection) Write(data []byte) { c.do(func() { c.Connection.Write(slices.Clone(data)) }) }
func (c turnedConnection) CloseWrite()       { c.do(c.Connection.CloseWrite) }
func (c turnedConnection) Close()            { c.do(c.Connection.Close) }
