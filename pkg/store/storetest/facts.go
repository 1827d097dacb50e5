package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/telemetry/traceparent"
)

func recordsAreThere(t *testing.T, db store.DB) {
	setup(t, db)
	var p Publisher
	p.Fail(away)
	a := newProcess(db, &p)
	for i := range 3 {
		if err := a.count(t.Context(), "c", 1); err != nil {
			t.Fatal(err)
		}
		must[*note](t)(a.notes.Get(t.Context(), fmt.Sprintf("c.%d", i+1)))
	}
	c := must[*Counter](t)(a.counters.Get(t.Context(), "c"))
	if len(c.Pending) != 3 || c.PendingSince.IsZero() {
		t.Errorf("pending %d since %s", len(c.Pending), c.PendingSince)
	}
	for i, f := range c.Pending {
		if f.Seq != c.FactSeq-2+int64(i) {
			t.Errorf("fact %d has number %d, the last is %d", i, f.Seq, c.FactSeq)
		}
	}
	if err := a.counters.Apply(t.Context(), "c"); !errors.Is(err, errAway) {
		t.Errorf("apply: %v", err)
	}
	p.Fail(nil)
	if err := a.counters.Apply(t.Context(), "c"); err != nil {
		t.Error(err)
	}
	if err := a.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	settled(t, db, &p, "c", 3)
}

// recordsInOrder: a record that must wait is not there before all facts in front of it are published, and there afterwards,
// with its own facts on their way.
func recordsInOrder(t *testing.T, db store.DB) {
	if err := db.Ensure(t.Context(), facts, notes); err != nil {
		t.Fatal(err)
	}
	var p Publisher
	a := store.NewApplier(db, &p, nil)
	var counters *store.Collection[Counter]
	counters = store.NewCollection[Counter](db, facts, store.Facts(a), store.Records(func(f store.Fact) ([]store.Implied, error) {
		if f.Topic != "second" {
			return nil, nil
		}
		next := &Counter{Meta: store.Meta{ID: "c+"}, N: 1}
		next.Emit("third", "k", event.Event{ID: "3"})
		r, err := counters.Imply(traceparent.With(t.Context(), f.Trace), next)
		r.InOrder = true
		return []store.Implied{r}, err
	}))
	p.Fail(away)
	c := &Counter{Meta: store.Meta{ID: "c"}}
	c.Emit("first", "k", event.Event{ID: "1"})
	c.Emit("second", "k", event.Event{ID: "2"})
	if err := counters.Insert(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := a.Flush(t.Context()); !errors.Is(err, errAway) {
		t.Fatalf("flush: %v", err)
	}
	if _, err := counters.Get(t.Context(), "c+"); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("the record is there before its time: %v", err)
	}
	p.Fail(nil)
	if err := a.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range p.Records() {
		got = append(got, r.Event.ID)
	}
	if diff := cmp.Diff([]string{"1", "2", "3"}, got); diff != "" {
		t.Error(diff)
	}
	if next := must[*Counter](t)(counters.Get(t.Context(), "c+")); next.N != 1 || len(next.Pending) != 0 {
		t.Errorf("got %+v", next)
	}
}

// commitWaitsForNobody: an Update returns although Kafka hangs.
func commitWaitsForNobody(t *testing.T, db store.DB) {
	setup(t, db)
	var p Publisher
	hang := make(chan struct{})
	stuck := blocker{&p, hang}
	a := newProcess(db, stuck)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	for range 5 {
		if err := a.count(t.Context(), "c", 1); err != nil {
			t.Fatal(err)
		}
	}
	close(hang)
	Eventually(t, "all is published and cleared", func() bool {
		return len(must[*Counter](t)(a.counters.Get(t.Context(), "c")).Pending) == 0
	})
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	settled(t, db, &p, "c", 5)
}

type blocker struct {
	*Publisher
	hang chan struct{}
}

