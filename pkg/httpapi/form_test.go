package httpapi

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/fault"
)

func TestWhatIsWrongWithAFormIsSaid(t *testing.T) {
	t.Parallel()
	file := "--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nx\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nhello\r\n--b--\r\n"
	for name, tc := range map[string]struct{ contentType, body, code string }{
		"a file":               {"multipart/form-data; boundary=b", file, ""},
		"no form":              {"application/json", "{}", "unsupported_media_type"},
		"no boundary":          {"multipart/form-data", file, "unsupported_media_type"},
		"no such part":         {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--b--\r\n", "required"},
		"a malformed head":     {"multipart/form-data; boundary=b", "--b\r\nno colon here\r\n\r\nx\r\n--b--\r\n", "bad_form"},
		"ends early":           {"multipart/form-data; boundary=b", "--b\r\nContent-Dispo", "bad_form"},
		"nothing":              {"multipart/form-data; boundary=b", "", "required"},
		"not even a beginning": {"multipart/form-data; boundary=b", "hello", "required"},
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(tc.body))
		r.Header.Set("Content-Type", tc.contentType)
		part, err := FilePart(r, "file")
		if tc.code == "" {
			if b, e := io.ReadAll(part); err != nil || e != nil || string(b) != "hello" {
				t.Errorf("%s: %q, %v, %v", name, b, err, e)
			}
			continue
		}
		if f := fault.Of(err); err == nil || f.Kind != fault.Invalid || f.Code != tc.code {
			t.Errorf("%s: %v, want %s", name, err, tc.code)
		}
	}
}
