package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/budget"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
)

// serve answers one request with a handler behind an engine of ours.
func serve(req *http.Request, handlers ...gin.HandlerFunc) *httptest.ResponseRecorder {
	e := httpapi.New()
	e.Any("/x/:id", handlers...)
	rec := httptest.NewRecorder()
	e.ServeHTTP(rec, req)
	return rec
}

func request(method, body string, header ...string) *http.Request {
	req := httptest.NewRequest(method, "/x/1", strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return req
}

func problem(t *testing.T, rec *httptest.ResponseRecorder) httpapi.Problem {
	t.Helper()
	var p httpapi.Problem
	if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil {
		t.Fatalf("%v: %s", err, rec.Body)
	}
	return p
}

// TestDecodeNamesTheField: by its JSON pointer, whatever lies on the way, and without a word of Go.
func TestDecodeNamesTheField(t *testing.T) {
	t.Parallel()
	type input struct {
		Name  string   `json:"name"`
		Names []string `json:"names"`
		Deep  struct {
			List []struct {
				N     int    `json:"n"`
				Slash string `json:"d/e"`
			} `json:"list"`
			Map map[string]int `json:"map"`
		} `json:"deep"`
		Maybe *struct {
			On *bool `json:"on"`
		} `json:"maybe"`
		At event.Time `json:"at"`
	}
	for body, want := range map[string]string{
		`{"name":1}`:                          "/name bad_format",
		`{"names":["a",1]}`:                   "/names/1 bad_format",
		`{"names":{}}`:                        "/names bad_format",
		`{"deep":[]}`:                         "/deep bad_format",
		`{"deep":{"list":[{},{"n":"x"}]}}`:    "/deep/list/1/n bad_format",
		`{"deep":{"list":[{"n":1e99}]}}`:      "/deep/list/0/n bad_format",
		`{"deep":{"list":[{"n":1.5}]}}`:       "/deep/list/0/n bad_format",
		`{"deep":{"list":[{},{"z":1}]}}`:      "/deep/list/1/z unknown_field",
		`{"deep":{"list":[{"d/e":1}]}}`:       "/deep/list/0/d~1e bad_format",
		`{"deep":{"map":{"k.1":"x"}}}`:        "/deep/map/k.1 bad_format",
		`{"deep":{"x.y":1}}`:                  "/deep/x.y unknown_field",
		`{"z~/":1}`:                           "/z~0~1 unknown_field",
		`{"maybe":{"on":"yes"}}`:              "/maybe/on bad_format",
		`{"at":"yesterday"}`:                  "/at bad_format",
		`[]`:                                  " bad_format",
		`"x"`:                                 " bad_format",
		`{"name":"x"} {}`:                     " bad_json",
		`{"name":`:                            " bad_json",
		`{"name":"x","at":null,"names":null}`: "",
	} {
		var in input
		err, got := httpapi.Decode([]byte(body), &in), ""
		if err != nil {
			f := fault.Of(err)
			got = f.Pointer + " " + f.Code
			for _, word := range []string{"struct", "httpapi", "Go ", "int64", "[]"} {
				if strings.Contains(f.Detail, word) {
					t.Errorf("%s: speaks of Go: %s", body, f.Detail)
				}
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q (%v)", body, got, want, err)
		}
	}
}

func TestBodiesAreReadStrictly(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"name":"x"}`: "", ``: "", `{"nam":1}`: "/nam unknown_field", `{"inner":{"n":"x"}}`: "/inner/n bad_format",
		`{"name":"x"} {}`: " bad_json", `[`: " bad_json",
	} {
		var in struct {
			Name  string
			Inner struct{ N int }
		}
		err := httpapi.Decode([]byte(body), &in)
		got := ""
		if err != nil {
			got = strings.ToLower(fault.Of(err).Pointer) + " " + fault.Of(err).Code
		}
		if got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
	rec := serve(request("POST", strings.Repeat("x", 11)), httpapi.LimitBody(10), func(c *gin.Context) { c.Status(200) })
	if rec.Code != 413 || problem(t, rec).Code != "body_too_large" {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	long := request("POST", strings.Repeat("x", 11))
	long.ContentLength = -1 // it does not say
	rec = serve(long, httpapi.LimitBody(10), func(c *gin.Context) {
		if _, err := httpapi.Raw(c); err != nil {
			httpapi.Fail(c, err)
		}
	})
	if rec.Code != 413 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestMergePatches(t *testing.T) {
	t.Parallel()
	type inner struct {
		A int `json:"a,omitempty"`
		B int `json:"b,omitempty"`
	}
	type thing struct {
		Name  string `json:"name"`
		Inner *inner `json:"inner,omitempty"`
	}
	for patch, want := range map[string]string{
		`{}`: `{"name":"n","inner":{"a":1,"b":2}}`, `{"inner":{"a":null}}`: `{"name":"n","inner":{"b":2}}`, `{"inner":null}`: `{"name":"n"}`,
		`{"name":null}`: `{"name":"fresh","inner":{"a":1,"b":2}}`, `{"nam":1}`: "", `[]`: "", ``: "", `{"name":5}`: "",
	} {
		v := thing{"n", &inner{1, 2}}
		err := httpapi.MergePatchOver(&v, thing{Name: "fresh"}, []byte(patch))
		got, _ := json.Marshal(v)
		if want == "" {
			if !fault.Is(err, fault.Invalid) || v.Name != "n" || v.Inner.A != 1 {
				t.Errorf("%s: %s (%v), want a refusal that changes nothing", patch, got, err)
			}
			continue
		}
		if err != nil || string(got) != want {
			t.Errorf("%s: %s (%v), want %s", patch, got, err, want)
		}
	}
}

func TestIdempotencyKeysAndVersions(t *testing.T) {
	t.Parallel()
	ids := func(tenant, key, body string) (id, digest string) {
		req := request("POST", body, "Idempotency-Key", key)
		req = req.WithContext(auth.With(req.Context(), &auth.Principal{Tenant: tenant, ID: "key_1"}))
		serve(req, func(c *gin.Context) {
			k, err := httpapi.IdempotencyKey(c, false)
			if err != nil {
				t.Error(err)
			}
			id, digest = k.ID(c, "ch"), k.Digest
			if err := k.Repeat(c, digest); err != nil || c.Writer.Header().Get("Idempotency-Replayed") != "true" {
				t.Errorf("a repeat: %v", err)
			}
			if p := httpapi.Describe(k.Repeat(c, "another")); p.Status != 422 || p.Code != "idempotency_key_reused" {
				t.Errorf("%+v", p)
			}
		})
		return id, digest
	}
	id, digest := ids("t1", "k", "a")
	again, _ := ids("t1", "k", "a")
	other, otherDigest := ids("t1", "k", "b")
	foreign, _ := ids("t2", "k", "a")
	fresh, _ := ids("t1", "", "a")
	fresher, _ := ids("t1", "", "a")
	if id != again || id != other || digest == otherDigest || foreign == id || fresh == fresher || !strings.HasPrefix(id, "ch_") {
		t.Error(id, again, other, foreign, fresh, fresher)
	}
	for header, ok := range map[string]bool{"": true, "*": true, `"7"`: true, `"6"`: false, "7": false} {
		rec := serve(request("PATCH", "", "If-Match", header), func(c *gin.Context) {
			if err := httpapi.IfMatch(c, 7); err != nil {
				httpapi.Fail(c, err)
			}
		})
		if ok != (rec.Code == 200) || (!ok && rec.Code != 412) {
			t.Errorf("If-Match %s: %d", header, rec.Code)
		}
	}
	rec := serve(request("POST", "", "Idempotency-Key", strings.Repeat("k", 256)), func(c *gin.Context) {
		_, err := httpapi.IdempotencyKey(c, true)
		httpapi.Fail(c, err)
	})
	if rec.Code != 422 {
		t.Errorf("%d", rec.Code)
	}
	rec = serve(request("POST", ""), func(c *gin.Context) { _, err := httpapi.IdempotencyKey(c, true); httpapi.Fail(c, err) })
	if p := problem(t, rec); p.Code != "idempotency_key_missing" {
		t.Errorf("%+v", p)
	}
}

// errInside is what drivers and the operating system say, and what no answer may repeat.
var errInside = errors.New("open /srv/data/blobs/acme/ab: mongodb://user:word@10.0.0.7: secret app_secret of key 3")

func TestP11_AnswersCarryCodesOfTheCatalogueAndNothingFromInside(t *testing.T) {
	t.Parallel()
	kinds := []fault.Kind{fault.Internal, fault.Invalid, fault.Denied, fault.Gone, fault.Conflict, fault.Throttled, fault.Unavailable, fault.Window, fault.Unknown}
	for _, kind := range kinds {
		for _, code := range []string{"", "blob_missing", "store_unavailable", "not_found", "invalid", "/srv/data"} {
			literal := &fault.Error{Kind: kind, Code: code, Err: errInside}
			several := httpapi.Fields{literal, fault.At("/a", code, "a: %w", errInside)}
			for name, err := range map[string]error{
				"literal": literal, "wrapped": fmt.Errorf("reading /srv/data: %w", literal), "new": fault.New(kind, code, "not now: %w", errInside),
				"printed": fault.New(kind, code, "not now: %v", errInside), "because": fault.Because(errInside, kind, code, "not now"), "several": several,
				"of the store": httpapi.StoreError(literal),
			} {
				rec := serve(request("GET", ""), func(c *gin.Context) { httpapi.Fail(c, err) })
				p := problem(t, rec)
				for _, leak := range []string{"/srv", "mongodb", "word", "10.0.0.7", "app_secret"} {
					if strings.Contains(rec.Body.String(), leak) {
						t.Errorf("%s of kind %s: %s", name, kind, rec.Body)
					}
				}
				for _, f := range append(p.Errors, httpapi.FieldError{Code: p.Code}) {
					if !httpapi.Known(f.Code) {
						t.Errorf("%s of kind %s: code %q is not catalogued", name, kind, f.Code)
					}
				}
			}
		}
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	var several httpapi.Fields
	several.Add("/a", "required", "a")
	several.Add("/b", "too_long", "b")
	for name, tc := range map[string]struct {
		err    error
		status int
		code   string
		after  string
	}{
		"ours":        {errors.New("secret inside"), 500, "internal", ""},
		"several":     {several, 422, "invalid", ""},
		"one":         {fault.At("/a", "too_long", "x"), 422, "too_long", ""},
		"denied":      {auth.ErrUnauthenticated, 401, "unauthenticated", ""},
		"away":        {httpapi.StoreError(errors.New("dial")), 503, "unavailable", "1"},
		"not there":   {httpapi.StoreError(store.ErrNotFound), 404, "not_found", ""},
		"cursor":      {httpapi.StoreError(store.ErrCursor), 422, "bad_cursor", ""},
		"named":       {httpapi.Named(store.ErrNotFound, "/queue_id", "queue", "q"), 422, "bad_value", ""},
		"cannot look": {httpapi.StoreError(httpapi.Named(errors.New("dial"), "/queue_id", "queue", "q")), 503, "unavailable", "1"},
		"throttled":   {&fault.Error{Kind: fault.Throttled, Code: "rate_limited", After: 1500 * time.Millisecond}, 429, "rate_limited", "2"},
		"late":        {context.DeadlineExceeded, 503, "timeout", "1"},
		"with extras": {&fault.Error{Kind: fault.Conflict, Code: "conflict", Extra: map[string]any{"retry_after_seconds": 3}}, 409, "conflict", ""},
	} {
		rec := serve(request("GET", ""), func(c *gin.Context) { httpapi.Fail(c, tc.err) })
		p := problem(t, rec)
		if rec.Code != tc.status || p.Status != tc.status || p.Code != tc.code || rec.Header().Get("Retry-After") != tc.after || p.RequestID != rec.Header().Get("X-Request-Id") {
			t.Errorf("%s: %d %v %s", name, rec.Code, rec.Header(), rec.Body)
		}
		if strings.Contains(rec.Body.String(), "secret") || !httpapi.Known(p.Code) || p.Title == "" {
			t.Errorf("%s: %s", name, rec.Body)
		}
		if name == "several" && len(p.Errors) != 2 || name == "with extras" && !strings.Contains(rec.Body.String(), `"retry_after_seconds":3`) {
			t.Errorf("%s: %s", name, rec.Body)
		}
	}
	rec := serve(request("GET", ""), func(*gin.Context) { panic("secret inside") })
	if rec.Code != 500 || strings.Contains(rec.Body.String(), "secret") {
		t.Errorf("a panic: %d %s", rec.Code, rec.Body)
	}
}

type onlyKey struct{}

func (onlyKey) Authenticate(_ context.Context, bearer string) (*auth.Principal, error) {
	if bearer != "good" {
		return nil, auth.ErrUnauthenticated
	}
	return &auth.Principal{Tenant: "t1", ID: "key_1", Permissions: []auth.Permission{auth.Read}}, nil
}

func TestCallersAreKnownAndLimited(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		header []string
		status int
	}{
		"none": {nil, 401}, "wrong": {[]string{"Authorization", "Bearer bad"}, 401}, "good": {[]string{"Authorization", "Bearer good"}, 200},
		"subprotocol": {[]string{"Upgrade", "websocket", "Sec-WebSocket-Protocol", "v1, bearer.good"}, 200}, "no upgrade": {[]string{"Sec-WebSocket-Protocol", "bearer.good"}, 401},
	} {
		rec := serve(request("GET", "", tc.header...), httpapi.Authenticate(onlyKey{}), httpapi.Require(auth.Read), func(c *gin.Context) { c.String(200, httpapi.Caller(c).ID) })
		if rec.Code != tc.status || (tc.status == 401) != (rec.Header().Get("WWW-Authenticate") != "") {
			t.Errorf("%s: %d %v", name, rec.Code, rec.Header())
		}
	}
	good := []string{"Authorization", "Bearer good"}
	if rec := serve(request("GET", "", good...), httpapi.Authenticate(onlyKey{}), httpapi.Require(auth.Send)); rec.Code != 403 {
		t.Errorf("without the permission: %d", rec.Code)
	}
	limit := httpapi.LimitRate(budget.Rate{N: 1, Per: 1000 * time.Second, Burst: 2})
	for i, want := range []int{200, 200, 429} {
		rec := serve(request("GET", "", good...), httpapi.Authenticate(onlyKey{}), limit, func(c *gin.Context) { c.Status(200) })
		if rec.Code != want || rec.Header().Get("RateLimit") == "" || rec.Header().Get("RateLimit-Policy") == "" || (want == 429) != (rec.Header().Get("Retry-After") != "") {
			t.Errorf("call %d: %d %v", i, rec.Code, rec.Header())
		}
	}
}

func TestListsAndPaths(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]int{"": httpapi.DefaultLimit, "?limit=1": 1, "?limit=200": 200, "?limit=0": -1, "?limit=201": -1, "?limit=x": -1} {
		req := httptest.NewRequest("GET", "/x/1"+query, nil)
		serve(req, func(c *gin.Context) {
			n, err := httpapi.Limit(c)
			if (want < 0) != (err != nil) || (want > 0 && n != want) {
				t.Errorf("%s: %d (%v)", query, n, err)
			}
		})
	}
	for want, l := range map[string]httpapi.List[int]{
		`{"data":[],"next_cursor":null,"prev_cursor":null,"has_more":false}`: httpapi.NewList[int](nil, "", ""),
		`{"data":[1],"next_cursor":"n","prev_cursor":"p","has_more":true}`:   httpapi.NewList([]int{1}, "n", "p"),
	} {
		if got, _ := json.Marshal(l); string(got) != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	e := httpapi.New()
	e.GET("/here", func(c *gin.Context) { c.Status(200) })
	for path, want := range map[string]int{"GET /here": 200, "POST /here": 405, "GET /there": 404} {
		method, at, _ := strings.Cut(path, " ")
		rec := httptest.NewRecorder()
		req := httptest.NewRequest(method, at, nil)
		req.Header.Set("X-Request-Id", "mine")
		e.ServeHTTP(rec, req)
		if rec.Code != want || rec.Header().Get("X-Request-Id") != "mine" || rec.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", path, rec.Code, rec.Header())
		}
	}
}

func TestNoStructOfEventsIsDecodedFromARequest(t *testing.T) {
	t.Parallel()
	type deep struct {
		Parts map[string][]*struct {
			File event.Attachment `json:"file"`
		} `json:"parts"`
	}
	type fine struct {
		Type event.MessageType `json:"type"`
		At   event.Time        `json:"at"`
		Next *fine             `json:"next"`
	}
	for name, v := range map[string]any{
		"itself": &event.Content{}, "a field": &struct{ T *event.Template }{}, "deep": &deep{}, "a list": &[]event.Card{}, "embedded": &struct{ event.Location }{},
	} {
		if err := httpapi.Decode([]byte("{}"), v); !fault.Is(err, fault.Internal) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var in fine
	if err := httpapi.Decode([]byte(`{"type":"text","at":"2026-01-02T03:04:05Z","next":{}}`), &in); err != nil || in.Type != event.Text || in.At.IsZero() {
		t.Errorf("%+v %v", in, err)
	}
}
