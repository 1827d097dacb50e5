package directory

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// shelf is a store of numbered values with a clock that a test moves.
type shelf struct {
	mu      sync.Mutex
	clock   time.Time
	version map[string]int64 // of what is there
	away    bool
	loads   int
	during  func() // while something is being read, after the store has answered
}

func (s *shelf) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock
}

func (s *shelf) load(_ context.Context, id string) (string, int64, error) {
	s.mu.Lock()
	v, ok := s.version[id]
	away, during := s.away, s.during
	s.loads++
	s.during = nil
	s.mu.Unlock()
	if during != nil {
		during()
	}
	switch {
	case away:
		return "", 0, errors.New("the store is away")
	case !ok:
		return "", 0, errGone
	}
	return strconv.FormatInt(v, 10), v, nil
}

func newShelf() (*shelf, *table[string]) {
	s := &shelf{clock: time.Unix(1_700_000_000, 0), version: map[string]int64{}}
	return s, newTable(s.now, s.load)
}

func want(t *testing.T, tab *table[string], id, value string) {
	t.Helper()
	got, err := tab.find(t.Context(), id)
	if value == "" && errors.Is(err, errGone) {
		return
	}
	if err != nil || got != value {
		t.Fatalf("%s is %q (%v), want %q", id, got, err, value)
	}
}

func TestHowLongWhatWasReadIsBelieved(t *testing.T) {
	t.Parallel()
	s, tab := newShelf()
	s.version["a"] = 1
	for _, step := range []struct {
		later time.Duration
		loads int
	}{{0, 1}, {valueLife - 1, 1}, {1, 2}, {valueLife, 3}} {
		s.clock = s.clock.Add(step.later)
		want(t, tab, "a", "1")
		if s.loads != step.loads {
			t.Fatalf("after another %s: %d reads, want %d", step.later, s.loads, step.loads)
		}
	}
	want(t, tab, "b", "")
	s.version["b"] = 7
	s.clock = s.clock.Add(missingLife - 1)
	want(t, tab, "b", "")
	s.clock = s.clock.Add(1)
	want(t, tab, "b", "7")
}

func TestAStoreThatIsAwayLeavesWhatWasKnownForAnHour(t *testing.T) {
	t.Parallel()
	s, tab := newShelf()
	s.version["a"] = 1
	want(t, tab, "a", "1")
	s.away = true
	s.clock = s.clock.Add(staleLife - 1)
	want(t, tab, "a", "1")
	if _, err := tab.find(t.Context(), "b"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("what was never read: %v, want unavailable", err)
	}
	s.clock = s.clock.Add(1)
	if _, err := tab.find(t.Context(), "a"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("after an hour: %v, want unavailable", err)
	}
}

func TestAValueOlderThanAKnownVersionIsNeverUsed(t *testing.T) {
	t.Parallel()
	s, tab := newShelf()
	s.version["a"] = 1
	want(t, tab, "a", "1")
	tab.changed("a", 2)
	if _, err := tab.find(t.Context(), "a"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("the store has version 1, 2 is known: %v, want unavailable", err)
	}
	s.away = true
	if _, err := tab.find(t.Context(), "a"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("and away: %v, want unavailable", err)
	}
	s.away, s.version["a"] = false, 2
	want(t, tab, "a", "2")
	tab.changed("a", 1) // late news
	want(t, tab, "a", "2")

	s.clock = s.clock.Add(valueLife)
	s.during = func() { // overtaken while it is read
		s.mu.Lock()
		s.version["a"] = 3
		s.mu.Unlock()
		tab.changed("a", 3)
	}
	want(t, tab, "a", "3")
	want(t, tab, "a", "3")
	s.during = func() {
		s.mu.Lock()
		s.version["new"] = 1
		s.mu.Unlock()
		tab.changed("new", 1)
	}
	want(t, tab, "new", "1")
}

func TestLookUpsOfUnknownIdsAreLimited(t *testing.T) {
	t.Parallel()
	s, tab := newShelf()
	s.version["known"], s.version["heard of"] = 1, 1
	want(t, tab, "known", "1")
	tab.changed("heard of", 1)
	for round := range 2 { // ids that were missing once are as unknown as new ones
		var throttled int
		for i := range 2 * unknownRate {
			if _, err := tab.find(t.Context(), strconv.Itoa(i)); fault.Is(err, fault.Throttled) {
				throttled++
			} else if !errors.Is(err, errGone) {
				t.Fatal(err)
			}
		}
		if throttled < unknownRate || throttled > unknownRate+1 {
			t.Errorf("round %d: %d of %d look-ups refused, want %d", round, throttled, 2*unknownRate, unknownRate)
		}
		want(t, tab, "known", "1")
		want(t, tab, "heard of", "1")
		s.clock = s.clock.Add(missingLife)
	}
}
