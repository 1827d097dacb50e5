package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/httpapi"
)

// TestAnAnswerCostsNoCompressor: a new gzip writer is 800 KB, and where every request made one it was the largest cost of all.
// Answers are not compressed here; whoever stands in front may do so.
func TestAnAnswerCostsNoCompressor(t *testing.T) {
	e := httpapi.New()
	e.GET("/x", func(c *gin.Context) { c.String(http.StatusOK, strings.Repeat("compressible ", 1000)) })
	const requests = 200
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range requests {
		req := httptest.NewRequest(http.MethodGet, "/x", nil)
		req.Header.Set("Accept-Encoding", "gzip")
		w := httptest.NewRecorder()
		e.ServeHTTP(w, req)
		if w.Header().Get("Content-Encoding") != "" {
			t.Fatalf("compressed as %s: then with pooled writers, and this test has to count them", w.Header().Get("Content-Encoding"))
		}
	}
	runtime.ReadMemStats(&after)
	if per := (after.TotalAlloc - before.TotalAlloc) / requests; per > 128<<10 {
		t.Errorf("%d bytes allocated per request", per)
	}
}
