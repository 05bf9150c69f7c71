// Package audit writes down who has asked the Kubernetes API for what, and what
// came of it: a line of JSON, an Event of audit.k8s.io/v1, for each request, as
// kube-apiserver does with --audit-log-path and a policy of level Metadata
// without the stage RequestReceived (k8s.io/apiserver/pkg/audit upstream). What
// requests and answers contain is never written, so neither are secrets.
//
// The control plane's own components call the API in the same process, not over
// HTTP, and are not in the log.
package audit

import (
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"tidepool.dev/tidepool/engine/api/endpoints"
)

// Log is an audit log. It is safe for concurrent use.
type Log struct {
	now    func() time.Time
	failed func(error)

	mu  sync.Mutex
	out io.Writer
}

// New returns a log that writes to out; failed is told of events that could not
// be written, and of those alone: requests go on.
func New(out io.Writer, now func() time.Time, failed func(error)) *Log {
	return &Log{out: out, now: now, failed: failed}
}

// Handler logs the requests of an endpoints.Handler. An answer carries the
// identity of its events in the header Audit-Id.
func (l *Log) Handler(api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := entry{log: l, received: l.now(), request: r, id: idOf(r)}
		w.Header().Set(auditv1.HeaderAuditID, string(e.id))
		answer := &answer{ResponseWriter: w, begun: func(code int) { e.begun(code) }}
		defer func() {
			if reason := recover(); reason != nil {
				e.panicked(reason)
				panic(reason)
			}
			e.complete(answer.code)
		}()
		api.ServeHTTP(answer, r.WithContext(endpoints.WithTrail(r.Context(), &e.trail)))
	})
}

// Identify gives each request the identity that a log would give it.
func Identify(api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(auditv1.HeaderAuditID, string(idOf(r)))
		api.ServeHTTP(w, r)
	})
}

// idOf is what the client calls the request, or else something new.
func idOf(r *http.Request) types.UID {
	if id := r.Header.Get(auditv1.HeaderAuditID); id != "" {
		return types.UID(id)
	}
	return uuid.NewUUID()
}

func (l *Log) write(event *auditv1.Event) {
	line, err := json.Marshal(event)
	if err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		_, err = l.out.Write(append(line, '\n'))
	}
	if err != nil {
		l.failed(err)
	}
}
