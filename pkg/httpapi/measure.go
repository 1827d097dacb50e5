package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	failed "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/tributaryhq/tributary/pkg/telemetry/label"
)

const scope = "github.com/tributaryhq/tributary/pkg/httpapi"

// api is the prefix of the routes whose callers are ours or our customers' programs. They go on in the trace that the caller names.
// All others are called by strangers, who must not choose the ids of our traces, nor whether we record them: a call of theirs begins a
// trace, with a link to the one it names.
const api = "/v1/"

// server is everything that the HTTP server tells OpenTelemetry of requests: by route, method and status, never a path, a query, a
// header or a body, any of which may hold credentials or what people wrote.
type server struct {
	tracer   trace.Tracer
	duration metric.Float64Histogram
}

// Measure opens a span for every request, and records its duration.
func Measure() gin.HandlerFunc {
	h, err := otel.Meter(scope).Float64Histogram("http.server.request.duration", metric.WithUnit("s"),
		metric.WithDescription("Requests by route, method and status, from their header to the end of the answer."))
	if err != nil {
		otel.Handle(err)
	}
	s := &server{tracer: otel.Tracer(scope), duration: h}
	return s.measure
}

func (s *server) measure(c *gin.Context) {
	start := time.Now()
	r := c.Request
	ctx, span := s.begin(r, c.FullPath())
	if ctx != r.Context() {
		c.Request = r.WithContext(ctx)
	}
	status := http.StatusInternalServerError // unless the handler returns, instead of panicking
	defer func() { s.end(ctx, span, c.FullPath(), r.Method, status, time.Since(start)) }()
	c.Next()
	status = c.Writer.Status()
}

// serverKind is made once: a request must cost next to nothing where nothing is recorded.
var serverKind = []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)}

// begin opens the span of a request. Without tracing, the context that it returns is the request's own.
func (s *server) begin(r *http.Request, route string) (context.Context, trace.Span) {
	ctx, options := r.Context(), serverKind
	if r.Header.Get("Traceparent") != "" {
		caller := propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(r.Header))
		switch named := trace.SpanContextFromContext(caller); {
		case strings.HasPrefix(route, api):
			ctx = caller
		case named.IsValid():
			options = append(options[:1:1], trace.WithLinks(trace.Link{SpanContext: named}))
		}
	}
	name := label.Method(r.Method)
	if route != "" {
		name += " " + route
	}
	within, span := s.tracer.Start(ctx, name, options...)
	if !span.SpanContext().IsValid() {
		return r.Context(), span
	}
	return within, span
}

func (s *server) end(ctx context.Context, span trace.Span, route, method string, status int, took time.Duration) {
	attrs := []attribute.KeyValue{
		attribute.String("http.route", route), attribute.String("http.request.method", label.Method(method)),
		attribute.Int("http.response.status_code", label.Status(status)),
	}
	s.duration.Record(ctx, took.Seconds(), metric.WithAttributes(attrs...))
	if span.IsRecording() {
		span.SetAttributes(attrs...)
		if status >= http.StatusInternalServerError {
			span.SetStatus(failed.Error, http.StatusText(status))
		}
	}
	span.End()
}
