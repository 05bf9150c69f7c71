package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
)

// size is what one module weighs, in bytes.
type size struct {
	Raw    int    `json:"raw"`
	Gzip   int    `json:"gzip"`
	Brotli int    `json:"brotli"`
	SHA256 string `json:"sha256"`
	// Fast says that a compressed size is that of a development build.
	Fast bool `json:"fast,omitempty"`
}

func (s *size) set(extension string, bytes int) {
	switch extension {
	case "gz":
		s.Gzip = bytes
	case "br":
		s.Brotli = bytes
	}
}

// readSizes returns the sizes of the modules built earlier, so that building one
// module keeps the record of the other.
func readSizes(out string) (map[string]size, error) {
	sizes := map[string]size{}
	content, err := os.ReadFile(filepath.Join(out, "sizes.json"))
	if os.IsNotExist(err) {
		return sizes, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(content, &sizes); err != nil {
		return nil, fmt.Errorf("sizes.json: %w", err)
	}
	return sizes, nil
}

func writeSizes(out string, sizes map[string]size) error {
	content, err := json.MarshalIndent(sizes, "", "  ")
	if err != nil {
		return err
	}
	return writeIfChanged(filepath.Join(out, "sizes.json"), append(content, '\n'))
}

func printSizes(w io.Writer, sizes map[string]size) {
	const megabyte = 1e6
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "module\traw MB\tgzip MB\tbrotli MB\t")
	for _, name := range names {
		s, built := sizes[name]
		if !built {
			continue
		}
		note := ""
		if s.Fast {
			note = "(fast)"
		}
		fmt.Fprintf(table, "%s\t%.2f\t%.2f\t%.2f\t%s\n", name, float64(s.Raw)/megabyte, float64(s.Gzip)/megabyte, float64(s.Brotli)/megabyte, note)
	}
	table.Flush()
}
