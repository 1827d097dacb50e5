package httpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/httpapi"
)

type known map[string]string // token: id

func (k known) Authenticate(_ context.Context, token string) (*auth.Principal, error) {
	if id, ok := k[token]; ok {
		return &auth.Principal{ID: id}, nil
	}
	return nil, auth.ErrUnauthenticated
}

// browserWorld answers who the caller is, and keeps and drops sessions, as an installation at publicURL does.
func browserWorld(t *testing.T, publicURL string) http.Handler {
	t.Helper()
	e := httpapi.New()
	sessions, err := httpapi.Sessions(publicURL)
	if err != nil {
		t.Fatal(err)
	}
	e.Use(sessions)
	e.POST("/in", func(c *gin.Context) {
		if err := httpapi.KeepSession(c, "good", time.Hour); err != nil {
			httpapi.Fail(c, err)
		}
	})
	e.POST("/out", httpapi.DropSession)
	who := func(c *gin.Context) { c.String(200, httpapi.Caller(c).ID) }
	guarded := e.Group("", httpapi.Authenticate(known{"good": "ana", "key": "program"}))
	guarded.GET("/who", who)
	guarded.POST("/who", who)
	return httpapi.Handler(e)
}

func TestASessionInACookie(t *testing.T) {
	t.Parallel()
	const plain, host = "tributary_session", "__Host-tributary_session"
	for name, c := range map[string]struct {
		url, method, cookie, value string
		head                       map[string]string
		want                       int
		who                        string
	}{
		"read":                             {"http://gw.test", "GET", plain, "good", nil, 200, "ana"},
		"changed by its own page":          {"http://gw.test", "POST", plain, "good", map[string]string{"Sec-Fetch-Site": "same-origin"}, 200, "ana"},
		"by a program":                     {"http://gw.test", "POST", plain, "good", nil, 200, "ana"},
		"by another site":                  {"http://gw.test", "POST", plain, "good", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403, ""},
		"by another host of the domain":    {"http://gw.test", "POST", plain, "good", map[string]string{"Sec-Fetch-Site": "same-site"}, 403, ""},
		"an old browser's own page":        {"http://gw.test", "POST", plain, "good", map[string]string{"Origin": "http://gw.test"}, 200, "ana"},
		"an old browser's, other host":     {"http://gw.test", "POST", plain, "good", map[string]string{"Origin": "http://evil.test"}, 403, ""},
		"an old browser's, behind a proxy": {"https://public.test", "POST", host, "good", map[string]string{"Origin": "https://public.test"}, 200, "ana"},
		"a token of its own wins":          {"http://gw.test", "POST", plain, "good", map[string]string{"Authorization": "Bearer key", "Sec-Fetch-Site": "cross-site"}, 200, "program"},
		"a wrong token is not made good":   {"http://gw.test", "GET", plain, "good", map[string]string{"Authorization": "Bearer bad"}, 401, ""},
		"unknown":                          {"http://gw.test", "GET", plain, "bad", nil, 401, ""},
		"empty":                            {"http://gw.test", "GET", plain, "", nil, 401, ""},
		"another cookie":                   {"http://gw.test", "GET", "session", "good", nil, 401, ""},
		"by https":                         {"https://gw.test", "GET", host, "good", nil, 200, "ana"},
		"by https, of any host":            {"https://gw.test", "GET", plain, "good", nil, 401, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := httptest.NewRequest(c.method, "http://gw.test/who", nil)
			req.AddCookie(&http.Cookie{Name: c.cookie, Value: c.value})
			for k, v := range c.head {
				req.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			browserWorld(t, c.url).ServeHTTP(w, req)
			if w.Code != c.want || c.who != "" && w.Body.String() != c.who {
				t.Errorf("%d %s, want %d %s", w.Code, w.Body, c.want, c.who)
			}
		})
	}
}

func TestABrowserKeepsASessionOutOfReach(t *testing.T) {
	t.Parallel()
	for url, name := range map[string]string{"http://gw.test": "tributary_session", "https://gw.test": "__Host-tributary_session"} {
		h := browserWorld(t, url)
		call := func(path, site string) (int, *http.Cookie) {
			req := httptest.NewRequest("POST", "http://gw.test"+path, nil)
			req.Header.Set("Sec-Fetch-Site", site)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			set := w.Result().Cookies()
			if len(set) == 0 {
				return w.Code, nil
			}
			return w.Code, set[0]
		}
		code, c := call("/in", "same-origin")
		if code != 200 || c == nil || c.Name != name || c.Value != "good" || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" ||
			c.Secure != (name[0] == '_') || c.MaxAge != 3600 {
			t.Errorf("%s: %d %+v", url, code, c)
		}
		if code, c := call("/in", "cross-site"); code != 403 || c != nil {
			t.Errorf("%s: another site signed somebody in: %d %+v", url, code, c)
		}
		if _, c := call("/out", "same-origin"); c == nil || c.Name != name || c.Value != "" || c.MaxAge >= 0 {
			t.Errorf("%s: %+v was not dropped", url, c)
		}
	}
}
