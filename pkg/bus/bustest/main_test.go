package bustest

import (
	"context"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.uber.org/goleak"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
)

var metrics = metric.NewManualReader()

func TestMain(m *testing.M) {
	otel.SetMeterProvider(metric.NewMeterProvider(metric.WithReader(metrics)))
	goleak.VerifyTestMain(m)
}

// rec is a record that is an event with an id and nothing else of interest.
func rec(topic, key, id string) event.Record {
	return event.Record{Topic: topic, Key: key, Event: event.New(id, event.MessageReceived, "test", "t1", "", event.At(time.Now()), map[string]string{"id": id})}
}

func publish(t testing.TB, b bus.Producer, recs ...event.Record) {
	t.Helper()
	if err := b.Publish(t.Context(), recs...); err != nil {
		t.Fatalf("publish: %v", err)
	}
}

// sink is a handler that remembers what it was given.
type sink struct {
	mu   sync.Mutex
	seen []bus.Message
}

func (s *sink) handle(_ context.Context, m bus.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, m)
	return nil
}

func (s *sink) all() []bus.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]bus.Message(nil), s.seen...)
}

func (s *sink) ids() (ids []string) {
	for _, m := range s.all() {
		ids = append(ids, m.Event.ID)
	}
	return ids
}

func (s *sink) count(id string) (n int) {
	for _, m := range s.all() {
		if m.Event.ID == id {
			n++
		}
	}
	return n
}

func (s *sink) wait(t testing.TB, n int) {
	t.Helper()
	Eventually(t, "not all records came", func() bool { return len(s.all()) >= n })
}

func inbound(group string, h bus.Handler) bus.Subscription {
	return bus.Subscription{Group: group, Topics: []string{event.TopicInbound}, Handle: h, Drain: 3 * time.Second}
}
