// Package documents embeds the generated OpenAPI documents as files, for a
// program to serve or read. Do not edit the files: see engine/api/openapi.
package documents

import "embed"

// Files are the documents by the names of openapi.File with ".gz".
//
//go:embed *.gz
var Files embed.FS
