package services_test

import (
	"fmt"
	"go/ast"
	"go/types"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/go/packages"

	"github.com/tributaryhq/tributary/pkg/channel"
)

const channelPackage = module + "pkg/channel"

// load reads the code of pkg and services with its types, without tests, once for all tests.
var load = sync.OnceValues(func() ([]*packages.Package, error) {
	return packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedSyntax |
			packages.NeedTypes | packages.NeedTypesSizes | packages.NeedTypesInfo,
	}, module+"pkg/...", module+"services/...")
})

func typed(t *testing.T) []*packages.Package {
	t.Helper()
	all, err := load()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		for _, e := range p.Errors {
			t.Fatalf("%s: %v", p.PkgPath, e)
		}
	}
	return all
}

// read is a field that code reads.
type read struct {
	of    types.Type // that the expression selects from
	path  []*types.Var
	owner string // type and field: "Policy.QueueID"
	at    string
}

// reads lists the fields that a package reads. Those it only assigns to are left out, and so is what stands in functions of the
// names.
func reads(p *packages.Package, without ...string) (out []read) {
	for _, f := range p.Syntax {
		assigned := map[ast.Expr]bool{}
		ast.Inspect(f, func(n ast.Node) bool {
			if f, ok := n.(*ast.FuncDecl); ok && slices.Contains(without, f.Name.Name) {
				return false
			}
			if a, ok := n.(*ast.AssignStmt); ok {
				for _, l := range a.Lhs {
					assigned[l] = true
				}
			}
			x, ok := n.(*ast.SelectorExpr)
			if !ok || assigned[x] {
				return true
			}
			if s := p.TypesInfo.Selections[x]; s != nil && s.Kind() == types.FieldVal {
				out = append(out, readOf(s, p.Fset.Position(x.Pos()).String()))
			}
			return true
		})
	}
	return out
}

// readOf follows a selection through embedded fields.
func readOf(s *types.Selection, at string) read {
	r, t := read{of: s.Recv(), at: at}, s.Recv()
	for _, i := range s.Index() {
		in := elem(t)
		f := in.Underlying().(*types.Struct).Field(i)
		r.path, r.owner, t = append(r.path, f), nameOf(in)+"."+f.Name(), f.Type()
	}
	return r
}

func elem(t types.Type) types.Type {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		return p.Elem()
	}
	return t
}

// nameOf is the name of a type of package channel, the path and name of another.
func nameOf(t types.Type) string {
	return strings.TrimPrefix(types.TypeString(types.Unalias(t), nil), channelPackage+".")
}

// A setting of a channel's policy is read by some service, or its field says that none acts on it (and the API says so with every channel
// that has it). Service admin does not count: it checks and stores them.
func TestEverySettingOfAPolicyIsRead(t *testing.T) {
	t.Parallel()
	readers := map[string]map[string]bool{}
	for _, p := range typed(t) {
		if p.PkgPath == channelPackage || within(p.PkgPath, module+"services/admin") {
			continue
		}
		for _, r := range reads(p) {
			if readers[r.owner] == nil {
				readers[r.owner] = map[string]bool{}
			}
			readers[r.owner][p.PkgPath] = true
		}
	}
	settings := settingsOf(reflect.TypeFor[channel.Policy](), false)
	for setting, idle := range settings {
		in := slices.Sorted(maps.Keys(readers[setting]))
		switch {
		case idle && len(in) > 0:
			t.Errorf("%s is read in %v: take effect:\"none\" away from its field, and the words about it from services/admin/openapi.yaml", setting, in)
		case !idle && len(in) == 0:
			t.Errorf("%s is read by no service: it does nothing, and its users do not know; see effect:\"none\"", setting)
		}
	}
	if _, ok := settings["Policy.QueueID"]; !ok || len(settings) < 15 {
		t.Errorf("the settings are %v: the test does not see them any more", settings)
	}
}

// settingsOf lists the fields of a policy that are no objects of fields: type and name, and whether no service acts on it.
func settingsOf(t reflect.Type, idle bool) map[string]bool {
	out := map[string]bool{}
	for i := range t.NumField() {
		f := t.Field(i)
		none := idle || f.Tag.Get("effect") == "none"
		if f.Type.Kind() == reflect.Pointer {
			maps.Copy(out, settingsOf(f.Type.Elem(), none))
			continue
		}
		out[t.Name()+"."+f.Name] = none
	}
	return out
}

// What a channel can do is asked of the channel (Info.For). Only package channel, which makes the tables of types, and the tests of
// adapters read the rules of a type.
func TestRulesAreAskedOfTheChannel(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, p := range typed(t) {
		for _, r := range reads(p) {
			ofType := nameOf(elem(r.of)) == "Info" && (r.path[0].Name() == "RuleSet" || r.path[0].Name() == "Variants")
			if !ofType && r.owner != "InboundRules.MaxMedia" && r.owner != "Variant.MaxMedia" {
				continue
			}
			seen++
			if p.PkgPath != channelPackage && p.PkgPath != channelPackage+"/channeltest" {
				t.Errorf("%s reads %s of the type: ask Info.For(settings) of the channel", r.at, r.path[len(r.path)-1].Name())
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d reads of a type's rules were found: the test does not see them any more", seen)
	}
}

// A collection is declared in one place, by the service that writes it; others use that declaration.
func TestEveryCollectionIsDeclaredOnce(t *testing.T) {
	t.Parallel()
	declared := map[string][]string{}
	for _, p := range typed(t) {
		if within(p.PkgPath, module+"pkg/store") { // the suite of stores has collections of its own
			continue
		}
		for _, f := range p.Syntax {
			ast.Inspect(f, func(n ast.Node) bool {
				lit, ok := n.(*ast.CompositeLit)
				if ok && nameOf(p.TypesInfo.TypeOf(lit)) == module+"pkg/store.Spec" {
					name := collection(p, lit)
					declared[name] = append(declared[name], p.Fset.Position(lit.Pos()).String())
				}
				return true
			})
		}
	}
	for name, at := range declared {
		if len(at) > 1 {
			t.Errorf("the collection %s is declared %d times: %v", name, len(at), at)
		}
	}
	if len(declared) < 20 {
		t.Errorf("only %d collections were found: the test does not see them any more", len(declared))
	}
}

// collection is the name that a declaration gives: a constant, or the expression by which it is made.
func collection(p *packages.Package, spec *ast.CompositeLit) string {
	for _, e := range spec.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok || fmt.Sprint(kv.Key) != "Name" {
			continue
		}
		if v := p.TypesInfo.Types[kv.Value].Value; v != nil {
			return v.ExactString()
		}
		return types.ExprString(kv.Value)
	}
	return "without a name"
}
