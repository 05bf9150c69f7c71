package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"path/filepath"
)

// compiledLate returns the files of package regexp that make MustCompile put
// compiling off until an expression is used for the first time.
//
// Libraries compile dozens of expressions while they are initialized. In a
// browser that is a tenth of the time in which a cluster or a command starts, and
// hardly any of them is used.
func compiledLate(upstream string) (map[string][]byte, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, filepath.Join(upstream, "regexp.go"), nil, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return nil, err
	}
	changed := 0
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		switch {
		case ok && f.Recv == nil && f.Name.Name == "MustCompile":
			f.Body.List = []ast.Stmt{&ast.ReturnStmt{Results: []ast.Expr{call("late", f.Type.Params.List[0].Names[0])}}}
			changed++
		case ok && f.Recv != nil && f.Name.IsExported():
			re := f.Recv.List[0].Names[0]
			f.Body.List = append([]ast.Stmt{&ast.ExprStmt{X: call("compileLate", re)}}, f.Body.List...)
			changed++
		case ok && f.Recv == nil && f.Name.Name == "compile":
			changed++
		}
	}
	if changed < 30 { // MustCompile, compile and the methods
		return nil, fmt.Errorf("package regexp of this Go version in %s is not as expected: adapt compiledLate", upstream)
	}
	var source bytes.Buffer
	if err := format.Node(&source, files, file); err != nil {
		return nil, err
	}
	const regexpType = "type Regexp struct {\n"
	if bytes.Count(source.Bytes(), []byte(regexpType)) != 1 {
		return nil, fmt.Errorf("package regexp of this Go version in %s has no %q: adapt compiledLate", upstream, regexpType)
	}
	return map[string][]byte{
		"regexp.go": bytes.Replace(source.Bytes(), []byte(regexpType), []byte(regexpType+"\tlate bool\n"), 1),
		"late.go":   []byte(lateSource),
	}, nil
}

func call(function string, argument *ast.Ident) *ast.CallExpr {
	return &ast.CallExpr{Fun: ast.NewIdent(function), Args: []ast.Expr{ast.NewIdent(argument.Name)}}
}

const lateSource = `package regexp

import "regexp/syntax"

func late(expr string) *Regexp {
	return &Regexp{expr: expr, late: true}
}

func compileLate(re *Regexp) {
	if !re.late {
		return
	}
	compiled, err := compile(re.expr, syntax.Perl, false)
	if err != nil {
		panic("regexp: Compile(" + quote(re.expr) + "): " + err.Error())
	}
	*re = *compiled
}
`
