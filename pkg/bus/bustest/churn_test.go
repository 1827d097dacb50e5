package bustest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
)

// ledger notes who handled what, and whether a key was ever handled out of order.
type ledger struct {
	mu      sync.Mutex
	seen    map[string]int // by event id
	next    map[string]int // by key: the lowest number that has not been seen
	busy    map[string]int // members at work on a key
	skipped []string
	overlap int
}

func (l *ledger) begin(key string, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy[key]++; l.busy[key] > 1 {
		l.overlap++
	}
	if n > l.next[key] {
		l.skipped = append(l.skipped, fmt.Sprintf("%s: %d before %d", key, n, l.next[key]))
	}
}

func (l *ledger) end(key string, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy[key]--
	l.seen[key+"-"+strconv.Itoa(n)]++
	l.next[key] = max(l.next[key], n+1)
}

func (l *ledger) handled() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.seen)
}

// handle takes its time.
func (l *ledger) handle(_ context.Context, m bus.Message) error {
	n, err := strconv.Atoi(m.Event.ID[strings.LastIndexByte(m.Event.ID, '-')+1:])
	if err != nil {
		return err
	}
	l.begin(m.Key, n)
	time.Sleep(time.Duration(1+rand.IntN(4)) * time.Millisecond)
	l.end(m.Key, n)
	return nil
}

// Members join and leave under load. Nothing is lost, no key is handled out of order or by two members at once; whatever is
// handled twice was not committed yet.
func TestP3_P4_MembersComeAndGo(t *testing.T) {
	t.Parallel()
	const keys, each = 40, 60
	b := New(t)
	l := &ledger{seen: map[string]int{}, next: map[string]int{}, busy: map[string]int{}}
	up := func() (stop func()) { return Run(t, b.Broker.Open(t), inbound("g", l.handle)) }
	var produced sync.WaitGroup
	produced.Go(func() {
		for n := range each {
			recs := make([]event.Record, keys)
			for k := range keys {
				recs[k] = rec(event.TopicInbound, fmt.Sprint("k", k), fmt.Sprintf("k%d-%d", k, n))
			}
			if err := b.Publish(t.Context(), recs...); err != nil {
				t.Errorf("publish: %v", err)
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	// The pauses are there to let generations begin and be cut off at different moments of the load.
	var stops []func()
	for _, join := range []bool{true, true, false, true, true, false} {
		if join {
			stops = append(stops, up())
		} else {
			go stops[0]()
			stops = stops[1:]
		}
		time.Sleep(200 * time.Millisecond)
	}
	produced.Wait()
	Eventually(t, "records are lost", func() bool { return l.handled() == keys*each })
	l.mu.Lock()
	defer l.mu.Unlock()
	twice := 0
	for _, n := range l.seen {
		twice += n - 1
	}
	t.Logf("%d records, %d handled twice", len(l.seen), twice)
	if len(l.skipped) > 0 || l.overlap > 0 {
		t.Errorf("%d out of order (%v), %d at the same time as another member", len(l.skipped), l.skipped, l.overlap)
	}
}
