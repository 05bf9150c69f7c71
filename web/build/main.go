// Command build bundles the page into web/dist: scripts and styles by esbuild,
// WebAssembly and OpenAPI documents as they were built, everything compressed
// and named after its content. Run it from the repository's root.
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/evanw/esbuild/pkg/api"

	"tidepool.dev/tidepool/engine/api/openapi/documents"
)

const (
	dist    = "web/dist"
	wasmDir = "build/wasm"
)

// manifest maps logical names to files, "name size" to the bytes of a file
// before compression, and "name imports" to the files that a script imports.
type manifest map[string]string

func main() {
	log.SetFlags(0)
	if err := build(); err != nil {
		log.Fatal("web/build: ", err)
	}
}

func build() error {
	if err := empty(dist); err != nil {
		return err
	}
	m := manifest{}
	for _, step := range []func(manifest) error{bundle, webAssembly, openAPI} {
		if err := step(m); err != nil {
			return err
		}
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dist, "manifest.json"), append(data, '\n'), 0o644)
}

// empty removes what an earlier build left.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Name() != ".gitkeep" {
			if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// bundle builds scripts and styles. Workers are bundles of their own; the page's
// script is split, so that terminal and editor load after the map.
func bundle(m manifest) error {
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{
			"web/app/boot.ts", "web/app/main.ts", "web/app/engine-worker.ts", "web/app/kubectl-worker.ts", "web/styles/app.css", "web/styles/icon.svg",
		},
		Outdir: dist, Outbase: "web",
		EntryNames: "[name]-[hash]", ChunkNames: "[name]-[hash]", AssetNames: "[name]-[hash]",
		Bundle: true, Splitting: true, Format: api.FormatESModule, Target: api.ES2022,
		MinifySyntax: true, MinifyWhitespace: true, MinifyIdentifiers: true,
		Sourcemap: api.SourceMapLinked,
		Loader:    map[string]api.Loader{".svg": api.LoaderCopy},
		Metafile:  true,
		LogLevel:  api.LogLevelWarning,
	})
	if len(result.Errors) > 0 {
		return fmt.Errorf("%d errors in the bundle", len(result.Errors))
	}
	var meta struct {
		Outputs map[string]struct {
			EntryPoint string `json:"entryPoint"`
			Imports    []struct{ Path, Kind string }
		} `json:"outputs"`
	}
	if err := json.Unmarshal([]byte(result.Metafile), &meta); err != nil {
		return err
	}
	for output, about := range meta.Outputs {
		if about.EntryPoint == "" {
			continue
		}
		name := strings.TrimSuffix(path.Base(about.EntryPoint), path.Ext(about.EntryPoint)) + path.Ext(output)
		m[name] = path.Base(output)
		var imports []string
		for _, i := range about.Imports {
			if i.Kind == "import-statement" {
				imports = append(imports, path.Base(i.Path))
			}
		}
		if len(imports) > 0 {
			m[name+" imports"] = strings.Join(imports, " ")
		}
	}
	for _, file := range result.OutputFiles {
		if err := store(filepath.Base(file.Path), file.Contents); err != nil {
			return err
		}
	}
	return nil
}

// webAssembly takes over what wasm/build made, compressed as it is.
func webAssembly(m manifest) error {
	for _, name := range []string{"engine.wasm", "kubectl.wasm"} {
		compressed, err := os.ReadFile(filepath.Join(wasmDir, name+".br"))
		if err != nil {
			return fmt.Errorf("%w (run make wasm first)", err)
		}
		zipped, err := os.ReadFile(filepath.Join(wasmDir, name+".gz"))
		if err != nil {
			return err
		}
		m[name] = hashed(name, compressed)
		if err := os.WriteFile(filepath.Join(dist, m[name]+".br"), compressed, 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dist, m[name]+".gz"), zipped, 0o644); err != nil {
			return err
		}
	}
	runtime, err := os.ReadFile(filepath.Join(wasmDir, "wasm_exec.js"))
	if err != nil {
		return err
	}
	raw, err := os.Stat(filepath.Join(wasmDir, "kubectl.wasm"))
	if err != nil {
		return err
	}
	m["kubectl.wasm size"] = strconv.FormatInt(raw.Size(), 10) // for its progress bar: what travels is compressed
	m["wasm_exec.js"] = hashed("wasm_exec.js", runtime)
	return store(m["wasm_exec.js"], runtime)
}

// openAPI puts the documents into a folder named after what they hold, together.
func openAPI(m manifest) error {
	names, err := fs.Glob(documents.Files, "*.json.gz")
	if err != nil {
		return err
	}
	all := sha256.New()
	texts := map[string][]byte{}
	for _, name := range names {
		data, err := fs.ReadFile(documents.Files, name)
		if err != nil {
			return err
		}
		unzipped, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return err
		}
		text, err := io.ReadAll(unzipped)
		if err != nil {
			return err
		}
		all.Write(text)
		texts[strings.TrimSuffix(name, ".gz")] = text
	}
	folder := "openapi-" + hex.EncodeToString(all.Sum(nil))[:8]
	m["openapi"] = folder + "/"
	if err := os.Mkdir(filepath.Join(dist, folder), 0o755); err != nil {
		return err
	}
	for name, text := range texts {
		if err := store(path.Join(folder, name), text); err != nil {
			return err
		}
	}
	return nil
}

func hashed(name string, content []byte) string {
	sum := sha256.Sum256(content)
	extension := path.Ext(name)
	return strings.TrimSuffix(name, extension) + "-" + strings.ToUpper(hex.EncodeToString(sum[:4])) + extension
}

// store writes a file compressed.
func store(name string, content []byte) error {
	var compressed bytes.Buffer
	w := brotli.NewWriterLevel(&compressed, 9)
	if _, err := w.Write(content); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dist, name+".br"), compressed.Bytes(), 0o644)
}
