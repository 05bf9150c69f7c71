package endpoints

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/codec"
)

// response remembers what has been said.
type response struct {
	http.ResponseWriter
	status   int // 0 until the header is written
	warnings map[string]bool
}

func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *response) Write(data []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.ResponseWriter.Write(data)
}

func (w *response) Flush() {
	if flusher, ok := w.ResponseWriter.(http.Flusher); ok {
		flusher.Flush()
	}
}

// Unwrap is for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// warn adds a Warning header (RFC 7234, 5.5) unless it has been said already.
func (w *response) warn(text string) {
	if w.warnings[text] {
		return
	}
	if w.warnings == nil {
		w.warnings = map[string]bool{}
	}
	w.warnings[text] = true
	w.Header().Add("Warning", "299 - "+quote(text))
}

// quote makes a quoted-string of HTTP, in which only \ and " are escaped, of a
// text on one line.
func quote(text string) string {
	quoted := make([]byte, 0, len(text)+2)
	quoted = append(quoted, '"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			quoted = append(quoted, '\\', c)
		case c == '\n' || c == '\r':
			quoted = append(quoted, ' ')
		case c < ' ' && c != '\t' || c == 0x7f:
		default:
			quoted = append(quoted, c)
		}
	}
	return string(append(quoted, '"'))
}

// statusOf makes the Status that tells a client of an error.
func statusOf(err error) metav1.Status {
	var status metav1.Status
	if known := apierrors.APIStatus(nil); errors.As(err, &known) {
		status = known.Status()
	} else {
		status = metav1.Status{Reason: metav1.StatusReasonUnknown, Message: err.Error()}
	}
	if status.Status == "" {
		status.Status = metav1.StatusFailure
	}
	if status.Code == 0 {
		status.Code = http.StatusInternalServerError
	}
	status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	return status
}

// fail answers with an error. Where the answer has begun, all that is left to
// do is to break it off.
func (q *request) fail(err error) {
	if q.w.status != 0 {
		return
	}
	if err == errBusy { //nolint:errorlint // it is returned as it is
		q.busy()
		return
	}
	status := statusOf(err)
	if status.Details != nil && status.Details.RetryAfterSeconds > 0 {
		q.w.Header().Set("Retry-After", strconv.Itoa(int(status.Details.RetryAfterSeconds)))
	}
	q.send(int(status.Code), &status)
}

// send writes an object as it is, in the format that was asked for.
func (q *request) send(code int, object any) {
	if status, ok := object.(*metav1.Status); ok {
		q.trail.Status = status
	}
	q.w.Header().Set("Content-Type", q.media.contentType())
	q.answer(code, func(w io.Writer) error { return q.encoder().Encode(w, object) })
}

func (q *request) encoder() codec.Encoder {
	return codec.Encoder{YAML: q.media.yaml, Pretty: q.media.pretty}
}

// failure is a Status that apimachinery has no constructor for.
func failure(code int, reason metav1.StatusReason, message string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status:  metav1.StatusFailure,
		Code:    int32(code),
		Reason:  reason,
		Message: message,
	}}
}

func notFound() error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status:  metav1.StatusFailure,
		Code:    http.StatusNotFound,
		Reason:  metav1.StatusReasonNotFound,
		Details: &metav1.StatusDetails{},
		Message: "the server could not find the requested resource",
	}}
}

func methodNotAllowed() error {
	return failure(http.StatusMethodNotAllowed, metav1.StatusReasonMethodNotAllowed,
		"the server does not allow this method on the requested resource")
}
