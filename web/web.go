// Package web is the website: pages (web/page), the app in TypeScript (web/app),
// its styles, and their build (web/build). It is one http.Handler, so that the
// native server, the edge and a static export serve the same; nothing here
// listens or knows a cluster.
package web

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"tidepool.dev/tidepool/lessons"
	"tidepool.dev/tidepool/lessons/render"
	"tidepool.dev/tidepool/web/page"
)

// dist is what web/build made.
//
//go:embed all:dist
var dist embed.FS

// contentSecurityPolicy lets the page run its own scripts and WebAssembly, and
// nothing else.
const contentSecurityPolicy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; " +
	"style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler serves the pages of lessons and the built files. server says that
// pages have a cluster on this server to switch to. It fails if the website has
// not been built.
func Handler(all []lessons.Lesson, server bool) (http.Handler, error) {
	built, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, err
	}
	files, err := openAssets(built)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("the website has not been built: run make build")
	}
	if err != nil {
		return nil, err
	}
	pages := map[string]page.Page{"": {Assets: files, Server: server}}
	for i := range all {
		lesson, err := rendered(&all[i])
		if err != nil {
			return nil, fmt.Errorf("lesson %s: %w", all[i].ID, err)
		}
		pages[lesson.ID] = page.Page{Assets: files, Lesson: lesson, Server: server}
	}
	missing := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		page.Missing(files, r.URL.Path).Render(r.Context(), w) // it fails only if the client is gone
	}
	mux := http.NewServeMux()
	mux.Handle("GET /assets/", http.StripPrefix("/assets/", files))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { // the first lesson greets newcomers
		playground(w, r, pages[all[0].ID])
	})
	mux.HandleFunc("GET /sandbox", func(w http.ResponseWriter, r *http.Request) { playground(w, r, pages[""]) })
	mux.HandleFunc("GET /learn/{lesson}", func(w http.ResponseWriter, r *http.Request) {
		p, ok := pages[r.PathValue("lesson")]
		if !ok {
			missing(w, r)
			return
		}
		playground(w, r, p)
	})
	mux.HandleFunc("/", missing)
	return secured(mux), nil
}

func playground(w http.ResponseWriter, r *http.Request, p page.Page) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	page.Playground(p).Render(r.Context(), w) // it fails only if the client is gone
}

func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

func rendered(l *lessons.Lesson) (*page.Lesson, error) {
	html, err := render.HTML(l.Text)
	if err != nil {
		return nil, err
	}
	out := &page.Lesson{
		ID: l.ID, Title: l.Title, Summary: l.Summary, HTML: html,
		Minutes: l.Minutes, Objectives: l.Objectives, Files: map[string]string{},
	}
	for _, file := range l.Files {
		out.Files[file.Name] = file.Content
	}
	for _, s := range l.Steps {
		step := page.Step{ID: s.ID, Title: s.Title, Solution: s.Solution}
		if step.HTML, err = render.HTML(s.Text); err != nil {
			return nil, err
		}
		for _, hint := range s.Hints {
			html, err := render.HTML(hint)
			if err != nil {
				return nil, err
			}
			step.Hints = append(step.Hints, html)
		}
		out.Steps = append(out.Steps, step)
	}
	return out, nil
}
