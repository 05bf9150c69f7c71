package runtime

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/kubelet"
	"tidepool.dev/tidepool/engine/sim/image"
	"tidepool.dev/tidepool/engine/sim/image/shell"
)

// Exit codes of processes that a signal ended.
const killed = 137

// container is a simulated container; what its programs see of it is the
// image.System that it implements.
type container struct {
	runtime   *Runtime
	id        string
	sandbox   *sandbox
	image     *image.Image
	tag       string
	config    kubelet.ContainerConfig
	status    kubelet.ContainerStatus
	files     image.Files
	log       log
	terminate func()
	// waiting are those who wait for its end: stops and commands in it.
	waiting []*waiter
	// input and terminal are what the main program reads from, if it has them;
	// watchers are those who are attached to it.
	input    *shell.Input
	terminal *terminal
	watchers []*watcher
	// pids are the processes that it sees, which are its own unless it shares
	// those of others; pid is its main program's where that is not the first.
	pids   *processes
	own    processes
	pid    int
	stopBy time.Time // when it is killed, once it has been asked to end
}

// root is the user that simulated programs run as.
var root = &corev1.ContainerUser{Linux: &corev1.LinuxContainerUser{SupplementalGroups: []int64{0}}}

func (r *Runtime) CreateContainer(sandboxID string, config kubelet.ContainerConfig, done func(string, error)) {
	r.do(func() {
		r.after(r.draw(createTime), func() {
			s := r.sandboxes[sandboxID]
			if s == nil || s.stopped {
				err := fmt.Errorf("rpc error: code = NotFound desc = failed to find sandbox id %q: not found", sandboxID)
				r.call(func() { done("", err) })
				return
			}
			found, _, err := image.Find(config.Image.Name)
			if err != nil {
				r.call(func() { done("", err) })
				return
			}
			c := &container{runtime: r, id: r.hex(32), sandbox: s, image: found, config: config}
			c.tag = config.Image.Name[strings.LastIndexByte(config.Image.Name, ':')+1:]
			c.status = kubelet.ContainerStatus{ID: c.id, User: root}
			c.files = found.Root(c.tag, c.ownFiles)
			c.mount()
			c.join()
			r.containers[c.id] = c
			s.containers = append(s.containers, c)
			r.call(func() { done(c.id, nil) })
		})
	})
}

// mount puts the container's volumes in their places.
func (c *container) mount() {
	for _, m := range c.config.Mounts {
		files := c.sandbox.volume(m.Volume, c.runtime.clock)
		if m.SubPath != "" && m.Volume.Files != nil { // a part of a volume stays as it was
			content := m.Volume.Files()
			files = image.NewFiles(func() map[string]string { return content })
		}
		c.files.Mount(m.Path, m.SubPath, m.ReadOnly, files)
	}
}

// refresh is how long a container may see an object's volume as it was: kubelets
// look at each pod that often (syncFrequency).
const refresh = time.Minute

// volume returns a volume's files, which the pod's containers share.
func (s *sandbox) volume(v *kubelet.Volume, clock clock.Clock) *image.Files {
	for _, known := range s.volumes {
		if known.name == v.Name {
			return known.files
		}
	}
	files := image.NewFiles(v.Files)
	if v.Files != nil {
		var read time.Time
		files.Refresh(func() bool {
			if clock.Now().Sub(read) < refresh {
				return true
			}
			read = clock.Now()
			return false
		})
	}
	s.volumes = append(s.volumes, volume{v.Name, files})
	return files
}

func (r *Runtime) StartContainer(id string, done func(kubelet.ContainerStatus, error)) {
	r.do(func() {
		c, err := r.get(id)
		if err != nil {
			r.call(func() { done(kubelet.ContainerStatus{}, err) })
			return
		}
		r.after(r.draw(startTime), func() {
			if c.sandbox.stopped {
				status := r.startError(c, "sandbox container is not running")
				r.call(func() { done(status, fmt.Errorf("%s", status.Message)) })
				return
			}
			args := c.commandLine()
			program, why := c.executable(args)
			if why != "" {
				status := r.startError(c, why+": unknown")
				r.call(func() { done(status, fmt.Errorf("%s", status.Message)) })
				return
			}
			c.status.State = kubelet.ContainerRunning
			c.status.StartedAt = r.now()
			status := c.status
			r.call(func() { done(status, nil) })
			r.begin(c, program, args)
		})
	})
}

// startError makes a container one that could not be started.
func (r *Runtime) startError(c *container, why string) kubelet.ContainerStatus {
	c.status.State = kubelet.ContainerExited
	c.status.StartedAt.Time = time.Unix(0, 0).UTC() // as containerd has it
	c.status.FinishedAt = r.now()
	c.status.ExitCode = 128
	c.status.Reason = "StartError"
	c.status.Message = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: " + why
	return c.status
}

// begin runs a container's main program.
func (r *Runtime) begin(c *container, program image.Program, args []string) {
	call := &image.Call{
		System:   c,
		Args:     args,
		Env:      c.environment(),
		Print:    func(text string) { c.write(text, false) },
		Complain: func(text string) { c.write(text, true) },
		Exit:     func(code int) { r.exit(c, code) },
		Main:     true,
	}
	c.openInput(call)
	c.appear()
	start := func() {
		if limit := c.config.Container.Resources.Limits.Memory().Value(); limit > 0 && limit < c.image.Memory {
			r.end(c, killed, "OOMKilled")
			return
		}
		program(call)
	}
	if c.image.StartTime > 0 {
		c.After(c.image.StartTime, start)
	} else {
		start()
	}
}

