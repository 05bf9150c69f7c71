//go:build js && wasm

// Package session runs kubectl command lines, one after the other, inside one
// program. It does what a process does for a command: gives it its streams, turns
// its way of ending into an exit code, and ends it when it is interrupted.
package session

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/component-base/cli"
	"k8s.io/klog/v2"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"k8s.io/kubectl/pkg/util/interrupt"
	"tidepool.dev/tidepool/wasm/kubectl/command"
)

// interrupted is the exit code that a shell gives a program ended by SIGINT.
const interrupted = 130

// grace is how long an interrupted command may take to end by itself.
const grace = 200 * time.Millisecond

// Streams are where a run's output goes. Its input is the program's.
type Streams struct{ Out, ErrOut io.Writer }

// Result tells how a run ended.
type Result struct {
	Code int
	// Ended is false when part of the run may still be going on.
	Ended bool
}

// A Run is one command line being executed.
type Run struct {
	context context.Context
	cancel  context.CancelFunc
	streams *mutable
	exit    chan int      // the code, from whoever ends the run first
	ended   chan struct{} // closed when the command's goroutine is gone
}

// Start begins to execute a command line. The run before it must have ended:
// kubectl keeps state in package variables.
func Start(args []string, streams Streams) *Run {
	ctx, cancel := context.WithCancel(context.Background())
	r := &Run{
		context: ctx,
		cancel:  cancel,
		streams: &mutable{Streams: streams},
		exit:    make(chan int, 1),
		ended:   make(chan struct{}),
	}
	go r.execute(args)
	return r
}

// Interrupt ends the run as Ctrl-C does.
func (r *Run) Interrupt() {
	interrupt.Signal()
	r.streams.mute()
	r.cancel()
	r.finish(interrupted)
}

// Wait returns when the run has ended.
func (r *Run) Wait() Result {
	code := <-r.exit
	r.cancel()
	select {
	case <-r.ended:
		return Result{Code: code, Ended: true}
	case <-time.After(grace):
		r.streams.mute()
		return Result{Code: code}
	}
}

// finish records the exit code, unless the run has one.
func (r *Run) finish(code int) {
	select {
	case r.exit <- code:
	default:
	}
}

func (r *Run) execute(args []string) {
	defer close(r.ended)
	defer r.finish(0) // also when fatal ends this goroutine, after it has set the code
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(r.streams.errOut(), "panic: %v\n\n%s", p, debug.Stack())
			r.finish(2)
		}
	}()
	cmdutil.BehaviorOnFatal(r.fatal)
	forgetCompletions()
	_ = new(klog.Level).Set("0") // what -v set in an earlier run

	root := command.New(command.Config{
		Streams:   genericiooptions.IOStreams{In: os.Stdin, Out: r.streams.out(), ErrOut: r.streams.errOut()},
		Transport: transport{r.context},
	})
	root.SetArgs(args)
	root.SetContext(r.context)
	if err := cli.RunNoErrOutput(root); err != nil {
		cmdutil.CheckErr(err)
	}
}

// fatal stands for the end of the process: it does not return.
func (r *Run) fatal(message string, code int) {
	if message != "" {
		fmt.Fprintln(r.streams.errOut(), strings.TrimSuffix(message, "\n"))
	}
	r.finish(code)
	runtime.Goexit()
}

// transport sends requests by the browser's fetch, which the worker directs to the
// engine, and ends them with the run.
type transport struct{ run context.Context }

// fetching has no dialer: so net/http uses fetch.
var fetching = &http.Transport{}

func (t transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Header.Get("Upgrade") != "" {
		return dial(t.run, request)
	}
	ctx, cancel := context.WithCancel(request.Context())
	stop := context.AfterFunc(t.run, cancel)
	response, err := fetching.RoundTrip(request.WithContext(ctx))
	if err != nil {
		stop()
		cancel()
		return nil, err
	}
	response.Body = &body{ReadCloser: response.Body, context: ctx, release: func() { stop(); cancel() }}
	response.Body.(*body).closeWhenDone()
	return response, nil
}

// A body ends with the context of its request: on js, net/http itself gives up
// watching the context once it has the response's headers.
type body struct {
	io.ReadCloser
	context context.Context
	release func()
}

func (b *body) closeWhenDone() {
	context.AfterFunc(b.context, func() { _ = b.ReadCloser.Close() })
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && b.context.Err() != nil {
		err = b.context.Err()
	}
	return n, err
}

func (b *body) Close() error {
	b.release()
	return nil
}

// mutable holds a run's streams, until the run has been given up.
type mutable struct {
	Streams
	mutex sync.Mutex
	muted bool
}

func (m *mutable) mute() {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.muted = true
}

func (m *mutable) out() io.Writer    { return writer{m, m.Out} }
func (m *mutable) errOut() io.Writer { return writer{m, m.ErrOut} }

type writer struct {
	state *mutable
	to    io.Writer
}

func (w writer) Write(p []byte) (int, error) {
	w.state.mutex.Lock()
	defer w.state.mutex.Unlock()
	if w.state.muted {
		return len(p), nil
	}
	return w.to.Write(p)
}
