package schema

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestCodesAreAllCodesOfTheSources reads the constants that are declared as
// codes in the packages below.
func TestCodesAreAllCodesOfTheSources(t *testing.T) {
	var declared []string
	for _, dir := range []string{"domain", "eventstore"} {
		files, err := filepath.Glob(filepath.Join("..", "..", "..", "..", dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", dir, len(files), err)
		}
		for _, name := range files {
			if !strings.HasSuffix(name, "_test.go") {
				declared = append(declared, codesDeclared(t, name)...)
			}
		}
	}
	var told []string
	for _, c := range Codes() {
		told = append(told, c.Code)
		if c.Means == "" || c.Cure == "" {
			t.Errorf("%s: means %q, cure %q", c.Code, c.Means, c.Cure)
		}
	}
	slices.Sort(declared)
	slices.Sort(told)
	if !slices.Equal(declared, told) {
		t.Errorf("the sources declare %q\nand %q are told", declared, told)
	}
	if len(slices.Compact(told)) != len(declared) {
		t.Error("a code is told twice")
	}
}

// codesDeclared are the values of a file's constants of type Code.
func codesDeclared(t *testing.T, name string) (codes []string) {
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !isCode(spec.Type) {
			return true
		}
		for _, v := range spec.Values {
			text, err := strconv.Unquote(v.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			codes = append(codes, text)
		}
		return true
	})
	return codes
}

func isCode(typ ast.Expr) bool {
	switch typ := typ.(type) {
	case *ast.Ident:
		return typ.Name == "Code"
	case *ast.SelectorExpr:
		return typ.Sel.Name == "Code"
	}
	return false
}
