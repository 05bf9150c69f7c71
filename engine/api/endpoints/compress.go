package endpoints

import (
	"io"
	"net/http"
	"strings"
)

// worthCompressing is the length from which an answer is compressed
// (defaultGzipThresholdBytes in k8s.io/apiserver/pkg/endpoints/handlers/responsewriters).
const worthCompressing = 128 << 10

// body is what is answered. It is kept until it is known whether it is long, if
// the client takes it compressed.
type body struct {
	q      *request
	code   int
	keep   bool // the client takes it compressed
	begun  bool
	buffer []byte
	zipped io.WriteCloser // nil: not compressed
}

// answer writes what write does, compressed if it is long. Where writing fails,
// the client is gone and needs no answer.
func (q *request) answer(code int, write func(io.Writer) error) {
	b := &body{q: q, code: code, keep: q.Compress != nil && takesGzip(q.r)}
	if write(b) == nil {
		b.close()
	}
}

func takesGzip(r *http.Request) bool {
	for _, header := range r.Header.Values("Accept-Encoding") {
		for entry := range strings.SplitSeq(header, ",") {
			name, _, _ := strings.Cut(entry, ";")
			if strings.TrimSpace(name) == "gzip" {
				return true
			}
		}
	}
	return false
}

func (b *body) Write(data []byte) (int, error) {
	if !b.keep || b.begun {
		return b.out(data)
	}
	if len(b.buffer)+len(data) <= worthCompressing {
		b.buffer = append(b.buffer, data...)
		return len(data), nil
	}
	header := b.q.w.Header()
	header.Set("Content-Encoding", "gzip")
	header.Add("Vary", "Accept-Encoding")
	b.begin()
	b.zipped = b.q.Compress(b.q.w)
	if _, err := b.zipped.Write(b.buffer); err != nil {
		return 0, err
	}
	b.buffer = nil
	return b.zipped.Write(data)
}

func (b *body) begin() {
	b.begun = true
	b.q.w.WriteHeader(b.code)
}

func (b *body) out(data []byte) (int, error) {
	if !b.begun {
		b.begin()
	}
	if b.zipped != nil {
		return b.zipped.Write(data)
	}
	return b.q.w.Write(data)
}

func (b *body) close() {
	if !b.begun {
		b.begin()
		_, _ = b.q.w.Write(b.buffer)
	}
	if b.zipped != nil {
		_ = b.zipped.Close()
	}
}
