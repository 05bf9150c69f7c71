package server

import (
	"compress/gzip"
	"io"
	"sync"
)

// zippers are kept because each has a megabyte of tables. They compress as
// kube-apiserver does: fast rather than well.
var zippers = sync.Pool{New: func() any {
	zipper, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level exists
	}
	return zipper
}}

// compressed compresses what is written to w until it is closed.
func compressed(w io.Writer) io.WriteCloser {
	zipper := zippers.Get().(*gzip.Writer)
	zipper.Reset(w)
	return &zipped{zipper}
}

type zipped struct{ *gzip.Writer }

func (z *zipped) Close() error {
	err := z.Writer.Close()
	zippers.Put(z.Writer)
	z.Writer = nil
	return err
}
