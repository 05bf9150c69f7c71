package runtime

import (
	"fmt"
	"strings"
	"time"

	"tidepool.dev/tidepool/engine/kubelet"
	"tidepool.dev/tidepool/engine/sim/image"
)

func (r *Runtime) Exec(id string, command []string, timeout time.Duration, done func(kubelet.ExecResult, error)) {
	r.do(func() {
		c, err := r.running(id)
		if err != nil {
			r.call(func() { done(kubelet.ExecResult{}, err) })
			return
		}
		var output strings.Builder
		write := func(text string) { output.WriteString(text) }
		timedOut := false
		end := c.execute(image.Call{Args: command, Env: c.environment(), Print: write, Complain: write}, func(code int, err error) {
			if err != nil {
				err = fmt.Errorf("rpc error: code = Unknown desc = %w", err)
			}
			result := kubelet.ExecResult{ExitCode: code, Output: output.String(), TimedOut: timedOut}
			r.call(func() { done(result, err) })
		})
		c.After(timeout, func() {
			timedOut = true
			end(0)
		})
	})
}
