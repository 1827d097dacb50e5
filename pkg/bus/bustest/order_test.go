package bustest

import (
	"context"
	"fmt"
	"sync"
	"testing"

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
	Run(t, b, bus.Subscription{Group: "g", Topics: []string{event.TopicInbound}, Handle: func(_ context.Context, m bus.Message) error {
		mu.Lock()
		defer mu.Unlock()
		seen[m.Key] = append(seen[m.Key], m.Event.ID)
		total++
		return nil
	}})
	Eventually(t, "not all records came", func() bool { mu.Lock(); defer mu.Unlock(); return total == keys*each })
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
