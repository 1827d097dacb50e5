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

// Records of one key that are in different lanes are handled at once, and those of a lane in order; a record without a lane has its
// key as lane, as every record of an earlier version.
func TestP4_ALaneKeepsItsOrderWhateverTheKey(t *testing.T) {
	t.Parallel()
	b := New(t)
	const lanes, each = 5, 10
	var recs []event.Record
	for n := range each {
		for l := range lanes {
			r := rec(event.TopicInbound, "channel", fmt.Sprint(l, "-", n))
			r.Lane = fmt.Sprint("channel|", l)
			recs = append(recs, r)
		}
	}
	publish(t, b, append(recs, rec(event.TopicInbound, "plain", "plain"))...)
	var mu sync.Mutex
	seen, waiting, together := map[string][]string{}, 0, make(chan struct{})
	Run(t, b, bus.Subscription{Group: "g", Topics: []string{event.TopicInbound}, Handle: func(ctx context.Context, m bus.Message) error {
		mu.Lock()
		seen[m.Lane] = append(seen[m.Lane], m.Event.ID)
		if first := len(seen[m.Lane]) == 1 && m.Key == "channel"; first {
			if waiting++; waiting == lanes {
				close(together)
			}
		}
		mu.Unlock()
		select { // the first record of every lane waits for those of the others
		case <-together:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}})
	Eventually(t, "not all records came", func() bool {
		mu.Lock()
		defer mu.Unlock()
		total := 0
		for _, ids := range seen {
			total += len(ids)
		}
		return total == lanes*each+1
	})
	mu.Lock()
	defer mu.Unlock()
	for l := range lanes {
		for n, id := range seen[fmt.Sprint("channel|", l)] {
			if want := fmt.Sprint(l, "-", n); id != want {
				t.Fatalf("lane %d, record %d: got %s, want %s", l, n, id, want)
			}
		}
	}
	if len(seen["plain"]) != 1 {
		t.Errorf("a record without a lane: %v", seen)
	}
}
