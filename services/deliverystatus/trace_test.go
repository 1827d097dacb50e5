package deliverystatus

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
	"github.com/tributaryhq/tributary/pkg/telemetry/traceparent"
)

// A receipt is told in the trace of the send, in whatever order and trace it comes. An attempt of an earlier version knows no trace: its
// receipts are told in their own.
func TestReceiptsAreToldInTheTraceOfTheSend(t *testing.T) {
	t.Parallel()
	in := func(n byte) context.Context {
		return trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{n}, SpanID: trace.SpanID{n}}))
	}
	send, receipt := in(1), in(2)
	for name, c := range map[string]struct {
		early, older bool
		want         []string
	}{
		"after the result":             {want: []string{traceparent.Of(send), traceparent.Of(send)}},
		"before the result":            {early: true, want: []string{traceparent.Of(send), traceparent.Of(send)}},
		"of an earlier version's send": {older: true, want: []string{"", traceparent.Of(receipt)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out storetest.Publisher
			j, applier := newJudge(t, storetest.New(t), &out)
			steps := []func() error{
				func() error {
					if c.older {
						return j.handle(t.Context(), settled("a", 0, 1, event.Accepted, "wamid.1"))
					}
					return j.handle(send, settled("a", 0, 1, event.Accepted, "wamid.1"))
				},
				func() error { return j.handle(receipt, reported("wamid.1", event.Read, "")) },
			}
			if c.early {
				steps[0], steps[1] = steps[1], steps[0]
			}
			for _, do := range steps {
				if err := do(); err != nil {
					t.Fatal(err)
				}
			}
			if err := applier.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range out.Records() {
				got = append(got, r.Trace)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}
