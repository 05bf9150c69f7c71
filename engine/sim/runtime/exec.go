package runtime

import (
	"fmt"
	"path"
	"strings"
	"time"

	"tidepool.dev/tidepool/engine/kubelet"
	"tidepool.dev/tidepool/engine/sim/image"
)

func (r *Runtime) Exec(id string, command []string, timeout time.Duration, done func(kubelet.ExecResult, error)) {
	r.do(func() {
		c, err := r.get(id)
		if err == nil && c.status.State != kubelet.ContainerRunning {
			err = fmt.Errorf("rpc error: code = Unknown desc = container not running (%s)", id)
		}
		if err != nil {
			r.call(func() { done(kubelet.ExecResult{}, err) })
			return
		}
		var output strings.Builder
		ended := false
		var end *waiter
		finish := func(result kubelet.ExecResult, err error) {
			if !ended {
				ended = true
				c.leave(end)
				result.Output = output.String()
				r.call(func() { done(result, err) })
			}
		}
		// Ending with the container is what happens to whatever runs in it.
		end = c.await(func() { finish(kubelet.ExecResult{ExitCode: killed}, nil) })
		c.After(timeout, func() { finish(kubelet.ExecResult{TimedOut: true}, nil) })
		c.After(r.draw(execTime), func() {
			program, ok := image.Program(nil), false
			if len(command) > 0 {
				program, ok = c.Program(path.Base(command[0]))
			}
			if !ok {
				finish(kubelet.ExecResult{}, fmt.Errorf("rpc error: code = Unknown desc = failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: unable to start container process: exec: %q: executable file not found in $PATH", strings.Join(command[:min(1, len(command))], "")))
				return
			}
			write := func(text string) { output.WriteString(text) }
			program(&image.Call{
				System: c, Args: command, Env: c.environment(), Print: write, Complain: write,
				Exit: func(code int) { finish(kubelet.ExecResult{ExitCode: code}, nil) },
			})
		})
	})
}
