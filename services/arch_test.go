package services_test

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

const module = "github.com/tributaryhq/tributary/"

// only names the folders that may import a library: one named room each.
var only = map[string][]string{
	"github.com/segmentio/kafka-go":      {"pkg/bus/kafka"},
	"github.com/redis/go-redis":          {"pkg/cache"},
	"go.mongodb.org/mongo-driver":        {"pkg/store/mongo"},
	"modernc.org/sqlite":                 {"pkg/store/sqlite"},
	"github.com/spf13/viper":             {"pkg/config"},
	"go.opentelemetry.io/otel/sdk":       {"pkg/telemetry"},
	"go.opentelemetry.io/otel/exporters": {"pkg/telemetry"},
	"github.com/twmb/franz-go":           {"pkg/embedded", "pkg/bus/bustest", "pkg/bus/namespace"},
	"github.com/alicebob/miniredis":      {"pkg/embedded", "pkg/cache"},
	"gocloud.dev":                        {"pkg/blob"},
	"code.dny.dev/ssrf":                  {"pkg/egress"},
	"github.com/nyaruka/phonenumbers":    {"pkg/channel/address"},
	"github.com/rivo/uniseg":             {"pkg/channel"},
	"golang.org/x/tools/txtar":           {"pkg/channel/channeltest"},
	"github.com/coreos/go-oidc":          {"pkg/auth"},
	"github.com/golang-jwt/jwt":          {"pkg/auth", "services/webchat", "services/sms", "services/simulator/sms"},
}

// withoutHTTP names the rooms that consumers call: what an API offers, they offer to automations as well.
var withoutHTTP = []string{
	"services/inbox/record", "services/inbox/feed", "services/inbox/intake", "services/inbox/outgoing", "services/inbox/updates",
	"services/routing/decide",
}

// impure is what an adapter's own files must not import: anything that reaches the network, the disk, the clock or
// chance.
var impure = []string{"net", "net/http", "os", "io/ioutil", "log", "log/slog", "math/rand", "math/rand/v2", "crypto/rand", "time/tzdata", "os/exec", "syscall"}

// notChannels are the services that are no channel.
var notChannels = []string{"routing", "inbox", "deliverystatus", "admin", "console", "simulator", "all", "standalone"}

type file struct {
	dir, name string // dir from the repository's root
	imports   []string
	source    string
}

