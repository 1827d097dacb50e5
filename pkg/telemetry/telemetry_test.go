package telemetry_test

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/tributaryhq/tributary/pkg/telemetry"
	"github.com/tributaryhq/tributary/pkg/telemetry/logctx"
)

func TestMetricsAreServedWithUsefulBuckets(t *testing.T) {
	tel, err := telemetry.Start(t.Context(), "test", "v0")
	if err != nil {
		t.Fatal(err)
	}
	h, err := otel.Meter("x").Float64Histogram("some.duration", metric.WithUnit("s"))
	if err != nil {
		t.Fatal(err)
	}
	h.Record(t.Context(), 0.2)
	w := httptest.NewRecorder()
	tel.Metrics.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if !strings.Contains(w.Body.String(), `some_duration_seconds_bucket{le="0.25"} 1`) {
		t.Errorf("0.2 s is not in a bucket of its size:\n%s", w.Body)
	}
	if err := tel.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLogLinesNameTheTrace(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	id := trace.TraceID{1, 2, 3}
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: trace.SpanID{4}}))
	log := telemetry.Logger(&b, "json", "info").With("service", "inbox")
	log.InfoContext(logctx.With(ctx, logctx.About{Channel: "ch_1", Event: "evt_1"}), "hello")
	log.DebugContext(ctx, "quiet")
	if !strings.Contains(b.String(), id.String()) || !strings.Contains(b.String(), `"service":"inbox"`) ||
		!strings.Contains(b.String(), `"channel":"ch_1","event_id":"evt_1"`) || strings.Contains(b.String(), "quiet") {
		t.Errorf("got %s", b.String())
	}
}
