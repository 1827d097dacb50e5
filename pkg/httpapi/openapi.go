package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/gin-gonic/gin"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Spec is a loaded OpenAPI document that requests and, in tests, responses are checked against.
type Spec struct {
	Doc    *openapi3.T
	router routers.Router
	bodies bodies
	plain  *openapi3.T // the document as one of OpenAPI 3.0, whose schemas openapi3filter checks without compiling them
}

// LoadSpec reads and validates an OpenAPI 3.1 document. That takes long, so a process that asks for the same document again, as
// tests do with every service they start, gets the same spec.
func LoadSpec(doc []byte) (*Spec, error) {
	load, _ := specs.LoadOrStore(string(doc), sync.OnceValues(func() (*Spec, error) { return loadSpec(doc) }))
	return load.(func() (*Spec, error))()
}

var specs sync.Map // of documents: func() (*Spec, error)

func loadSpec(doc []byte) (*Spec, error) {
	l := openapi3.NewLoader()
	t, err := l.LoadFromData(doc)
	if err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	if err := t.Validate(context.Background()); err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	t.Servers = nil // paths are matched whatever the host
	r, err := gorillamux.NewRouter(t)
	if err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	b, err := compile(t)
	if err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	plain := *t
	plain.OpenAPI = "3.0.3"
	return &Spec{Doc: t, router: r, bodies: b, plain: &plain}, nil
}

// Validate refuses requests that the document does not allow, with a 422 that names every field by JSON pointer.
func (s *Spec) Validate() gin.HandlerFunc {
	return func(c *gin.Context) {
		route, params, err := s.router.FindRoute(c.Request)
		if err != nil {
			c.Next() // not described here: the engine answers 404, or another service owns it
			return
		}
		var fields Fields
		checkQuery(c.Request, route, &fields)
		checkCreate(c.Request, route, &fields)
		if len(fields) > 0 {
			Fail(c, fields)
			return
		}
		if err := s.checkBody(c, route.Operation.RequestBody, &fields); err != nil {
			Fail(c, err)
			return
		}
		route.Spec = s.plain // what is left are parameters: nothing in their schemas is newer
		bodiless := *c.Request
		bodiless.Body = http.NoBody // the filter reads a body into memory for its check of authentication, however large it is
		err = openapi3filter.ValidateRequest(c.Request.Context(), &openapi3filter.RequestValidationInput{
			Request: &bodiless, PathParams: params, Route: route,
			Options: &openapi3filter.Options{
				MultiError: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, SkipSettingDefaults: true, ExcludeRequestBody: true,
			},
		})
		if err != nil {
			known := len(fields)
			if collect(err, "", &fields); len(fields) == known {
				fields.Add("", "invalid", "%s", firstLine(err))
			}
		}
		if len(fields) > 0 {
			Fail(c, fields)
			return
		}
		if isHead(c.Request) && streams(route.Operation) {
			c.Header("Content-Type", eventStream)
			c.AbortWithStatus(http.StatusOK)
			return
		}
		c.Next()
	}
}

// checkBody adds what is wrong with a JSON body to fields. Of other bodies the media type alone is checked, and nothing is read:
// they may be large. The error is about the whole.
func (s *Spec) checkBody(c *gin.Context, ref *openapi3.RequestBodyRef, fields *Fields) error {
	if ref == nil {
		return nil
	}
	want := ref.Value
	if jsonOf(want) == "" {
		return takes(want, c.Request, c.Request.ContentLength != 0)
	}
	body, err := Raw(c)
	if err != nil {
		return err
	}
	if c.Request.Header.Get("Content-Type") == "" {
		c.Request.Header.Set("Content-Type", jsonOf(want))
	}
	if err := takes(want, c.Request, len(body) > 0); err != nil {
		return err
	}
	s.bodies.check(want, c.Request.Header, body, fields)
	return nil
}

