package httpapi

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/gin-gonic/gin"
)

// decodable refuses a query that cannot be decoded, whatever the route: net/url drops what it does not understand, and a filter that
// is lost would answer with everything.
func decodable(c *gin.Context) {
	if _, err := url.ParseQuery(c.Request.URL.RawQuery); err != nil {
		var fields Fields
		fields.Add("", "bad_query", "the query cannot be decoded: write %% as %%25 and ; as %%3B, and separate parameters by &")
		Fail(c, fields)
	}
}

// checkQuery adds what is wrong with a query: parameters that the operation does not have, those that are given twice, and values
// that are no text.
func checkQuery(r *http.Request, route *routers.Route, fields *Fields) {
	if r.URL.RawQuery == "" {
		return
	}
	values := r.URL.Query() // it can be decoded, see decodable
	known := map[string]*openapi3.Parameter{}
	for _, list := range []openapi3.Parameters{route.PathItem.Parameters, route.Operation.Parameters} {
		for _, p := range list {
			if p.Value.In == openapi3.ParameterInQuery {
				known[p.Value.Name] = p.Value
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		at := "/" + step.Replace(name)
		p, ok := known[name]
		switch {
		case !ok && len(known) == 0:
			fields.Add(at, "unknown_parameter", "%.100q is no parameter of this operation, which has none", name)
		case !ok:
			fields.Add(at, "unknown_parameter", "%.100q is no parameter of this operation; it has %s", name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		case len(values[name]) > 1 && !isList(p):
			fields.Add(at, "bad_format", "%s is given %d times; give it once", name, len(values[name]))
		case slices.ContainsFunc(values[name], func(v string) bool { return !utf8.ValidString(v) || strings.ContainsRune(v, 0) }):
			fields.Add(at, "bad_encoding", "%s is not text in UTF-8 without NUL", name)
		}
	}
}

func isList(p *openapi3.Parameter) bool {
	return p.Schema != nil && p.Schema.Value != nil && p.Schema.Value.Type.Includes("array")
}

// checkCreate refuses the header Idempotency-Key where a create does not heed it: a caller who repeats the call would believe that
// nothing is made twice.
func checkCreate(r *http.Request, route *routers.Route, fields *Fields) {
	if r.Method != http.MethodPost || r.Header.Get("Idempotency-Key") == "" || route.Operation.Responses.Value("201") == nil {
		return
	}
	if route.Operation.Parameters.GetByInAndName(openapi3.ParameterInHeader, "Idempotency-Key") == nil {
		fields.Add("/Idempotency-Key", "not_applicable", "this operation makes something new with every call; leave the header Idempotency-Key away")
	}
}
