// Package traceparent keeps the context of a trace beyond the call that it came with: in documents and in records that are applied,
// sent or answered later. It is text in the form of the W3C's Trace Context, https://www.w3.org/TR/trace-context/#traceparent-header.
package traceparent

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

const header = "traceparent"

// carrier holds the one header.
type carrier struct{ value string }

// Get implements propagation.TextMapCarrier.
func (c *carrier) Get(key string) string {
	if key == header {
		return c.value
	}
	return ""
}

// Set implements propagation.TextMapCarrier. The vendors' part of a context, tracestate, is not kept.
func (c *carrier) Set(key, value string) {
	if key == header {
		c.value = value
	}
}

// Keys implements propagation.TextMapCarrier.
func (c *carrier) Keys() []string { return []string{header} }

// Of is the span of ctx; empty if there is none.
func Of(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	var c carrier
	propagation.TraceContext{}.Inject(ctx, &c)
	return c.value
}

// With returns ctx within the span that s names; ctx itself if s names none, as in documents of earlier versions.
func With(ctx context.Context, s string) context.Context {
	if s == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, &carrier{s})
}

// Trace is the id of the trace that s is in; not valid if s names none.
func Trace(s string) trace.TraceID {
	return trace.SpanContextFromContext(With(context.Background(), s)).TraceID()
}
