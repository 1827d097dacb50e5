package httpapi

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"maps"
	"mime"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"gopkg.in/yaml.v3"
)

// pages are what people open in a browser. redoc.standalone.js is the bundle of the npm package redoc as published (MIT, see
// redoc.LICENSE.txt beside it); make redoc fetches it.
//
//go:embed pages/*.html pages/*.css pages/redoc.standalone.js
var pages embed.FS

const project = "https://github.com/tributaryhq/tributary"

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

// ServeReference serves the first page, the merged document at /openapi.yaml, and pages to read below /docs. admin is the URL of
// the health probes for a browser on this machine, empty if it has no such URL.
func ServeReference(r gin.IRouter, admin string, docs ...[]byte) error {
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
	templates, err := template.ParseFS(pages, "pages/*.html")
	if err != nil {
		return err
	}
	data := struct {
		Title, Project, Admin string
		Codes                 []coded
	}{spec.Doc.Info.Title, project, admin, codes()}
	for path, name := range map[string]string{"/": "front.html", "/docs": "reference.html", "/docs/errors": "errors.html"} {
		var b bytes.Buffer
		if err := templates.ExecuteTemplate(&b, name, data); err != nil {
			return err
		}
		serveFixed(r, path, "text/html; charset=utf-8", b.Bytes())
	}
	for path, name := range map[string]string{"/docs/style.css": "style.css", "/docs/reference.css": "reference.css", "/docs/redoc.js": "redoc.standalone.js"} {
		b, err := pages.ReadFile("pages/" + name)
		if err != nil {
			return err
		}
		serveFixed(r, path, mime.TypeByExtension(filepath.Ext(path)), b)
	}
	serveFixed(r, "/openapi.yaml", "application/yaml", doc)
	return nil
}

// pagePolicy lets a page load what this listener serves, and nothing else. Redoc writes its styles into the page, and searches in
// a worker that it makes of a text.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
	"worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// serveFixed serves what does not change while the process runs. A client that has it is told so by its ETag.
func serveFixed(r gin.IRouter, path, contentType string, body []byte) {
	sum := sha256.Sum256(body)
	etag := `"` + hex.EncodeToString(sum[:16]) + `"`
	serve := func(c *gin.Context) {
		h := c.Writer.Header()
		h.Set("Content-Type", contentType)
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", etag)
		http.ServeContent(c.Writer, c.Request, "", time.Time{}, bytes.NewReader(body))
	}
	r.GET(path, serve)
	r.HEAD(path, serve)
}

type coded struct {
	Code string
	Entry
}

func codes() (out []coded) {
	for _, code := range slices.Sorted(maps.Keys(catalogue)) {
		out = append(out, coded{code, catalogue[code]})
	}
	return out
}
