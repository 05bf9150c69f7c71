package main

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"slices"
)

// registration are the names by which API packages add all their types to a
// scheme.
var registration = []string{"SchemeBuilder", "localSchemeBuilder", "AddToScheme", "AddToGroupVersion", "AddMetaToScheme", "addKnownTypes"}

// withoutRegistration cuts from an API package's register.go what adds its types
// to a scheme, so that only the types that a program uses are linked.
func withoutRegistration(name string, source []byte) ([]byte, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	file.Decls = slices.DeleteFunc(file.Decls, func(d ast.Decl) bool {
		variables, ok := d.(*ast.GenDecl)
		if !ok {
			return registers(d)
		}
		if variables.Tok == token.VAR {
			variables.Specs = slices.DeleteFunc(variables.Specs, func(s ast.Spec) bool { return registers(s) })
		}
		return len(variables.Specs) == 0
	})
	removeUnusedImports(file)
	file.Comments = nil
	var buffer bytes.Buffer
	if err := format.Node(&buffer, files, file); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}

// registers reports whether a node mentions one of the registration's names.
func registers(node ast.Node) (found bool) {
	ast.Inspect(node, func(n ast.Node) bool {
		if name, ok := n.(*ast.Ident); ok && slices.Contains(registration, name.Name) {
			found = true
		}
		return !found
	})
	return found
}
