package dbcall_test

import (
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/metric"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tributaryhq/tributary/pkg/telemetry/dbcall"
)

// BenchmarkCall is what telling of one call costs: with metrics alone, as by default, and within a span that is recorded.
func BenchmarkCall(b *testing.B) {
	otel.SetMeterProvider(metric.NewMeterProvider(metric.WithReader(metric.NewManualReader())))
	b.Run("metrics", func(b *testing.B) {
		c := dbcall.New("sqlite")
		for b.Loop() {
			_, call := c.Begin(b.Context(), "get", "things")
			call.End(1, "")
		}
	})
	b.Run("traced", func(b *testing.B) {
		provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(tracetest.NewSpanRecorder()))
		otel.SetTracerProvider(provider)
		c := dbcall.New("sqlite")
		ctx, span := provider.Tracer("bench").Start(b.Context(), "root")
		defer span.End()
		for b.Loop() {
			_, call := c.Begin(ctx, "get", "things")
			call.End(1, "")
		}
	})
}
