package bustest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/telemetry/traceparent"
)

func TestEnvelopeAndTraceTravel(t *testing.T) {
	t.Parallel()
	b := New(t)
	sc := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1, 2, 3}, SpanID: trace.SpanID{4, 5}, TraceFlags: trace.FlagsSampled})
	r := event.Record{Topic: event.TopicConversations, Key: "thr|1", Event: event.New("e1", event.MessageCreated, "inbox", "t1", "conv_1", event.At(time.Now()), map[string]int{"n": 1})}
	if err := b.Publish(trace.ContextWithSpanContext(t.Context(), sc), r); err != nil {
		t.Fatal(err)
	}
	var s sink
	traced := make(chan trace.TraceID, 1)
	sub := inbound("g", func(ctx context.Context, m bus.Message) error {
		traced <- trace.SpanContextFromContext(ctx).TraceID()
		return s.handle(ctx, m)
	})
	sub.Topics = []string{event.TopicConversations}
	Run(t, b, sub)
	s.wait(t, 1)
	m := s.all()[0]
	if diff := cmp.Diff(r.Event, m.Event); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	if m.Key != r.Key || m.Topic != r.Topic || m.Dead != nil || time.Since(m.Time) > time.Minute {
		t.Errorf("message: %+v", m)
	}
	if got := <-traced; got != sc.TraceID() {
		t.Errorf("trace id %s, want %s", got, sc.TraceID())
	}
}

// A record that names the span that it was made in is handled in that trace, whoever publishes it, and whatever is published with it.
func TestARecordIsHandledInTheTraceThatItWasMadeIn(t *testing.T) {
	t.Parallel()
	b := New(t)
	in := func(n byte) (context.Context, string) {
		ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: trace.TraceID{n}, SpanID: trace.SpanID{n, n}, TraceFlags: trace.FlagsSampled}))
		return ctx, traceparent.Of(ctx)
	}
	publisher, own := in(1)
	_, other := in(2)
	_, third := in(3)
	named := func(id, span string) event.Record {
		r := rec(event.TopicInbound, id, id)
		r.Trace = span
		return r
	}
	for _, together := range [][]event.Record{
		{named("none", "")},
		{named("other", other), named("third", third), named("other too", other)},
		{named("own", own)}, {named("garbage", "00-zz")},
	} {
		if err := b.Publish(publisher, together...); err != nil {
			t.Fatal(err)
		}
	}
	var s sink
	var mu sync.Mutex
	got := map[string]byte{}
	Run(t, b, inbound("traces", func(ctx context.Context, m bus.Message) error {
		mu.Lock()
		got[m.Event.ID] = trace.SpanContextFromContext(ctx).TraceID()[0]
		mu.Unlock()
		return s.handle(ctx, m)
	}))
	s.wait(t, 6)
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff(map[string]byte{"none": 1, "other": 2, "third": 3, "other too": 2, "own": 1, "garbage": 1}, got); diff != "" {
		t.Errorf("traces (-want +got):\n%s", diff)
	}
}

func TestFollowReadsEverythingOnceAndSaysWhenItHasCaughtUp(t *testing.T) {
	t.Parallel()
	b := New(t)
	for n := range 20 {
		publish(t, b, rec(event.TopicStream, fmt.Sprint("t", n), fmt.Sprint(n)))
	}
	var all, fresh sink
	caught := make(chan int, 1)
	follow(t, b, event.TopicStream, bus.Beginning, all.handle, func() { caught <- len(all.all()) })
	if got := <-caught; got != 20 {
		t.Errorf("caught up after %d records, want 20", got)
	}
	ready := make(chan struct{})
	follow(t, b, event.TopicStream, bus.End, fresh.handle, func() { close(ready) })
	<-ready
	publish(t, b, rec(event.TopicStream, "t", "new"))
	fresh.wait(t, 1)
	all.wait(t, 21)
	if diff := cmp.Diff([]string{"new"}, fresh.ids()); diff != "" {
		t.Errorf("from the end (-want +got):\n%s", diff)
	}
}