// CheckResponse reports whether an answer is one the document describes; tests call it on every recorded answer.
func (s *Spec) CheckResponse(req *http.Request, status int, header http.Header, body []byte) error {
	u := *req.URL
	probe := &http.Request{Method: req.Method, URL: &u, Header: req.Header}
	route, params, err := s.router.FindRoute(probe)
	if err != nil {
		return fmt.Errorf("%s %s: %w", req.Method, u.Path, err)
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: probe, PathParams: params, Route: route},
		Status:                 status, Header: header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	in.SetBodyBytes(body)
	if err := openapi3filter.ValidateResponse(context.Background(), in); err != nil {
		return fmt.Errorf("%s %s: status %d: %w", req.Method, u.Path, status, err)
	}
	return nil
}

func collect(err error, at string, fields *Fields) {
	var multi openapi3.MultiError
	var req *openapi3filter.RequestError
	var schema *openapi3.SchemaError
	switch {
	case errors.As(err, &req) && !isMulti(err):
		if req.Parameter != nil {
			at = "/" + req.Parameter.Name
		}
		if req.Err == nil {
			fields.Add(at, "invalid", "%s", req.Reason)
			return
		}
		if errors.Is(req.Err, openapi3filter.ErrInvalidRequired) {
			fields.Add(at, "required", "%s is required", strings.TrimPrefix(at, "/"))
			return
		}
		collect(req.Err, at, fields)
	case isMulti(err) && errors.As(err, &multi):
		for _, e := range multi {
			collect(e, at, fields)
		}
	case errors.As(err, &schema) && schema.Origin != nil && errors.As(schema.Origin, &multi): // several things about one value
		for _, e := range multi {
			collect(e, at, fields)
		}
	case leaves(err, at, fields):
	case errors.As(err, &schema):
		pointer := at
		for _, p := range schema.JSONPointer() {
			pointer += "/" + url.PathEscape(p)
		}
		if name, ok := unsupported(schema); ok {
			pointer += "/" + url.PathEscape(name)
		}
		fields.Add(pointer, codeOf(schema.SchemaField), "%s", schema.Reason)
	default:
		fields.Add(at, "bad_format", "%s", firstLine(err))
	}
}

// leaves adds what a JSON Schema validator found, one entry per field that is wrong. It reports whether err came from one.
func leaves(err error, at string, fields *Fields) bool {
	found, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return false
	}
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		for _, cause := range e.Causes {
			walk(cause)
		}
		if len(e.Causes) > 0 {
			return
		}
		pointer := at
		for _, key := range e.InstanceLocation {
			pointer += "/" + step.Replace(key)
		}
		switch k := e.ErrorKind.(type) {
		case *kind.Required:
			for _, name := range k.Missing {
				fields.Add(pointer+"/"+name, "required", "the field is required")
			}
		case *kind.AdditionalProperties:
			for _, name := range k.Properties {
				fields.Add(pointer+"/"+name, "unknown_field", "the field is not known here")
			}
		default:
			fields.Add(pointer, codeOfKeyword(e.ErrorKind.KeywordPath()), "%s", e.ErrorKind.LocalizedString(english))
		}
	}
	walk(found)
	return true
}

// unsupported is the property that the object has and must not have; the error points at the object.
func unsupported(e *openapi3.SchemaError) (name string, ok bool) {
	quoted, ok := strings.CutPrefix(e.Reason, "property ")
	if !ok || e.SchemaField != "properties" {
		return "", false
	}
	if quoted, ok = strings.CutSuffix(quoted, " is unsupported"); !ok {
		return "", false
	}
	name, err := strconv.Unquote(quoted)
	return name, err == nil
}

var english = message.NewPrinter(language.English)

func codeOfKeyword(path []string) string {
	if len(path) == 0 {
		return "bad_format"
	}
	return codeOf(path[len(path)-1])
}

func isMulti(err error) bool {
	_, ok := err.(openapi3.MultiError) //nolint:errorlint // the outermost error decides here
	return ok
}

// codeOf is our code for a JSON Schema keyword that was not kept.
func codeOf(keyword string) string {
	switch keyword {
	case "required":
		return "required"
	case "maxLength", "maxItems":
		return "too_long"
	case "minimum", "maximum", "minLength", "minItems", "exclusiveMinimum", "exclusiveMaximum":
		return "out_of_range"
	case "enum", "const":
		return "bad_value"
	case "properties", "additionalProperties", "unevaluatedProperties":
		return "unknown_field"
	}
	return "bad_format"
}

func firstLine(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s
}