func (b blocker) Publish(ctx context.Context, recs ...event.Record) error {
	select {
	case <-b.hang:
		return b.Publisher.Publish(ctx, recs...)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func deletePublishes(t *testing.T, db store.DB) {
	setup(t, db)
	var p Publisher
	a := newProcess(db, &p)
	if err := a.count(t.Context(), "c", 2); err != nil {
		t.Fatal(err)
	}
	if err := a.counters.Delete(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(upTo(2), consumed(t, &p)); diff != "" {
		t.Error(diff)
	}
	if err := a.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := a.counters.Get(t.Context(), "c"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("clearing brought it back: %v", err)
	}
}

// runPublishesAndClears: within a second or so, without anybody asking; and a restart sweeps at once.
func runPublishesAndClears(t *testing.T, db store.DB) {
	setup(t, db)
	var p Publisher
	dead := newProcess(db, &p)
	if err := dead.count(t.Context(), "left", 2); err != nil {
		t.Fatal(err)
	}
	a := newProcess(db, &p)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	if err := a.count(ctx, "fresh", 2); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	for _, id := range []string{"left", "fresh"} {
		Eventually(t, id+" is cleared", func() bool {
			return len(must[*Counter](t)(a.counters.Get(t.Context(), id)).Pending) == 0
		})
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("it took %s", d)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	var got []string
	for _, e := range p.Topic(topic) {
		got = append(got, e.ID)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"fresh.1", "fresh.2", "left.1", "left.2"}, got); diff != "" {
		t.Error(diff)
	}
}

// sweepLeavesFresh: what another process has just committed is its own affair, and a document that is always busy, so never
// without pending facts, is not one whose writer died.
func sweepLeavesFresh(t *testing.T, db store.DB) {
	setup(t, db)
	var p Publisher
	busy, other := newProcess(db, &p), newProcess(db, &p)
	check(t, busy.count(t.Context(), "c", 1))
	first := must[*Counter](t)(busy.counters.Get(t.Context(), "c")).PendingSince
	check(t, other.Sweep(t.Context(), store.SweepAge), other.Flush(t.Context()))
	if n := len(p.Records()); n != 0 {
		t.Errorf("%d fresh facts were swept", n)
	}
	Eventually(t, "a later moment", func() bool { return event.At(time.Now()).After(first) })
	check(t, busy.count(t.Context(), "c", 1))
	if since := must[*Counter](t)(busy.counters.Get(t.Context(), "c")).PendingSince; since != first {
		t.Errorf("pending since %s although the first of them has waited since %s", since, first)
	}
	check(t, busy.counters.Apply(t.Context(), "c"), busy.count(t.Context(), "c", 1))
	c := must[*Counter](t)(busy.counters.Get(t.Context(), "c"))
	if len(c.Pending) != 1 || !c.PendingSince.After(first) {
		t.Errorf("pending %d since %s, which is not after %s", len(c.Pending), c.PendingSince, first)
	}
}

// runEndsInTime: what is not published when Run ends is not lost, and Run does not wait for a broker that never comes.
func runEndsInTime(t *testing.T, db store.DB) {
	setup(t, db)
	var p Publisher
	p.Fail(away)
	a := newProcess(db, &p)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	for i := range 20 {
		if err := a.count(t.Context(), fmt.Sprintf("c%d", i), 1); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(8 * time.Second):
		t.Fatal("Run does not end")
	}
	p.Fail(nil)
	b := newProcess(db, &p)
	if err := errors.Join(b.Sweep(t.Context(), 0), b.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	if got := p.Topic(topic); len(got) != 20 {
		t.Errorf("%d facts of 20 were published", len(got))
	}
}

// resurrected: a document deleted and inserted again begins a new life; what was known of the old one harms nothing.
func resurrected(t *testing.T, db store.DB) {
	setup(t, db)
	var p Publisher
	a, b := newProcess(db, &p), newProcess(db, &p)
	if err := errors.Join(a.count(t.Context(), "c", 3), a.counters.Apply(t.Context(), "c")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.counters.Delete(t.Context(), "c"), b.count(t.Context(), "c", 1), a.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	if c := must[*Counter](t)(a.counters.Get(t.Context(), "c")); len(c.Pending) != 1 {
		t.Fatalf("clearing the old life took the new one's fact: %+v", c)
	}
	before := len(p.Records())
	if err := errors.Join(a.count(t.Context(), "c", 1), a.Flush(t.Context()), b.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range p.Records()[before:] {
		if !slices.Contains(got, r.Event.ID) {
			got = append(got, r.Event.ID)
		}
	}
	if diff := cmp.Diff([]string{"c.1", "c.2"}, got); diff != "" {
		t.Error(diff)
	}
}

func noFactsDeclared(t *testing.T, db store.DB) {
	setup(t, db)
	c := store.NewCollection[note](db, notes)
	n := &note{Meta: store.Meta{ID: "n"}}
	n.Emit(topic, "k", event.Event{ID: "e"})
	if err := c.Insert(t.Context(), n); err == nil {
		t.Error("facts were taken that nobody will ever sweep")
	}
}

// factsKeepTheirSpan: facts that are published later, by whoever finds them, name the span that they were committed in, and so do those
// of the records that they imply. Facts of earlier versions have none, and are published all the same.
func factsKeepTheirSpan(t *testing.T, db store.DB) {
	setup(t, db)
	var p Publisher
	p.Fail(away)
	a := newProcess(db, &p)
	var spans []string
	for i := range 2 {
		sc := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1, byte(i)}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
		ctx := trace.ContextWithSpanContext(t.Context(), sc)
		spans = append(spans, traceparent.Of(ctx))
		if err := a.count(ctx, "c", 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.count(t.Context(), "c", 1); err != nil { // as every fact was
		t.Fatal(err)
	}
	c := must[*Counter](t)(a.counters.Get(t.Context(), "c"))
	if len(c.Pending) != 3 || c.Pending[0].Trace != spans[0] || c.Pending[2].Trace != "" {
		t.Fatalf("pending: %+v", c.Pending)
	}
	p.Fail(nil)
	other := newProcess(db, &p)
	if err := other.Sweep(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if err := other.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range p.Records() {
		got = append(got, r.Trace)
	}
	if diff := cmp.Diff(append(spans, ""), got); diff != "" {
		t.Errorf("spans of what was published (-want +got):\n%s", diff)
	}
}