func TestFollowSkipsPoisonAndWaitsForTheStore(t *testing.T) {
	t.Parallel()
	b := New(t)
	var away atomic.Int64
	var s sink
	for _, id := range []string{"poison", "away", "good"} {
		publish(t, b, rec(event.TopicConfig, "k", id))
	}
	follow(t, b, event.TopicConfig, bus.Beginning, func(ctx context.Context, m bus.Message) error {
		switch {
		case m.Event.ID == "poison":
			return fault.New(fault.Invalid, "bad", "bad")
		case m.Event.ID == "away" && away.Add(1) < 4:
			return fault.New(fault.Unavailable, "store_away", "no primary")
		}
		return s.handle(ctx, m)
	}, nil)
	s.wait(t, 2)
	if diff := cmp.Diff([]string{"away", "good"}, s.ids()); diff != "" {
		t.Errorf("handled (-want +got):\n%s", diff)
	}
}

func follow(t *testing.T, b bus.Bus, topic string, from bus.Position, h bus.Handler, caughtUp func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Follow(ctx, topic, from, h, caughtUp) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("follow: %v", err)
		}
	})
}

func TestReadFromAPosition(t *testing.T) {
	t.Parallel()
	b := New(t)
	ctx := t.Context()
	for n := range 10 {
		publish(t, b, rec(event.TopicStream, "tenant", fmt.Sprint(n)))
	}
	p, err := b.PartitionOf(ctx, event.TopicStream, "tenant")
	if err != nil {
		t.Fatal(err)
	}
	ends, err := b.Ends(ctx, event.TopicStream)
	if err != nil || ends[p] != 10 || ends[1-p] != 0 {
		t.Fatalf("ends: %v, %v; want 10 in partition %d", ends, err, p)
	}
	ids := func(offset int64, limit int) (got []string) {
		t.Helper()
		ms, err := b.ReadFrom(ctx, event.TopicStream, p, offset, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range ms {
			got = append(got, m.Event.ID)
		}
		return got
	}
	for _, c := range []struct {
		offset int64
		limit  int
		want   []string
	}{
		{3, 3, []string{"3", "4", "5"}},
		{8, 100, []string{"8", "9"}},
		{10, 100, nil},
		{bus.Oldest, 1, []string{"0"}},
	} {
		if diff := cmp.Diff(c.want, ids(c.offset, c.limit)); diff != "" {
			t.Errorf("from %d (-want +got):\n%s", c.offset, diff)
		}
	}
	if err := b.Broker.DeleteRecords(event.TopicStream, int32(p), 5); err != nil {
		t.Fatal(err)
	}
	if _, err := b.ReadFrom(ctx, event.TopicStream, p, 4, 10); !errors.Is(err, bus.ErrTrimmed) {
		t.Errorf("from a trimmed offset: %v", err)
	}
	if got := ids(bus.Oldest, 1); got[0] != "5" {
		t.Errorf("the oldest is %v, want 5", got)
	}
	if _, err := b.ReadFrom(ctx, "nowhere", 0, 0, 1); !fault.Is(err, fault.Unavailable) {
		t.Errorf("an unknown topic: %v", err)
	}
}

func TestEnsureTopicsNeverChangesACount(t *testing.T) {
	t.Parallel()
	b := New(t)
	if err := b.EnsureTopics(t.Context(), Topics()); err != nil {
		t.Fatalf("a second time: %v", err)
	}
	ts := Topics()
	ts[0].Partitions++
	err := b.EnsureTopics(t.Context(), ts)
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), ts[0].Name) {
		t.Errorf("another count: %v", err)
	}
	compacted := bus.TopicSpec{Name: "c", Partitions: 1, Compacted: true, Config: map[string]string{"retention.ms": "-1"}}
	if err := b.EnsureTopics(t.Context(), []bus.TopicSpec{compacted}); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"cleanup.policy": "compact", "retention.ms": "-1"} {
		if got := b.Broker.TopicConfig(t, "c", key); got != want {
			t.Errorf("%s of a compacted topic is %q, want %q", key, got, want)
		}
	}
}

