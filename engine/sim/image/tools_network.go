package image

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Tools that reach others over the network.

// connectLimit is how long the kernel tries to connect to somebody who does not
// answer (net.ipv4.tcp_syn_retries).
const connectLimit = 127 * time.Second

var (
	errNoSuchHost = errors.New("no such host")
	errTimeout    = errors.New("timeout")
)

// target is where a request goes to.
type target struct {
	host, address string
	port          int
}

// parseTarget reads a URL, whose scheme may be missing.
func parseTarget(text string) (u *url.URL, t target, err error) {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	if u, err = url.Parse(text); err != nil {
		return nil, t, err
	}
	t = target{host: u.Hostname(), port: 80}
	if u.Scheme == "https" {
		t.port = 443
	}
	if u.Port() != "" {
		t.port, err = strconv.Atoi(u.Port())
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u, t, err
}

// request sends a request and waits for the answer, at most limit long.
// connecting, which may be nil, is called once the address is known.
func (c *Call) request(t *target, r Request, limit time.Duration, connecting func(), then func(Response, error)) {
	over := false
	finish := func(response Response, err error) {
		if !over {
			over = true
			then(response, err)
		}
	}
	c.resolve(t.host, func(answer Answer) {
		if len(answer.Addresses) == 0 {
			finish(Response{}, errNoSuchHost)
			return
		}
		t.address = answer.Addresses[0]
		if connecting != nil {
			connecting()
		}
		c.After(limit, func() { finish(Response{}, errTimeout) })
		c.Send(t.address, t.port, r, finish)
	})
}

// resolve finds the addresses of a name as the C library does: in the hosts file,
// then by the name servers.
func (c *Call) resolve(name string, done func(Answer)) {
	address := name
	if _, err := netip.ParseAddr(name); err != nil {
		hosts, _ := c.Files().Read("/etc/hosts")
		if address = hostOf(hosts, name); address == "" {
			c.Lookup(name, done)
			return
		}
	}
	done(Answer{Name: name, Addresses: []string{address}})
}

// hostOf looks up a name in a hosts file.
func hostOf(hosts, name string) string {
	for line := range strings.Lines(hosts) {
		line, _, _ = strings.Cut(line, "#")
		if fields := strings.Fields(line); len(fields) > 1 && slices.Contains(fields[1:], name) && !strings.Contains(fields[0], ":") {
			return fields[0]
		}
	}
	return ""
}

// wget is busybox's.
func wget(c *Call) {
	quiet, spider := false, false
	file, address, body := "", "", ""
	limit, method := connectLimit, http.MethodGet
	args := c.Args[1:]
	value := func(i *int, inline string) string {
		if inline == "" && *i+1 < len(args) {
			*i++
			return args[*i]
		}
		return inline
	}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		name, inline, _ := strings.Cut(arg, "=")
		switch {
		case arg == "--spider":
			spider = true
		case name == "--timeout":
			limit = seconds(value(&i, inline), limit)
		case name == "--post-data":
			body, method = value(&i, inline), http.MethodPost
		case name == "--header" || name == "--user-agent" || name == "--tries":
			value(&i, inline)
		case strings.HasPrefix(arg, "--"): // --no-check-certificate and the like
		case strings.HasPrefix(arg, "-") && arg != "-":
			for j := 1; j < len(arg); j++ {
				switch arg[j] {
				case 'q':
					quiet = true
				case 'O':
					file = value(&i, arg[j+1:])
					j = len(arg)
				case 'T':
					limit = seconds(value(&i, arg[j+1:]), limit)
					j = len(arg)
				case 't', 'U', 'Y', 'P':
					value(&i, arg[j+1:])
					j = len(arg)
				case 'S', 'c':
				default:
					c.Complain(fmt.Sprintf("wget: unrecognized option: %c\n", arg[j]))
					c.Exit(1)
					return
				}
			}
		default:
			address = arg
		}
	}
	u, t, err := parseTarget(address)
	switch {
	case address == "":
		c.Complain("BusyBox v1.36.1 multi-call binary.\n\nUsage: wget [-cqS] [--spider] [-O FILE] [-o LOGFILE] [-T SEC] [--header STR] URL...\n")
		c.Exit(1)
		return
	case err != nil || t.host == "":
		fail(c, 1, "bad address '%s'", address)
		return
	case u.Scheme != "http":
		fail(c, 1, "the simulated network speaks http only")
		return
	}
	say := func(format string, values ...any) {
		if !quiet {
			c.Complain(fmt.Sprintf(format, values...))
		}
	}
	if spider {
		method = http.MethodHead
	}
	connecting := func() { say("Connecting to %s (%s:%d)\n", u.Host, t.address, t.port) }
	r := Request{Method: method, Path: u.RequestURI(), Host: u.Host, UserAgent: "Wget", Body: body}
	c.request(&t, r, limit, connecting, func(response Response, err error) {
		switch {
		case errors.Is(err, errNoSuchHost):
			fail(c, 1, "bad address '%s'", u.Host)
		case errors.Is(err, errTimeout) && limit == connectLimit:
			fail(c, 1, "can't connect to remote host (%s): Connection timed out", t.address)
		case errors.Is(err, errTimeout):
			fail(c, 1, "download timed out")
		case err != nil:
			fail(c, 1, "can't connect to remote host (%s): %v", t.address, err)
		case response.Status == 0:
			fail(c, 1, "error getting response: Connection reset by peer")
		case response.Status >= 300:
			fail(c, 1, "server returned error: HTTP/1.1 %d %s", response.Status, http.StatusText(response.Status))
		case spider:
			say("remote file exists\n")
			c.Exit(0)
		default:
			c.saved(file, u, response.Body, say)
		}
	})
}

