// Package image is the catalogue of simulated container images. An image is a
// behaviour: which programs it holds and what each of them does, written as
// small Go functions that only use what a Call offers them (the time, the
// output, the network, the files of their container). So a simulated container
// prints the lines, answers the probes, takes the time and ends with the exit
// codes that the real one would.
//
// What may not be here: sandboxes, pulls or anything else of the node that runs
// the images; that is engine/sim/runtime.
package image

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tidepool.dev/tidepool/engine/sim/image/shell"
)

// Image is one repository of the simulated registry.
type Image struct {
	// Name is the repository's whole name: "docker.io/library/nginx".
	Name string
	// Size is that of one tag in bytes, 0 if there is no such tag.
	Size func(tag string) int64
	// Entrypoint and Command are what a container runs by default.
	Entrypoint, Command []string
	Env                 []string // "NAME=value"
	// Programs are the executables, by the name without the directory.
	Programs map[string]Program
	// Files are those that the image has besides what all have.
	Files       map[string]string
	lower, slim func() *layer
	// Debian says of a tag whether it is built on Debian, and Lacks that it does
	// not have one of the Programs; nil: none does.
	Debian func(tag string) bool
	Lacks  func(tag, program string) bool
	// MilliCPU is what the main process uses when nothing reaches it, in
	// thousandths of a core.
	MilliCPU int64
	// Memory is what the main process uses, in bytes: a container whose limit
	// is less is killed.
	Memory int64
	// StartTime is how long it takes from its start until the main program
	// begins its work.
	StartTime time.Duration
}

// Program is what an executable does: it begins its work and arranges by
// Call.After for the rest; sooner or later it calls Exit, or never.
type Program func(*Call)

// Call is one run of a program.
type Call struct {
	System
	// Args are the words of the command line, the program's name first.
	Args []string
	Env  []string
	// Input is what it reads, Print and Complain where it writes: its standard
	// output and error. Text is passed with its line breaks.
	Input           *shell.Input
	Print, Complain func(text string)
	Exit            func(code int)
	// Terminal: somebody looks at the output and types the input.
	Terminal bool
	// OnInterrupt is told what Ctrl-C does, which by default ends the program;
	// nil where nobody can type it.
	OnInterrupt func(f func())
	// OnResize is told what the program shows before what is typed, so that it
	// can be shown anew; nil without a terminal.
	OnResize func(prompt func() string)
	// Main: it is the container's first process (PID 1), which signals end
	// only if it asks for them.
	Main bool
}

// System is the container in which a program runs.
type System interface {
	Now() time.Time
	// After calls f later, unless the container has ended.
	After(d time.Duration, f func())
	Random() *rand.Rand
	Hostname() string
	IP() string
	// Tag is that of the image.
	Tag() string
	// IsDebian says whether the image is built on Debian.
	IsDebian() bool
	Files() *Files
	// WorkingDir is where the main program begins.
	WorkingDir() string
	// Fork makes a process known to Processes and Signal until done is called;
	// end is called when a signal ends it.
	Fork(args []string, end func(code int)) (done func())
	// Processes are those of the container, by their numbers.
	Processes() []Process
	// Signal sends a signal to a process; false if there is none.
	Signal(pid, signal int) bool
	// Listen answers requests to a port of the pod.
	Listen(port int, serve func(Request) Response) error
	// Lookup asks the name servers of the container for the addresses of a name.
	Lookup(name string, done func(Answer))
	// Send makes a request to an address. done is told of the answer, or of
	// ErrRefused; if nobody is there, it is never called.
	Send(address string, port int, request Request, done func(Response, error))
	// OnTerminate is what the main process does when it is asked to end. By
	// default it does nothing, as Linux has it for a first process, and is
	// killed at the end of its grace period.
	OnTerminate(f func())
	// Program finds an executable of the image.
	Program(name string) (Program, bool)
}

// Answer is what became of a name.
type Answer struct {
	// Server is the name server that was asked; empty if there was no need.
	Server string
	// Name is the whole name that has the Addresses.
	Name      string
	Addresses []string
	// Missing are the whole names that were tried before.
	Missing []string
}

