package main

import (
	"bytes"
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

// namedMethods returns the files of text/template that make it look methods up
// among templateMethods.
//
// Upstream's looks them up by any name. Because of that one call the linker keeps
// every exported method of every type, which makes kubectl a third larger; it
// follows lookups by constant names.
func namedMethods(upstream string) (map[string][]byte, error) {
	exec, err := os.ReadFile(filepath.Join(upstream, "exec.go"))
	if err != nil {
		return nil, err
	}
	lookup := []byte("ptr.MethodByName(fieldName)")
	if bytes.Count(exec, lookup) != 1 {
		return nil, fmt.Errorf("text/template of this Go version does not look methods up by %s: adapt namedMethods", lookup)
	}
	return map[string][]byte{
		"exec.go":    bytes.Replace(exec, lookup, []byte("methodByName(ptr, fieldName)"), 1),
		"methods.go": methodLookup(),
	}, nil
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
