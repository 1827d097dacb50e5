package console

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
)

// places are the addresses of the console. The page is the same at each; its script shows the screen. The simulator's API is below
// /simulator.
var places = []string{"/", "/signin", "/inbox", "/inbox/*place", "/channels", "/channels/*place", "/simulator"}

// nonceMark stands in the built page where the nonce of an answer belongs.
const nonceMark = "__CSP_NONCE__"

// policy lets the page load what this listener serves, and styles that its script writes into it. Frames hold the HTML of messages.
const policy = "default-src 'none'; script-src 'self' 'nonce-%[1]s'; style-src 'self' 'nonce-%[1]s'; img-src 'self' blob: data:; media-src 'self' blob:; " +
	"font-src 'self'; connect-src 'self'; frame-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

type pages struct {
	page  string
	files map[string]*file // by name below /assets/
}

// file is a part of the page. Its name changes with its content.
type file struct {
	kind   string
	plain  []byte
	packed func() []byte // gzip, made at the first request; nil if it saves nothing
}

func newPages(built fs.FS) (*pages, error) {
	page, err := fs.ReadFile(built, "index.html")
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	if !bytes.Contains(page, []byte(nonceMark)) {
		return nil, errors.New("console: index.html has no place for a nonce")
	}
	p := &pages{page: string(page), files: map[string]*file{}}
	err = fs.WalkDir(built, "assets", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(built, name)
		if err == nil {
			p.files[strings.TrimPrefix(name, "assets/")] = &file{mime.TypeByExtension(path.Ext(name)), b, sync.OnceValue(func() []byte { return pack(b) })}
		}
		return err
	})
	return p, err
}

func pack(b []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // the level is one that there is
	_, err := w.Write(b)
	if err = errors.Join(err, w.Close()); err != nil || out.Len() >= len(b) {
		return nil
	}
	return out.Bytes()
}

func (p *pages) routes(r gin.IRouter) {
	for _, place := range places {
		r.GET(place, p.show)
	}
	r.GET("/assets/*name", p.asset)
}

func (p *pages) show(c *gin.Context) {
	nonce, h := httpapi.NewNonce(), c.Writer.Header()
	h.Set("Content-Security-Policy", fmt.Sprintf(policy, nonce))
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
	c.Data(http.StatusOK, "text/html; charset=utf-8", []byte(strings.ReplaceAll(p.page, nonceMark, nonce)))
}

func (p *pages) asset(c *gin.Context) {
	f, ok := p.files[strings.TrimPrefix(c.Param("name"), "/")]
	if !ok { // of another version: the page is loaded anew
		c.Header("Cache-Control", "no-store")
		httpapi.Fail(c, fault.New(fault.Gone, "not_found", "there is no such file"))
		return
	}
	h, body := c.Writer.Header(), f.plain
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(c.GetHeader("Accept-Encoding"), "gzip") {
		if packed := f.packed(); packed != nil {
			h.Set("Content-Encoding", "gzip")
			body = packed
		}
	}
	c.Data(http.StatusOK, f.kind, body)
}
