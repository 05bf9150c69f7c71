// Package remote says how the API reaches into running containers: commands
// that are run in them (exec), their main programs (attach) and their ports
// (port-forward, proxy). Kubelets implement Source; whoever carries the bytes to
// the client, over a WebSocket or otherwise, pumps them.
//
// Nothing here blocks: output is pulled when wake says that there may be some.
package remote

import corev1 "k8s.io/api/core/v1"

// Options say what to run and which of its streams are wanted.
type Options struct {
	// Command is what to run; empty means the container's main program, as it
	// runs already.
	Command                    []string
	Stdin, Stdout, Stderr, TTY bool
}

// Process is a running command. Its methods are safe for concurrent use.
type Process interface {
	// Write passes on what it is to read, CloseInput that there is no more.
	Write(data []byte)
	CloseInput()
	// Resize tells the size of the terminal in characters.
	Resize(columns, rows int)
	// Read takes what has been written since the last time. end is not nil once
	// everything has been read and the command has ended.
	Read() (chunks []Chunk, end *End)
	// Close says that the client has gone: a command ends by it, a main program
	// goes on.
	Close()
}

// Chunk is a part of the output.
type Chunk struct {
	Stderr bool
	Data   []byte
}

// End is how a command ended: with an exit code, or by an error.
type End struct {
	Code int
	Err  error
}

// Connection is a connection to a port. Its methods are safe for concurrent use.
type Connection interface {
	Write(data []byte)
	// CloseWrite says that no more will be written.
	CloseWrite()
	// Read takes what has come since the last time; ended is true once that is
	// all, and err says what broke the connection.
	Read() (data []byte, ended bool, err error)
	Close()
}

// Source reaches the containers. wake must not block; it is called whenever
// there may be something to read. An error is shown to the client.
type Source interface {
	// StartProcess runs a command in a container of a pod, or attaches to it.
	StartProcess(pod *corev1.Pod, container string, options Options, wake func()) (Process, error)
	// Dial connects to a port of a pod, on its own loopback interface.
	Dial(pod *corev1.Pod, port int, wake func()) (Connection, error)
}
