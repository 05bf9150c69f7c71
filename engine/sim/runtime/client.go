package runtime

import (
	"net/netip"
	"strconv"
	"strings"

	"tidepool.dev/tidepool/engine/sim/image"
)

// Network is what lies between the nodes. Its methods are called without any
// lock.
type Network interface {
	// Lookup asks the cluster's DNS for the addresses of a whole name; none if
	// there is no such name.
	Lookup(name string) []string
	// Route says where a connection from an address to another leads. false: it
	// gets lost; a Route without a node: it is refused.
	Route(from, address string, port int) (Route, bool)
}

// Route is the end of a connection.
type Route struct {
	Node    *Runtime
	Address string
	Port    int
}

// nowhere is the network of a machine that is connected to nothing.
type nowhere struct{}

func (nowhere) Lookup(string) []string                 { return nil }
func (nowhere) Route(_, _ string, _ int) (Route, bool) { return Route{}, false }

// Connect says to which network the machine belongs, before anything runs.
func (r *Runtime) Connect(n Network) { r.network = n }

// Send implements image.System. What does not answer at all never calls done.
func (c *container) Send(address string, port int, request image.Request, done func(image.Response, error)) {
	r := c.runtime
	request.From = c.IP()
	answer := func(response image.Response, err error) {
		r.do(func() { c.ifRunning(func() { done(response, err) }) })
	}
	if ip, err := netip.ParseAddr(address); err == nil && ip.IsLoopback() {
		request.From = address
		l, ok := c.sandbox.ports[port]
		r.serve(l, ok, request, answer)
		return
	}
	r.call(func() {
		to, ok := r.network.Route(request.From, address, port)
		switch {
		case !ok:
		case to.Node == nil:
			r.do(func() { r.serve(listener{}, false, request, answer) })
		default:
			to.Node.do(func() {
				if l, refused, silent := to.Node.dial(to.Address, to.Port); !silent {
					to.Node.serve(l, !refused, request, answer)
				}
			})
		}
	})
}

// serve has a listener, if there is one, answer a request.
func (r *Runtime) serve(l listener, listens bool, request image.Request, answer func(image.Response, error)) {
	delay := r.draw(latency)
	if !listens {
		r.after(delay, func() { r.call(func() { answer(image.Response{}, image.ErrRefused) }) })
		return
	}
	if request.Method == "" { // only a connection
		r.after(delay, func() { r.call(func() { answer(image.Response{}, nil) }) })
		return
	}
	response := l.serve(request)
	r.after(delay+response.Delay, func() { r.call(func() { answer(response, nil) }) })
}

// Lookup implements image.System: it asks the name servers of /etc/resolv.conf,
// by its search list.
func (c *container) Lookup(name string, done func(image.Answer)) {
	resolve, _ := c.files.Read("/etc/resolv.conf")
	r := c.runtime
	config := parseResolve(resolve)
	after := r.draw(latency)
	r.call(func() {
		answer := image.Answer{Server: config.server}
		for _, candidate := range config.candidates(name) {
			if config.server == dnsServer {
				answer.Addresses = r.network.Lookup(candidate)
			}
			if len(answer.Addresses) > 0 {
				answer.Name = candidate
				break
			}
			answer.Missing = append(answer.Missing, candidate)
		}
		r.do(func() { c.After(after, func() { done(answer) }) })
	})
}

// resolver is what /etc/resolv.conf says.
type resolver struct {
	server string
	search []string
	ndots  int
}

func parseResolve(text string) resolver {
	r := resolver{ndots: 1}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case len(fields) < 2:
		case fields[0] == "nameserver" && r.server == "":
			r.server = fields[1]
		case fields[0] == "search":
			r.search = fields[1:]
		case fields[0] == "options":
			for _, option := range fields[1:] {
				if value, ok := strings.CutPrefix(option, "ndots:"); ok {
					if n, err := strconv.Atoi(value); err == nil {
						r.ndots = n
					}
				}
			}
		}
	}
	return r
}

// candidates are the whole names that a name may mean, in order.
func (r resolver) candidates(name string) []string {
	if whole, ok := strings.CutSuffix(name, "."); ok {
		return []string{whole}
	}
	var list []string
	for _, domain := range r.search {
		list = append(list, name+"."+domain)
	}
	if strings.Count(name, ".") >= r.ndots {
		return append([]string{name}, list...)
	}
	return append(list, name)
}
