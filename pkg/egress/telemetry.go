package egress

import (
	"context"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/telemetry/label"
)

// CallRecord is what is told about a call. It has no path, query, header or body: any of them may hold credentials or what people
// wrote. Label is the caller's own, unsigned.
type CallRecord struct {
	Account string
	Label   string
	Method  string
	Host    string
	At      time.Time
	Took    time.Duration // until the answer's header
	Status  int           // zero without an answer
	Sent    bool          // a byte of the request may have left
	Err     error         // classified
}

const scope = "github.com/tributaryhq/tributary/pkg/egress"

type meter struct {
	tracer   trace.Tracer
	duration metric.Float64Histogram
}

func newMeter() *meter {
	// The only error is a malformed name, and the histogram works then too.
	h, _ := otel.Meter(scope).Float64Histogram("http.client.request.duration", metric.WithUnit("s"), metric.WithDescription("Until the answer's header."),
		metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10))
	return &meter{tracer: otel.Tracer(scope), duration: h}
}

func (m *meter) start(ctx context.Context, c Call) (context.Context, trace.Span) {
	return m.tracer.Start(ctx, label.Method(c.Request.Method), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("http.request.method", label.Method(c.Request.Method)), attribute.String("server.address", c.Request.URL.Hostname())))
}

// end counts by method and outcome only: hosts are named by whoever configures an agent app, so there may be any number.
func (m *meter) end(ctx context.Context, span trace.Span, r CallRecord) {
	attrs := []attribute.KeyValue{attribute.String("http.request.method", label.Method(r.Method))}
	if r.Err != nil {
		attrs = append(attrs, attribute.String("error.type", fault.KindOf(r.Err).String()))
		span.SetStatus(codes.Error, fault.Of(r.Err).Code)
	} else {
		attrs = append(attrs, attribute.Int("http.response.status_code", label.Status(r.Status)))
	}
	m.duration.Record(ctx, r.Took.Seconds(), metric.WithAttributes(attrs...))
	span.SetAttributes(attrs...)
	span.End()
}
