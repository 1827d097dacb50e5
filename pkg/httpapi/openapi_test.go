package httpapi_test

import (
	"encoding/json"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/httpapi"
)

const document = `
openapi: 3.1.0
info: { title: test, version: v1 }
paths:
  /things/{id}:
    post:
      operationId: post
      parameters:
        - { name: id, in: path, required: true, schema: { type: string } }
        - { name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 200 } }
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [name, kind]
              properties:
                name: { type: string, minLength: 2, maxLength: 5 }
                kind: { type: string, enum: [a, b] }
                inner: { type: object, additionalProperties: false, properties: { "x/y": { type: [integer, "null"] } } }
      responses:
        "204": { description: done }
`

func TestA422NamesEveryField(t *testing.T) {
	t.Parallel()
	spec, err := httpapi.LoadSpec([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	e := httpapi.New()
	e.POST("/things/:id", spec.Validate(), func(c *gin.Context) {
		var v map[string]any
		if err := httpapi.Body(c, &v); err != nil {
			httpapi.Fail(c, err)
			return
		}
		c.Status(204)
	})
	for name, tc := range map[string]struct {
		query, body string
		status      int
		want        []string // pointer code
	}{
		"good":      {"", `{"name":"abc","kind":"a","inner":{"x/y":null}}`, 204, nil},
		"missing":   {"", `{}`, 422, []string{"/kind required", "/name required"}},
		"unknown":   {"", `{"name":"abc","kind":"a","nam":1}`, 422, []string{"/nam unknown_field"}},
		"types":     {"", `{"name":5,"kind":"a"}`, 422, []string{"/name bad_format"}},
		"lengths":   {"", `{"name":"abcdef","kind":"c"}`, 422, []string{"/kind bad_value", "/name too_long"}},
		"inside":    {"", `{"name":"abc","kind":"a","inner":{"x/y":"z","w":1}}`, 422, []string{"/inner/w unknown_field", "/inner/x~1y bad_format"}},
		"parameter": {"?limit=300", `{"name":"abc","kind":"a"}`, 422, []string{"/limit out_of_range"}},
		"no JSON":   {"", `{"name"`, 422, []string{" bad_format"}},
		"two":       {"", `{"name":"abc","kind":"a"} {}`, 422, []string{" bad_format"}},
		"nothing":   {"", ``, 422, []string{" required"}},
		"both":      {"?limit=300", `{"name":"abc"}`, 422, []string{"/kind required", "/limit out_of_range"}},
	} {
		w := httptest.NewRecorder()
		req := httptest.NewRequest("POST", "/things/1"+tc.query, strings.NewReader(tc.body))
		req.Header.Set("Content-Type", "application/json")
		e.ServeHTTP(w, req)
		var p httpapi.Problem
		if tc.status != 204 {
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
				t.Fatalf("%s: %v: %s", name, err, w.Body)
			}
		}
		var got []string
		for _, f := range p.Errors {
			got = append(got, f.Pointer+" "+f.Code)
			if f.Detail == "" || strings.Contains(f.Detail, "\n") {
				t.Errorf("%s: detail %q", name, f.Detail)
			}
		}
		slices.Sort(got)
		if w.Code != tc.status || (tc.want != nil && !slices.Equal(got, tc.want)) {
			t.Errorf("%s: %d %v, want %d %v\n%s", name, w.Code, got, tc.status, tc.want, w.Body)
		}
		if w.Code == 422 && w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: content type %s", name, w.Header().Get("Content-Type"))
		}
	}
}

func TestDocumentsOfServicesMerge(t *testing.T) {
	t.Parallel()
	other := strings.NewReplacer("/things/", "/others/", "operationId: post", "operationId: other").Replace(document)
	merged, err := httpapi.Merge([]byte(document), []byte(other))
	if err != nil {
		t.Fatal(err)
	}
	spec, err := httpapi.LoadSpec(merged)
	if err != nil || spec.Doc.Paths.Find("/things/{id}") == nil || spec.Doc.Paths.Find("/others/{id}") == nil {
		t.Errorf("paths are missing (%v)", err)
	}
}

const upload = `
openapi: 3.1.0
info: { title: test, version: v1 }
security: [{ key: [] }]
paths:
  /files:
    post:
      operationId: upload
      parameters: [{ name: limit, in: query, schema: { type: integer, maximum: 5 } }]
      requestBody:
        required: true
        content: { multipart/form-data: { schema: { type: object, properties: { file: { type: string, format: binary } } } } }
      responses: { "201": { description: made } }
components: { securitySchemes: { key: { type: http, scheme: bearer } } }
`

// A body that is no JSON belongs to the handler, which takes budgets and asks for the caller's authority while it reads.
func TestABodyThatIsNoJSONIsNotReadBeforeItsHandler(t *testing.T) {
	t.Parallel()
	spec, err := httpapi.LoadSpec([]byte(upload))
	if err != nil {
		t.Fatal(err)
	}
	const large = 10 << 20
	for query, want := range map[string]int{"": 201, "?limit=9": 422} {
		body := strings.NewReader(strings.Repeat("x", large))
		unread := func() {
			if body.Len() != large {
				t.Errorf("%q: %d bytes of the body were read", query, large-body.Len())
			}
		}
		e := httpapi.New()
		e.POST("/files", spec.Validate(), func(c *gin.Context) {
			unread()
			if n, err := io.Copy(io.Discard, c.Request.Body); n != large || err != nil {
				t.Errorf("the handler reads %d bytes: %v", n, err)
			}
			c.Status(201)
		})
		req := httptest.NewRequest("POST", "/files"+query, body)
		req.Header.Set("Content-Type", "multipart/form-data; boundary=b")
		rec := httptest.NewRecorder()
		if e.ServeHTTP(rec, req); rec.Code != want {
			t.Errorf("%q: %d %s", query, rec.Code, rec.Body)
		}
		if want == 422 {
			unread()
		}
	}
}
