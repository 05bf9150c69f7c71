package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/andybalholm/brotli"
)

// An encoding is one way in which a module is offered to browsers.
type encoding struct {
	extension string // of the file beside the module
	level     int
	fastLevel int
	encode    func(io.Writer, int) (io.WriteCloser, error)
}

var encodings = []encoding{
	{"gz", gzip.BestCompression, gzip.BestSpeed, func(w io.Writer, level int) (io.WriteCloser, error) {
		return gzip.NewWriterLevel(w, level)
	}},
	{"br", brotli.BestCompression, 4, func(w io.Writer, level int) (io.WriteCloser, error) {
		return brotli.NewWriterOptions(w, brotli.WriterOptions{Quality: level, LGWin: 24}), nil
	}},
}

// compress writes path.gz and path.br and returns the sizes. Brotli at its best
// takes minutes on a large module, so results are kept in the cache directory
// under the hash of what they compress.
func compress(path, cache string, fast bool) (size, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return size{}, err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return size{}, err
	}
	hash := fmt.Sprintf("%x", sha256.Sum256(raw))
	result := size{Raw: len(raw), SHA256: hash}
	for _, e := range encodings {
		compressed, best, err := e.compressCached(raw, filepath.Join(cache, hash[:32]), fast)
		if err != nil {
			return size{}, fmt.Errorf("compressing %s to %s: %w", path, e.extension, err)
		}
		if err := writeIfChanged(path+"."+e.extension, compressed); err != nil {
			return size{}, err
		}
		result.set(e.extension, len(compressed))
		result.Fast = result.Fast || !best
	}
	return result, nil
}

// compressCached returns raw encoded, from the cache when it is there, and
// whether that is at the best level. The best result serves a fast build too.
func (e encoding) compressCached(raw []byte, prefix string, fast bool) (compressed []byte, best bool, err error) {
	levels := []int{e.level}
	if fast {
		levels = append(levels, e.fastLevel)
	}
	name := func(level int) string { return fmt.Sprintf("%s-%d.%s", prefix, level, e.extension) }
	for _, level := range levels {
		compressed, err := os.ReadFile(name(level))
		if err == nil {
			return compressed, level == e.level, nil
		}
		if !os.IsNotExist(err) {
			return nil, false, err
		}
	}
	level := levels[len(levels)-1]
	var buffer bytes.Buffer
	w, err := e.encode(&buffer, level)
	if err != nil {
		return nil, false, err
	}
	if _, err := w.Write(raw); err != nil {
		return nil, false, err
	}
	if err := w.Close(); err != nil {
		return nil, false, err
	}
	return buffer.Bytes(), level == e.level, writeFile(name(level), buffer.Bytes())
}

// writeIfChanged keeps the modification time of a file that has this content
// already, so that whatever depends on it is not rebuilt.
func writeIfChanged(path string, content []byte) error {
	if present, err := os.ReadFile(path); err == nil && bytes.Equal(present, content) {
		return nil
	}
	return writeFile(path, content)
}

// writeFile replaces a file in one step: an interrupted build leaves no part of
// a file that a later build would trust.
func writeFile(path string, content []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".writing-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // fails harmlessly after the rename
	if _, err := temporary.Write(content); err != nil {
		temporary.Close()
		return err
	}
	if err := temporary.Close(); err != nil {
		return err
	}
	if err := os.Chmod(temporary.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}