func sources(t *testing.T) (out []file) {
	t.Helper()
	for _, root := range []string{"pkg", "services"} {
		base := filepath.Join("..", root)
		err := filepath.WalkDir(base, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(p, ".go") {
				return err
			}
			src, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			f, err := parser.ParseFile(token.NewFileSet(), p, src, parser.ImportsOnly)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel("..", p)
			if err != nil {
				return err
			}
			one := file{dir: path.Dir(filepath.ToSlash(rel)), name: d.Name(), source: string(src)}
			for _, i := range f.Imports {
				name, err := strconv.Unquote(i.Path.Value)
				if err != nil {
					return err
				}
				one.imports = append(one.imports, name)
			}
			out = append(out, one)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func within(dir, root string) bool { return dir == root || strings.HasPrefix(dir, root+"/") }

func (f file) test() bool { return strings.HasSuffix(f.name, "_test.go") }

// service is the service a file belongs to, "" for none.
func (f file) service() string {
	rest, ok := strings.CutPrefix(f.dir, "services/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

func standard(imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	return !strings.Contains(first, ".")
}

func TestEveryLibraryHasOneRoom(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		for _, imp := range f.imports {
			for lib, rooms := range only {
				if (imp == lib || strings.HasPrefix(imp, lib+"/")) && !f.test() && !slices.ContainsFunc(rooms, func(r string) bool { return within(f.dir, r) }) {
					t.Errorf("%s/%s imports %s, which belongs to %v", f.dir, f.name, imp, rooms)
				}
			}
		}
	}
}

func TestNoRoomOfAConsumerKnowsHTTP(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for _, f := range sources(t) {
		if !slices.Contains(withoutHTTP, f.dir) {
			continue
		}
		found[f.dir] = true
		for _, imp := range f.imports {
			if imp == "net/http" || strings.HasPrefix(imp, "github.com/gin-gonic/") || imp == module+"pkg/httpapi" || strings.HasSuffix(imp, "/rest") {
				t.Errorf("%s/%s imports %s", f.dir, f.name, imp)
			}
		}
	}
	if len(found) != len(withoutHTTP) {
		t.Errorf("found %v of %v", found, withoutHTTP)
	}
}

func TestTheContractNeedsOnlyTheStandardLibrary(t *testing.T) {
	t.Parallel()
	allowed := map[string][]string{
		"pkg/event": {"github.com/go-json-experiment/json/v1"}, // the next encoding/json (ADR 7)
		"pkg/fault": {module + "pkg/event"},                    // an error as people see it
		// Names of hosts in other scripts, and what people see as one character: tables of Unicode, which have no other dependency.
		"pkg/channel": {module + "pkg/event", module + "pkg/fault", "golang.org/x/net/idna", "github.com/rivo/uniseg"},
	}
	for _, f := range sources(t) {
		extra, listed := allowed[f.dir]
		if !listed || f.test() {
			continue
		}
		for _, imp := range f.imports {
			if !standard(imp) && !slices.Contains(extra, imp) {
				t.Errorf("%s/%s imports %s", f.dir, f.name, imp)
			}
		}
	}
}

func TestWhoMayImportWhom(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		for _, imp := range f.imports {
			rest, ok := strings.CutPrefix(imp, module+"services/")
			if !ok {
				continue
			}
			other, _, _ := strings.Cut(rest, "/")
			me := f.service()
			switch {
			case within(f.dir, "pkg"):
				t.Errorf("%s/%s imports a service: %s", f.dir, f.name, imp)
			case me == other, me == "all", me == "standalone", f.test() && me == "simulator":
			default:
				t.Errorf("%s/%s imports another service: %s", f.dir, f.name, imp)
			}
		}
	}
}

// channels are the folders of channel types.
func channels(t *testing.T) (out []string) {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !slices.Contains(notChannels, e.Name()) {
			out = append(out, e.Name())
		}
	}
	return out
}

func TestAdaptersArePure(t *testing.T) {
	t.Parallel()
	types := channels(t)
	for _, f := range sources(t) {
		adapter := slices.Contains(types, f.service()) && f.dir == "services/"+f.service()
		if !adapter && f.dir != "pkg/channel/meta" || f.test() || f.name == "service.go" {
			continue
		}
		for _, imp := range f.imports {
			if slices.Contains(impure, imp) {
				t.Errorf("%s/%s imports %s: an adapter does no I/O, reads no clock and knows no chance", f.dir, f.name, imp)
			}
			if !standard(imp) && !slices.Contains([]string{module + "pkg/event", module + "pkg/fault", module + "pkg/channel", module + "pkg/channel/meta", "github.com/golang-jwt/jwt/v5"}, imp) {
				t.Errorf("%s/%s imports %s: an adapter needs the contract, the standard library and at most one for tokens", f.dir, f.name, imp)
			}
		}
		if strings.Contains(f.source, "time.Now(") || strings.Contains(f.source, "time.Since(") {
			t.Errorf("%s/%s reads the clock", f.dir, f.name)
		}
	}
}

func TestChannelFoldersHaveOneShape(t *testing.T) {
	t.Parallel()
	for _, c := range channels(t) {
		for _, want := range []string{c + ".go", "parse.go", "render.go", "settle.go", "service.go", c + "_test.go", "README.md", "testdata/channel.json", "cmd/" + c + "/main.go"} {
			if _, err := os.Stat(filepath.Join(c, want)); err != nil {
				t.Errorf("services/%s lacks %s", c, want)
			}
		}
		for _, dir := range []string{"inbound", "outbound"} {
			if cases, _ := filepath.Glob(filepath.Join(c, "testdata", dir, "*.txtar")); len(cases) == 0 {
				t.Errorf("services/%s has no golden case in testdata/%s", c, dir)
			}
		}
	}
}

func TestNamesSayWhatIsInThem(t *testing.T) {
	t.Parallel()
	vague := []string{"common", "utils", "util", "helpers", "helper", "models", "interfaces", "base", "misc", "lib"}
	for _, f := range sources(t) {
		for part := range strings.SplitSeq(f.dir, "/") {
			if slices.Contains(vague, part) {
				t.Errorf("%s: %q says nothing about what is in it", f.dir, part)
			}
		}
		if slices.Contains(vague, strings.TrimSuffix(f.name, ".go")) {
			t.Errorf("%s/%s: the file's name says nothing about what is in it", f.dir, f.name)
		}
	}
}

func TestNoServiceNamesAMode(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		if f.service() == "" || f.service() == "standalone" || f.test() {
			continue
		}
		for _, word := range []string{"pkg/embedded", "services/standalone", "services/all"} {
			if slices.Contains(f.imports, module+word) && f.service() != "all" {
				t.Errorf("%s/%s imports %s: a service cannot know whether it runs alone", f.dir, f.name, word)
			}
		}
	}
}

// lasts are the calls by which a handler shows that its request may last: as long as a client, or what it waits for,
// lets it.
var lasts = []string{"websocket.Accept", "http.NewResponseController", "httpapi.FilePart", "MultipartReader", "http.ServeContent", "httpapi.Download", "untilStop", "follow"}

// A handler whose request may last asks for its authority as long as it does.
func TestWhateverLastsRegistersItsStanding(t *testing.T) {
	t.Parallel()
	found := 0
	for _, f := range sources(t) {
		if f.service() == "" || f.service() == "simulator" || f.test() {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f.name, f.source, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil || !handles(fn) {
				continue
			}
			calls := called(fn.Body)
			if !slices.ContainsFunc(lasts, func(call string) bool { return slices.Contains(calls, call) }) {
				continue
			}
			found++
			if !slices.ContainsFunc([]string{"httpapi.Standing", "standing", "serve"}, func(call string) bool { return slices.Contains(calls, call) }) {
				t.Errorf("%s/%s: %s may last, and does not register what it stands on (httpapi.Standing)", f.dir, f.name, fn.Name.Name)
			}
		}
	}
	if found < 7 {
		t.Errorf("only %d requests that last were found: the test does not see them any more", found)
	}
}

// handles reports whether a function handles a request.
func handles(fn *ast.FuncDecl) bool {
	return slices.ContainsFunc(fn.Type.Params.List, func(p *ast.Field) bool {
		star, ok := p.Type.(*ast.StarExpr)
		if !ok {
			return false
		}
		sel, ok := star.X.(*ast.SelectorExpr)
		return ok && sel.Sel.Name == "Context"
	})
}

// called are the names of the functions that a body calls: with the package, and of methods the method's alone.
func called(body ast.Node) (names []string) {
	ast.Inspect(body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch f := call.Fun.(type) {
		case *ast.Ident:
			names = append(names, f.Name)
		case *ast.SelectorExpr:
			names = append(names, f.Sel.Name)
			if x, ok := f.X.(*ast.Ident); ok {
				names = append(names, x.Name+"."+f.Sel.Name)
			}
		}
		return true
	})
	return names
}
