package services_test

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"

	"github.com/tributaryhq/tributary/pkg/config"
)

const configPackage = module + "pkg/config"

// declared is a struct whose fields are keys of the configuration, and the room that declares it: a service or package config.
type declared struct {
	typ  types.Type
	room string
}

// settingsDeclared lists the structs that are declared, the one of every process first.
func settingsDeclared(t *testing.T) (out []declared) {
	t.Helper()
	for _, p := range typed(t) {
		if p.PkgPath == configPackage {
			out = append(out, declared{p.Types.Scope().Lookup("Config").Type(), configPackage})
		}
	}
	for _, p := range typed(t) {
		if p.PkgPath != configPackage {
			for _, typ := range instances(p, "Declare") {
				out = append(out, declared{typ, room(p)})
			}
		}
	}
	return out
}

// room is the service that a package belongs to, or the package itself.
func room(p *packages.Package) string {
	rest, ok := strings.CutPrefix(p.PkgPath, module+"services/")
	if !ok {
		return p.PkgPath
	}
	name, _, _ := strings.Cut(rest, "/")
	return module + "services/" + name
}

// instances lists the types that a package instantiates a function of package config with.
func instances(p *packages.Package, function string) (out []types.Type) {
	for id, inst := range p.TypesInfo.Instances {
		f, ok := p.TypesInfo.Uses[id].(*types.Func)
		if ok && f.Pkg().Path() == configPackage && f.Name() == function {
			out = append(out, inst.TypeArgs.At(0))
		}
	}
	return out
}

// keysIn are the keys that a struct's fields have, by the field's name.
func keysIn(typ types.Type) map[string]string {
	out := map[string]string{}
	s, ok := typ.Underlying().(*types.Struct)
	for i := 0; ok && i < s.NumFields(); i++ {
		if key, ok := reflect.StructTag(s.Tag(i)).Lookup("key"); ok {
			out[s.Field(i).Name()] = key
		}
	}
	return out
}

// keysHosted are the keys that the single binary has from the services that it hosts (a test of it compares).
func keysHosted(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile("../pkg/run/elsewhere.txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(b))
}

// TestEveryKeyOfTheConfigurationIsRead: by the service that declares it (Check only looks whether values are right), and the single
// binary hosts every declaration.
func TestEveryKeyOfTheConfigurationIsRead(t *testing.T) {
	t.Parallel()
	readers := map[string][]string{}
	for _, p := range typed(t) {
		for _, r := range reads(p, "Check") {
			readers[r.owner] = append(readers[r.owner], room(p))
		}
	}
	hosted, seen := keysHosted(t), 0
	for _, d := range settingsDeclared(t) {
		for field, key := range keysIn(d.typ) {
			seen++
			in := readers[nameOf(d.typ)+"."+field]
			if d.room == configPackage && len(in) == 0 || d.room != configPackage && !slices.Contains(in, d.room) {
				t.Errorf("%s: no code of %s reads it (%v does): delete it, or declare it where it is read", config.EnvName(key), d.room, in)
			}
			if d.room != configPackage && !slices.Contains(hosted, key) {
				t.Errorf("%s is declared in %s and stands in the Settings of no service", config.EnvName(key), d.room)
			}
		}
	}
	if seen < 30 {
		t.Errorf("only %d keys were found: the test does not see them any more", seen)
	}
}

// TestEveryKeyThatIsReadIsDeclared: settings are read by the service that declares them (the single binary hosts all services and may
// set what they read), a struct with keys is declared, and no code reads a variable of ours from the environment by itself.
func TestEveryKeyThatIsReadIsDeclared(t *testing.T) {
	t.Parallel()
	all := settingsDeclared(t)
	names := map[string]bool{}
	for _, d := range all {
		names[nameOf(d.typ)] = true
	}
	seen := 0
	for _, p := range typed(t) {
		for _, typ := range instances(p, "Of") {
			seen++
			own := slices.ContainsFunc(all, func(d declared) bool { return types.Identical(d.typ, typ) && d.room == room(p) })
			if !own && !(names[nameOf(typ)] && room(p) == module+"services/standalone") {
				t.Errorf("%s reads %s, which it does not declare in its Settings", p.PkgPath, nameOf(typ))
			}
		}
		for id, o := range p.TypesInfo.Defs {
			if name, ok := o.(*types.TypeName); ok && len(keysIn(name.Type())) > 0 && !names[nameOf(name.Type())] {
				t.Errorf("%s: %s has keys and is declared by no service", p.Fset.Position(id.Pos()), nameOf(name.Type()))
			}
		}
		for _, call := range environmentReads(p) {
			t.Errorf("%s: read it from the configuration", call)
		}
	}
	if seen < 3 {
		t.Errorf("only %d reads of settings were found: the test does not see them any more", seen)
	}
}

// environmentReads lists the calls that read a variable of ours from the environment. Those of test suites are no configuration.
func environmentReads(p *packages.Package) (out []string) {
	for _, f := range p.Syntax {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 1 {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || p.TypesInfo.Uses[sel.Sel] == nil || p.TypesInfo.Uses[sel.Sel].Pkg() == nil || p.TypesInfo.Uses[sel.Sel].Pkg().Path() != "os" {
				return true
			}
			if v := p.TypesInfo.Types[call.Args[0]].Value; v != nil && v.Kind() == constant.String && ours(constant.StringVal(v)) {
				out = append(out, fmt.Sprintf("%s: %s", p.Fset.Position(call.Pos()), types.ExprString(call)))
			}
			return true
		})
	}
	return out
}

func ours(variable string) bool {
	return strings.HasPrefix(variable, "TRIBUTARY_") && !strings.HasPrefix(variable, "TRIBUTARY_TEST_")
}

var variables = regexp.MustCompile(`TRIBUTARY_[A-Z][A-Z0-9_]*`)

// TestEveryVariableThatATextNamesExists: in messages and help, and in the pages that are written by hand.
func TestEveryVariableThatATextNamesExists(t *testing.T) {
	t.Parallel()
	known := map[string]bool{"TRIBUTARY_CONFIG": true}
	for _, d := range settingsDeclared(t) {
		for _, key := range keysIn(d.typ) {
			known[config.EnvName(key)] = true
		}
	}
	seen := 0
	check := func(at, text string) {
		for _, name := range variables.FindAllString(text, -1) {
			seen++
			if ours(name) && !known[name] && !known[strings.TrimSuffix(name, "_FILE")] {
				t.Errorf("%s names %s, which no service declares", at, name)
			}
		}
	}
	for _, f := range sources(t) {
		if !strings.HasSuffix(f.name, "_test.go") {
			check(f.dir+"/"+f.name, f.source)
		}
	}
	pages := []string{"../README.md", "../docs/ARCHITECTURE.md"}
	for _, pattern := range []string{"../docs/guide/*.md", "../deploy/*/README.md", "../deploy/compose/*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d pages, %v", pattern, len(found), err)
		}
		pages = append(pages, found...)
	}
	for _, page := range pages {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		check(page, string(b))
	}
	if seen < 60 {
		t.Errorf("only %d names were found: the test does not see them any more", seen)
	}
}
