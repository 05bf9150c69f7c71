package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"

	"github.com/andybalholm/brotli"
)

func TestAssets(t *testing.T) {
	const script = "console.log('hello')"
	var br, gz bytes.Buffer
	for _, w := range []io.WriteCloser{brotli.NewWriter(&br), gzip.NewWriter(&gz)} {
		io.WriteString(w, script)
		w.Close()
	}
	files, err := openAssets(fstest.MapFS{
		"manifest.json":        {Data: []byte(`{"main.js": "main-1.js", "engine.wasm": "engine-1.wasm"}`)},
		"main-1.js.br":         {Data: br.Bytes()},
		"engine-1.wasm.br":     {Data: br.Bytes()},
		"engine-1.wasm.gz":     {Data: gz.Bytes()},
		"openapi-1/v1.json.br": {Data: br.Bytes()},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := files.URL("main.js"); got != "/assets/main-1.js" {
		t.Errorf("main.js is at %q", got)
	}
	handler := http.StripPrefix(prefix, files)
	for _, test := range []struct {
		name, path, accept string
		status             int
		coding, kind       string
	}{
		{"brotli", "/assets/main-1.js", "gzip, br", 200, "br", "text/javascript; charset=utf-8"},
		{"gzip", "/assets/engine-1.wasm", "gzip", 200, "gzip", "application/wasm"},
		{"gzip that is not stored", "/assets/main-1.js", "gzip", 200, "", "text/javascript; charset=utf-8"},
		{"nothing accepted", "/assets/engine-1.wasm", "", 200, "", "application/wasm"},
		{"brotli refused", "/assets/main-1.js", "br;q=0", 200, "", "text/javascript; charset=utf-8"},
		{"a folder's file", "/assets/openapi-1/v1.json", "br", 200, "br", "application/json"},
		{"a missing file", "/assets/other.js", "br", 404, "", "text/plain; charset=utf-8"},
		{"a way out", "/assets/../main-1.js", "br", 404, "", "text/plain; charset=utf-8"},
		{"a stored form", "/assets/main-1.js.br", "br", 404, "", "text/plain; charset=utf-8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, test.path, nil)
			r.Header.Set("Accept-Encoding", test.accept)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			h := w.Header()
			if w.Code != test.status || h.Get("Content-Encoding") != test.coding || h.Get("Content-Type") != test.kind {
				t.Fatalf("got %d %q %q", w.Code, h.Get("Content-Encoding"), h.Get("Content-Type"))
			}
			if w.Code == 200 && test.coding == "" && w.Body.String() != script {
				t.Errorf("got %q", w.Body)
			}
			if cached := h.Get("Cache-Control") != ""; cached != (w.Code == 200) {
				t.Errorf("Cache-Control is %q", h.Get("Cache-Control"))
			}
		})
	}
}

func TestNotBuilt(t *testing.T) {
	if _, err := openAssets(fstest.MapFS{}); err == nil {
		t.Error("a website without files was opened")
	}
}
