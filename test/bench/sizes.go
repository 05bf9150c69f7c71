package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// measureSizes reads what wasm/build has measured.
func measureSizes() ([]record, error) {
	data, err := os.ReadFile("build/wasm/sizes.json")
	if err != nil {
		return nil, fmt.Errorf("%w (run make build RELEASE=1)", err)
	}
	var sizes map[string]struct {
		Raw, Gzip, Brotli float64
		Fast              bool
	}
	if err := json.Unmarshal(data, &sizes); err != nil {
		return nil, err
	}
	var records []record
	for _, module := range []struct {
		name   string
		budget float64 // MB of brotli
	}{{"engine", 4}, {"kubectl", 9}} {
		size := sizes[module.name]
		if size.Fast {
			return nil, fmt.Errorf("%s.wasm is not compressed as for a release (run make build RELEASE=1)", module.name)
		}
		conditions := "-s -w -trimpath, trimmed modules"
		records = append(records,
			record{Name: module.name + " wasm, raw", Value: size.Raw / 1e6, Unit: "MB", Conditions: conditions},
			record{Name: module.name + " wasm, gzip", Value: size.Gzip / 1e6, Unit: "MB", Conditions: conditions + ", level 9"},
			record{Name: module.name + " wasm, brotli", Value: size.Brotli / 1e6, Unit: "MB", Budget: under(module.budget), Conditions: conditions + ", level 11"},
		)
	}
	return records, nil
}
