package kubelet

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// hookTimeout bounds a postStart hook, which has no limit of its own.
const hookTimeout = time.Hour

// runHook performs a lifecycle hook.
func (w *worker) runHook(c *container, hook *corev1.LifecycleHandler, timeout time.Duration, done func(error)) {
	switch {
	case hook.Exec != nil:
		w.Runtime.Exec(c.status.ID, hook.Exec.Command, timeout, func(result ExecResult, err error) {
			switch {
			case err != nil:
			case result.TimedOut:
				err = errors.New("hook timed out")
			case result.ExitCode != 0:
				err = fmt.Errorf("command '%s' exited with %d: %s", commandLine(hook.Exec.Command), result.ExitCode, result.Output)
			}
			done(err)
		})
	case hook.HTTPGet != nil:
		request, err := w.httpGet(c, hook.HTTPGet)
		if err != nil {
			done(err)
			return
		}
		request.Timeout = timeout
		w.Runtime.HTTPGet(request, func(status int, err error) {
			if err == nil && status >= 400 {
				err = fmt.Errorf("HTTP hook failed with statuscode: %d", status)
			}
			done(err)
		})
	case hook.Sleep != nil:
		w.Clock.AfterFunc(min(time.Duration(hook.Sleep.Seconds)*time.Second, timeout), func() { done(nil) })
	default:
		done(nil)
	}
}

// postStart runs a started container's postStart hook; the start-up waits for
// it, and its failure ends the container.
func (w *worker) postStart(c *container) {
	if c.spec.Lifecycle == nil || c.spec.Lifecycle.PostStart == nil || w.terminal {
		return
	}
	w.op = opHook
	id := c.status.ID
	w.runHook(c, c.spec.Lifecycle.PostStart, hookTimeout, func(err error) {
		w.post(func(ctx context.Context) {
			if w.terminal || w.op != opHook {
				return
			}
			w.op = opNone
			if err == nil || !c.running() || c.status.ID != id {
				return
			}
			w.recordContainer(ctx, c, corev1.EventTypeWarning, "FailedPostStartHook", "PostStartHook failed")
			w.wait(c, "PostStartHookError", err.Error())
			w.kill(ctx, c, "FailedPostStartHook", w.terminationGrace())
		})
	})
}
