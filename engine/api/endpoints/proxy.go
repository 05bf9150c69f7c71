package endpoints

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"

	"tidepool.dev/tidepool/engine/api/remote"
	"tidepool.dev/tidepool/engine/api/rest"
)

// proxyable are the verbs of what is proxied.
var proxyable = []string{"create", "delete", "get", "patch", "update"}

// proxy passes a request on to a pod, to one behind a service, or to a node's
// kubelet (k8s.io/apimachinery/pkg/util/proxy upstream).
func (q *request) proxy() error {
	if q.Remote == nil {
		return apierrors.NewMethodNotSupported(corev1.Resource(q.plural+"/proxy"), q.verb)
	}
	scheme, name, port, ok := splitSchemeNamePort(q.name)
	if !ok {
		return apierrors.NewBadRequest(fmt.Sprintf("invalid %s request %q", strings.TrimSuffix(q.plural, "s"), q.name))
	}
	var pod *corev1.Pod
	number := 0
	err := q.do(func() (err error) {
		switch q.plural {
		case "services":
			pod, number, err = q.endpointOf(name, port)
		case "nodes":
			return q.nodeExists(name)
		default:
			pod, number, err = q.podPort(name, port)
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case pod == nil:
		return q.kubelet(name)
	case scheme == "https":
		return unreachableBackend("http: server gave HTTP response to HTTPS client")
	}
	bell := newBell()
	connection, err := q.dial(pod, number, bell.ring)
	if err != nil {
		return unreachableBackend(fmt.Sprintf("dial tcp %s:%d: connect: connection refused", pod.Status.PodIP, number))
	}
	defer connection.Close()
	return q.exchange(&blocking{ctx: q.ctx, connection: connection, bell: bell}, fmt.Sprintf("%s:%d", pod.Status.PodIP, number))
}

func unreachableBackend(why string) error {
	return apierrors.NewServiceUnavailable("error trying to reach service: " + why)
}

// splitSchemeNamePort reads "name", "name:port" and "scheme:name:port"
// (k8s.io/apimachinery/pkg/util/net.SplitSchemeNamePort).
func splitSchemeNamePort(id string) (scheme, name, port string, ok bool) {
	parts := strings.Split(id, ":")
	switch len(parts) {
	case 1:
		name = parts[0]
	case 2:
		name, port = parts[0], parts[1]
	case 3:
		scheme, name, port = parts[0], parts[1], parts[2]
	default:
		return "", "", "", false
	}
	return scheme, name, port, name != "" && (scheme == "" || scheme == "http" || scheme == "https")
}

// podPort is a pod and the port of it that is meant: its first, if none is
// named (k8s.io/kubernetes/pkg/registry/core/pod.ResourceLocation upstream).
func (q *request) podPort(name, port string) (*corev1.Pod, int, error) {
	pod, err := q.pod(name)
	if err != nil {
		return nil, 0, err
	}
	for i := range pod.Spec.Containers {
		if ports := pod.Spec.Containers[i].Ports; port == "" && len(ports) > 0 {
			port = strconv.Itoa(int(ports[0].ContainerPort))
		}
	}
	if ip, err := netip.ParseAddr(pod.Status.PodIP); err != nil || !ip.IsGlobalUnicast() {
		return nil, 0, apierrors.NewBadRequest("address not allowed")
	}
	if port == "" {
		port = "80"
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, 0, unreachableBackend(fmt.Sprintf("dial tcp: lookup tcp/%s: unknown port", port))
	}
	return pod, number, nil
}

// endpointOf is a ready pod behind a service and its port
// (k8s.io/kubernetes/pkg/registry/core/service/storage.REST.ResourceLocation
// upstream).
func (q *request) endpointOf(name, port string) (*corev1.Pod, int, error) {
	services, _ := q.Operations.Kind("services")
	obj, err := q.Operations.Get(q.ctx, services, q.namespace, name)
	if err != nil {
		return nil, 0, err
	}
	service := obj.(*corev1.Service)
	portName, err := servicePortName(service, port)
	if err != nil {
		return nil, 0, err
	}
	slicesKind, _ := q.Operations.Kind("endpointslices.discovery.k8s.io")
	list, err := q.Operations.List(q.ctx, slicesKind, q.namespace, rest.ListOptions{
		Labels: labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: name}),
	})
	if err != nil {
		return nil, 0, err
	}
	for _, item := range list.Items {
		slice := item.(*discoveryv1.EndpointSlice)
		at := slices.IndexFunc(slice.Ports, func(p discoveryv1.EndpointPort) bool {
			return p.Port != nil && p.Name != nil && *p.Name == portName
		})
		if at < 0 {
			continue
		}
		for i := range slice.Endpoints {
			e := &slice.Endpoints[i]
			if e.Conditions.Ready != nil && !*e.Conditions.Ready || e.TargetRef == nil || e.TargetRef.Kind != "Pod" {
				continue
			}
			pod, err := q.pod(e.TargetRef.Name)
			return pod, int(*slice.Ports[at].Port), err
		}
	}
	return nil, 0, apierrors.NewServiceUnavailable(fmt.Sprintf("no endpoints available for service %q", q.name))
}

