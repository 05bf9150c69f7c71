package generate

import (
	"fmt"
	"go/ast"
	"slices"
)

// resolved is a field's type with pointers and named non-struct types taken
// away; exactly one of decl, builtin, elem and anything says what is left.
type resolved struct {
	decl     *typeDecl // a struct
	builtin  string
	elem     ast.Expr // of a slice, or of a map if isMap
	isMap    bool
	anything bool

	// named are the types that were taken away, from the outermost.
	named []*typeDecl
	// scope is where elem's names have their meaning.
	scope   *typeDecl
	pointer bool
}

// comments are those of the types that were taken away.
func (r resolved) comments() []comments {
	var all []comments
	for _, decl := range r.named {
		all = append(all, decl.comments)
	}
	return all
}

func (s *schemas) resolve(expr ast.Expr, scope *typeDecl) (resolved, error) {
	r := resolved{scope: scope}
	for {
		switch e := expr.(type) {
		case *ast.StarExpr:
			r.pointer = true
			expr = e.X
		case *ast.ArrayType:
			r.elem = e.Elt
			return r, nil
		case *ast.MapType:
			r.elem, r.isMap = e.Value, true
			return r, nil
		case *ast.InterfaceType:
			r.anything = true
			return r, nil
		case *ast.Ident, *ast.SelectorExpr:
			decl, builtin, err := s.named(e, r.scope)
			if err != nil {
				return r, err
			}
			if builtin != "" {
				r.builtin = builtin
				return r, nil
			}
			if _, structure := decl.expr.(*ast.StructType); structure {
				r.decl = decl
				return r, nil
			}
			r.named = append(r.named, decl)
			r.scope = decl
			expr = decl.expr
		default:
			return r, fmt.Errorf("unexpected type %T", expr)
		}
	}
}

func (s *schemas) named(expr ast.Expr, scope *typeDecl) (decl *typeDecl, builtin string, err error) {
	switch e := expr.(type) {
	case *ast.Ident:
		if decl, ours := scope.pkg.types[e.Name]; ours {
			return decl, "", nil
		}
		return nil, e.Name, nil
	case *ast.SelectorExpr:
		qualifier := e.X.(*ast.Ident).Name
		decl, err = s.source.lookup(scope.imports[qualifier], e.Sel.Name)
	}
	return decl, "", err
}

// enumeration lists the values of a string type marked +enum.
type enumeration []*constant

func (s *schemas) enum(t resolved) enumeration {
	if t.builtin != "string" || len(t.named) == 0 || !t.named[0].comments.marked("enum") {
		return nil
	}
	var values enumeration
	for _, c := range t.named[0].pkg.constants {
		if c.typeName == t.named[0].name {
			values = append(values, c)
		}
	}
	slices.SortFunc(values, func(a, b *constant) int { return compareConstants(a, b) })
	return slices.CompactFunc(values, func(a, b *constant) bool { return a.value == b.value })
}
