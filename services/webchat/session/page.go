package session

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/channel"
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
		var b []byte
		name := e.Name()
		if e.IsDir() {
			b, err = joinModules("web/" + name)
			name += ".js"
		} else {
			b, err = web.ReadFile("web/" + name)
		}
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(b)
		out[strings.TrimSuffix(name, ".html")] = asset{b, mime.TypeByExtension(path.Ext(name)), `"` + hex.EncodeToString(sum[:8]) + `"`}
	}
	return out
}()

// imports are those of other modules of a folder: one line each, and of names as they are.
var imports = regexp.MustCompile(`(?m)^import \{ [\w, ]+ \} from '\./(\w+\.js)'\n`)

// joinModules makes one module of a folder's, so that a browser fetches them at once: each behind those that it
// imports. What stands at their top has to have different names.
func joinModules(dir string) ([]byte, error) {
	entries, err := web.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	written := map[string]bool{}
	var write func(name string) error
	write = func(name string) error {
		if written[name] {
			return nil
		}
		written[name] = true
		b, err := web.ReadFile(dir + "/" + name)
		if err != nil {
			return err
		}
		for _, m := range imports.FindAllSubmatch(b, -1) {
			if err := write(string(m[1])); err != nil {
				return err
			}
		}
		out.Write(imports.ReplaceAll(b, nil))
		return nil
	}
	for _, e := range entries {
		if err := write(e.Name()); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

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
	ancestors := []string{"'self'"}
	for _, allowed := range channelOf(c).Settings.List("allowed_origins") {
		if one, err := channel.NormaliseOrigin(allowed); err == nil { // lists of earlier versions were kept as they came
			ancestors = append(ancestors, one)
		}
	}
	host := c.Request.Host
	if strings.ContainsAny(host, "; ,\r\n") {
		host = "localhost"
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src blob:; frame-src 'self'; " +
		"connect-src 'self' ws://" + host + " wss://" + host + "; base-uri 'none'; form-action 'none'; frame-ancestors " + strings.Join(ancestors, " ")
}