// ErrRefused is that nobody listens at a port, or behind a service.
//
//lint:ignore ST1005 tools print it in the words of the C library
var ErrRefused = errors.New("Connection refused")

// Process is an entry in the list that ps prints.
type Process struct {
	PID     int
	Command string
}

// Request is an HTTP request that reaches a program, or one of another protocol
// that the program knows by its Method.
type Request struct {
	Method, Path, Host, UserAgent, From string
	Body                                string
}

// Response is its answer, given after Delay.
type Response struct {
	Status int // 0 hangs up
	Body   string
	Delay  time.Duration
	// Server and ContentType are headers, if they are not empty.
	Server, ContentType string
}

// Head is the status line and the headers of a response.
func (r Response) Head(now time.Time, connection string) string {
	var head strings.Builder
	fmt.Fprintf(&head, "HTTP/1.1 %d %s\r\n", r.Status, http.StatusText(r.Status))
	for _, header := range [...][2]string{
		{"Server", r.Server}, {"Date", now.UTC().Format(http.TimeFormat)}, {"Content-Type", r.ContentType},
		{"Content-Length", strconv.Itoa(len(r.Body))}, {"Connection", connection},
	} {
		if header[1] != "" {
			head.WriteString(header[0] + ": " + header[1] + "\r\n")
		}
	}
	head.WriteString("\r\n")
	return head.String()
}

// catalogue holds the images of the simulated registry, by name.
var catalogue = func() []*Image {
	all := []*Image{alpine(), busybox(), curlImage(), crasher(), nginx(), perl(), redis(), pause(), slowStarter()}
	all = append(all, documented()...)
	for _, i := range all {
		i.lower, i.slim = lowerOf(i, false), lowerOf(i, true)
	}
	return all
}()

// Find looks up an image by its whole name (see Normalize). The error is worded
// as containerd's, and tells a learner what there is instead.
func Find(name string) (*Image, int64, error) {
	repository, tag := split(name)
	for _, image := range catalogue {
		if image.Name != repository {
			continue
		}
		if size := image.Size(tag); size > 0 {
			return image, size, nil
		}
		return nil, 0, fmt.Errorf("rpc error: code = NotFound desc = failed to pull and unpack image %q: failed to resolve reference %q: %s: not found", name, name, name)
	}
	return nil, 0, fmt.Errorf("rpc error: code = NotFound desc = failed to pull and unpack image %q: failed to resolve reference %q: %s: not found (the simulated registry has: %s)",
		name, name, name, strings.Join(names(), ", "))
}

func names() []string {
	var list []string
	for _, image := range catalogue {
		list = append(list, familiar(image.Name))
	}
	slices.Sort(list)
	return list
}

// familiar is the short form of a name.
func familiar(name string) string {
	name = strings.TrimPrefix(name, "docker.io/")
	return strings.TrimPrefix(name, "library/")
}

// Normalize makes a name whole as containerd does: "nginx" is
// "docker.io/library/nginx:latest".
func Normalize(name string) string {
	name, digest, hasDigest := strings.Cut(name, "@")
	first, rest, slash := strings.Cut(name, "/")
	switch {
	case !slash:
		name = "docker.io/library/" + name
	case !strings.ContainsAny(first, ".:") && first != "localhost":
		name = "docker.io/" + name
	case first == "docker.io" && !strings.Contains(rest, "/"):
		name = "docker.io/library/" + rest
	}
	if hasDigest {
		return name + "@" + digest
	}
	if _, tag := split(name); tag == "" {
		name += ":latest"
	}
	return name
}

// split separates the tag from a name.
func split(name string) (repository, tag string) {
	colon := strings.LastIndexByte(name, ':')
	if colon < strings.LastIndexByte(name, '/') {
		return name, ""
	}
	return name[:colon], name[colon+1:]
}

// megabytes makes sizes readable.
func megabytes(n float64) int64 { return int64(n * 1e6) }
