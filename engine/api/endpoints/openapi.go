package endpoints

import (
	"net/http"
	"net/url"
	"strings"

	"tidepool.dev/tidepool/engine/api/openapi"
)

// openAPI serves the documents by which clients explain and validate.
func (q *request) openAPI(path string) error {
	if q.OpenAPI == nil {
		return notFound()
	}
	if path == "v3" {
		return q.openAPIIndex()
	}
	if path != "v2" {
		entry, ok := openAPIEntry(path)
		if !ok {
			return notFound()
		}
		if done := q.checkHash(entry); done {
			return nil
		}
	}
	contentType := mediaJSON
	if accept := q.r.Header.Get("Accept"); path == "v2" && strings.Contains(accept, protoOpenAPI) {
		path, contentType = openapi.Protobuf, protoOpenAPI+".v1.0+protobuf"
	}
	document, err := q.OpenAPI(q.ctx, path)
	if err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", contentType)
	_, _ = q.w.Write(document) // a client that is gone needs no answer
	return nil
}

// protoOpenAPI begins the media type of v2 documents as protobuf, which clients
// write in two ways.
const protoOpenAPI = "application/com.github.proto-openapi.spec.v2"

func openAPIEntry(path string) (openapi.Entry, bool) {
	for _, entry := range openapi.Index {
		if entry.Path == path {
			return entry, true
		}
	}
	return openapi.Entry{}, false
}

// checkHash lets clients keep a document for good that they ask for by its
// hash, and leads those with an old one to the present; it reports whether the
// answer is given.
func (q *request) checkHash(entry openapi.Entry) bool {
	hash := q.r.URL.Query().Get("hash")
	switch hash {
	case "":
		return false
	case entry.Hash:
		q.w.Header().Set("Cache-Control", "public, immutable")
		q.w.Header().Set("Vary", "Accept")
		q.w.Header().Set("ETag", `"`+entry.Hash+`"`)
		return false
	}
	q.w.Header().Set("Location", entry.URL())
	q.w.WriteHeader(http.StatusMovedPermanently)
	return true
}

func (q *request) openAPIIndex() error {
	type reference struct {
		URL string `json:"serverRelativeURL"`
	}
	paths := map[string]reference{}
	for _, entry := range openapi.Index {
		location, err := url.Parse(entry.URL())
		if err != nil {
			return err
		}
		paths[entry.GroupVersion()] = reference{location.String()}
	}
	return q.object(struct {
		Paths map[string]reference `json:"paths"`
	}{paths})
}
