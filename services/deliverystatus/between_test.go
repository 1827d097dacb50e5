package deliverystatus

import (
	"slices"
	"testing"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// TestP6_P13_StepsOfAHandlerThatDiedBetweenItsDocumentsAreTakenAlong: a receipt's step is in the provider id's document, whoever
// wrote it died before the attempt's, and others are handled before the record comes again. Every step is kept.
func TestP6_P13_StepsOfAHandlerThatDiedBetweenItsDocumentsAreTakenAlong(t *testing.T) {
	t.Parallel()
	out := &consumer{t: t, seq: map[string]int64{}, status: map[string]event.DeliveryStatus{}, steps: map[string][]string{}}
	j, applier := newJudge(t, storetest.New(t), out)
	handle := func(m bus.Message) {
		t.Helper()
		if err := j.handle(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	handle(settled("try_b", 0, 1, event.Accepted, "m.b"))
	dying := event.Step{Status: event.Sent, At: epoch, Source: "receipt"}
	if _, err := j.onReceipt(t.Context(), "t1", "ch_1", "m.b", func(r *receipt) bool { return r.take(dying) }); err != nil {
		t.Fatal(err)
	}
	handle(reported("m.b", event.Delivered, ""))
	handle(reported("m.b", event.Sent, "")) // comes again: its step is no news to the first document
	if err := applier.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(slices.Values(out.steps["try_b"]))
	if want := []string{"0:accepted", "0:delivered", "0:sent"}; !slices.Equal(got, want) || out.status["try_b"] != event.Delivered {
		t.Errorf("steps %v, status %s", got, out.status["try_b"])
	}
}
