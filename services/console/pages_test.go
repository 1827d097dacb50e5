package console

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/run"
)

func serve(t *testing.T, parts *run.Parts) func(path string, head ...string) *http.Response {
	t.Helper()
	e := httpapi.New()
	parts.Routes(e)
	h := httpapi.Handler(e)
	return func(path string, head ...string) *http.Response {
		t.Helper()
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", path, nil)
		for i := 0; i < len(head); i += 2 {
			r.Header.Set(head[i], head[i+1])
		}
		h.ServeHTTP(w, r)
		return w.Result()
	}
}

func text(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func console(t *testing.T) func(path string, head ...string) *http.Response {
	t.Helper()
	parts, err := New(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, parts)
}

func TestEveryPlaceShowsThePageUnderItsOwnNonce(t *testing.T) {
	t.Parallel()
	get, seen := console(t), map[string]bool{}
	for _, place := range []string{"/", "/signin", "/inbox", "/inbox/cnv_1", "/inbox/cnv_1/x", "/channels", "/channels/ch_1", "/simulator"} {
		resp := get(place)
		body, csp := text(t, resp.Body), resp.Header.Get("Content-Security-Policy")
		m := regexp.MustCompile(`script-src 'self' 'nonce-([0-9a-f]{32})'`).FindStringSubmatch(csp)
		if resp.StatusCode != 200 || m == nil || seen[m[1]] || !strings.Contains(body, `nonce="`+m[1]+`"`) || strings.Contains(body, nonceMark) {
			t.Errorf("%s: %d %q %s", place, resp.StatusCode, csp, body)
			continue
		}
		seen[m[1]] = true
		for _, refused := range []string{"unsafe-inline", "unsafe-eval", "*", "http"} {
			if strings.Contains(csp, refused) {
				t.Errorf("%s: the policy has %s: %s", place, refused, csp)
			}
		}
		if cache := resp.Header.Get("Cache-Control"); cache != "no-store" {
			t.Errorf("%s: a nonce is kept: %q", place, cache)
		}
		if inline := regexp.MustCompile(`<script[^>]*>[^<]|<style|\son[a-z]+=|\sstyle=`).FindString(body); inline != "" {
			t.Errorf("%s: %q stands in the page itself", place, inline)
		}
	}
	for _, nowhere := range []string{"/inboxes", "/v1/x", "/assets/none.js", "/assets/../index.html", "/assets/"} {
		if code := get(nowhere).StatusCode; code != 404 {
			t.Errorf("%s: %d", nowhere, code)
		}
	}
}

func TestThePageLoadsWhatIsBuilt(t *testing.T) {
	t.Parallel()
	get := console(t)
	links := regexp.MustCompile(`(?:src|href)="([^"#]+)"`).FindAllStringSubmatch(text(t, get("/").Body), -1)
	if len(links) == 0 {
		t.Fatal("the page loads nothing")
	}
	for _, l := range links {
		resp := get(l[1], "Accept-Encoding", "gzip, br")
		if resp.StatusCode != 200 || !strings.HasPrefix(l[1], "/assets/") || !strings.Contains(resp.Header.Get("Cache-Control"), "immutable") ||
			resp.Header.Get("Content-Type") == "" || resp.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %d %v", l[1], resp.StatusCode, resp.Header)
			continue
		}
		plain := text(t, get(l[1]).Body)
		if resp.Header.Get("Content-Encoding") != "gzip" {
			continue
		}
		z, err := gzip.NewReader(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if text(t, z) != plain {
			t.Errorf("%s is another file when it is packed", l[1])
		}
	}
}

func TestAPageThatCannotBeServedSafelyStopsTheStart(t *testing.T) {
	t.Parallel()
	const good = `<script nonce="__CSP_NONCE__" src="/assets/a.js"></script>`
	for name, built := range map[string]fstest.MapFS{
		"no page":   {"assets/a.js": {Data: []byte("1")}},
		"no nonce":  {"index.html": {Data: []byte("<p>")}, "assets/a.js": {Data: []byte("1")}},
		"no assets": {"index.html": {Data: []byte(good)}},
	} {
		if _, err := newPages(built); err == nil {
			t.Errorf("%s: it starts", name)
		}
	}
	p, err := newPages(fstest.MapFS{"index.html": {Data: []byte(good)}, "assets/a.js": {Data: []byte("1")}})
	if err != nil || p.files["a.js"] == nil || p.files["a.js"].packed() != nil {
		t.Errorf("%v: %+v; one byte is not packed", err, p)
	}
}
