package httpapi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/tributaryhq/tributary/pkg/httpapi"
)

// spans records what is traced until the test ends.
func spans(t *testing.T) *tracetest.InMemoryExporter {
	t.Helper()
	before := otel.GetTracerProvider()
	out := tracetest.NewInMemoryExporter()
	provider := sdk.NewTracerProvider(sdk.WithSyncer(out))
	otel.SetTracerProvider(provider)
	t.Cleanup(func() {
		otel.SetTracerProvider(before)
		_ = provider.Shutdown(t.Context())
	})
	return out
}

const foreign = "0af7651916cd43dd8448eb211c80319c"

func TestASpanOfARequest(t *testing.T) { //nolint:paralleltest // the tracer provider is the process's
	out := spans(t)
	e := httpapi.New()
	e.Use(httpapi.Measure())
	var within trace.SpanContext
	handle := func(status int) gin.HandlerFunc {
		return func(c *gin.Context) {
			within = trace.SpanContextFromContext(c.Request.Context())
			c.Status(status)
		}
	}
	e.POST("/v1/things/:id", handle(201))
	e.POST("/webhooks/telegram/*rest", handle(503))
	e.GET("/v1/panic", func(*gin.Context) { panic("secret-9f3") })
	for _, c := range []struct {
		method, path, name string
		status             int
		failed, goes       bool // on in the caller's trace
		linked             int
	}{
		{"POST", "/v1/things/secret-9f3?token=secret-9f3", "POST /v1/things/:id", 201, false, true, 0},
		{"POST", "/webhooks/telegram/secret-9f3?hub.verify_token=secret-9f3", "POST /webhooks/telegram/*rest", 503, true, false, 1},
		{"GET", "/secret-9f3", "GET", 404, false, false, 1},
		{"SECRET-9F3", "/v1/things/1", "_OTHER", 405, false, false, 1},
		{"GET", "/v1/panic", "GET /v1/panic", 500, true, true, 0},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			out.Reset()
			r := httptest.NewRequest(c.method, c.path, strings.NewReader(`{"text":"secret-9f3"}`))
			r.Header.Set("Traceparent", "00-"+foreign+"-b7ad6b7169203331-01")
			r.Header.Set("Authorization", "Bearer secret-9f3")
			e.ServeHTTP(httptest.NewRecorder(), r)
			got := out.GetSpans()
			if len(got) != 1 {
				t.Fatalf("%d spans", len(got))
			}
			s := got[0]
			if s.Name != c.name || s.SpanKind != trace.SpanKindServer || (s.Status.Description != "") != c.failed || len(s.Links) != c.linked {
				t.Errorf("%s %s %+v, %d links", s.Name, s.SpanKind, s.Status, len(s.Links))
			}
			if goes := s.SpanContext.TraceID().String() == foreign; goes != c.goes {
				t.Errorf("in the caller's trace: %t", goes)
			}
			if c.linked == 1 && s.Links[0].SpanContext.TraceID().String() != foreign {
				t.Errorf("linked to %s", s.Links[0].SpanContext.TraceID())
			}
			if said := fmt.Sprint(s.Attributes); !strings.Contains(said, fmt.Sprint(c.status)) || strings.Contains(strings.ToLower(fmt.Sprintf("%+v", s)), "secret-9f3") {
				t.Errorf("%s", said)
			}
			if c.status < 404 && within.SpanID() != s.SpanContext.SpanID() {
				t.Errorf("the handler works in span %s", within.SpanID())
			}
		})
	}
}

// Where nothing is recorded, a handler gets the request as it came, unless its caller's trace goes on in it.
func TestWithoutTracingARequestIsLeftAsItIs(t *testing.T) { //nolint:paralleltest // the tracer provider is the process's
	e := httpapi.New()
	var before, after *http.Request
	e.Use(func(c *gin.Context) { before = c.Request; c.Next() }, httpapi.Measure())
	e.POST("/webhooks/x", func(c *gin.Context) { after = c.Request })
	e.POST("/v1/x", func(c *gin.Context) { after = c.Request })
	for _, path := range []string{"/webhooks/x", "/v1/x"} {
		r := httptest.NewRequest(http.MethodPost, path, nil)
		e.ServeHTTP(httptest.NewRecorder(), r)
		if before != after {
			t.Errorf("%s: the request was copied", path)
		}
		r.Header.Set("Traceparent", "00-"+foreign+"-b7ad6b7169203331-01")
		e.ServeHTTP(httptest.NewRecorder(), r)
		if goes := trace.SpanContextFromContext(after.Context()).TraceID().String() == foreign; goes != (path == "/v1/x") {
			t.Errorf("%s: the caller's trace goes on: %t", path, goes)
		}
	}
}