// openInput gives the main program the standard input and the terminal that its
// pod asks for.
func (c *container) openInput(call *image.Call) {
	if !c.config.Container.Stdin {
		return
	}
	c.input = shell.NewInput()
	call.Input = c.input
	if c.config.Container.TTY {
		call.Terminal = true
		call.Env = append(call.Env, "TERM=xterm")
		c.terminal = &terminal{input: c.input, show: func(text string) { c.show(text, false) }}
		call.OnInterrupt = func(f func()) { c.terminal.interrupt = f }
		call.OnResize = func(prompt func() string) { c.terminal.prompt = prompt }
	}
}

// write is how the main program writes.
func (c *container) write(text string, stderr bool) {
	c.log.write(c.runtime, text, stderr)
	c.show(text, stderr)
}

// show tells those who are attached.
func (c *container) show(text string, stderr bool) {
	for _, w := range slices.Clone(c.watchers) {
		if stderr {
			w.err(text)
		} else {
			w.out(text)
		}
	}
}

// commandLine is what a container runs: the pod's command takes the place of
// the image's entrypoint and its arguments.
func (c *container) commandLine() []string {
	if len(c.config.Command) > 0 {
		return append(slices.Clip(c.config.Command), c.config.Args...)
	}
	args := c.config.Args
	if len(args) == 0 {
		args = c.image.Command
	}
	return append(slices.Clip(c.image.Entrypoint), args...)
}

func (c *container) environment() []string {
	env := append(slices.Clip(c.image.Env), "HOSTNAME="+c.Hostname())
	home := false
	for _, v := range c.config.Env {
		env = append(env, v.Name+"="+v.Value)
		home = home || v.Name == "HOME"
	}
	if !home {
		env = append(env, "HOME=/root")
	}
	return env
}

// exit ends a container whose program has ended.
func (r *Runtime) exit(c *container, code int) {
	reason := "Error"
	if code == 0 {
		reason = "Completed"
	}
	r.end(c, code, reason)
}

func (r *Runtime) end(c *container, code int, reason string) {
	if c.status.State != kubelet.ContainerRunning {
		return
	}
	c.status.State = kubelet.ContainerExited
	c.status.FinishedAt = r.now()
	c.status.ExitCode = int32(code)
	c.status.Reason = reason
	for port, l := range c.sandbox.ports {
		if l.of == c {
			delete(c.sandbox.ports, port)
		}
	}
	c.log.finish(r)
	c.vanish()
	status := c.status
	r.call(func() { r.ended(status) })
	waiting := c.waiting
	c.waiting = nil
	for _, w := range waiting {
		w.wake()
	}
}

// waiter waits for the end of a container.
type waiter struct{ wake func() }

func (c *container) await(wake func()) *waiter {
	w := &waiter{wake}
	c.waiting = append(c.waiting, w)
	return w
}

func (c *container) leave(w *waiter) {
	c.waiting = slices.DeleteFunc(c.waiting, func(other *waiter) bool { return other == w })
}

func (r *Runtime) StopContainer(id string, grace time.Duration, done func(error)) {
	r.do(func() {
		c := r.containers[id]
		if c == nil || c.status.State != kubelet.ContainerRunning {
			r.call(func() { done(nil) })
			return
		}
		c.await(func() { r.call(func() { done(nil) }) })
		first := c.stopBy.IsZero()
		by := r.clock.Now().Add(grace)
		if first || by.Before(c.stopBy) {
			c.stopBy = by
			r.after(grace, func() { r.end(c, killed, "Error") })
		}
		if first && c.terminate != nil {
			c.After(r.draw(exitTime), c.terminate)
		}
	})
}

// What follows is what a program sees of its container.

func (c *container) Now() time.Time { return c.runtime.clock.Now() }

func (c *container) After(d time.Duration, f func()) {
	c.runtime.after(d, func() { c.ifRunning(f) })
}

func (c *container) ifRunning(f func()) {
	if c.status.State == kubelet.ContainerRunning {
		f()
	}
}

func (c *container) Random() *rand.Rand { return c.runtime.random }

func (c *container) Hostname() string {
	pod := c.sandbox.pod
	if pod.Spec.HostNetwork {
		return cmp.Or(pod.Spec.NodeName, pod.Name)
	}
	return cmp.Or(pod.Spec.Hostname, pod.Name)
}

func (c *container) IP() string {
	if c.sandbox.ip.IsValid() {
		return c.sandbox.ip.String()
	}
	return c.runtime.hostIP
}

func (c *container) Tag() string { return c.tag }

func (c *container) Files() *image.Files { return &c.files }

func (c *container) Listen(port int, serve func(image.Request) image.Response) error {
	if _, taken := c.sandbox.ports[port]; taken {
		return fmt.Errorf("listen tcp :%d: bind: address already in use", port)
	}
	c.sandbox.ports[port] = listener{c, serve}
	return nil
}

func (c *container) OnTerminate(f func()) {
	if c.terminate == nil && !c.stopBy.IsZero() {
		c.After(c.runtime.draw(exitTime), f) // it has been asked already, while it was starting
	}
	c.terminate = f
}

func (c *container) Program(name string) (image.Program, bool) {
	return c.image.Program(c.tag, name)
}

// IsDebian implements image.System.
func (c *container) IsDebian() bool { return c.image.IsDebian(c.tag) }
