package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// grownInSteps returns the file of package runtime that makes the heap ask for
// memory in steps of 16 MiB, not of an arena of 512 KiB.
//
// Every step costs the browser a new view of the whole memory, and its own
// garbage collector takes each for another reason to run.
func grownInSteps(upstream string) (map[string][]byte, error) {
	const file = "mem_wasm.go"
	source, err := os.ReadFile(filepath.Join(upstream, file))
	if err != nil {
		return nil, err
	}
	for _, change := range [][2]string{
		{"grow := (bl + n - blocMax) / physPageSize\n", "const step = 16 << 20\ngrow := (bl + n - blocMax + step - 1) / step * (step / physPageSize)\n"},
		{"blocMax = bl + n\n", "blocMax += grow * physPageSize\n"},
	} {
		if bytes.Count(source, []byte(change[0])) != 1 {
			return nil, fmt.Errorf("package runtime of this Go version in %s has no %q: adapt grownInSteps", upstream, change[0])
		}
		source = bytes.Replace(source, []byte(change[0]), []byte(change[1]), 1)
	}
	return map[string][]byte{file: source}, nil
}
