// Package reference serves what people read about the API: its document, a page of every body and schema, and the list of errors.
package reference

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"mime"
	"net/http"
	"path/filepath"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/httpapi"
)

// document is the OpenAPI document of the whole platform: make generate joins those of the services.
//
//go:embed openapi.yaml
var document []byte

// pages are what people open in a browser. redoc.standalone.js is the bundle of the npm package redoc as published (MIT, see
// redoc.LICENSE.txt beside it); make redoc fetches it.
//
//go:embed pages/*.html pages/*.css pages/redoc.standalone.js
var pages embed.FS

// Reference is the document at /openapi.yaml, and pages to read at /docs and below.
type Reference struct{ fixed []fixed }

// fixed is what does not change while the process runs.
type fixed struct {
	path, kind, tag string
	body            []byte
}

// New reads the pages.
func New() (*Reference, error) {
	out := &Reference{}
	templates, err := template.ParseFS(pages, "pages/*.html")
	if err != nil {
		return nil, err
	}
	for path, name := range map[string]string{"/docs": "reference.html", "/docs/errors": "errors.html"} {
		var b bytes.Buffer
		if err := templates.ExecuteTemplate(&b, name, httpapi.Catalogue()); err != nil {
			return nil, err
		}
		out.add(path, "text/html; charset=utf-8", b.Bytes())
	}
	for path, name := range map[string]string{"/docs/style.css": "style.css", "/docs/reference.css": "reference.css", "/docs/redoc.js": "redoc.standalone.js"} {
		b, err := pages.ReadFile("pages/" + name)
		if err != nil {
			return nil, err
		}
		out.add(path, mime.TypeByExtension(filepath.Ext(path)), b)
	}
	out.add("/openapi.yaml", "application/yaml", document)
	return out, nil
}

func (r *Reference) add(path, kind string, body []byte) {
	sum := sha256.Sum256(body)
	r.fixed = append(r.fixed, fixed{path, kind, `"` + hex.EncodeToString(sum[:16]) + `"`, body})
}

// policy lets a page load what this listener serves, and nothing else. Redoc writes its styles into the page, and searches in a worker
// that it makes of a text.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
	"worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Routes serves all of it. A client that has the newest is told so by its ETag.
func (r *Reference) Routes(router gin.IRouter) {
	for _, f := range r.fixed {
		router.GET(f.path, func(c *gin.Context) {
			h := c.Writer.Header()
			h.Set("Content-Type", f.kind)
			h.Set("Content-Security-Policy", policy)
			h.Set("Cache-Control", "no-cache")
			h.Set("ETag", f.tag)
			http.ServeContent(c.Writer, c.Request, "", time.Time{}, bytes.NewReader(f.body))
		})
	}
}
