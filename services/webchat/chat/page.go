package chat

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/httpapi"
)

//go:embed web
var web embed.FS

// asset is a file of the widget.
type asset struct {
	body []byte
	kind string
	tag  string
}

// assets by the last element of their paths; pages have no extension there.
var assets = func() map[string]asset {
	entries, err := web.ReadDir("web")
	if err != nil {
		panic(err) // it is in the binary
	}
	out := map[string]asset{}
	for _, e := range entries {
		b, err := web.ReadFile("web/" + e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(b)
		out[strings.TrimSuffix(e.Name(), ".html")] = asset{b, mime.TypeByExtension(path.Ext(e.Name())), `"` + hex.EncodeToString(sum[:8]) + `"`}
	}
	return out
}()

// serve answers with the file. Nothing in a page is inline, so its policy allows nothing inline.
func (a asset) serve(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("ETag", a.tag)
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	if strings.HasPrefix(a.kind, "text/html") {
		h.Set("Content-Security-Policy", policy(c))
		h.Set("Cache-Control", "no-cache")
	}
	if httpapi.Matches(c.GetHeader("If-None-Match"), a.tag) {
		c.Status(http.StatusNotModified)
		return
	}
	c.Data(http.StatusOK, a.kind, a.body)
}

// policy lets only the channel's pages embed the widget.
func policy(c *gin.Context) string {
	ancestors := append([]string{"'self'"}, channelOf(c).Settings.List("allowed_origins")...)
	for i, a := range ancestors {
		if strings.ContainsAny(a, "; ,\r\n") {
			ancestors[i] = "'self'" // admin takes any text
		}
	}
	host := c.Request.Host
	if strings.ContainsAny(host, "; ,\r\n") {
		host = "localhost"
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src blob:; frame-src 'self'; " +
		"connect-src 'self' ws://" + host + " wss://" + host + "; base-uri 'none'; form-action 'none'; frame-ancestors " + strings.Join(ancestors, " ")
}
