package inbox_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/services/inbox/rest"
)

// announce begins an upload of so many bytes, sends a few of them, and returns what is answered.
func (w *tenant) announce(token string, size int64) (status int, header http.Header, body string) {
	w.Helper()
	conn := must(net.Dial("tcp", strings.TrimPrefix(w.served.URL, "http://")))
	defer conn.Close()
	must(fmt.Fprintf(conn, "POST /v1/attachments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: multipart/form-data; boundary=b\r\n"+
		"Content-Length: %d\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nthe beginning", token, size))
	w.ok(conn.(*net.TCPConn).CloseWrite())
	resp := must(http.ReadResponse(bufio.NewReader(conn), nil))
	defer resp.Body.Close()
	return resp.StatusCode, resp.Header, string(must(io.ReadAll(resp.Body)))
}

// A caller whose budget of uploaded bytes is empty is refused before the bytes come; other callers of the tenant are not.
func TestUploadsOverTheBudgetAreRefused(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	w.served = w.another(w.env.Bus) // with budgets of its own
	most := rest.DefaultUploads.Caller.Burst / rest.MaxUpload
	for n := 0; ; n++ {
		status, header, body := w.announce(w.key, rest.MaxUpload)
		if status == http.StatusTooManyRequests {
			if header.Get("Retry-After") == "" || !strings.Contains(body, `"rate_limited"`) || n != most {
				t.Errorf("refused after %d files of %d: %v %s", n, most, header, body)
			}
			break
		}
		if n > most {
			t.Fatalf("%d files of %d bytes: %d %s", n, rest.MaxUpload, status, body)
		}
	}
	if status, _, body := w.announce(w.apiKey("", "messages.send"), 2*rest.MaxUpload); status != http.StatusRequestEntityTooLarge ||
		!strings.Contains(body, `"body_too_large"`) {
		t.Errorf("a file over the limit: %d %s", status, body)
	}
	colleague, _ := w.user("colleague", "owner", "")
	w.uploadAs(colleague, "a.png", png).want(http.StatusCreated)
}
