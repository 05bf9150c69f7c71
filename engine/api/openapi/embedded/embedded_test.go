package embedded

import (
	"encoding/json"
	"testing"

	"tidepool.dev/tidepool/engine/api/openapi"
)

func TestSourceHasEveryDocument(t *testing.T) {
	paths := []string{"v2"}
	for _, entry := range openapi.Index {
		paths = append(paths, entry.Path)
	}
	for _, path := range paths {
		text, err := Source(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(text) {
			t.Errorf("%s is not JSON", path)
		}
	}
	if _, err := Source(t.Context(), "v3/apis/unknown/v1"); err == nil {
		t.Error("an unknown document was found")
	}
}
