package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"
)

// listen opens a TCP address; flag is what to change where it can't.
func listen(flag, address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s %s is in use by another program (maybe another tidepool serve): stop it, or choose another address with %s", flag, address, flag)
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", flag, address, err)
	}
	return listener, nil
}

// reachable is the address under which clients reach a listener: one on every
// interface is called by the first of its names, or else by the loopback.
func reachable(address net.Addr, hosts []string) string {
	tcp, ok := address.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return address.String()
	}
	host := "127.0.0.1"
	if len(hosts) > 0 {
		host = hosts[0]
	}
	return net.JoinHostPort(host, fmt.Sprint(tcp.Port))
}

const (
	// drain is how long open requests may take when the server ends.
	drain = 3 * time.Second
	// idle is how long a connection without a request is kept.
	idle = 2 * time.Minute
)

// serveUntil serves until the context ends, and then lets open requests finish,
// those that became WebSockets included.
func serveUntil(ctx context.Context, server *http.Server, log *slog.Logger, serve func() error) error {
	var open sync.WaitGroup
	handler := server.Handler
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		open.Add(1)
		defer open.Done()
		handler.ServeHTTP(w, r)
	})
	server.ReadHeaderTimeout = 10 * time.Second
	server.IdleTimeout = idle
	server.ErrorLog = slog.NewLogLogger(connectionLog{log.Handler()}, slog.LevelError)
	server.BaseContext = func(net.Listener) context.Context { return ctx } // ends watches
	failed := make(chan error, 1)
	go func() { failed <- serve() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := server.Shutdown(limit); err != nil {
		return server.Close()
	}
	ended := make(chan struct{})
	go func() { open.Wait(); close(ended) }() // Shutdown does not wait for WebSockets
	select {
	case <-ended:
	case <-limit.Done():
	}
	return nil
}

// connectionLog keeps what clients do wrong, which net/http reports as errors,
// apart from what is wrong here: a handler's panic.
type connectionLog struct{ slog.Handler }

func (h connectionLog) Handle(ctx context.Context, record slog.Record) error {
	if strings.HasPrefix(record.Message, "http: panic serving") {
		return h.Handler.Handle(ctx, record)
	}
	if !h.Enabled(ctx, slog.LevelDebug) {
		return nil
	}
	record.Level = slog.LevelDebug
	return h.Handler.Handle(ctx, record)
}
