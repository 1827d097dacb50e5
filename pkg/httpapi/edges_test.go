package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/httpapi"
)

func TestWhatCannotBeHeededIsRefused(t *testing.T) {
	t.Parallel()
	spec, err := httpapi.LoadSpec([]byte(strings.Replace(document, `"204"`, `"201"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	e := httpapi.New()
	e.POST("/things/:id", spec.Validate(), func(c *gin.Context) { c.Status(204) })
	const good = `{"name":"abc","kind":"a"}`
	for name, tc := range map[string]struct {
		query, body string
		header      [2]string
		want        string // code of the problem, or pointer and code of its field
	}{
		"good":                {"?limit=1", good, [2]string{}, ""},
		"broken escape":       {"?limit=1%zz", good, [2]string{}, " bad_query"},
		"semicolon":           {"?limit=1;x=2", good, [2]string{}, " bad_query"},
		"stray percent":       {"?limit=1%", good, [2]string{}, " bad_query"},
		"unknown parameter":   {"?colour=red", good, [2]string{}, "/colour unknown_parameter"},
		"given twice":         {"?limit=1&limit=2", good, [2]string{}, "/limit bad_format"},
		"query not UTF-8":     {"?limit=%ff", good, [2]string{}, "/limit bad_encoding"},
		"body not UTF-8":      {"", "{\"name\":\"a\xff\",\"kind\":\"a\"}", [2]string{}, " bad_encoding"},
		"NUL":                 {"", `{"name":"a\u0000","kind":"a"}`, [2]string{}, "/name bad_encoding"},
		"half a pair":         {"", `{"name":"a\ud800","kind":"a"}`, [2]string{}, "/name bad_encoding"},
		"the other half":      {"", `{"name":"a\udc00","kind":"a"}`, [2]string{}, "/name bad_encoding"},
		"a whole pair":        {"", `{"name":"a\ud83d\ude00","kind":"a"}`, [2]string{}, ""},
		"an escaped escape":   {"", `{"name":"\\ud8","kind":"a"}`, [2]string{}, ""},
		"another media type":  {"", good, [2]string{"Content-Type", "text/plain"}, "unsupported_media_type"},
		"with a parameter":    {"", good, [2]string{"Content-Type", "application/json; charset=utf-8"}, ""},
		"key of a lone creat": {"", good, [2]string{"Idempotency-Key", "k"}, "/Idempotency-Key not_applicable"},
	} {
		req := httptest.NewRequest("POST", "/things/1", strings.NewReader(tc.body))
		req.URL.RawQuery = strings.TrimPrefix(tc.query, "?")
		if tc.header[0] != "" {
			req.Header.Set(tc.header[0], tc.header[1])
		}
		w := httptest.NewRecorder()
		e.ServeHTTP(w, req)
		got := ""
		if w.Code != 204 {
			var p httpapi.Problem
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
				t.Fatalf("%s: %v: %s", name, err, w.Body)
			}
			if got = p.Code; len(p.Errors) > 0 {
				got = p.Errors[0].Pointer + " " + p.Errors[0].Code
			}
		}
		if got != tc.want {
			t.Errorf("%s: %d %q, want %q", name, w.Code, got, tc.want)
		}
	}
}

func TestListsOfTagsAndSchemesInAnyCase(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]bool{`"1"`: true, `"2", "1"`: true, `W/"1"`: true, `*`: true, `"2"`: false, ``: false} {
		if got := httpapi.Matches(list, `"1"`); got != want {
			t.Errorf("%s: %v", list, got)
		}
	}
	for header, want := range map[string]string{"Bearer x": "x", "bearer x": "x", "BEARER  x": "x", "Basic x": "", "": ""} {
		c, _ := gin.CreateTestContext(httptest.NewRecorder())
		c.Request = httptest.NewRequest("GET", "/", nil)
		c.Request.Header.Set("Authorization", header)
		if got := httpapi.BearerOf(c); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}

func TestAnUpgradeIsRefusedAsAProblem(t *testing.T) {
	t.Parallel()
	whole := map[string]string{"Connection": "keep-alive, Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
	for name, tc := range map[string]struct {
		header, value string
		status        int
	}{
		"good": {"", "", 200}, "own page": {"Origin", "http://example.com", 200}, "foreign page": {"Origin", "https://evil.test", 403},
		"no upgrade": {"Upgrade", "", 426}, "old version": {"Sec-WebSocket-Version", "8", 426}, "no key": {"Sec-WebSocket-Key", "", 422},
	} {
		c, _ := gin.CreateTestContext(httptest.NewRecorder())
		c.Request = httptest.NewRequest("GET", "http://example.com/", nil)
		for k, v := range whole {
			c.Request.Header.Set(k, v)
		}
		if tc.header != "" {
			c.Request.Header.Set(tc.header, tc.value)
		}
		status := 200
		if err := httpapi.Upgrade(c, false); err != nil {
			status = httpapi.Describe(err).Status
		}
		if status != tc.status {
			t.Errorf("%s: %d, want %d", name, status, tc.status)
		}
	}
}

func TestHeadIsGetWithoutItsBody(t *testing.T) {
	t.Parallel()
	spec, err := httpapi.LoadSpec([]byte(`
openapi: 3.1.0
info: { title: test, version: v1 }
paths:
  /thing: { get: { operationId: get, responses: { "200": { description: it, content: { application/json: { schema: {} } } } } } }
  /stream: { get: { operationId: stream, responses: { "200": { description: it, content: { text/event-stream: { schema: { type: string } } } } } } }
`))
	if err != nil {
		t.Fatal(err)
	}
	e := httpapi.New()
	e.GET("/thing", spec.Validate(), func(c *gin.Context) { c.JSON(200, "it") })
	e.GET("/stream", spec.Validate(), func(*gin.Context) { t.Error("HEAD opened a stream") })
	e.POST("/post", func(c *gin.Context) { c.Status(204) })
	srv := httptest.NewServer(httpapi.Handler(e))
	t.Cleanup(srv.Close)
	for path, want := range map[string]string{"/thing": "200  application/json; charset=utf-8", "/stream": "200  text/event-stream; charset=utf-8",
		"/post": "405 POST application/problem+json", "/none": "404  application/problem+json"} {
		res, err := srv.Client().Head(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if got := fmt.Sprint(res.StatusCode, " ", res.Header.Get("Allow"), " ", res.Header.Get("Content-Type")); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest("DELETE", "/thing", nil))
	if w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("DELETE: %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

func TestTextsThatShowNothingAreRefused(t *testing.T) {
	t.Parallel()
	spec, err := httpapi.LoadSpec([]byte(strings.Replace(document, "minLength: 2, maxLength: 5", "format: nonblank", 1)))
	if err != nil {
		t.Fatal(err)
	}
	e := httpapi.New()
	e.POST("/things/:id", spec.Validate(), func(c *gin.Context) { c.Status(204) })
	for text, want := range map[string]int{
		"a": 204, "": 204, " a ": 204, "\u00e9": 204, "\U0001F600": 204, "\u0301": 204,
		" ": 422, "\t\n": 422, "\u00a0": 422, "\u3000": 422, "\u200b": 422, "\u2060\ufeff": 422, "\u3164": 422, "\u2800": 422, "\u202e": 422,
	} {
		body, err := json.Marshal(map[string]string{"name": text, "kind": "a"})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest("POST", "/things/1", bytes.NewReader(body)))
		if w.Code != want || (want == 422 && !strings.Contains(w.Body.String(), "/name")) {
			t.Errorf("%q: %d %s", text, w.Code, w.Body)
		}
	}
}
