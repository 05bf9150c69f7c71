package web

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/andybalholm/brotli"
)

// assets serves the built files. Their names carry a hash of their content, so
// that browsers keep them for good. Files are stored compressed, as name.br and
// perhaps name.gz.
type assets struct {
	files fs.FS
	names map[string]string // logical name → file
}

const prefix = "/assets/"

func openAssets(files fs.FS) (*assets, error) {
	manifest, err := fs.ReadFile(files, "manifest.json")
	if err != nil {
		return nil, err
	}
	a := &assets{files: files}
	return a, json.Unmarshal(manifest, &a.names)
}

// URL implements page.Assets.
func (a *assets) URL(name string) string { return prefix + a.names[name] }

// Imports implements page.Assets.
func (a *assets) Imports(name string) []string {
	var urls []string
	for file := range strings.FieldsSeq(a.names[name+" imports"]) {
		urls = append(urls, prefix+file)
	}
	return urls
}

// Size implements page.Assets.
func (a *assets) Size(name string) int64 {
	size, _ := strconv.ParseInt(a.names[name+" size"], 10, 64)
	return size
}

func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := path.Clean(r.URL.Path)
	compressed, err := fs.ReadFile(a.files, name+".br")
	if err != nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", contentType(name))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	if accepts(r, "br") {
		h.Set("Content-Encoding", "br")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(compressed))
		return
	}
	if zipped, err := fs.ReadFile(a.files, name+".gz"); err == nil && accepts(r, "gzip") {
		h.Set("Content-Encoding", "gzip")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(zipped))
		return
	}
	io.Copy(w, brotli.NewReader(bytes.NewReader(compressed))) // it fails only if the client is gone
}

func accepts(r *http.Request, coding string) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, parameters, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == coding && strings.TrimSpace(parameters) != "q=0" {
			return true
		}
	}
	return false
}

func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".wasm":
		return "application/wasm"
	case ".json", ".map":
		return "application/json"
	}
	return mime.TypeByExtension(path.Ext(name))
}
