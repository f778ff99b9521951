package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the module's path, and the prefix of every import of its own.
const module = "roznamcha"

// floors is the house, from the ground up. A package may import packages of
// its own floor and of those below it.
var floors = []string{"domain", "eventstore", "projections", "cmd"}

// domainMayImport is all that the domain has use for: nothing that draws random
// numbers or touches the world. What these packages have of that is listed in
// domainMayNotCall.
var domainMayImport = []string{
	"archive/zip", "bytes", "cmp", "crypto/sha256", "embed", "encoding/binary", "encoding/hex", "encoding/json", "errors", "fmt",
	"hash/maphash", "io", "iter", "maps", "math", "math/bits", "path", "slices", "strconv", "strings", "sync",
	"time", "unicode", "unicode/utf16", "unicode/utf8", "unsafe",
	"github.com/google/uuid", "github.com/minio/highwayhash",
}

// domainMayNotCall are the functions of those packages that read the clock, draw
// random numbers or touch the world.
var domainMayNotCall = map[string][]string{
	"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"},
	"uuid": {"New", "NewString", "NewRandom", "NewUUID", "NewV6", "NewV7", "Must", "NewDCEGroup", "NewDCEPerson", "NewDCESecurity"},
	"zip":  {"OpenReader"},
	"fmt":  {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
}

// TestFloors reads every import of the module: an arrow between floors points
// down, and the domain stands on the ground.
func TestFloors(t *testing.T) {
	root := filepath.Join("..", "..")
	seen := map[string]int{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && name != root) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, complaint := range badImports(filepath.ToSlash(rel), src) {
			t.Error(complaint)
		}
		seen[strings.Split(filepath.ToSlash(rel), "/")[0]]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, floor := range floors {
		if seen[floor] == 0 {
			t.Errorf("no Go file on the floor %s: is the test looking in the right place?", floor)
		}
	}
}

// TestFloorsSeesABrokenArrow holds the test itself: what it must complain of.
func TestFloorsSeesABrokenArrow(t *testing.T) {
	for _, c := range []struct{ file, src, want string }{
		{"domain/x.go", `package domain; import _ "roznamcha/eventstore"`, "up"},
		{"eventstore/x.go", `package eventstore; import _ "roznamcha/projections"`, "up"},
		{"eventstore/embedded/x.go", `package embedded; import _ "roznamcha/cmd/roznamcha/internal/print"`, "up"},
		{"projections/x.go", `package projections; import _ "roznamcha/eventstore"`, ""},
		{"projections/x_test.go", `package projections; import _ "roznamcha/cmd/roznamcha/internal/print"`, "up"},
		{"tools/x.go", `package tools`, "no floor"},
		{"domain/x.go", `package domain; import _ "os"`, "domain"},
		{"domain/x.go", `package domain; import _ "math/rand/v2"`, "domain"},
		{"domain/x.go", `package domain; import _ "github.com/nats-io/nats.go"`, "domain"},
		{"domain/x.go", `package domain; import "time"; var t = time.Now()`, "time.Now"},
		{"domain/x.go", `package domain; import clock "time"; var t = clock.Now()`, "time.Now"},
		{"domain/x.go", `package domain; import "github.com/google/uuid"; var u = uuid.New()`, "uuid.New"},
		{"domain/x_test.go", `package domain; import ("os"; "time"); var t, a = time.Now(), os.Args`, ""},
	} {
		got := strings.Join(badImports(c.file, []byte(c.src)), "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %s\ncomplaint %q, want one of %q", c.file, c.src, got, c.want)
		}
	}
}

// badImports is what file, a path within the module, does against the house.
// Tests of the domain may use the world, but no floor above them.
func badImports(file string, src []byte) (complaints []string) {
	floor := floorOf(file)
	if floor < 0 {
		return []string{file + " stands on no floor of the house: " + strings.Join(floors, ", ")}
	}
	f, err := parser.ParseFile(token.NewFileSet(), file, src, parser.SkipObjectResolution)
	if err != nil {
		return []string{err.Error()}
	}
	pure := floors[floor] == "domain" && !strings.HasSuffix(file, "_test.go")
	names := map[string]string{} // what a package is called in the file → its last word
	for _, spec := range f.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		own, inside := strings.CutPrefix(imported, module+"/")
		if inside && floorOf(own) > floor {
			complaints = append(complaints, file+" imports "+imported+": an arrow that points up")
		}
		if pure && !inside && !slices.Contains(domainMayImport, imported) {
			complaints = append(complaints, file+" imports "+imported+", which the domain has no use for")
		}
		name := path.Base(imported)
		names[name] = name
		if spec.Name != nil {
			names[spec.Name.Name] = name
		}
	}
	if pure {
		complaints = append(complaints, impureCalls(file, f, names)...)
	}
	return complaints
}

// impureCalls are the uses in f of what domainMayNotCall lists.
func impureCalls(file string, f *ast.File, names map[string]string) (complaints []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if id, ok := sel.X.(*ast.Ident); ok && slices.Contains(domainMayNotCall[names[id.Name]], sel.Sel.Name) {
			complaints = append(complaints, file+" uses "+names[id.Name]+"."+sel.Sel.Name+": the domain has no clock, no chance and no world")
		}
		return true
	})
	return complaints
}

// floorOf is the index in floors of a path within the module, or -1.
func floorOf(name string) int {
	for i, floor := range floors {
		if name == floor || strings.HasPrefix(name, floor+"/") {
			return i
		}
	}
	return -1
}
