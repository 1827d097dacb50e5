package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// bodies are the compiled schemas of the JSON bodies that a document describes. Schemas of OpenAPI 3.1 are JSON Schemas, so they
// are compiled where they stand in the document, once: openapi3filter compiles them anew for every request, which cost more than
// all that a call did.
type bodies map[*openapi3.MediaType]*jsonschema.Schema

func compile(doc *openapi3.T) (bodies, error) {
	raw, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.RegisterFormat(&jsonschema.Format{Name: "int64", Validate: isInt64})
	c.RegisterFormat(&jsonschema.Format{Name: "date-time", Validate: isTime})
	c.RegisterFormat(&jsonschema.Format{Name: "nonblank", Validate: isNonblank})
	const at = "openapi.json"
	if err := c.AddResource(at, root); err != nil {
		return nil, err
	}
	out := bodies{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.RequestBody == nil {
				continue
			}
			where := op.RequestBody.Ref
			if where == "" {
				where = "#/paths/" + pointer(path) + "/" + strings.ToLower(method) + "/requestBody"
			}
			for name, m := range op.RequestBody.Value.Content {
				if m.Schema == nil || !isJSON(name) {
					continue
				}
				if out[m], err = c.Compile(at + where + "/content/" + pointer(name) + "/schema"); err != nil {
					return nil, err
				}
			}
		}
	}
	return out, nil
}

// pointer is a name as a step of a JSON pointer in a URL.
func pointer(name string) string { return url.PathEscape(step.Replace(name)) }

// step makes a step of a JSON pointer of a name.
var step = strings.NewReplacer("~", "~0", "/", "~1")

func isJSON(mediaType string) bool {
	return mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
}

func isInt64(v any) error {
	if n, ok := v.(json.Number); ok {
		if _, err := n.Int64(); err != nil {
			return fmt.Errorf("%s is no whole number of 64 bits", n)
		}
	}
	return nil
}

// isTime lets pass what we can read as a time: leap seconds are RFC 3339, and no Go time.
func isTime(v any) error {
	if s, ok := v.(string); ok {
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			return errors.New("want a time such as 2026-01-31T12:00:00Z (RFC 3339, without a leap second)")
		}
	}
	return nil
}

// jsonOf is the media type of JSON that an operation takes first; "" if it takes none.
func jsonOf(want *openapi3.RequestBody) string {
	for _, name := range []string{plainJSON, mergePatch} {
		if want.Content[name] != nil {
			return name
		}
	}
	return ""
}

const (
	plainJSON  = "application/json"
	mergePatch = "application/merge-patch+json" // RFC 7396
)

// takes refuses a body of a media type that the operation does not take. A PATCH is a merge patch whatever it is called.
func takes(want *openapi3.RequestBody, r *http.Request, sent bool) error {
	kind := r.Header.Get("Content-Type")
	if !sent || want.Content.Get(kind) != nil {
		return nil
	}
	bare, _, err := mime.ParseMediaType(kind)
	if err == nil && r.Method == http.MethodPatch && (bare == plainJSON || bare == mergePatch) {
		return nil
	}
	return fault.New(fault.Invalid, "unsupported_media_type", "the body is of the type %.100q; send %s", kind, strings.Join(slices.Sorted(maps.Keys(want.Content)), " or "))
}

// check adds what is wrong with a JSON body to fields.
func (b bodies) check(want *openapi3.RequestBody, header http.Header, raw []byte, fields *Fields) {
	m := want.Content.Get(header.Get("Content-Type"))
	if m == nil {
		m = want.Content[jsonOf(want)] // takes has let it pass
	}
	switch schema := b[m]; {
	case schema == nil: // of another media type that is taken
	case len(raw) == 0 && want.Required:
		fields.Add("", "required", "the body is required")
	case len(raw) == 0:
	default:
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			checkText(raw, nil, fields)
			if len(*fields) == 0 {
				fields.Add("", "bad_format", "the body is not JSON: %s", firstLine(err))
			}
		} else if checkText(raw, v, fields); len(*fields) > 0 {
			return
		} else if err := schema.Validate(v); err != nil {
			leaves(err, "", fields)
		}
	}
}
