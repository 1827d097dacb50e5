package all_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/tributaryhq/tributary/pkg/httpapi"
)

// concrete is a path with an id in the place of every parameter.
func concrete(path string) string {
	var out []string
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, ":") || strings.HasPrefix(part, "*") || strings.HasPrefix(part, "{") {
			part = "x"
		}
		out = append(out, part)
	}
	return strings.Join(out, "/")
}

// TestEveryRouteRefusesWhatItCannotHeed walks the routes as they are mounted, those of the API and those that no document has:
// webhooks, the web chat, the pages, the simulator.
func TestEveryRouteRefusesWhatItCannotHeed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	taken := map[string][]string{}
	for _, r := range h.engine.Routes() {
		if !strings.Contains(r.Path, "*") || strings.HasPrefix(r.Path, "/webhooks/") { // the rest are the simulated providers' own
			taken[concrete(r.Path)] = append(taken[concrete(r.Path)], r.Method)
		}
	}
	if len(taken) < 80 {
		t.Fatalf("%d paths only", len(taken))
	}
	for path, methods := range taken {
		if slices.Contains(methods, http.MethodGet) && !slices.Contains(methods, http.MethodHead) {
			methods = append(methods, http.MethodHead)
		}
		slices.Sort(methods)
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE"} {
			a := h.call("", method, path, nil)
			if !slices.Contains(methods, method) {
				allow := strings.Split(a.header.Get("Allow"), ", ")
				slices.Sort(allow)
				if a.status != http.StatusMethodNotAllowed || !slices.Equal(allow, methods) {
					t.Errorf("%s %s: %d, Allow %v, want 405 and %v", method, path, a.status, allow, methods)
				}
				continue
			}
			if a.status >= 500 {
				t.Errorf("%s %s: %d %s", method, path, a.status, a.body)
			}
			if get := h.call("", http.MethodGet, path, nil); method == http.MethodHead && (a.status != get.status || a.body != "") {
				t.Errorf("HEAD %s: %d %.80q, GET %d", path, a.status, a.body, get.status)
			}
			if a := h.call("", method, path+"?a=%zz", nil); a.status != 422 || method != http.MethodHead && !strings.Contains(a.body, "bad_query") {
				t.Errorf("%s %s with a query that cannot be decoded: %d %.120s", method, path, a.status, a.body)
			}
		}
	}
}

// TestALargeBodyIsRefusedByAnAnswer: whatever takes a body answers one over its limit, while the client still sends.
func TestALargeBodyIsRefusedByAnAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, r := range h.engine.Routes() {
		if r.Method != http.MethodPost || strings.Contains(r.Path, "*path") {
			continue
		}
		a := h.call("", r.Method, concrete(r.Path), strings.NewReader(strings.Repeat("x", 24<<20)))
		if a.status < 400 || a.status >= 500 || !strings.Contains(a.body, `"code"`) {
			t.Errorf("%s: %d %s", r.Path, a.status, a.body)
		}
		if (strings.HasPrefix(r.Path, "/v1/") && r.Path != "/v1/attachments" || strings.HasPrefix(r.Path, "/webhooks/")) && a.status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d, want 413", r.Path, a.status)
		}
	}
}

// cursorOps are the operations that take a cursor.
func cursorOps(t *testing.T) (out []string) {
	walkOperations(t, func(_ *httpapi.Spec, method, path string, op *openapi3.Operation) {
		if method == http.MethodGet && op.Parameters.GetByInAndName("query", "cursor") != nil {
			out = append(out, path)
		}
	})
	slices.Sort(out)
	return out
}

// TestP10_AForeignCursorShowsNothing: one of another operation, or a damaged one, is 422 for every operation that takes one; one of
// another tenant shows nothing of that tenant.
func TestP10_AForeignCursorShowsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ours, theirs := h.tenant("ours"), h.tenant("theirs")
	for _, key := range []string{ours, theirs} {
		for i := range 3 {
			name := fmt.Sprintf("made %d by %s", i, key[4:10])
			h.make(key, "/v1/users", map[string]any{"name": name, "role": "agent", "email": fmt.Sprintf("u%d-%s@example.com", i, strings.ToLower(key[4:10]))})
			h.make(key, "/v1/queues", map[string]any{"name": name})
			h.make(key, "/v1/skills", map[string]any{"name": name})
			h.make(key, "/v1/organization-units", map[string]any{"name": name})
			h.make(key, "/v1/api-keys", map[string]any{"name": name, "scopes": []string{"audit.read"}})
		}
	}
	ops := cursorOps(t)
	cursors := map[string]string{} // by operation, of the other tenant
	for _, path := range ops {
		if !strings.Contains(path, "{") {
			if _, rest, ok := strings.Cut(h.call(theirs, "GET", path+"?limit=1", nil).body, `"next_cursor":"`); ok {
				cursors[path], _, _ = strings.Cut(rest, `"`)
			}
		}
	}
	if len(ops) < 10 || len(cursors) < 5 {
		t.Fatalf("%d operations, cursors of %d", len(ops), len(cursors))
	}
	for _, path := range ops {
		at := concrete(path)
		refused := func(what, cursor string) {
			a := h.call(ours, "GET", at+"?cursor="+cursor, nil)
			if there := !strings.Contains(path, "{"); there && (a.status != 422 || !strings.Contains(a.body, "bad_cursor")) || !there && a.status != 404 && a.status != 422 {
				t.Errorf("%s with %s: %d %.200s", path, what, a.status, a.body)
			}
		}
		for other, cursor := range cursors {
			if other == path {
				refused("a cursor that was cut", cursor[:len(cursor)-3])
				refused("a cursor with another end", cursor[:len(cursor)-4]+"AAAA")
				if a := h.call(ours, "GET", at+"?cursor="+cursor, nil); a.status != 422 && a.status != 200 || strings.Contains(a.body, "by "+theirs[4:10]) {
					t.Errorf("%s with the cursor of another tenant: %d %s", path, a.status, a.body)
				}
				continue
			}
			refused("the cursor of "+other, cursor)
		}
		for _, cursor := range []string{"x", "e30", "bnVsbA", "W10", "..", strings.Repeat("A", 1024)} {
			refused("the cursor "+cursor[:min(8, len(cursor))], cursor)
		}
	}
}
