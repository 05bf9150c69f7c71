// Package embedded has the OpenAPI documents in the binary. Programs for the
// browser leave it out and fetch the documents instead.
package embedded

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"

	"tidepool.dev/tidepool/engine/api/openapi"
	"tidepool.dev/tidepool/engine/api/openapi/documents"
)

// Source is an openapi.Source.
func Source(_ context.Context, path string) ([]byte, error) {
	file, err := documents.Files.Open(openapi.File(path) + ".gz")
	if err != nil {
		return nil, fmt.Errorf("no OpenAPI document %s: %w", path, err)
	}
	defer func() { _ = file.Close() }()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("OpenAPI document %s: %w", path, err)
	}
	return io.ReadAll(unzipped)
}
