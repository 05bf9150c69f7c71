package determinism

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func run(t *testing.T, seed uint64) []byte {
	t.Helper()
	log, err := Log(seed)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(log, []byte("\n")) < 500 {
		t.Fatalf("the run has only %d events", bytes.Count(log, []byte("\n")))
	}
	return log
}

// firstDifference shows where two logs part.
func firstDifference(a, b []byte) string {
	left, right := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range min(len(left), len(right)) {
		if left[i] != right[i] {
			return "\n" + left[i] + "\n" + right[i]
		}
	}
	return "\none is longer"
}

// seedsVariable asks for more seeds than usual.
const seedsVariable = "TIDEPOOL_SEEDS"

func TestSameSeedSameBytes(t *testing.T) {
	seeds := uint64(2)
	if text := os.Getenv(seedsVariable); text != "" {
		var err error
		if seeds, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("%s: %v", seedsVariable, err)
		}
	}
	seen := map[string]uint64{}
	for seed := range seeds {
		first, again := run(t, seed), run(t, seed)
		if !bytes.Equal(first, again) {
			t.Fatalf("two runs of seed %d differ: %s", seed, firstDifference(first, again))
		}
		if other, ok := seen[string(first)]; ok {
			t.Errorf("seeds %d and %d give the same run", other, seed)
		}
		seen[string(first)] = seed
	}
}

// logVariable makes the test, run in WebAssembly, write its log to a file.
const logVariable = "TIDEPOOL_DETERMINISM_LOG"

// TestSameBytesInWebAssembly runs this very test in Node and compares the logs.
func TestSameBytesInWebAssembly(t *testing.T) {
	log := run(t, 1)
	if path := os.Getenv(logVariable); path != "" { // this is the run in Node
		if err := os.WriteFile(path, log, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	dir := t.TempDir()
	binary, path := filepath.Join(dir, "determinism.wasm"), filepath.Join(dir, "log")
	build := exec.Command("go", "test", "-c", "-o", binary, ".")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	node := exec.Command(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "go_js_wasm_exec"), binary, "-test.run=^TestSameBytesInWebAssembly$")
	node.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, logVariable + "=" + path}
	if out, err := node.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	other, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(log, other) {
		t.Fatal("native and WebAssembly runs differ:", firstDifference(log, other))
	}
	digest := sha256.Sum256(log)
	t.Logf("%d bytes, SHA-256 %s", len(log), hex.EncodeToString(digest[:]))
}
