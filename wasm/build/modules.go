package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// overlays is the folder that holds, under MODULE/PATH, files of ours that replace
// or extend those of a target's trimmed modules. Its name starts with an
// underscore so that the go command does not take them for packages of this
// module.
func overlays(target string) string { return path.Join("wasm", target, "_modules") }

// A trimmed module is compiled into WebAssembly without what a browser never
// needs. What reflection can reach is never removed by the linker, and
// text/template, which kubectl uses, reaches everything: so generated code for
// unused encodings and unserved API groups is left out at the source.
type trimmed struct {
	module string
	// drop lists files to leave out: patterns of path.Match, against the base
	// name or, with a slash, the path within the module.
	drop []string
	// filter lists files, as patterns like those of drop, from which everything
	// that uses an unwanted import is cut (see filter.go).
	filter []string
	// unregister lists files, as patterns like those of drop, that lose what adds
	// types to a scheme (see register.go).
	unregister []string
}

// generated is code that neither module needs.
var generated = []string{
	"generated.pb.go", "generated.protomessage.pb.go", // the wire format here is JSON
	"types_swagger_doc_generated.go",       // explain reads the server's OpenAPI
	"zz_generated.prerelease-lifecycle.go", // for API servers that retire versions
}

// trims are those of each WebAssembly module.
var trims = map[string][]trimmed{
	"engine": {
		{module: "k8s.io/api", drop: generated, unregister: []string{"register.go"}}, // engine/api/kinds is its scheme
		{
			module: "k8s.io/apiextensions-apiserver",
			// Definitions are kept in the form in which they are sent.
			drop:       append([]string{"conversion.go", "zz_generated.conversion.go"}, generated...),
			unregister: []string{"register.go"},
		},
		{
			module:     "k8s.io/kube-aggregator",
			drop:       append([]string{"zz_generated.conversion.go"}, generated...),
			unregister: []string{"register.go", "defaults.go"},
		},
		{
			module: "k8s.io/apimachinery",
			drop: []string{
				"generated.pb.go", "*_proto.go", "types_swagger_doc_generated.go", // as above
				// Only clients read watches from a stream. Through it the whole of
				// net/http's transport, and with it TLS, would be linked.
				"pkg/watch/streamwatcher.go",
			},
			unregister: []string{"pkg/apis/meta/v1/register.go", "pkg/apis/meta/v1/zz_generated.conversion.go"},
		},
		{module: "sigs.k8s.io/structured-merge-diff/v6"}, // for an overlay alone
	},
	"kubectl": {
		{module: "k8s.io/api", drop: generated},
		{
			module: "k8s.io/client-go",
			// A browser has no sockets: the overlay's executor has another way.
			drop:   []string{"kubernetes/fake/*", "kubernetes/typed/*/*/fake/*", "tools/remotecommand/websocket.go", "tools/remotecommand/spdy.go"},
			filter: []string{"kubernetes/clientset.go", "kubernetes/scheme/register.go", "kubernetes/typed/*/*/*.go"},
		},
		{
			module: "k8s.io/kubectl",
			drop:   []string{"pkg/util/umask_windows.go", "pkg/util/term/resizeevents_windows.go"},
			filter: []string{"pkg/scheme/install.go"},
		},
		{
			module: "github.com/moby/term",
			drop:   []string{"term_unix.go", "termios_unix.go", "termios_bsd.go", "termios_nonbsd.go", "term_windows.go", "termios_windows.go", "windows/*"},
		},
	},
}

// trimModules writes copies of what a target's trims name under
// dir/modules/target, and dir/target.mod and dir/target.sum, which are go.mod and
// go.sum with replacements by those copies. It returns the path of the former. It
// does nothing when the copies are up to date.
func trimModules(dir, target string) (modfile string, err error) {
	trims := trims[target]
	modfile = filepath.Join(dir, target+".mod")
	gomod, err := os.ReadFile("go.mod")
	if err != nil {
		return "", err
	}
	gosum, err := os.ReadFile("go.sum")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}

	sources := map[string]string{}
	var replacements bytes.Buffer
	for _, t := range trims {
		source, err := moduleDirectory(t.module)
		if err != nil {
			return "", err
		}
		sources[t.module] = source
		fmt.Fprintf(&replacements, "\nreplace %s => ./%s\n", t.module, path.Join(filepath.ToSlash(dir), "modules", target, t.module))
	}
	if err := writeIfChanged(modfile, append(gomod, replacements.Bytes()...)); err != nil {
		return "", err
	}
	if err := writeIfChanged(filepath.Join(dir, target+".sum"), gosum); err != nil {
		return "", err
	}

	stamp, err := trimStamp(target, sources)
	if err != nil {
		return "", err
	}
	copies := filepath.Join(dir, "modules", target)
	stampFile := filepath.Join(copies, "stamp")
	if present, err := os.ReadFile(stampFile); err == nil && string(present) == stamp {
		return modfile, nil
	}
	if err := os.RemoveAll(copies); err != nil {
		return "", err
	}
	for _, t := range trims {
		if err := t.copy(overlays(target), sources[t.module], filepath.Join(copies, filepath.FromSlash(t.module))); err != nil {
			return "", fmt.Errorf("%s: %w", t.module, err)
		}
	}
	return modfile, writeFile(stampFile, []byte(stamp))
}

// moduleDirectory finds a module in the module cache, where go.mod wants it.
func moduleDirectory(module string) (string, error) {
	output, err := goOutput("mod", "download", "-json", module)
	if err != nil {
		return "", err
	}
	var info struct{ Dir string }
	if err := json.Unmarshal([]byte(output), &info); err != nil {
		return "", err
	}
	return info.Dir, nil
}

// trimStamp identifies everything that the copies are made from: the versions,
// which the cache directories' names contain, this program and the overlays.
func trimStamp(target string, sources map[string]string) (string, error) {
	hash := sha256.New()
	for _, t := range trims[target] {
		fmt.Fprintln(hash, t.module, sources[t.module])
	}
	for _, root := range []string{"wasm/build", overlays(target)} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			fmt.Fprintf(hash, "%s %d\n%s", path, len(content), content)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%x\n", hash.Sum(nil)), nil
}

// copy writes the module's packages, without tests and what is to be dropped,
// and with the overlay's files.
func (t trimmed) copy(overlays, source, target string) error {
	err := filepath.WalkDir(source, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(source, file)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if entry.Name() == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		name := filepath.ToSlash(relative)
		if strings.HasSuffix(name, "_test.go") || matches(t.drop, name) {
			return nil
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if matches(t.filter, name) {
			if content, err = filterSource(name, content); err != nil {
				return err
			}
		}
		if matches(t.unregister, name) {
			if content, err = withoutRegistration(name, content); err != nil {
				return err
			}
		}
		return writeNew(filepath.Join(target, relative), content)
	})
	if err != nil {
		return err
	}
	overlay := filepath.Join(overlays, filepath.FromSlash(t.module))
	if _, err := os.Stat(overlay); os.IsNotExist(err) {
		return nil
	}
	return filepath.WalkDir(overlay, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		relative, err := filepath.Rel(overlay, file)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return writeNew(filepath.Join(target, relative), content)
	})
}

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		subject := name
		if !strings.Contains(pattern, "/") {
			subject = path.Base(name)
		}
		matched, err := path.Match(pattern, subject)
		if err != nil {
			panic(err) // the patterns are constants of this program
		}
		return matched
	})
}

func writeNew(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}
