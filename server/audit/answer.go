package audit

import (
	"bufio"
	"net"
	"net/http"
)

// answer notes how a request is answered.
type answer struct {
	http.ResponseWriter
	begun func(code int)
	code  int // 0 until the answer begins
}

func (a *answer) begin(code int) {
	if a.code == 0 && (code >= http.StatusOK || code == http.StatusSwitchingProtocols) {
		a.code = code
		a.begun(code)
	}
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(code int) {
	a.begin(code)
	a.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (a *answer) Write(data []byte) (int, error) {
	a.begin(http.StatusOK)
	return a.ResponseWriter.Write(data)
}

// Flush implements http.Flusher.
func (a *answer) Flush() {
	a.begin(http.StatusOK)
	_ = http.NewResponseController(a.ResponseWriter).Flush() // where it can't be, nothing is kept back
}

// Hijack implements http.Hijacker.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffer, err := http.NewResponseController(a.ResponseWriter).Hijack()
	if err == nil {
		a.begin(http.StatusSwitchingProtocols)
	}
	return conn, buffer, err
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
