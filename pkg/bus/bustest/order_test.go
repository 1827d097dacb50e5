package bustest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
)

func TestP4_RecordsOfAKeyKeepTheirOrder(t *testing.T) {
	t.Parallel()
	b := New(t)
	const keys, each = 20, 50
	var recs []event.Record
	for n := range each {
		for k := range keys {
			recs = append(recs, rec(event.TopicInbound, fmt.Sprint("k", k), fmt.Sprint(k, "-", n)))
		}
	}
	publish(t, b, recs...)
	var mu sync.Mutex
	seen := map[string][]string{}
	total := 0
	run(t, b, bus.Subscription{Group: "g", Topics: []string{event.TopicInbound}, Handle: func(_ context.Context, m bus.Message) error {
		mu.Lock()
		defer mu.Unlock()
		seen[m.Key] = append(seen[m.Key], m.Event.ID)
		total++
		return nil
	}})
	Eventually(t, 10*time.Second, "not all records came", func() bool { mu.Lock(); defer mu.Unlock(); return total == keys*each })
	mu.Lock()
	defer mu.Unlock()
	for k := range keys {
		for n, id := range seen[fmt.Sprint("k", k)] {
			if want := fmt.Sprint(k, "-", n); id != want {
				t.Fatalf("key k%d, record %d: got %s, want %s", k, n, id, want)
			}
		}
	}
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

// run consumes until the returned function is called, or the test ends.
func run(t testing.TB, b bus.Bus, s bus.Subscription) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Consume(ctx, s) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("consume: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}
