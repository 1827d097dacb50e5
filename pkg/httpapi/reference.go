package httpapi

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
	"gopkg.in/yaml.v3"

	"github.com/getkin/kin-openapi/openapi3"
)

//go:embed reference.html
var referencePage string

// Merge joins the OpenAPI documents of several services into one. Paths and components of the same name must not differ.
func Merge(docs ...[]byte) ([]byte, error) {
	out := map[string]any{}
	for _, doc := range docs {
		var m map[string]any
		if err := yaml.Unmarshal(doc, &m); err != nil {
			return nil, fmt.Errorf("openapi: %w", err)
		}
		if err := merge(out, m, ""); err != nil {
			return nil, err
		}
	}
	if info, ok := out["info"].(map[string]any); ok {
		info["title"] = "Tributary API"
	}
	return yaml.Marshal(out)
}

func merge(into, from map[string]any, at string) error {
	for k, v := range from {
		have, ok := into[k]
		if !ok {
			into[k] = v
			continue
		}
		a, aok := have.(map[string]any)
		b, bok := v.(map[string]any)
		switch {
		case aok && bok:
			if err := merge(a, b, at+"/"+k); err != nil {
				return err
			}
		case at == "" && k == "tags":
			into[k] = append(have.([]any), v.([]any)...)
		case strings.HasPrefix(at, "/components") && fmt.Sprint(have) != fmt.Sprint(v):
			return fmt.Errorf("openapi: two services describe %s/%s differently", at, k)
		}
	}
	return nil
}

// ServeReference serves the merged document at /openapi.yaml and a page to read at /docs.
func ServeReference(r gin.IRouter, docs ...[]byte) error {
	if len(docs) == 0 {
		return nil
	}
	doc, err := Merge(docs...)
	if err != nil {
		return err
	}
	spec, err := LoadSpec(doc)
	if err != nil {
		return err
	}
	page, err := renderReference(spec.Doc)
	if err != nil {
		return err
	}
	r.GET("/openapi.yaml", func(c *gin.Context) { c.Data(http.StatusOK, "application/yaml", doc) })
	r.GET("/docs", func(c *gin.Context) {
		c.Header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		c.Data(http.StatusOK, "text/html; charset=utf-8", page)
	})
	return nil
}

type operation struct{ Method, Path, Summary, Description string }

func renderReference(doc *openapi3.T) ([]byte, error) {
	groups := map[string][]operation{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			tag := "Other"
			if len(op.Tags) > 0 {
				tag = op.Tags[0]
			}
			groups[tag] = append(groups[tag], operation{method, path, op.Summary, op.Description})
		}
	}
	for _, ops := range groups {
		slices.SortFunc(ops, func(a, b operation) int { return strings.Compare(a.Path+a.Method, b.Path+b.Method) })
	}
	type group struct {
		Name       string
		Operations []operation
	}
	var data struct {
		Title  string
		Groups []group
		Codes  []struct {
			Code string
			Entry
		}
	}
	data.Title = doc.Info.Title
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		data.Groups = append(data.Groups, group{name, groups[name]})
	}
	for _, code := range slices.Sorted(maps.Keys(catalogue)) {
		data.Codes = append(data.Codes, struct {
			Code string
			Entry
		}{code, catalogue[code]})
	}
	t, err := template.New("reference").Parse(referencePage)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
