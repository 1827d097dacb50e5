package bustest

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/bus/kafka"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/telemetry"
)

// written is a log that is read while it is written.
type written struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *written) Write(p []byte) (int, error) { w.mu.Lock(); defer w.mu.Unlock(); return w.b.Write(p) }

// line returns the first line that has these words.
func (w *written) line(words ...string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
lines:
	for line := range strings.Lines(w.b.String()) {
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue lines
			}
		}
		return line
	}
	return ""
}

// What is logged of a record that cannot be handled names its event, its channel and its trace, and nothing that somebody wrote.
func TestLogLinesOfARecordNameIt(t *testing.T) {
	t.Parallel()
	broker := NewBroker(t, 2)
	broker.Open(t) // makes the topics
	var log written
	cfg := broker.Config()
	cfg.Log = telemetry.Logger(&log, "json", "info")
	b, err := kafka.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	if err := b.EnsureTopics(t.Context(), Topics()); err != nil {
		t.Fatal(err)
	}
	id := trace.TraceID{7}
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: trace.SpanID{7}}))
	if err := b.Publish(ctx, rec(event.TopicInbound, event.Key("ch_1", "planted-peer"), "evt_1")); err != nil {
		t.Fatal(err)
	}
	Run(t, b, inbound("log", func(context.Context, bus.Message) error {
		return fault.New(fault.Invalid, "bad_event", "planted-text")
	}))
	for _, what := range []string{"record failed", "dead letter"} {
		Eventually(t, what+" is not logged with its ids", func() bool {
			return log.line(`"`+what+`"`, `"event_id":"evt_1"`, `"channel":"ch_1"`, `"tenant":"t1"`, id.String()) != ""
		})
	}
	if line := log.line("planted"); line != "" {
		t.Errorf("the log quotes what somebody wrote: %s", line)
	}
}
