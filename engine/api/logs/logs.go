// Package logs says how the API reads what containers have written. Kubelets
// implement Source; the API chooses the container and forms the text.
package logs

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Line is one line of a container's output, without its line break.
type Line struct {
	Time   time.Time
	Stderr bool
	Text   string
}

// Reader pulls a container's output. It is not safe for concurrent use.
type Reader interface {
	// Next appends up to limit lines to buffer and returns it; it never
	// blocks. ended says that no more will come after these.
	Next(buffer []Line, limit int) (lines []Line, ended bool)
	// Stop ends the reading; wake is not called afterwards.
	Stop()
}

// Source opens the output of containers, from its beginning.
type Source interface {
	// OpenLog opens the output of a pod's container as it runs or ran last;
	// with previous that of the one before. wake, which may be nil and must not
	// block, is called whenever there may be more. An error is shown to the
	// client.
	OpenLog(pod *corev1.Pod, container string, previous bool, wake func()) (Reader, error)
}
