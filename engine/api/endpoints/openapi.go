package endpoints

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

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
	if path == "v2" {
		return q.openAPI2()
	}
	entry, ok := openAPIEntry(path)
	if !ok || !q.served(entry) {
		return q.customOpenAPI(path)
	}
	if done := q.checkHash(entry); done {
		return nil
	}
	document, err := q.OpenAPI(q.ctx, path)
	if err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", mediaJSON)
	q.answer(http.StatusOK, func(w io.Writer) error { _, err := w.Write(document); return err })
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

// served says whether the group version that a document describes is there.
func (q *request) served(entry openapi.Entry) bool {
	group, version, _ := strings.Cut(strings.TrimPrefix(entry.GroupVersion(), "apis/"), "/")
	if group == "api" {
		group = ""
	}
	return len(q.groups.resources[schema.GroupVersion{Group: group, Version: version}]) > 0
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

// metadataDocument is a small one of those that describe metadata.
const metadataDocument = "v3/apis/coordination.k8s.io/v1"

// customEntry is the document of a group version of custom resources.
func (q *request) customEntry(gv string) openapi.Entry {
	return openapi.Entry{Path: "v3/apis/" + gv, Hash: strconv.FormatInt(q.groups.generation, 10)}
}

// customOpenAPI serves it.
func (q *request) customOpenAPI(path string) error {
	definitions := q.Operations.Definitions()
	for _, gv := range definitions.GroupVersions() {
		entry := q.customEntry(gv.String())
		if entry.Path != path {
			continue
		}
		builtin, err := q.OpenAPI(q.ctx, metadataDocument)
		if err != nil {
			return err
		}
		document, err := definitions.OpenAPI(gv, builtin)
		if err != nil {
			return err
		}
		q.w.Header().Set("Content-Type", mediaJSON)
		_, _ = q.w.Write(document) // a client that is gone needs no answer
		return nil
	}
	return notFound()
}

func (q *request) openAPIIndex() error {
	type reference struct {
		URL string `json:"serverRelativeURL"`
	}
	paths := map[string]reference{}
	for _, entry := range openapi.Index {
		if !q.served(entry) {
			continue
		}
		location, err := url.Parse(entry.URL())
		if err != nil {
			return err
		}
		paths[entry.GroupVersion()] = reference{location.String()}
	}
	for _, gv := range q.Operations.Definitions().GroupVersions() {
		paths["apis/"+gv.String()] = reference{q.customEntry(gv.String()).URL()}
	}
	return q.object(struct {
		Paths map[string]reference `json:"paths"`
	}{paths})
}