func TestAssignAndRelease(t *testing.T) {
	t.Parallel()
	b := New(t)
	publish(t, b, rec(event.TopicConfig, "k", "1"))
	var first sink
	sub := inbound("g", first.handle)
	sub.Topics = []string{event.TopicConfig}
	stop := Run(t, b, sub)
	first.wait(t, 1)
	stop()

	var second sink
	var tries, released atomic.Int64
	got := make(chan bus.Assignment, 1)
	sub = bus.Subscription{Group: "g", Topics: []string{event.TopicConfig}, Assign: func(ctx context.Context, a bus.Assignment) (bus.Handler, func(), error) {
		if tries.Add(1) < 3 {
			return nil, nil, errors.New("the store is not there yet")
		}
		got <- a
		return second.handle, func() {
			if ctx.Err() == nil {
				t.Error("released before the partition was lost")
			}
			released.Add(1)
		}, nil
	}}
	stop = Run(t, b, sub)
	if a := <-got; a.Offset != 1 || a.Topic != event.TopicConfig || a.Generation == 0 {
		t.Errorf("assignment: %+v", a)
	}
	publish(t, b, rec(event.TopicConfig, "k", "2"))
	second.wait(t, 1)
	stop()
	if released.Load() != 1 || second.count("2") != 1 {
		t.Errorf("released %d times, handled %v", released.Load(), second.ids())
	}
}

func TestOffsetJumpIsCounted(t *testing.T) {
	b := New(t)
	// One partition, and not compacted: brokers trim no compacted topic.
	for n := range 10 {
		publish(t, b, rec(event.TopicDead, "k", fmt.Sprint(n)))
	}
	if err := b.Broker.DeleteRecords(event.TopicDead, 0, 4); err != nil {
		t.Fatal(err)
	}
	before := counter(t, "tributary.consumer.offset_jumps")
	var s sink
	sub := inbound("g", s.handle)
	sub.Topics = []string{event.TopicDead}
	stop := Run(t, b, sub)
	s.wait(t, 6) // a group that begins does not miss what was there before it
	stop()
	if n := counter(t, "tributary.consumer.offset_jumps") - before; n != 0 {
		t.Errorf("a new group counted %d jumps", n)
	}
	for n := range 5 {
		publish(t, b, rec(event.TopicDead, "k", fmt.Sprint("new", n)))
	}
	if err := b.Broker.DeleteRecords(event.TopicDead, 0, 13); err != nil {
		t.Fatal(err)
	}
	Run(t, b, sub)
	s.wait(t, 8)
	if n := counter(t, "tributary.consumer.offset_jumps") - before; n != 3 {
		t.Errorf("counted %d lost records, want 3", n)
	}
}

func TestLagIsMeasured(t *testing.T) {
	b := New(t)
	release := make(chan struct{})
	sub := inbound("lagging", func(context.Context, bus.Message) error { <-release; return nil })
	sub.Topics = []string{event.TopicConfig}
	sub.InFlight = 2
	for n := range 10 {
		publish(t, b, rec(event.TopicConfig, fmt.Sprint("k", n), fmt.Sprint(n)))
	}
	Run(t, b, sub)
	Eventually(t, "no lag is shown", func() bool { return gauge(t, "tributary.consumer.lag_messages", "lagging") == 10 })
	Eventually(t, "the lag has no age", func() bool { return gauge(t, "tributary.consumer.lag", "lagging") > 0 })
	close(release)
	Eventually(t, "the lag does not go away", func() bool {
		return gauge(t, "tributary.consumer.lag_messages", "lagging") == 0 && gauge(t, "tributary.consumer.lag", "lagging") == 0
	})
}

func collect(t *testing.T, name string) metricdata.Aggregation {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := metrics.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name == name {
				return m.Data
			}
		}
	}
	return nil
}

func counter(t *testing.T, name string) (sum int64) {
	t.Helper()
	if s, ok := collect(t, name).(metricdata.Sum[int64]); ok {
		for _, p := range s.DataPoints {
			sum += p.Value
		}
	}
	return sum
}

func gauge(t *testing.T, name, group string) float64 {
	t.Helper()
	switch g := collect(t, name).(type) {
	case metricdata.Gauge[int64]:
		for _, p := range g.DataPoints {
			if v, _ := p.Attributes.Value("messaging.consumer.group.name"); v.AsString() == group {
				return float64(p.Value)
			}
		}
	case metricdata.Gauge[float64]:
		for _, p := range g.DataPoints {
			if v, _ := p.Attributes.Value("messaging.consumer.group.name"); v.AsString() == group {
				return p.Value
			}
		}
	}
	return -1
}
