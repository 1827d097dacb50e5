package inbox_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/httpapi"
)

// calls are the operations that tests have called.
type calls struct {
	mu  sync.Mutex
	ops map[string]bool
}

var called = calls{ops: map[string]bool{}}

func (c *calls) note(spec *httpapi.Spec, req *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for path, item := range spec.Doc.Paths.Map() {
		if op := item.GetOperation(req.Method); op != nil && pattern(path).MatchString(req.URL.Path) {
			c.ops[op.OperationID] = true
		}
	}
}

// missing tells which operations no test has called; 0: none.
func (c *calls) missing(spec *httpapi.Spec) (code int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, item := range spec.Doc.Paths.Map() {
		for _, op := range item.Operations() {
			if !c.ops[op.OperationID] {
				fmt.Printf("no test calls %s\n", op.OperationID)
				code = 1
			}
		}
	}
	return code
}

var parameter = regexp.MustCompile(`\{[a-z_]+\}`)

func pattern(path string) *regexp.Regexp {
	return regexp.MustCompile("^" + parameter.ReplaceAllString(path, "[^/]+") + "$")
}

func TestEveryPathOfTheDocumentIsServed(t *testing.T) {
	t.Parallel()
	h := open()
	engine := gin.New()
	h.replicas[0].parts.Routes(engine)
	routes := map[string]bool{}
	for _, r := range engine.Routes() {
		routes[r.Method+" "+r.Path] = true
	}
	for path, item := range h.spec.Doc.Paths.Map() {
		for method := range item.Operations() {
			if want := method + " " + strings.ReplaceAll(strings.ReplaceAll(path, "{", ":"), "}", ""); !routes[want] {
				t.Errorf("%s is described, but not served", want)
			} else {
				delete(routes, want)
			}
		}
	}
	for r := range routes {
		t.Errorf("%s is served, but not described", r)
	}
}

// TestEveryCodeIsCatalogued reads the sources: a code that a handler answers with is one that the reference explains.
func TestEveryCodeIsCatalogued(t *testing.T) {
	t.Parallel()
	where := map[string]int{"fault.New": 1, "fault.At": 1, "bad.Add": 1, "out.add": 1}
	inside := map[string]bool{"bad_event": true} // of events, never answered
	seen := 0
	known := func(path string, lit *ast.BasicLit) {
		code, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		if seen++; !httpapi.Known(code) && !inside[code] {
			t.Errorf("%s: the code %s is not catalogued", path, code)
		}
	}
	check := func(path string) {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if field, ok := n.(*ast.KeyValueExpr); ok { // of a table of refusals
				key, _ := field.Key.(*ast.Ident)
				if lit, ok := field.Value.(*ast.BasicLit); ok && key != nil && key.Name == "code" {
					known(path, lit)
				}
			}
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name, _ := call.Fun.(*ast.SelectorExpr)
			if name == nil {
				return true
			}
			of, _ := name.X.(*ast.Ident)
			if of == nil || where[of.Name+"."+name.Sel.Name] == 0 {
				return true
			}
			switch code := call.Args[1].(type) {
			case *ast.BasicLit:
				known(path, code)
			case *ast.SelectorExpr: // the field code of such a table
				if code.Sel.Name != "code" {
					t.Errorf("%s: the code of %s.%s is no literal", path, of.Name, name.Sel.Name)
				}
			case *ast.Ident: // the parameter of out.add, whose calls are looked at
				if code.Name != "code" {
					t.Errorf("%s: the code of %s.%s is no literal", path, of.Name, name.Sel.Name)
				}
			default:
				t.Errorf("%s: the code of %s.%s is no literal", path, of.Name, name.Sel.Name)
			}
			return true
		})
	}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			check(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	rules, err := filepath.Glob(filepath.Join("..", "..", "pkg", "channel", "check*.go"))
	if err != nil || len(rules) < 4 {
		t.Fatalf("the rules are in %v (%v)", rules, err)
	}
	for _, path := range rules {
		if !strings.HasSuffix(path, "_test.go") {
			check(path)
		}
	}
	if seen < 50 {
		t.Errorf("only %d codes were found: the test looks at the wrong thing", seen)
	}
}
