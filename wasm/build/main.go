// Command build compiles Tidepool's WebAssembly modules.
//
//	go run ./wasm/build [-fast] [-modules] [-out DIR] [engine] [kubectl]
//
// Each module NAME is the js/wasm main package wasm/NAME. It is compiled
// against trimmed copies of some dependencies (see modules.go and template.go), compressed with
// gzip and brotli, and measured. The output directory then holds NAME.wasm,
// NAME.wasm.gz, NAME.wasm.br, the toolchain's wasm_exec.js and sizes.json.
//
// Everything it writes is derived from the sources and the module cache; it
// needs no network once the modules are downloaded.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// names are the modules that exist, in the order in which they are built.
var names = []string{"engine", "kubectl"}

func main() {
	flags := flag.NewFlagSet("wasm/build", flag.ExitOnError)
	fast := flags.Bool("fast", false, "compress quickly, for development; sizes are then larger than those of a release")
	modules := flags.Bool("modules", false, "only write build/NAME.mod and the trimmed modules, for go vet -modfile=build/NAME.mod")
	named := flags.Bool("named", false, "keep the functions' names, to see what takes the room, and compress nothing; for another directory than the default")
	out := flags.String("out", filepath.Join("build", "wasm"), "output `directory`")
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "Usage: go run ./wasm/build [flags] [%s]...\n\nBuilds all modules unless some are named.\n\n", strings.Join(names, "|"))
		flags.PrintDefaults()
	}
	_ = flags.Parse(os.Args[1:]) // ExitOnError
	targets := flags.Args()
	if len(targets) == 0 {
		targets = names
	}
	if err := run(targets, *out, *fast, *modules, *named); err != nil {
		fmt.Fprintln(os.Stderr, "wasm/build:", err)
		os.Exit(1)
	}
}

// separate makes a directory a module of its own, so that ./... passes it over.
func separate(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module build\n"), 0o644)
}

func run(targets []string, out string, fast, onlyModules, named bool) error {
	root, err := goOutput("list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return err
	}
	if err := os.Chdir(root); err != nil {
		return err
	}
	if err := separate("build"); err != nil {
		return err
	}
	modfiles := map[string]string{}
	for _, name := range targets {
		if modfiles[name], err = trimModules("build", name); err != nil {
			return fmt.Errorf("trimming modules: %w", err)
		}
	}
	if onlyModules {
		return nil
	}
	overlay, err := overlayLibrary("build")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	if err := copyWasmExec(out); err != nil {
		return err
	}
	sizes, err := readSizes(out)
	if err != nil {
		return err
	}
	for _, name := range targets {
		if err := compile(name, modfiles[name], overlay, out, named); err != nil {
			return err
		}
		if named {
			continue
		}
		size, err := compress(filepath.Join(out, name+".wasm"), filepath.Join("build", "cache"), fast)
		if err != nil {
			return err
		}
		sizes[name] = size
	}
	if named {
		return nil
	}
	if err := writeSizes(out, sizes); err != nil {
		return err
	}
	printSizes(os.Stdout, sizes)
	return nil
}

// compile builds the js/wasm main package wasm/name into out/name.wasm.
func compile(name, modfile, overlay, out string, named bool) error {
	start := time.Now()
	target := filepath.Join(out, name+".wasm")
	version, err := kubernetesVersion()
	if err != nil {
		return err
	}
	strip := "-s -w"
	if named {
		strip = "-w"
	}
	arguments := []string{"build", "-modfile=" + modfile, "-mod=readonly", "-overlay=" + overlay, "-trimpath",
		"-ldflags=" + strip + " -X k8s.io/component-base/version.gitVersion=" + version}
	arguments = append(arguments, compilerFlags[name]...)
	command := exec.Command("go", append(arguments, "-o", target, "./wasm/"+name)...)
	command.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS=", "GOWORK=off")
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("building %s: %w", name, err)
	}
	fmt.Fprintf(os.Stderr, "built %s in %.1fs\n", target, time.Since(start).Seconds())
	return nil
}

// kubernetesVersion is the Kubernetes release that the k8s.io modules belong to,
// which kubectl reports as its own: v0.37.2 is the library version of v1.37.2.
func kubernetesVersion() (string, error) {
	version, err := goOutput("list", "-m", "-f", "{{.Version}}", "k8s.io/kubectl")
	if err != nil {
		return "", err
	}
	return strings.Replace(version, "v0.", "v1.", 1), nil
}

// copyWasmExec puts the toolchain's JavaScript support beside the modules:
// it must come from the same Go version as they do.
func copyWasmExec(out string) error {
	goroot, err := goOutput("env", "GOROOT")
	if err != nil {
		return err
	}
	source, err := os.ReadFile(filepath.Join(goroot, "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return err
	}
	return writeIfChanged(filepath.Join(out, "wasm_exec.js"), source)
}

// goOutput runs the go command and returns what it prints, without the newline.
func goOutput(args ...string) (string, error) {
	command := exec.Command("go", args...)
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(output)), nil
}