// saved puts what wget got where it belongs.
func (c *Call) saved(file string, u *url.URL, body string, say func(string, ...any)) {
	bar := func(name string) {
		say("%-20.20s 100%% |%s| %5d  0:00:00 ETA\n", name, strings.Repeat("*", 32), len(body))
	}
	if file == "-" {
		say("writing to stdout\n")
		c.Print(body)
		bar("-")
		say("written to stdout\n")
		c.Exit(0)
		return
	}
	if file == "" {
		if file = path.Base(u.Path); strings.HasSuffix(u.Path, "/") {
			file = "index.html"
		}
		if c.Dir().Exists(file) {
			fail(c, 1, "can't open '%s': File exists", file)
			return
		}
	}
	say("saving to '%s'\n", file)
	if err := c.Dir().Write(file, body, false); err != nil && file != "/dev/null" {
		fail(c, 1, "can't open '%s': %v", file, err)
		return
	}
	bar(path.Base(file))
	say("'%s' saved\n", file)
	c.Exit(0)
}

func seconds(text string, otherwise time.Duration) time.Duration {
	if d, ok := parseDuration(text); ok && d > 0 {
		return d
	}
	return otherwise
}

// nslookup is busybox's, since 1.29.
func nslookup(c *Call) {
	names := operands(c)
	if len(names) == 0 {
		c.Complain("BusyBox v1.36.1 multi-call binary.\n\nUsage: nslookup [-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]\n")
		c.Exit(1)
		return
	}
	c.Lookup(names[0], func(answer Answer) {
		c.Print(fmt.Sprintf("Server:\t\t%s\nAddress:\t%s:53\n\n", answer.Server, answer.Server))
		if len(answer.Addresses) == 0 {
			for _, name := range answer.Missing {
				c.Print(fmt.Sprintf("** server can't find %s: NXDOMAIN\n\n", name))
			}
			c.Exit(1)
			return
		}
		for _, address := range answer.Addresses {
			c.Print(fmt.Sprintf("Name:\t%s\nAddress: %s\n", answer.Name, address))
		}
		c.Print("\n")
		c.Exit(0)
	})
}

// nc only says whether somebody listens: nc -z HOST PORT.
func nc(c *Call) {
	limit := connectLimit
	var names []string
	verbose := false
	for i := 1; i < len(c.Args); i++ {
		switch arg := c.Args[i]; {
		case arg == "-w" && i+1 < len(c.Args):
			i++
			limit = seconds(c.Args[i], limit)
		case strings.HasPrefix(arg, "-"):
			verbose = verbose || strings.Contains(arg, "v")
		default:
			names = append(names, arg)
		}
	}
	if len(names) != 2 || !flag(c, "z") {
		fail(c, 1, "the simulated nc knows nc -z HOST PORT only")
		return
	}
	port, err := strconv.Atoi(names[1])
	if err != nil {
		fail(c, 1, "bad port '%s'", names[1])
		return
	}
	t := target{host: names[0], port: port}
	c.request(&t, Request{}, limit, nil, func(_ Response, err error) {
		where := fmt.Sprintf("%s (%s:%d)", t.host, t.address, port)
		switch {
		case errors.Is(err, errNoSuchHost):
			fail(c, 1, "bad address '%s'", t.host)
		case errors.Is(err, errTimeout):
			fail(c, 1, "%s: Connection timed out", where)
		case err != nil:
			fail(c, 1, "%s: %v", where, err)
		default:
			if verbose {
				c.Complain(where + " open\n")
			}
			c.Exit(0)
		}
	})
}
