package all_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/httpapi"
)

// documents are the OpenAPI documents of all services, by service.
func documents(t *testing.T) map[string]*httpapi.Spec {
	t.Helper()
	paths, err := filepath.Glob("../*/openapi.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no documents (%v)", err)
	}
	out := map[string]*httpapi.Spec{}
	for _, path := range paths {
		doc, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		spec, err := httpapi.LoadSpec(doc)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		out[filepath.Base(filepath.Dir(path))] = spec
	}
	return out
}

// walkOperations calls f with every operation of every document.
func walkOperations(t *testing.T, f func(spec *httpapi.Spec, method, path string, op *openapi3.Operation)) {
	t.Helper()
	n := 0
	for _, spec := range documents(t) {
		for path, item := range spec.Doc.Paths.Map() {
			for method, op := range item.Operations() {
				n++
				f(spec, method, path, op)
			}
		}
	}
	if n < 60 {
		t.Fatalf("the documents have %d operations only", n)
	}
}

// walkSchema calls f with a schema and all that lies in it.
func walkSchema(at string, ref *openapi3.SchemaRef, seen map[*openapi3.Schema]bool, f func(at string, s *openapi3.Schema)) {
	if ref == nil || ref.Value == nil || seen[ref.Value] {
		return
	}
	s := ref.Value
	seen[s] = true
	f(at, s)
	for name, p := range s.Properties {
		walkSchema(at+"/"+name, p, seen, f)
	}
	walkSchema(at+"/*", s.Items, seen, f)
	walkSchema(at+"/{}", s.AdditionalProperties.Schema, seen, f)
	for _, list := range []openapi3.SchemaRefs{s.AllOf, s.AnyOf, s.OneOf} {
		for _, part := range list {
			walkSchema(at, part, seen, f)
		}
	}
}

func walkBodies(t *testing.T, f func(at string, s *openapi3.Schema)) {
	t.Helper()
	walkOperations(t, func(_ *httpapi.Spec, method, path string, op *openapi3.Operation) {
		if op.RequestBody == nil {
			return
		}
		for _, m := range op.RequestBody.Value.Content {
			walkSchema(method+" "+path, m.Schema, map[*openapi3.Schema]bool{}, f)
		}
	})
}

func TestEveryObjectInABodyIsClosedOrAMapOnPurpose(t *testing.T) {
	t.Parallel()
	walkBodies(t, func(at string, s *openapi3.Schema) {
		object := s.Type.Includes("object") || len(s.Properties) > 0
		if object && s.AdditionalProperties.Has == nil && s.AdditionalProperties.Schema == nil {
			t.Errorf("%s takes any field: say additionalProperties", at)
		}
	})
}

func TestTextsForPeopleShowSomething(t *testing.T) {
	t.Parallel()
	forPeople := []string{"name", "first_name", "last_name", "space_name", "text", "html", "subject", "title", "header", "body", "footer",
		"summary", "category", "tags/*", "skills/*", "reason", "queue_full", "queue_timeout"}
	walkBodies(t, func(at string, s *openapi3.Schema) {
		// What a customer of the simulator writes may be anything.
		text := s.Type.Includes("string") && len(s.Enum) == 0 && !strings.Contains(at, " /simulator/")
		is := func(name string) bool {
			return strings.HasSuffix(at, "/"+name) && !strings.HasSuffix(at, "attachment/name")
		}
		if text && slices.ContainsFunc(forPeople, is) && s.Format != "nonblank" {
			t.Errorf("%s may be white space alone: give it the format nonblank", at)
		}
	})
}

// try calls an operation whose handler answers 299.
func try(spec *httpapi.Spec, method, path, query string, header http.Header) *httptest.ResponseRecorder {
	e := httpapi.New()
	e.Handle(method, strings.NewReplacer("{", ":", "}", "").Replace(path), spec.Validate(), func(c *gin.Context) { c.Status(299) })
	req := httptest.NewRequest(method, strings.NewReplacer("{", "", "}", "").Replace(path), strings.NewReader("x"))
	req.URL.RawQuery, req.Header = query, header
	w := httptest.NewRecorder()
	e.ServeHTTP(w, req)
	return w
}

func TestEveryOperationRefusesWhatItCannotHeed(t *testing.T) {
	t.Parallel()
	walkOperations(t, func(spec *httpapi.Spec, method, path string, op *openapi3.Operation) {
		t.Run(op.OperationID, func(t *testing.T) {
			t.Parallel()
			refused := func(what string, w *httptest.ResponseRecorder, status int, code string) {
				t.Helper()
				if w.Code != status || !strings.Contains(w.Body.String(), fmt.Sprintf("%q:%q", "code", code)) {
					t.Errorf("%s: %d %s, want %d %s", what, w.Code, w.Body, status, code)
				}
			}
			refused("an unknown parameter", try(spec, method, path, "zz=1", http.Header{}), 422, "unknown_parameter")
			refused("a broken escape", try(spec, method, path, "%zz", http.Header{}), 422, "bad_query")
			if op.RequestBody != nil {
				refused("another media type", try(spec, method, path, "", http.Header{"Content-Type": {"text/x-other"}}), 415, "unsupported_media_type")
			}
			if op.Responses.Value("201") != nil && op.Parameters.GetByInAndName("header", "Idempotency-Key") == nil {
				refused("an idempotency key", try(spec, method, path, "", http.Header{"Idempotency-Key": {"k"}}), 422, "not_applicable")
			}
		})
	})
}
