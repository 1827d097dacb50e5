package reference

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/httpapi"
)

func pagesOf(t *testing.T) func(method, path, etag string) (*http.Response, string) {
	t.Helper()
	e := httpapi.New()
	docs, err := New()
	if err != nil {
		t.Fatal(err)
	}
	docs.Routes(e)
	server := httptest.NewServer(httpapi.Handler(e))
	t.Cleanup(server.Close)
	return func(method, path, etag string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if etag != "" {
			r.Header.Set("If-None-Match", etag)
		}
		resp, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(b)
	}
}

var link = regexp.MustCompile(`(?:href|src|spec-url)="(/[^"#]*)`)

func TestEveryPageLeadsOnAndLoadsOnlyWhatThisListenerServes(t *testing.T) {
	t.Parallel()
	get := pagesOf(t)
	seen, next := map[string]bool{}, []string{"/docs"}
	for ; len(next) > 0; next = next[1:] {
		path := next[0]
		if seen[path] {
			continue
		}
		seen[path] = true
		resp, body := get("GET", path, "")
		if resp.StatusCode != 200 || body == "" {
			t.Errorf("%s: %d", path, resp.StatusCode)
			continue
		}
		if again, rest := get("GET", path, resp.Header.Get("ETag")); again.StatusCode != 304 || rest != "" {
			t.Errorf("%s again: %d", path, again.StatusCode)
		}
		if head, rest := get("HEAD", path, ""); head.StatusCode != 200 || rest != "" {
			t.Errorf("HEAD %s: %d %.20s", path, head.StatusCode, rest)
		}
		if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
			continue
		}
		policy := resp.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'; script-src 'self';") || regexp.MustCompile(`<script>|<style|\son[a-z]+=|\sstyle=`).MatchString(body) {
			t.Errorf("%s has something that stands in the page itself, or no policy: %q", path, policy)
		}
		for _, m := range link.FindAllStringSubmatch(body, -1) {
			next = append(next, m[1])
		}
	}
	for _, want := range []string{"/docs", "/docs/errors", "/docs/redoc.js", "/openapi.yaml"} {
		if !seen[want] {
			t.Errorf("nothing leads to %s", want)
		}
	}
}

func TestTheDocumentIsValid(t *testing.T) {
	t.Parallel()
	if _, err := httpapi.LoadSpec(document); err != nil {
		t.Error(err)
	}
}

func TestTheTypeOfAProblemIsAPlaceOfAPage(t *testing.T) {
	t.Parallel()
	get := pagesOf(t)
	_, problem := get("GET", "/nowhere", "")
	typ := regexp.MustCompile(`"type":"([^"#]+)#([^"]+)"`).FindStringSubmatch(problem)
	if typ == nil {
		t.Fatal(problem)
	}
	if resp, body := get("GET", typ[1], ""); resp.StatusCode != 200 || !strings.Contains(body, `id="`+typ[2]+`"`) {
		t.Errorf("%s: %d", typ[1], resp.StatusCode)
	}
}