// servicePortName is the name of the port that is meant by a name or a number.
func servicePortName(service *corev1.Service, port string) (string, error) {
	if port == "" {
		if len(service.Spec.Ports) == 1 {
			return service.Spec.Ports[0].Name, nil
		}
		return "", nil
	}
	number, _ := strconv.Atoi(port)
	for i := range service.Spec.Ports {
		if p := &service.Spec.Ports[i]; p.Name == port || number > 0 && int(p.Port) == number {
			return p.Name, nil
		}
	}
	return "", apierrors.NewServiceUnavailable(fmt.Sprintf("no service port %q found for service %q", port, service.Name))
}

func (q *request) nodeExists(name string) error {
	nodes, _ := q.Operations.Kind("nodes")
	_, err := q.Operations.Get(q.ctx, nodes, "", name)
	return err
}

// kubelet answers for a node's kubelet, of which little can be asked.
func (q *request) kubelet(string) error {
	if q.remainder != "healthz" {
		http.Error(q.w, "404 page not found", http.StatusNotFound)
		return nil
	}
	q.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(q.w, "ok") // a client that is gone needs no answer
	return nil
}

// notPassedOn are headers that are about one connection, or for the API alone.
var notPassedOn = []string{"Authorization", "Connection", "Content-Length", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// exchange sends the request over a connection and answers with what comes back.
func (q *request) exchange(connection io.ReadWriter, host string) error {
	body, err := q.body()
	if err != nil {
		return err
	}
	path := "/" + q.remainder
	if strings.HasSuffix(q.r.URL.Path, "/") && !strings.HasSuffix(path, "/") {
		path += "/"
	}
	if query := q.r.URL.RawQuery; query != "" {
		path += "?" + query
	}
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\nConnection: close\r\n", q.r.Method, path, host, len(body))
	header := q.r.Header.Clone()
	for _, name := range notPassedOn {
		header.Del(name)
	}
	if err := header.Write(&head); err != nil {
		return err
	}
	// The connection takes all that it is given.
	_, _ = io.WriteString(connection, head.String()+"\r\n"+string(body))
	response, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: q.r.Method})
	if err != nil {
		return unreachableBackend(err.Error())
	}
	defer response.Body.Close()
	for name, values := range response.Header {
		if name != "Connection" {
			q.w.Header()[name] = values
		}
	}
	q.w.WriteHeader(response.StatusCode)
	_, _ = io.Copy(q.w, response.Body) // a client that is gone needs no answer
	return nil
}

// blocking reads from a connection as io.Reader does.
type blocking struct {
	ctx        context.Context
	connection remote.Connection
	bell       bell
	pending    []byte
	ended      bool
}

func (b *blocking) Write(data []byte) (int, error) {
	b.connection.Write(data)
	return len(data), nil
}

func (b *blocking) Read(data []byte) (int, error) {
	for len(b.pending) == 0 {
		if b.ended {
			return 0, io.EOF
		}
		var err error
		if b.pending, b.ended, err = b.connection.Read(); err != nil {
			return 0, err
		}
		if len(b.pending) > 0 || b.ended {
			continue
		}
		select {
		case <-b.ctx.Done():
			return 0, b.ctx.Err()
		case <-b.bell:
		}
	}
	n := copy(data, b.pending)
	b.pending = b.pending[n:]
	return n, nil
}
