package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// templateMethods are the methods that the templates in cobra and kubectl, which
// print help, call. What people pass to -o go-template is evaluated over maps.
var templateMethods = []string{
	"AllChildCommandsHaveGroup", "CommandPath", "CommandPathPadding", "Commands", "DisplayName",
	"FlagUsages", "Groups", "HasAvailableInheritedFlags", "HasAvailableLocalFlags",
	"HasAvailableSubCommands", "HasExample", "HasFlags", "HasHelpSubCommands", "HasInheritedFlags",
	"HasSubCommands", "InheritedFlags", "IsAdditionalHelpTopicCommand", "IsAvailableCommand",
	"LocalFlags", "Name", "NameAndAliases", "NamePadding", "PersistentFlags", "Runnable",
	"UsageString", "UseLine",
}

// overlayTemplate writes an overlay (see go help build) of text/template that
// looks methods up among templateMethods, and returns its path.
//
// Upstream's looks them up by any name. Because of that one call the linker keeps
// every exported method of every type, which makes kubectl a third larger; it
// follows lookups by constant names.
func overlayTemplate(dir string) (string, error) {
	goroot, err := goOutput("env", "GOROOT")
	if err != nil {
		return "", err
	}
	upstream := filepath.Join(goroot, "src", "text", "template")
	exec, err := os.ReadFile(filepath.Join(upstream, "exec.go"))
	if err != nil {
		return "", err
	}
	lookup := []byte("ptr.MethodByName(fieldName)")
	if bytes.Count(exec, lookup) != 1 {
		return "", fmt.Errorf("text/template of this Go version does not look methods up by %s: adapt overlayTemplate", lookup)
	}
	if dir, err = filepath.Abs(filepath.Join(dir, "template")); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for name, content := range map[string][]byte{
		"exec.go":    bytes.Replace(exec, lookup, []byte("methodByName(ptr, fieldName)"), 1),
		"methods.go": methodLookup(),
	} {
		overlay.Replace[filepath.Join(upstream, name)] = filepath.Join(dir, name)
		if err := writeIfChanged(filepath.Join(dir, name), content); err != nil {
			return "", err
		}
	}
	encoded, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, writeIfChanged(path, encoded)
}

// methodLookup is the source of a function that finds the templateMethods.
func methodLookup() []byte {
	var source bytes.Buffer
	source.WriteString("package template\n\nimport \"reflect\"\n\nfunc methodByName(v reflect.Value, name string) reflect.Value {\n\tswitch name {\n")
	for _, name := range templateMethods {
		fmt.Fprintf(&source, "\tcase %q:\n\t\treturn v.MethodByName(%q)\n", name, name)
	}
	source.WriteString("\t}\n\treturn reflect.Value{}\n}\n")
	return source.Bytes()
}
