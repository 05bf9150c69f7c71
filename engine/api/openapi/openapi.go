// Package openapi holds the OpenAPI documents of the served API, by which
// clients explain, complete and validate: those that a real API server has for
// the same kinds. They are made from the Go types by
//
//	go generate ./engine/api/openapi
//
// and kept, compressed, in the folder documents.
//
// The documents themselves are not linked here: they come from a Source, which
// natively is engine/api/openapi/embedded and in a browser fetches them from
// the website when a client first asks.
package openapi

//go:generate go test -run TestDocumentsAreFresh . -update

import "context"

// Protobuf is the name of v2's document as protobuf, the only form in which
// kubectl reads it.
const Protobuf = "v2.pb"

// Merging is the table of what the Go types do not say of how lists and maps
// merge: one line for each type with such fields, the type's name in the
// documents and then one word for each field.
//
//	conditions[type    a list of items that are told apart by these fields
//	finalizers[        a list that is a set
//	nodeSelector!      a map or struct of one piece; "!" alone: the type itself
//	claimRef~          a struct by its fields, though its type is of one piece
//	protocol=TCP       the value of such a telling field where it is absent
//
// Every other list is of one piece; other maps and structs merge by fields.
//
// (declared in merging.go)

// The marks of Merging's words.
const (
	MergingKeys, MergingSet = "[", "["
	MergingAtomic           = "!"
	MergingGranular         = "~"
	MergingDefault          = "="
)

// Source returns a document by its path below /openapi: "v2" or one of Index's
// paths, e.g. "v3/apis/apps/v1". The text is JSON, but for Protobuf.
type Source func(ctx context.Context, path string) ([]byte, error)

// Entry is a document of OpenAPI v3.
type Entry struct {
	// Path below /openapi, e.g. "v3/apis/apps/v1".
	Path string
	// Hash changes with the content; clients cache by it.
	Hash string
}

// GroupVersion is the entry's key in the index that /openapi/v3 serves, e.g.
// "apis/apps/v1".
func (e Entry) GroupVersion() string { return e.Path[len("v3/"):] }

// URL is where the index says that the document is.
func (e Entry) URL() string { return "/openapi/" + e.Path + "?hash=" + e.Hash }

// File is the name of a document in the folder documents, before ".gz".
func File(path string) string {
	name := []byte(path)
	if path == Protobuf {
		return path
	}
	for i, c := range name {
		if c == '/' {
			name[i] = '_'
		}
	}
	return string(name) + ".json"
}
