package main

import (
	"maps"
	"testing"
)

// module is WebAssembly of an imported function and two of its own, with names.
var module = append([]byte("\x00asm\x01\x00\x00\x00"),
	2, 7, 1, 1, 'a', 1, 'b', 0, 0, // imports a.b
	10, 8, 2, 2, 0, 11, 3, 0, 1, 11, // code of 2 and 3 bytes
	0, 18, 4, 'n', 'a', 'm', 'e', 1, 11, 2, 1, 3, 'x', '.', 'f', 2, 3, 'y', '.', 'g', // names of functions 1 and 2
)

func TestCodeByModule(t *testing.T) {
	got, err := codeByModule(module, map[string]string{"x": "example.com/x"})
	want := map[string]int{"example.com/x": 2, "the compiler (equality, wrappers)": 3}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if _, err := codeByModule(module[:20], nil); err == nil {
		t.Error("half a module was read")
	}
}

func TestModuleOf(t *testing.T) {
	packages := map[string]string{"k8s.io_api_core_v1": "k8s.io/api", "strings": "the standard library"}
	for name, want := range map[string]string{
		"k8s.io_api_core_v1.__Pod_.DeepCopyInto": "k8s.io/api",
		"strings.Cut":                            "the standard library",
		"type_.eq.struct":                        "the compiler (equality, wrappers)",
	} {
		if got := moduleOf(name, packages); got != want {
			t.Errorf("%s is of %s, want %s", name, got, want)
		}
	}
}
