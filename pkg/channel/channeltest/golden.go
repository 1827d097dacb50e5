package channeltest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// golden is one case: its directives, what is given and what is expected.
type golden struct {
	name, path string
	ar         *txtar.Archive
	used       map[string]bool
	dirty      bool

	ch       channel.Keyed
	at       time.Time
	url      string
	body     string
	pulled   bool
	unproved bool
}

// generated are the sections that -update owns.
var generated = regexp.MustCompile(`^(want\.json|outcome\.json|(request|signed)\.\d+\.http)$`)

func (r *runner) load(t testing.TB, dir string) []*golden {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []*golden
	for _, p := range paths {
		cases = append(cases, r.parse(t, p))
	}
	return cases
}

func (r *runner) parse(t testing.TB, path string) *golden {
	t.Helper()
	ar, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := &golden{name: strings.TrimSuffix(filepath.Base(path), ".txtar"), path: path, ar: ar, used: map[string]bool{}, at: At}
	name, why := "", false
	for line := range strings.Lines(string(ar.Comment)) {
		line = strings.TrimSpace(line)
		directive, arg, _ := strings.Cut(line, " ")
		switch {
		case directive == "@channel":
			name = arg
		case directive == "@at":
			if c.at, err = time.Parse(time.RFC3339, arg); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
		case directive == "@url":
			c.url = arg
		case directive == "@body":
			c.body = arg
		case directive == "@pulled":
			c.pulled = true
		case directive == "@unproved" && arg != "":
			c.unproved = true
		case strings.HasPrefix(line, "@"):
			t.Fatalf("%s: unknown directive %q", path, line)
		default:
			why = why || line != ""
		}
	}
	if !why {
		t.Errorf("%s: the first line must say why the case exists", path)
	}
	ch, ok := r.channels[name]
	if !ok {
		t.Fatalf("%s: there is no testdata/%s", path, channelFile(name))
	}
	c.ch = ch
	return c
}

// section returns what is given under name.
func (c *golden) section(t testing.TB, name string) []byte {
	t.Helper()
	data, ok := c.optional(name)
	if !ok {
		t.Fatalf("%s: no section %s", c.path, name)
	}
	return data
}

func (c *golden) optional(name string) ([]byte, bool) {
	c.used[name] = true
	for _, f := range c.ar.Files {
		if f.Name == name {
			return f.Data, true
		}
	}
	return nil, false
}

// want compares what is expected under name with got, or takes got over.
func (c *golden) want(t testing.TB, name string, got []byte) {
	t.Helper()
	got = append(bytes.TrimRight(got, "\n"), '\n')
	c.used[name] = true
	i := slices.IndexFunc(c.ar.Files, func(f txtar.File) bool { return f.Name == name })
	switch {
	case i >= 0 && bytes.Equal(c.ar.Files[i].Data, got):
	case *update && i >= 0:
		c.ar.Files[i].Data, c.dirty = got, true
	case *update:
		c.ar.Files, c.dirty = append(c.ar.Files, txtar.File{Name: name, Data: got}), true
	case i < 0:
		t.Errorf("%s: no section %s; run go test -update and read what it writes", c.path, name)
	default:
		t.Errorf("%s: %s (-want +got)\n%s", c.path, name, cmp.Diff(string(c.ar.Files[i].Data), string(got)))
	}
}

// save writes the case back after -update, and finds sections that nothing asked for.
func (c *golden) save(t *testing.T) {
	t.Helper()
	if t.Failed() && !*update {
		return
	}
	kept := c.ar.Files[:0:0]
	for _, f := range c.ar.Files {
		switch {
		case c.used[f.Name]:
			kept = append(kept, f)
		case *update && generated.MatchString(f.Name):
			c.dirty = true
		default:
			t.Errorf("%s: nothing asked for section %s", c.path, f.Name)
			kept = append(kept, f)
		}
	}
	c.ar.Files = kept
	if !*update || !c.dirty {
		return
	}
	if err := os.WriteFile(c.path, txtar.Format(c.ar), 0o644); err != nil {
		t.Fatal(err)
	}
}

func channelFile(name string) string {
	if name == "" {
		return "channel.json"
	}
	return "channel." + name + ".json"
}

func loadChannels(t testing.TB) map[string]channel.Keyed {
	t.Helper()
	paths, _ := filepath.Glob(filepath.Join("testdata", "channel*.json"))
	chs := map[string]channel.Keyed{}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		var v struct {
			channel.Keyed
			Token string `json:"token"`
		}
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&v); err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(p), "channel"), ".json")
		v.Keyed.Token, v.WebhookURL = v.Token, webhookURL(v.Keyed)
		chs[strings.TrimPrefix(name, ".")] = v.Keyed
	}
	if len(chs) == 0 {
		t.Fatal("there is no testdata/channel.json")
	}
	return chs
}

func pretty(t testing.TB, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
