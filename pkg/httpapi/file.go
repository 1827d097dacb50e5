package httpapi

import (
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// ServeFile answers with a file, or with the ranges of it that the client asks for (RFC 9110 §14); a HEAD with its headers alone. The
// caller has set Content-Type, and ETag if the client can ask whether the file has changed. A client must take some of the answer all
// the time.
func ServeFile(c *gin.Context, changed time.Time, content io.ReadSeeker) {
	r := c.Request.Clone(c.Request.Context())
	if isHead(r) {
		r.Method = http.MethodHead
	}
	if unit, _, _ := strings.Cut(r.Header.Get("Range"), "="); !strings.EqualFold(unit, "bytes") {
		r.Header.Del("Range") // units that are not known are ignored
	}
	http.ServeContent(&renewed{ResponseWriter: c.Writer, conn: http.NewResponseController(c.Writer)}, r, "", changed, content)
}

// renewed is a writer whose deadline moves with what is written.
type renewed struct {
	http.ResponseWriter
	conn *http.ResponseController
	at   time.Time
}

func (w *renewed) Write(p []byte) (int, error) {
	if now := time.Now(); now.Sub(w.at) > renewEvery {
		w.at = now
		_ = w.conn.SetWriteDeadline(now.Add(answerGrace)) // a recorder has no deadlines
	}
	return w.ResponseWriter.Write(p)
}
