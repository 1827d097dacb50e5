package observed_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/observed"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

var things = store.Spec{Name: "things", Indexes: []store.Index{{Name: "by_name", Fields: []string{"name"}}}}

const planted = "planted-secret"

// calls makes one call of every kind, with something in each that nobody may see.
func calls(ctx context.Context, db *observed.DB) {
	insert := store.Op{Kind: store.Insert, Collection: "things", ID: planted, JSON: json.RawMessage(`{"_id":"` + planted + `","name":"` + planted + `"}`)}
	byName := store.Query{Where: []store.Eq{{Field: "name", Value: planted}}}
	db.Batch(ctx, []store.Op{insert})
	db.Batch(ctx, []store.Op{insert, insert}) // is there already: an answer
	_, _ = db.Get(ctx, "things", planted)
	_, _ = db.Query(ctx, "things", byName)
	_, _ = db.Count(ctx, "things", byName, 10)
	_, _ = db.Query(ctx, "things", store.Query{Where: []store.Eq{{Field: planted, Value: planted}}}) // no index serves it: our mistake
	_, _ = db.Search(ctx, "things", store.SearchQuery{Text: planted})
	_, _ = db.Walk(ctx, "things", store.Walk{})
	_, _ = db.CountLists(ctx, "things", planted, []string{planted}, 10)
}

func TestCallsAreToldWithoutContent(t *testing.T) { //nolint:paralleltest // the providers are the process's
	spans, metrics := tracetest.NewInMemoryExporter(), metric.NewManualReader()
	otel.SetTracerProvider(sdk.NewTracerProvider(sdk.WithSyncer(spans)))
	otel.SetMeterProvider(metric.NewMeterProvider(metric.WithReader(metrics)))
	db := observed.New(storetest.New(t, things), "sqlite")
	calls(t.Context(), db)
	if n := len(spans.GetSpans()); n != 0 {
		t.Errorf("%d traces of a loop that looks for work", n)
	}
	ctx, root := otel.Tracer("test").Start(t.Context(), "root")
	calls(ctx, db)
	root.End()
	var got []string
	for _, s := range spans.GetSpans() {
		if s.Name == "root" {
			continue
		}
		name := s.Name
		if s.Status.Code == codes.Error {
			name += " failed: " + s.Status.Description
		}
		got = append(got, name)
		if !s.Parent.IsValid() {
			t.Errorf("%s is a trace of its own", s.Name)
		}
	}
	want := []string{"write things", "write things", "get things", "query things", "count things", "query things failed: internal",
		"search things failed: internal", "walk things failed: internal", "count things failed: internal"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	var seen metricdata.ResourceMetrics
	if err := metrics.Collect(t.Context(), &seen); err != nil {
		t.Fatal(err)
	}
	told := fmt.Sprintf("%+v", spans.GetSpans()) + fmt.Sprintf("%+v", seen)
	if strings.Contains(told, planted) || !strings.Contains(fmt.Sprintf("%+v", seen), "db.client.operation.duration") {
		t.Errorf("told: %s", told)
	}
}
