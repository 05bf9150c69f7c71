package generate

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// source reads Go packages on demand.
type source struct {
	packages map[string]*goPackage
}

type goPackage struct {
	path      string
	types     map[string]*typeDecl
	constants map[string]*constant
	// unmarshals lists the types with an UnmarshalJSON of their own.
	unmarshals map[string]bool
}

type typeDecl struct {
	pkg      *goPackage
	name     string
	expr     ast.Expr
	comments comments
	imports  map[string]string
}

type constant struct {
	name, typeName, value string
	comments              comments
}

func newSource() *source { return &source{packages: map[string]*goPackage{}} }

func (s *source) lookup(importPath, name string) (*typeDecl, error) {
	pkg, err := s.load(importPath)
	if err != nil {
		return nil, err
	}
	decl, found := pkg.types[name]
	if !found {
		return nil, fmt.Errorf("no type %s in %s", name, importPath)
	}
	return decl, nil
}

func (s *source) load(importPath string) (*goPackage, error) {
	if pkg, loaded := s.packages[importPath]; loaded {
		return pkg, nil
	}
	found, err := build.Default.Import(importPath, ".", 0)
	if err != nil {
		return nil, fmt.Errorf("find the source of %s: %w", importPath, err)
	}
	pkg := &goPackage{
		path:       importPath,
		types:      map[string]*typeDecl{},
		constants:  map[string]*constant{},
		unmarshals: map[string]bool{},
	}
	s.packages[importPath] = pkg
	files := token.NewFileSet()
	for _, name := range found.GoFiles {
		if strings.HasPrefix(name, "zz_generated") || name == "generated.pb.go" {
			continue
		}
		file, err := parser.ParseFile(files, filepath.Join(found.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		pkg.add(file)
	}
	return pkg, nil
}

func (p *goPackage) add(file *ast.File) {
	imports := map[string]string{}
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(imported)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imports[name] = imported
	}
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Name.Name == "UnmarshalJSON" && decl.Recv != nil {
				p.unmarshals[receiver(decl)] = true
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				p.addSpec(decl, spec, imports)
			}
		}
	}
}

func receiver(decl *ast.FuncDecl) string {
	expr := decl.Recv.List[0].Type
	if star, pointer := expr.(*ast.StarExpr); pointer {
		expr = star.X
	}
	if ident, plain := expr.(*ast.Ident); plain {
		return ident.Name
	}
	return ""
}

func (p *goPackage) addSpec(decl *ast.GenDecl, spec ast.Spec, imports map[string]string) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		doc := spec.Doc
		if doc == nil && !decl.Lparen.IsValid() {
			doc = decl.Doc
		}
		p.types[spec.Name.Name] = &typeDecl{
			pkg: p, name: spec.Name.Name, expr: spec.Type, comments: lines(doc), imports: imports,
		}
	case *ast.ValueSpec:
		if decl.Tok != token.CONST || len(spec.Names) != 1 || len(spec.Values) != 1 {
			return
		}
		c := &constant{name: spec.Names[0].Name}
		if ident, plain := spec.Type.(*ast.Ident); plain {
			c.typeName = ident.Name
		}
		value := spec.Values[0]
		if call, conversion := value.(*ast.CallExpr); conversion && len(call.Args) == 1 {
			if ident, plain := call.Fun.(*ast.Ident); plain && c.typeName == "" {
				c.typeName = ident.Name
			}
			value = call.Args[0]
		}
		literal, isLiteral := value.(*ast.BasicLit)
		if !isLiteral || literal.Kind != token.STRING {
			return
		}
		c.value, _ = strconv.Unquote(literal.Value)
		doc := spec.Doc
		if doc == nil && !decl.Lparen.IsValid() {
			doc = decl.Doc
		}
		c.comments = lines(doc)
		p.constants[c.name] = c
	}
}
