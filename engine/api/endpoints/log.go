package endpoints

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/logs"
)

// logTime is how kubelets stamp lines: fixed width, so that they align.
const logTime = "2006-01-02T15:04:05.000000000Z07:00"

// logBatch bounds the lines that are written at once.
const logBatch = 512

// log writes what a container has written
// (k8s.io/kubernetes/pkg/registry/core/pod.LogLocation and the kubelet's
// containerLogs upstream).
func (q *request) log() error {
	opts, err := q.logOptions()
	if err != nil {
		return err
	}
	bell := newBell()
	var reader logs.Reader
	err = q.do(func() error {
		pods, _ := q.Operations.Kind("pods")
		obj, err := q.Operations.Get(q.ctx, pods, q.namespace, q.name)
		if err != nil {
			return err
		}
		pod := obj.(*corev1.Pod)
		if opts.Container, err = chooseContainer(pod, opts.Container); err != nil || pod.Spec.NodeName == "" {
			return err
		}
		if err := hasLog(pod, opts.Container, opts.Previous); err != nil {
			return apierrors.NewBadRequest(err.Error())
		}
		if q.Logs == nil {
			return apierrors.NewInternalError(fmt.Errorf("no node agent keeps the logs of node %s", pod.Spec.NodeName))
		}
		if reader, err = q.Logs.OpenLog(pod, opts.Container, opts.Previous, bell.ring); err != nil {
			return apierrors.NewBadRequest(err.Error())
		}
		return nil
	})
	if err != nil {
		return err
	}
	if reader == nil { // the pod has no node yet, and so has written nothing
		q.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	defer reader.Stop()
	q.w.Header().Set("Content-Type", "text/plain")
	q.w.WriteHeader(http.StatusOK)
	text := logText{options: opts, since: q.sinceOf(opts)}
	q.copyLog(reader, &text, bell)
	return nil
}

// copyLog writes a log until it ends, or until there is no more where nobody
// wants to follow it.
func (q *request) copyLog(reader logs.Reader, text *logText, bell bell) {
	skip := text.options.TailLines != nil
	var buffer, tail []logs.Line
	for {
		lines, ended := reader.Next(buffer[:0], logBatch)
		buffer = lines
		more := len(lines) > 0 && !ended
		if skip { // only the last lines of what there is
			tail = lastLines(append(tail, text.wanted(lines)...), int(*text.options.TailLines))
			if more {
				continue
			}
			skip, lines = false, tail
		}
		if _, err := q.w.Write(text.form(lines)); err != nil {
			return
		}
		q.w.Flush()
		if ended || text.full() || !more && !text.options.Follow {
			return
		}
		if more {
			continue
		}
		select {
		case <-q.ctx.Done():
			return
		case <-bell:
		}
	}
}

func lastLines(lines []logs.Line, count int) []logs.Line {
	if len(lines) > count {
		lines = slices.Clone(lines[len(lines)-count:])
	}
	return lines
}

// logText makes text of lines.
type logText struct {
	options *corev1.PodLogOptions
	since   time.Time
	written int64
}

func (t *logText) wanted(lines []logs.Line) []logs.Line {
	return slices.DeleteFunc(lines, func(line logs.Line) bool {
		switch {
		case line.Time.Before(t.since):
			return true
		case t.options.Stream != nil && *t.options.Stream == corev1.LogStreamStdout:
			return line.Stderr
		case t.options.Stream != nil && *t.options.Stream == corev1.LogStreamStderr:
			return !line.Stderr
		}
		return false
	})
}

func (t *logText) form(lines []logs.Line) []byte {
	var text strings.Builder
	for _, line := range t.wanted(lines) {
		if t.options.Timestamps {
			text.WriteString(line.Time.UTC().Format(logTime))
			text.WriteByte(' ')
		}
		text.WriteString(line.Text)
		text.WriteByte('\n')
	}
	formed := []byte(text.String())
	if t.options.LimitBytes != nil {
		formed = formed[:min(int64(len(formed)), *t.options.LimitBytes-t.written)]
	}
	t.written += int64(len(formed))
	return formed
}

func (t *logText) full() bool {
	return t.options.LimitBytes != nil && t.written >= *t.options.LimitBytes
}

func (q *request) sinceOf(opts *corev1.PodLogOptions) time.Time {
	switch {
	case opts.SinceTime != nil:
		return opts.SinceTime.Time
	case opts.SinceSeconds != nil:
		return q.Clock.Now().Add(-time.Duration(*opts.SinceSeconds) * time.Second)
	}
	return time.Time{}
}

func (q *request) logOptions() (*corev1.PodLogOptions, error) {
	p := parameters{values: q.r.URL.Query()}
	opts := &corev1.PodLogOptions{
		Container:    p.text("container"),
		Follow:       p.flag("follow"),
		Previous:     p.flag("previous"),
		Timestamps:   p.flag("timestamps"),
		SinceSeconds: p.integer("sinceSeconds"),
		TailLines:    p.integer("tailLines"),
		LimitBytes:   p.integer("limitBytes"),
	}
	if stream := p.text("stream"); stream != "" {
		opts.Stream = &stream
	}
	if text := p.text("sinceTime"); text != "" {
		since, err := time.Parse(time.RFC3339, text)
		if err != nil {
			p.keep(apierrors.NewBadRequest(err.Error()))
		}
		opts.SinceTime = &metav1.Time{Time: since}
	}
	if p.err != nil {
		return nil, p.err
	}
	if errs := validateLogOptions(opts); len(errs) > 0 {
		return nil, apierrors.NewInvalid(corev1.SchemeGroupVersion.WithKind("PodLogOptions").GroupKind(), q.name, errs)
	}
	return opts, nil
}

func validateLogOptions(opts *corev1.PodLogOptions) field.ErrorList {
	var errs field.ErrorList
	if opts.TailLines != nil && *opts.TailLines < 0 {
		errs = append(errs, field.Invalid(field.NewPath("tailLines"), *opts.TailLines, "must be greater than or equal to 0"))
	}
	if opts.LimitBytes != nil && *opts.LimitBytes < 1 {
		errs = append(errs, field.Invalid(field.NewPath("limitBytes"), *opts.LimitBytes, "must be greater than 0"))
	}
	switch {
	case opts.SinceSeconds != nil && opts.SinceTime != nil:
		errs = append(errs, field.Forbidden(field.NewPath(""), "at most one of `sinceTime` or `sinceSeconds` may be specified"))
	case opts.SinceSeconds != nil && *opts.SinceSeconds < 1:
		errs = append(errs, field.Invalid(field.NewPath("sinceSeconds"), *opts.SinceSeconds, "must be greater than 0"))
	}
	streams := []string{corev1.LogStreamAll, corev1.LogStreamStderr, corev1.LogStreamStdout}
	if opts.Stream != nil && !slices.Contains(streams, *opts.Stream) {
		errs = append(errs, field.NotSupported(field.NewPath("stream"), *opts.Stream, streams))
	}
	return errs
}

// chooseContainer returns the container that is meant: the only one, if the
// client names none.
func chooseContainer(pod *corev1.Pod, name string) (string, error) {
	if name == "" {
		switch len(pod.Spec.Containers) {
		case 0:
			return "", apierrors.NewBadRequest(fmt.Sprintf("a container name must be specified for pod %s", pod.Name))
		case 1:
			return pod.Spec.Containers[0].Name, nil
		}
		return "", apierrors.NewBadRequest(fmt.Sprintf("a container name must be specified for pod %s, choose one of: %s", pod.Name, containerNames(pod)))
	}
	if slices.Contains(containerNames(pod), name) {
		return name, nil
	}
	return "", apierrors.NewBadRequest(fmt.Sprintf("container %s is not valid for pod %s", name, pod.Name))
}

func containerNames(pod *corev1.Pod) []string {
	var names []string
	for i := range pod.Spec.InitContainers {
		names = append(names, pod.Spec.InitContainers[i].Name)
	}
	for i := range pod.Spec.Containers {
		names = append(names, pod.Spec.Containers[i].Name)
	}
	for i := range pod.Spec.EphemeralContainers {
		names = append(names, pod.Spec.EphemeralContainers[i].Name)
	}
	return names
}

// hasLog says why a container has no log to show, as a kubelet does
// (k8s.io/kubernetes/pkg/kubelet.validateContainerLogStatus).
func hasLog(pod *corev1.Pod, container string, previous bool) error {
	status := containerStatus(pod, container)
	about := fmt.Sprintf("container %q in pod %q", container, pod.Name)
	if status == nil {
		return fmt.Errorf("%s is not available", about)
	}
	state, last := status.State, status.LastTerminationState.Terminated
	ended := last != nil && last.ContainerID != ""
	switch {
	case previous && !ended:
		return fmt.Errorf("previous terminated %s not found", about)
	case previous, state.Running != nil:
		return nil
	case state.Terminated != nil && state.Terminated.ContainerID != "", ended:
		return nil
	case state.Terminated != nil, last != nil:
		return fmt.Errorf("%s is terminated", about)
	case state.Waiting == nil:
		return fmt.Errorf("%s is waiting to start - no logs yet", about)
	}
	switch reason := state.Waiting.Reason; reason {
	case "ErrImagePull":
		return fmt.Errorf("%s is waiting to start: image can't be pulled", about)
	case "ImagePullBackOff":
		return fmt.Errorf("%s is waiting to start: trying and failing to pull image", about)
	default:
		return fmt.Errorf("%s is waiting to start: %s", about, reason)
	}
}

func containerStatus(pod *corev1.Pod, container string) *corev1.ContainerStatus {
	for _, statuses := range [...][]corev1.ContainerStatus{
		pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses, pod.Status.EphemeralContainerStatuses,
	} {
		for i := range statuses {
			if statuses[i].Name == container {
				return &statuses[i]
			}
		}
	}
	return nil
}
