package runtime

import (
	"cmp"
	"fmt"
	"path"
	"strings"
	"time"

	"tidepool.dev/tidepool/engine/kubelet"
	"tidepool.dev/tidepool/engine/sim/image"
)

// The numbers of the signals that matter here.
const (
	sigQuit = 3
	sigKill = 9
	sigTerm = 15
)

// Fork implements image.System.
func (c *container) Fork(args []string, end func(code int)) (done func()) {
	pid := c.pids.add(strings.Join(args, " "), func(signal int) { end(128 + signal) })
	return func() { c.pids.remove(pid) }
}

// Processes implements image.System.
func (c *container) Processes() []image.Process { return c.pids.all() }

// Signal implements image.System.
func (c *container) Signal(pid, signal int) bool { return c.pids.signal(pid, signal) }

// WorkingDir implements image.System.
func (c *container) WorkingDir() string { return cmp.Or(c.config.Container.WorkingDir, "/") }

// child is the container as a command in it sees it: once the command has ended,
// nothing of it goes on.
type child struct {
	*container
	over bool
}

func (p *child) After(d time.Duration, f func()) {
	p.container.After(d, func() {
		if !p.over {
			f()
		}
	})
}

// Send and Lookup are forgotten with the command.

func (p *child) Send(address string, port int, request image.Request, done func(image.Response, error)) {
	p.container.Send(address, port, request, func(response image.Response, err error) {
		if !p.over {
			done(response, err)
		}
	})
}

func (p *child) Lookup(name string, done func(image.Answer)) {
	p.container.Lookup(name, func(answer image.Answer) {
		if !p.over {
			done(answer)
		}
	})
}

// OnTerminate is for the first process: a signal ends the others.
func (p *child) OnTerminate(func()) {}

// execute runs a command in a container, whose Call has everything but the
// system and the exit. ended is called exactly once, also when the container
// ends; calling end makes it end.
func (c *container) execute(call image.Call, ended func(code int, err error)) (end func(code int)) {
	p := &child{container: c}
	forget := func() {}
	var waiting *waiter
	finish := func(code int, err error) {
		if !p.over {
			p.over = true
			forget()
			c.leave(waiting)
			call.Input.Abandon()
			ended(code, err)
		}
	}
	end = func(code int) { finish(code, nil) }
	// Ending with the container is what happens to whatever runs in it.
	waiting = c.await(func() { end(128 + sigKill) })
	p.After(c.runtime.draw(execTime), func() {
		program, why := c.executable(call.Args)
		if why != "" {
			finish(0, fmt.Errorf("failed to exec in container: failed to start exec %q: OCI runtime exec failed: exec failed: unable to start container process: %s: unknown", c.runtime.hex(32), why))
			return
		}
		forget = c.Fork(call.Args, end)
		call.System, call.Exit = p, end
		program(&call)
	})
	return end
}

// executable finds what a command line runs; why it can't, in runc's words.
func (c *container) executable(args []string) (program image.Program, why string) {
	name := strings.Join(args[:min(1, len(args))], "")
	program, ok := c.Program(path.Base(name))
	dir := path.Dir(name)
	switch {
	case ok && (!strings.Contains(name, "/") || dir == "/" || strings.HasSuffix(dir, "/bin") || strings.HasSuffix(dir, "/sbin")):
		return program, ""
	case !strings.Contains(name, "/"):
		return nil, fmt.Sprintf("exec: %q: executable file not found in $PATH", name)
	case c.files.Exists(name) || c.files.IsDir(name):
		return nil, fmt.Sprintf("exec: %q: permission denied", name)
	}
	return nil, fmt.Sprintf("exec: %q: stat %s: no such file or directory", name, name)
}

// running finds a container that must run.
func (r *Runtime) running(id string) (*container, error) {
	c, err := r.get(id)
	if err == nil && c.status.State != kubelet.ContainerRunning {
		err = fmt.Errorf("rpc error: code = Unknown desc = container not running (%s)", id)
	}
	return c, err
}
