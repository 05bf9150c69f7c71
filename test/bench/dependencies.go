package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// shown is how many dependencies, the largest, are told of.
const shown = 12

// measureDependencies tells how much code the engine's WebAssembly has of each
// module, by the names of its functions. Types, tables and literals, which lie in
// the data section, bear no names and are not counted.
func measureDependencies(ctx context.Context) ([]record, error) {
	dir, err := os.MkdirTemp("", "bench-wasm")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	build := exec.CommandContext(ctx, "go", "run", "./wasm/build", "-named", "-out", dir, "engine")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("building the engine with names: %w", err)
	}
	wasm, err := os.ReadFile(filepath.Join(dir, "engine.wasm"))
	if err != nil {
		return nil, err
	}
	packages, err := modulesOfPackages(ctx)
	if err != nil {
		return nil, err
	}
	code, err := codeByModule(wasm, packages)
	if err != nil {
		return nil, err
	}
	modules := slices.SortedFunc(maps.Keys(code), func(a, b string) int { return cmp.Compare(code[b], code[a]) })
	var records []record
	for _, module := range modules[:min(shown, len(modules))] {
		records = append(records, record{
			Name: "engine wasm code of " + module, Value: float64(code[module]) / 1e6, Unit: "MB",
			Conditions: "functions only, uncompressed, as the release is compiled",
		})
	}
	print(os.Stderr, records)
	return records, nil
}

// unnamed are the characters that the linker replaces by _ in names.
var unnamed = regexp.MustCompile(`[^\w.]`)

// modulesOfPackages maps packages, as names of functions spell them, to modules.
func modulesOfPackages(ctx context.Context) (map[string]string, error) {
	list := exec.CommandContext(ctx, "go", "list", "-deps", "-modfile=build/engine.mod", "-f", "{{.ImportPath}} {{with .Module}}{{.Path}}{{end}}", "./wasm/engine")
	list.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the engine's packages: %w", err)
	}
	modules := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, module, _ := strings.Cut(strings.TrimSpace(line), " ")
		modules[unnamed.ReplaceAllString(path, "_")] = cmp.Or(module, "the standard library")
	}
	return modules, nil
}

// codeByModule adds up the sizes of functions.
func codeByModule(wasm []byte, packages map[string]string) (map[string]int, error) {
	sizes, names, err := functions(wasm)
	if err != nil {
		return nil, err
	}
	code := map[string]int{}
	for function, size := range sizes {
		code[moduleOf(names[function], packages)] += size
	}
	return code, nil
}

// moduleOf finds the package whose path a function's name begins with.
func moduleOf(name string, packages map[string]string) string {
	for end := len(name); end > 0; end = strings.LastIndexByte(name[:end], '.') {
		if module, ok := packages[name[:end]]; ok {
			return module
		}
	}
	return "the compiler (equality, wrappers)"
}

// functions reads the sizes and names of a module's functions
// (https://webassembly.github.io/spec/core/binary/modules.html).
func functions(wasm []byte) (sizes map[uint64]int, names map[uint64]string, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("the WebAssembly is malformed: %v", reason)
		}
	}()
	r := &sections{wasm[8:]}
	sizes, names = map[uint64]int{}, map[uint64]string{}
	imported := uint64(0)
	for len(r.left) > 0 {
		kind := r.take(1)[0]
		section := &sections{r.take(int(r.number()))}
		switch kind {
		case 2: // imports; all that Go has are functions
			imported = section.number()
		case 10: // code
			for i := range section.number() {
				size := int(section.number())
				section.take(size)
				sizes[imported+i] = size
			}
		case 0: // custom
			if !bytes.Equal(section.text(), []byte("name")) {
				continue
			}
			for len(section.left) > 0 {
				kind := section.take(1)[0]
				part := &sections{section.take(int(section.number()))}
				if kind != 1 { // functions
					continue
				}
				for range part.number() {
					index := part.number()
					names[index] = string(part.text())
				}
			}
		}
	}
	if len(names) == 0 {
		return nil, nil, errors.New("the WebAssembly names no functions")
	}
	return sizes, names, nil
}

// sections reads what WebAssembly is made of; it panics where there is too
// little left.
type sections struct{ left []byte }

func (s *sections) take(count int) []byte {
	taken := s.left[:count]
	s.left = s.left[count:]
	return taken
}

func (s *sections) number() uint64 {
	value, length := binary.Uvarint(s.left)
	s.take(length)
	return value
}

func (s *sections) text() []byte { return s.take(int(s.number())) }
