package traceparent_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/tributaryhq/tributary/pkg/telemetry/traceparent"
)

func TestASpanIsKeptAsText(t *testing.T) {
	t.Parallel()
	for _, flags := range []trace.TraceFlags{0, trace.FlagsSampled} {
		sc := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1, 2}, SpanID: trace.SpanID{3}, TraceFlags: flags, Remote: true})
		s := traceparent.Of(trace.ContextWithSpanContext(t.Context(), sc))
		if got := trace.SpanContextFromContext(traceparent.With(t.Context(), s)); !got.Equal(sc) {
			t.Errorf("%s became %v", s, got)
		}
		if traceparent.Trace(s) != sc.TraceID() {
			t.Errorf("the trace of %s is %s", s, traceparent.Trace(s))
		}
	}
}

func TestWithoutASpanNothingIsKept(t *testing.T) {
	t.Parallel()
	if s := traceparent.Of(t.Context()); s != "" {
		t.Errorf("%q", s)
	}
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, 1)
	for _, s := range []string{"", "x", "00-0-0-0", "00-00000000000000000000000000000000-0000000000000000-01"} {
		if got := traceparent.With(ctx, s); trace.SpanContextFromContext(got).IsValid() || got.Value(key{}) != 1 {
			t.Errorf("%q is a span", s)
		}
		if traceparent.Trace(s).IsValid() {
			t.Errorf("%q is in a trace", s)
		}
	}
}
