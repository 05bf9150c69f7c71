package main

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// groupVersions are the API groups that kubectl keeps in its scheme and its
// clientset: those that the engine serves or will serve, and those that kubectl's
// own commands cannot be compiled without.
var groupVersions = []string{
	"apps/v1",
	"authentication/v1",
	"authentication/v1alpha1", // whoami tries the older versions too
	"authentication/v1beta1",
	"authorization/v1",
	"autoscaling/v1",
	"autoscaling/v2",
	"batch/v1",
	"certificates/v1",
	"certificates/v1beta1", // kubectl waits for certificates of this version too
	"coordination/v1",
	"core/v1",
	"discovery/v1",
	"events/v1",
	"networking/v1",
	"networking/v1beta1", // describe falls back to it
	"policy/v1",
	"policy/v1beta1", // drain knows its eviction
	"rbac/v1",
	"resource/v1", // describe of a node lists its resource slices
	"scheduling/v1",
	"storage/v1",
}

// unwanted reports whether a source file is to lose an import, and with it all
// that uses it: API groups outside groupVersions, and the typed server-side
// apply, whose builders are a large part of client-go and which kubectl, applying
// what files say, does not use.
func unwanted(importPath string) bool {
	if strings.HasPrefix(importPath, "k8s.io/client-go/applyconfigurations/") {
		return true
	}
	for _, prefix := range []string{"k8s.io/api/", "k8s.io/client-go/kubernetes/typed/"} {
		if groupVersion, ok := strings.CutPrefix(importPath, prefix); ok {
			return !slices.Contains(groupVersions, groupVersion)
		}
	}
	return false
}

// filterSource cuts from a Go source file its unwanted imports and the
// declarations, fields, methods, statements and list elements that use them,
// each the smallest that can go as a whole. Comments go too.
func filterSource(name string, source []byte) ([]byte, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	if strings.Contains(name, "/typed/") && !wantedClient(name) {
		return source, nil // nothing imports it
	}
	f := filter{names: map[string]bool{}}
	for _, spec := range file.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		if unwanted(importPath) && spec.Name != nil {
			f.names[spec.Name.Name] = true
		}
	}
	if len(f.names) == 0 {
		return source, nil
	}
	ast.Inspect(file, f.withoutApply)
	ast.Inspect(file, f.cut)
	file.Decls = f.declarations(file.Decls)
	removeUnusedImports(file)
	file.Comments = nil
	var buffer bytes.Buffer
	if err := format.Node(&buffer, files, file); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}

// wantedClient reports whether the typed client package that the file belongs to
// is one that the clientset keeps.
func wantedClient(name string) bool {
	return slices.ContainsFunc(groupVersions, func(groupVersion string) bool {
		return strings.Contains(name, "/typed/"+groupVersion+"/")
	})
}

// A filter holds the local names of a file's unwanted imports.
type filter struct{ names map[string]bool }

// uses reports whether the node mentions an unwanted import.
func (f filter) uses(node ast.Node) (found bool) {
	if node == nil {
		return false
	}
	ast.Inspect(node, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if name, ok := selector.X.(*ast.Ident); ok && f.names[name.Name] {
				found = true
			}
		}
		return !found
	})
	return found
}

// withoutApply turns gentype.ClientWithListAndApply[T, L, C] and its like, where C
// is an unwanted type, into gentype.ClientWithList[T, L].
func (f filter) withoutApply(node ast.Node) bool {
	generic, ok := node.(*ast.IndexListExpr)
	if !ok {
		return true
	}
	selector, ok := generic.X.(*ast.SelectorExpr)
	last := len(generic.Indices) - 1
	if !ok || !f.uses(generic.Indices[last]) {
		return true
	}
	name := strings.TrimSuffix(selector.Sel.Name, "AndApply")
	selector.Sel.Name = strings.TrimSuffix(name, "WithApply")
	generic.Indices = generic.Indices[:last]
	return true
}

// cut removes, from the lists inside a node, the elements that use an unwanted
// import.
func (f filter) cut(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.CompositeLit:
		n.Elts = slices.DeleteFunc(n.Elts, func(e ast.Expr) bool { return f.uses(e) })
	case *ast.BlockStmt:
		n.List = slices.DeleteFunc(n.List, func(s ast.Stmt) bool { return f.uses(s) })
	case *ast.InterfaceType:
		n.Methods.List = slices.DeleteFunc(n.Methods.List, func(m *ast.Field) bool { return f.uses(m) })
	case *ast.StructType:
		n.Fields.List = slices.DeleteFunc(n.Fields.List, func(m *ast.Field) bool { return f.uses(m) })
	case *ast.FuncDecl:
		return !f.uses(n.Type) // else it goes as a whole
	}
	return true
}

func (f filter) declarations(declarations []ast.Decl) []ast.Decl {
	return slices.DeleteFunc(declarations, func(d ast.Decl) bool { return f.uses(d) })
}

// removeUnusedImports drops named imports whose name no longer occurs. All
// imports in the filtered, generated files are named or name their package last.
func removeUnusedImports(file *ast.File) {
	used := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if name, ok := selector.X.(*ast.Ident); ok {
				used[name.Name] = true
			}
		}
		return true
	})
	for _, declaration := range file.Decls {
		imports, ok := declaration.(*ast.GenDecl)
		if !ok || imports.Tok != token.IMPORT {
			continue
		}
		imports.Specs = slices.DeleteFunc(imports.Specs, func(s ast.Spec) bool {
			spec := s.(*ast.ImportSpec)
			name := strings.Trim(spec.Path.Value[strings.LastIndex(spec.Path.Value, "/")+1:], `"`)
			if spec.Name != nil {
				name = spec.Name.Name
			}
			return !used[name]
		})
	}
}
