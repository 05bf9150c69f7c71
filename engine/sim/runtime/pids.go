package runtime

import (
	"slices"
	"strings"

	"tidepool.dev/tidepool/engine/sim/image"
)

// processes are those that see one another: a PID namespace.
type processes struct {
	// first is the container whose main program is process 1; nil: it is the
	// sandbox's, or the machine's, which does nothing.
	first *container
	name  string // of process 1 if it is no container's
	rest  []entry
	last  int
}

// entry is a process but the first. What signal gets is never 0.
type entry struct {
	image.Process
	signal func(signal int)
}

func (p *processes) add(command string, signal func(signal int)) (pid int) {
	p.last = max(p.last, 1) + 1
	p.rest = append(p.rest, entry{image.Process{PID: p.last, Command: command}, signal})
	return p.last
}

func (p *processes) remove(pid int) {
	p.rest = slices.DeleteFunc(p.rest, func(e entry) bool { return e.PID == pid })
}

func (p *processes) all() []image.Process {
	first := image.Process{PID: 1, Command: p.name}
	if p.first != nil {
		first.Command = p.first.mainCommand()
	}
	list := []image.Process{first}
	for _, e := range p.rest {
		list = append(list, e.Process)
	}
	return list
}

// signal reports whether there is such a process. The first one only gets the
// signals that it asks for, as Linux has it, not even SIGKILL from within.
func (p *processes) signal(pid, signal int) bool {
	if pid == 1 {
		if p.first != nil {
			p.first.mayTerminate(signal)
		}
		return true
	}
	for _, e := range slices.Clone(p.rest) {
		if e.PID == pid {
			if signal > 0 {
				e.signal(signal)
			}
			return true
		}
	}
	return false
}

// join decides whose processes a new container sees: those of the container
// that it is to debug, of the machine, of the whole pod, or its own.
func (c *container) join() {
	spec := &c.sandbox.pod.Spec
	target := c.runtime.containers[c.config.Target]
	switch {
	case target != nil:
		c.pids = target.pids
	case spec.HostPID:
		c.pids = &c.runtime.pids
	case spec.ShareProcessNamespace != nil && *spec.ShareProcessNamespace:
		c.pids = &c.sandbox.pids
	default:
		c.pids, c.own.first = &c.own, c
	}
}

// appear makes the main program one of the processes.
func (c *container) appear() {
	if c.pids.first != c {
		c.pid = c.pids.add(c.mainCommand(), func(signal int) {
			if !c.mayTerminate(signal) {
				c.runtime.exit(c, 128+signal)
			}
		})
	}
}

// vanish takes the main program off the processes; with the first one, all of
// them end.
func (c *container) vanish() {
	if c.pids.first != c {
		c.pids.remove(c.pid)
		return
	}
	for _, e := range slices.Clone(c.pids.rest) {
		e.signal(sigKill)
	}
}

// mayTerminate has the main program end by itself if that is what it does on
// the signal.
func (c *container) mayTerminate(signal int) bool {
	handles := (signal == sigTerm || signal == sigQuit) && c.terminate != nil
	if handles {
		c.After(c.runtime.draw(exitTime), c.terminate)
	}
	return handles
}

func (c *container) mainCommand() string {
	words := c.commandLine()
	if len(words) > 1 && strings.HasSuffix(words[0], "docker-entrypoint.sh") {
		words = words[1:] // whose place the command has taken
	}
	return strings.Join(words, " ")
}
