// Package render makes HTML of the Markdown of lessons, for pages. It is apart
// from package lessons to keep the engine's WebAssembly small.
package render

import (
	"bytes"
	"fmt"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

// markdown has no raw HTML: what a lesson says can't become script.
var markdown = goldmark.New(goldmark.WithExtensions(extension.GFM))

// HTML renders a lesson's text.
func HTML(text string) (string, error) {
	var out bytes.Buffer
	if err := markdown.Convert([]byte(text), &out); err != nil {
		return "", fmt.Errorf("rendering Markdown: %w", err)
	}
	return out.String(), nil
}
