// Package architecture keeps the promises that the compiler can't: which way
// packages point, and that nothing in engine/ reads the wall clock, draws from
// a global random source or starts a goroutine.
package architecture

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "tidepool.dev/tidepool"

type pkg struct {
	ImportPath, Dir string
	Imports         []string
	GoFiles         []string
	rel             string
}

// packages lists the module's packages with their imports as they are built for
// a target; rel is the path below the module.
func packages(t *testing.T, goos, goarch string) (list []pkg) {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,Imports,GoFiles", "./...")
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(cmd.Environ(), "GOOS="+goos, "GOARCH="+goarch)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		p.rel = strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		list = append(list, p)
	}
}

func below(rel, dir string) bool { return rel == dir || strings.HasPrefix(rel, dir+"/") }

// mayImport says which of the module's folders a folder's packages may use.
var mayImport = map[string][]string{
	"engine":  {"engine"},
	"lessons": {"engine", "lessons"},
	"web":     {"engine", "lessons", "web"},
	"server":  {"engine", "lessons", "web", "server"},
}

// notInEngine are imports that would tie the engine to an operating system or
// make it large; engine/store/etcd alone may have them.
var notInEngine = []string{
	"os", "os/exec", "os/signal", "net", "syscall", "syscall/js", "text/template", "html/template",
	"k8s.io/client-go", "k8s.io/kubectl", "k8s.io/kubernetes", "k8s.io/klog/v2",
	"github.com/containerd", "github.com/gorilla/websocket",
}

func TestDependenciesPointOneWay(t *testing.T) {
	for _, target := range [][2]string{{"linux", "amd64"}, {"js", "wasm"}} {
		for _, p := range packages(t, target[0], target[1]) {
			top, _, _ := strings.Cut(p.rel, "/")
			for _, imported := range p.Imports {
				if rel, ours := strings.CutPrefix(imported, module+"/"); ours {
					folder, _, _ := strings.Cut(rel, "/")
					if allowed, ruled := mayImport[top]; ruled && !slices.Contains(allowed, folder) {
						t.Errorf("%s imports %s: %s/ may import only %s", p.rel, rel, top, strings.Join(allowed, ", "))
					}
				}
				if below(p.rel, "engine") && !below(p.rel, "engine/store/etcd") {
					for _, forbidden := range notInEngine {
						if exactOrBelow(imported, forbidden) {
							t.Errorf("%s imports %s, which nothing in engine/ may", p.rel, imported)
						}
					}
				}
			}
		}
	}
}

// exactOrBelow matches a standard package exactly and a module with all its
// packages.
func exactOrBelow(imported, forbidden string) bool {
	return imported == forbidden || strings.Contains(forbidden, ".") && strings.HasPrefix(imported, forbidden+"/")
}

// notCalledInEngine are functions that make a run depend on more than its
// inputs.
var notCalledInEngine = map[string][]string{
	"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"},
	"math/rand/v2": {"Int", "IntN", "Int32", "Int32N", "Int64", "Int64N", "Uint", "Uint32", "Uint64", "UintN",
		"Uint32N", "Uint64N", "N", "Float32", "Float64", "NormFloat64", "ExpFloat64", "Perm", "Shuffle"},
}

// neverInEngine are packages whose every use is one too many.
var neverInEngine = []string{"math/rand", "crypto/rand", "k8s.io/apimachinery/pkg/util/rand", "k8s.io/apimachinery/pkg/util/uuid"}

func TestEngineIsDeterministic(t *testing.T) {
	for _, p := range packages(t, "js", "wasm") {
		if !below(p.rel, "engine") || below(p.rel, "engine/executor/concurrent") || below(p.rel, "engine/store/etcd") ||
			strings.HasSuffix(p.rel, "test") { // suites for tests may wait for a store or an executor
			continue
		}
		for _, name := range p.GoFiles {
			checkFile(t, p, name)
		}
	}
}

func checkFile(t *testing.T, p pkg, name string) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	at := func(n ast.Node) string {
		return path.Join(p.rel, name) + ":" + strconv.Itoa(files.Position(n.Pos()).Line)
	}
	local := map[string]string{} // a package's name in this file → its path
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(imported)
		if name == "v2" {
			name = path.Base(path.Dir(imported))
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		local[name] = imported
		if slices.Contains(neverInEngine, imported) {
			t.Errorf("%s: imports %s: a seeded source is passed in", at(spec), imported)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			t.Errorf("%s: starts a goroutine, which only engine/executor/concurrent may", at(n))
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if ok && x.Obj == nil && slices.Contains(notCalledInEngine[local[x.Name]], n.Sel.Name) {
				t.Errorf("%s: uses %s.%s: a clock and a seeded source are passed in", at(n), x.Name, n.Sel.Name)
			}
		}
		return true
	})
}
