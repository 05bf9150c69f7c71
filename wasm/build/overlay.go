package main

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// overlayLibrary writes changed copies of files of Go's standard library under
// dir, and an overlay (see go help build) that puts them in their places. It
// returns the overlay's path.
func overlayLibrary(dir string) (string, error) {
	goroot, err := goOutput("env", "GOROOT")
	if err != nil {
		return "", err
	}
	if dir, err = filepath.Abs(filepath.Join(dir, "library")); err != nil {
		return "", err
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for name, change := range map[string]func(upstream string) (map[string][]byte, error){
		"text/template": namedMethods,
		"regexp":        compiledLate,
		"runtime":       grownInSteps,
	} {
		upstream := filepath.Join(goroot, "src", filepath.FromSlash(name))
		files, err := change(upstream)
		if err != nil {
			return "", err
		}
		ours := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(ours, 0o755); err != nil {
			return "", err
		}
		for file, content := range files {
			overlay.Replace[filepath.Join(upstream, file)] = filepath.Join(ours, file)
			if err := writeIfChanged(filepath.Join(ours, file), content); err != nil {
				return "", err
			}
		}
	}
	encoded, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, writeIfChanged(path, encoded)
}
