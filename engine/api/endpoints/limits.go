package endpoints

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"tidepool.dev/tidepool/engine/api/authorization"
	"tidepool.dev/tidepool/engine/api/identity"
)

// Limits keep a server alive whatever its clients do. The zero value has none:
// a simulation serves one client, in virtual time.
type Limits struct {
	// ReadOnly and Mutating are how many requests of the kind are served at the
	// same time, not counting those that last, watches for instance (kube-apiserver
	// --max-requests-inflight and --max-mutating-requests-inflight); 0: any.
	ReadOnly, Mutating int64
	// Timeout is how long a request may take that is not one of those
	// (--request-timeout). Deadline makes contexts of it, or of what a client
	// asks for; with a nil one, requests take as long as they do.
	Timeout  time.Duration
	Deadline func(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc)
}

// inFlight counts the requests that are being served.
type inFlight struct{ readOnly, mutating atomic.Int64 }

// errBusy is answered with a text, not with a Status, as upstream
// (k8s.io/apiserver/pkg/server/filters/maxinflight.go).
//
//lint:ignore ST1005 as Kubernetes words it
var errBusy = errors.New("Too many requests, please try again later.")

// admit lets a request be served, or tells that there are too many already. The
// cluster's administrators and health checks always get an answer.
func (q *request) admit(user identity.User, wants authorization.Attributes) (release func(), err error) {
	count, limit := &q.flying.mutating, q.Limits.Mutating
	switch wants.Verb {
	case "get", "list", "watch":
		count, limit = &q.flying.readOnly, q.Limits.ReadOnly
	}
	if limit <= 0 || q.lasting(wants) || isHealth(wants.Path) {
		return func() {}, nil
	}
	if count.Add(1) > limit && !slices.Contains(user.Groups, identity.Masters) {
		count.Add(-1)
		return nil, errBusy
	}
	return func() { count.Add(-1) }, nil
}

func isHealth(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return first == "healthz" || first == "livez" || first == "readyz"
}

// lasting are requests that take as long as their clients want
// (k8s.io/apiserver/pkg/server/filters/longrunning.go upstream, with what
// kube-apiserver configures).
func (q *request) lasting(wants authorization.Attributes) bool {
	if wants.Verb == "watch" {
		return true
	}
	switch wants.Subresource {
	case "attach", "exec", "proxy", "log", "portforward":
		return true
	}
	return false
}

// busy answers a request for which there is no room.
func (q *request) busy() {
	header := q.w.Header()
	header.Set("Retry-After", "1")
	q.plain(http.StatusTooManyRequests, errBusy.Error()+"\n")
}

// plain answers with a text.
func (q *request) plain(code int, text string) {
	header := q.w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("X-Content-Type-Options", "nosniff")
	q.w.WriteHeader(code)
	_, _ = q.w.Write([]byte(text)) // a client that is gone needs no answer
}

// limitTime gives the request the time that it may take.
func (q *request) limitTime(wants authorization.Attributes) (cancel func(), err error) {
	if q.lasting(wants) {
		return func() {}, nil
	}
	timeout := q.Limits.Timeout
	if strings.Contains(q.r.URL.RawQuery, "timeout=") {
		if text := q.r.URL.Query().Get("timeout"); text != "" {
			wanted, err := time.ParseDuration(text)
			if err != nil {
				return nil, apierrors.NewBadRequest("invalid timeout specified in the request URL - " + err.Error())
			}
			if wanted > 0 && (timeout == 0 || wanted < timeout) {
				timeout = wanted
			}
		}
	}
	if q.Limits.Deadline == nil || timeout == 0 {
		return func() {}, nil
	}
	q.ctx, cancel = q.Limits.Deadline(q.ctx, timeout)
	return cancel, nil
}
