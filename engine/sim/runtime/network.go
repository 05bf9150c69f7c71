package runtime

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"tidepool.dev/tidepool/engine/kubelet"
	"tidepool.dev/tidepool/engine/sim/image"
)

// dial finds who listens at an address of this node; silent says that nobody
// even refuses.
func (r *Runtime) dial(host string, port int) (l listener, refused, silent bool) {
	ports := r.hostPorts
	if s, ok := r.byIP[host]; ok {
		ports = s.ports
	} else if host != r.hostIP && host != "localhost" && host != "127.0.0.1" {
		return listener{}, false, true
	}
	l, ok := ports[port]
	return l, !ok, false
}

func address(host string, port int) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		return netip.AddrPortFrom(ip, uint16(port)).String()
	}
	return fmt.Sprintf("%s:%d", host, port)
}

func (r *Runtime) DialTCP(host string, port int, timeout time.Duration, done func(error)) {
	r.do(func() {
		_, refused, silent := r.dial(host, port)
		switch {
		case silent:
			r.after(timeout, func() {
				r.call(func() { done(fmt.Errorf("dial tcp %s: i/o timeout", address(host, port))) })
			})
		case refused:
			r.call(func() { done(fmt.Errorf("dial tcp %s: connect: connection refused", address(host, port))) })
		default:
			r.call(func() { done(nil) })
		}
	})
}

// CheckGRPC never succeeds: no simulated image speaks gRPC.
func (r *Runtime) CheckGRPC(host string, port int, _ string, timeout time.Duration, done func(error)) {
	r.do(func() {
		_, refused, silent := r.dial(host, port)
		if refused || silent {
			r.after(timeout, func() {
				r.call(func() {
					done(fmt.Errorf("timeout: failed to connect service %q within %v: context deadline exceeded", address(host, port), timeout))
				})
			})
			return
		}
		r.call(func() {
			done(errors.New("error: this server does not implement the grpc health protocol (grpc.health.v1.Health): rpc error: code = Unimplemented desc = unknown service grpc.health.v1.Health"))
		})
	})
}

func (r *Runtime) HTTPGet(request kubelet.HTTPGet, done func(int, error)) {
	r.do(func() {
		scheme := request.Scheme
		if scheme == "" {
			scheme = "http"
		}
		where := address(request.Host, request.Port)
		fail := func(format string, args ...any) {
			//lint:ignore ST1005 it is the words of net/http that appear in events
			err := fmt.Errorf("Get \"%s://%s%s\": %s", scheme, where, request.Path, fmt.Sprintf(format, args...))
			r.call(func() { done(0, err) })
		}
		l, refused, silent := r.dial(request.Host, request.Port)
		switch {
		case silent:
			r.after(request.Timeout, func() { fail("dial tcp %s: i/o timeout", where) })
			return
		case refused:
			fail("dial tcp %s: connect: connection refused", where)
			return
		case scheme == "https":
			fail("http: server gave HTTP response to HTTPS client")
			return
		}
		host, agent := where, "kube-probe/1.37"
		for _, header := range request.Headers {
			switch header.Name {
			case "Host":
				host = header.Value
			case "User-Agent":
				agent = header.Value
			}
		}
		response := l.serve(image.Request{Method: "GET", Path: request.Path, Host: host, UserAgent: agent, From: r.addresses.gateway()})
		answer := func() {
			if response.Status == 0 {
				fail("EOF")
				return
			}
			r.call(func() { done(response.Status, nil) })
		}
		switch {
		case response.Delay == 0:
			answer()
		case response.Delay < request.Timeout:
			r.after(response.Delay, answer)
		default:
			r.after(request.Timeout, func() { fail("context deadline exceeded (Client.Timeout exceeded while awaiting headers)") })
		}
	})
}
