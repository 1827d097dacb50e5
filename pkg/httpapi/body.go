package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"
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
func pointer(name string) string {
	return url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
}

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

// check adds what is wrong with a JSON body to fields. It reports false if the operation takes none, or another media type was
// sent that it takes.
func (b bodies) check(op *openapi3.Operation, header http.Header, raw []byte, fields *Fields) bool {
	if op.RequestBody == nil || op.RequestBody.Value.Content.Get("application/json") == nil {
		return false
	}
	m := op.RequestBody.Value.Content.Get(header.Get("Content-Type"))
	schema := b[m]
	switch {
	case m != nil && schema == nil:
		return false
	case len(raw) == 0 && op.RequestBody.Value.Required:
		fields.Add("", "required", "the body is required")
	case len(raw) == 0:
	case m == nil:
		fields.Add("", "invalid", "the header Content-Type has the unexpected value %.100q; send application/json", header.Get("Content-Type"))
	default:
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			fields.Add("", "bad_format", "the body is not JSON: %s", firstLine(err))
		} else if err := schema.Validate(v); err != nil {
			leaves(err, "", fields)
		}
	}
	return true
}
