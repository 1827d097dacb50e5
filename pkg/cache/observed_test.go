package cache

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func TestCommandsAreToldByTheirNames(t *testing.T) { //nolint:paralleltest // the providers are the process's
	spans, metrics := tracetest.NewInMemoryExporter(), metric.NewManualReader()
	otel.SetTracerProvider(sdk.NewTracerProvider(sdk.WithSyncer(spans)))
	otel.SetMeterProvider(metric.NewMeterProvider(metric.WithReader(metrics)))
	c, _ := open(t)
	ctx, root := otel.Tracer("test").Start(t.Context(), "root")
	if err := c.Put(ctx, "planted-key", []byte("planted-value"), time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := c.Lookup(ctx, "planted-other"); ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, _, err := c.Lookup(t.Context(), "planted-key"); err != nil { // in no span
		t.Fatal(err)
	}
	root.End()
	var names []string
	for _, s := range spans.GetSpans() {
		names = append(names, s.Name+s.Status.Description)
	}
	if !slices.Contains(names, "set") || !slices.Contains(names, "get") || slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, "unavailable") }) {
		t.Errorf("spans %v", names)
	}
	if n := len(names) - len(slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == "get" })); n != 1 {
		t.Errorf("%d spans of a lookup, one is in no trace: %v", n, names)
	}
	var seen metricdata.ResourceMetrics
	if err := metrics.Collect(t.Context(), &seen); err != nil {
		t.Fatal(err)
	}
	if told := fmt.Sprintf("%+v%+v", spans.GetSpans(), seen); strings.Contains(told, "planted") || !strings.Contains(told, "db.client.operation.duration") {
		t.Errorf("told: %s", told)
	}
}
