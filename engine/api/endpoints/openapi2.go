package endpoints

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"

	"tidepool.dev/tidepool/engine/api/openapi"
)

// openAPI2 serves the one document of OpenAPI v2, as JSON or in the form in
// which kubectl reads it.
func (q *request) openAPI2() error {
	path, contentType := "v2", mediaJSON
	if strings.Contains(q.r.Header.Get("Accept"), protoOpenAPI) {
		path, contentType = openapi.Protobuf, protoOpenAPI+".v1.0+protobuf"
	}
	header := q.w.Header()
	tag := fmt.Sprintf("\"%s-%d\"", openapi.Hash2, q.groups.generation)
	header.Set("Etag", tag)
	header.Set("Vary", "Accept")
	for entry := range strings.SplitSeq(q.r.Header.Get("If-None-Match"), ",") {
		if strings.TrimPrefix(strings.TrimSpace(entry), "W/") == tag {
			q.w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	document, err := q.OpenAPI(q.ctx, path)
	if err != nil {
		return err
	}
	custom, err := q.Operations.Definitions().OpenAPI2()
	if err != nil {
		return err
	}
	if custom != nil {
		if document, err = q.withCustom(document, custom, path == openapi.Protobuf); err != nil {
			return err
		}
	}
	header.Set("Content-Type", contentType)
	q.answer(http.StatusOK, func(w io.Writer) error { _, err := w.Write(document); return err })
	return nil
}

// withCustom adds the schemas of custom resources to the document.
func (q *request) withCustom(document, custom []byte, asProtobuf bool) ([]byte, error) {
	if !asProtobuf {
		return joined(document, custom)
	}
	if q.EncodeOpenAPI == nil {
		return document, nil
	}
	// Protocol buffers that follow each other are one message, in which lists
	// are joined.
	encoded, err := q.EncodeOpenAPI(custom)
	if err != nil {
		return nil, err
	}
	return append(document[:len(document):len(document)], encoded...), nil
}

// joined is a document with another's schemas.
func joined(document, other []byte) ([]byte, error) {
	var whole map[string]json.RawMessage
	var schemas, more struct {
		Definitions map[string]json.RawMessage `json:"definitions"`
	}
	for _, part := range []struct {
		text []byte
		into any
	}{{document, &whole}, {document, &schemas}, {other, &more}} {
		if err := json.Unmarshal(part.text, part.into); err != nil {
			return nil, err
		}
	}
	maps.Copy(schemas.Definitions, more.Definitions)
	definitions, err := json.Marshal(schemas.Definitions)
	if err != nil {
		return nil, err
	}
	whole["definitions"] = definitions
	return json.Marshal(whole)
}
