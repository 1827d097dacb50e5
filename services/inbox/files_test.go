package inbox_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/fileurl"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// public is the URL's path of a file of a tenant, as of a time.
func (w *tenant) public(f fileurl.File, at time.Time) string {
	w.Helper()
	full := fileurl.New(w.env.Sealer, "https://chat.example", func() time.Time { return at }).Link(f)
	return strings.TrimPrefix(full, "https://chat.example")
}

// stored uploads a file and returns what the record knows of it.
func (w *tenant) stored(name, declared string, content []byte) *record.File {
	w.Helper()
	f, err := w.record.Files.Get(w.Context(), w.uploadDeclared(w.key, name, declared, content).want(201).text("id"))
	w.ok(err)
	return f
}

func TestP10_PublicFiles(t *testing.T) {
	t.Parallel()
	w, other := newTenant(t), newTenant(t)
	content := append(bytes.Clone(png), bytes.Repeat([]byte("0123456789"), 100)...)
	size := len(content)
	page := []byte("<!doctype html><script>alert(1)</script>")
	image, script := w.stored("ä photo.png", "image/png", content), w.stored("page.html", "text/html", page)
	named := func(f *record.File) fileurl.File {
		return fileurl.File{Tenant: w.id, Key: f.Blob, MIME: f.MIME, Name: f.Name}
	}
	good, active := w.public(named(image), time.Now()), w.public(named(script), time.Now())
	stranger := named(image)
	stranger.Tenant = other.id
	missing := named(image)
	missing.Key += "0"
	disguised := named(script)
	disguised.MIME = "image/png"
	for name, c := range map[string]struct {
		method, path string
		header       header
		status       int
		want         header
		body         []byte
	}{
		"whole": {"GET", good, nil, 200, header{"Content-Type": "image/png", "X-Content-Type-Options": "nosniff", "Accept-Ranges": "bytes",
			"Content-Disposition": "inline; filename*=utf-8''%C3%A4%20photo.png", "Content-Security-Policy": "default-src 'none'; sandbox"}, content},
		"head":                {"HEAD", good, nil, 200, header{"Content-Type": "image/png"}, nil},
		"a range":             {"GET", good, header{"Range": "bytes=2-5"}, 206, header{"Content-Range": "bytes 2-5/"}, content[2:6]},
		"an open range":       {"GET", good, header{"Range": "bytes=20-"}, 206, nil, content[20:]},
		"the end":             {"GET", good, header{"Range": "bytes=-7"}, 206, nil, content[size-7:]},
		"no such range":       {"GET", good, header{"Range": "bytes=99999-"}, 416, nil, nil},
		"a range of a HEAD":   {"HEAD", good, header{"Range": "bytes=2-5"}, 206, nil, nil},
		"another unit":        {"GET", good, header{"Range": "lines=1-2"}, 200, nil, content},
		"known already":       {"GET", good, header{"If-None-Match": `"` + image.SHA256 + `"`}, 304, nil, []byte{}},
		"of a changed file":   {"GET", good, header{"Range": "bytes=2-5", "If-Range": `"other"`}, 200, nil, content},
		"active":              {"GET", active, nil, 200, header{"Content-Type": "text/html; charset=utf-8", "Content-Disposition": "attachment"}, page},
		"active in disguise":  {"GET", w.public(disguised, time.Now()), nil, 200, header{"Content-Type": "text/html", "Content-Disposition": "attachment"}, page},
		"over":                {"GET", w.public(named(image), time.Now().Add(-9*24*time.Hour)), nil, 404, nil, nil},
		"of another tenant":   {"GET", w.public(stranger, time.Now()), nil, 404, nil, nil},
		"of no file":          {"GET", w.public(missing, time.Now()), nil, 404, nil, nil},
		"forged":              {"GET", good[:len(good)-4] + "AAAA", nil, 404, nil, nil},
		"shortened":           {"GET", good[:len(good)-1], nil, 404, nil, nil},
		"with more behind it": {"GET", good + "/x", nil, 404, nil, nil},
		"a name of nothing":   {"GET", "/files/x", nil, 404, nil, nil},
		"out of the folder":   {"GET", "/files/..%2f..%2fetc%2fpasswd", nil, 404, nil, nil},
		"no token":            {"GET", "/files/", nil, 404, nil, nil},
		"POST":                {"POST", good, nil, 405, nil, nil},
		"PUT":                 {"PUT", good, nil, 405, nil, nil},
		"DELETE":              {"DELETE", good, nil, 405, nil, nil},
		"OPTIONS":             {"OPTIONS", good, nil, 405, nil, nil},
		"a method of nobody":  {"BREW", good, nil, 405, nil, nil},
	} {
		req := must(http.NewRequestWithContext(t.Context(), c.method, w.served.URL+c.path, http.NoBody))
		for k, v := range c.header {
			req.Header.Set(k, v)
		}
		resp := must(w.served.Client().Do(req))
		got := must(io.ReadAll(resp.Body))
		_ = resp.Body.Close()
		if resp.StatusCode != c.status || c.body != nil && !bytes.Equal(got, c.body) {
			t.Errorf("%s: %d, %d bytes: %.300s", name, resp.StatusCode, len(got), got)
		}
		for k, v := range c.want {
			if !strings.HasPrefix(resp.Header.Get(k), v) {
				t.Errorf("%s: %s is %q", name, k, resp.Header.Get(k))
			}
		}
		if resp.Header.Get("Set-Cookie") != "" || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", name, resp.Header)
		}
	}
	a, b := w.get("", w.public(stranger, time.Now())).want(404), w.get("", good[:len(good)-4]+"AAAA").want(404)
	delete(a.body, "request_id")
	delete(b.body, "request_id")
	if x, y := string(must(json.Marshal(a.body))), string(must(json.Marshal(b.body))); x != y {
		t.Errorf("what is not there and what is forged differ:\n%s\n%s", x, y)
	}
}

func TestGuessesOfPublicFilesAreLimited(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	f := w.stored("a.png", "image/png", png)
	w.served = w.another(w.env.Bus) // with budgets of its own
	for n := 0; w.get("", "/files/guess").status != http.StatusTooManyRequests; n++ {
		if n > 1000 {
			t.Fatal("a thousand guesses are not limited")
		}
	}
	w.get("", w.public(fileurl.File{Tenant: w.id, Key: f.Blob, MIME: f.MIME}, time.Now())).want(200)
}
