package budget

import (
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/fault"
)

func TestEveryKeyHasABudgetThatFillsAgain(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	l := New(Rate{20, time.Minute, 2}, func() time.Time { return now })
	for n, want := range []bool{true, true, false, false} {
		err := l.Take("a")
		if (err == nil) != want || (err != nil && (!fault.Is(err, fault.Throttled) || fault.Of(err).After != 3*time.Second)) {
			t.Errorf("take %d: %v", n, err)
		}
	}
	if l.Take("b") != nil {
		t.Error("another key's budget is used up too")
	}
	now = now.Add(3 * time.Second)
	if l.Take("a") != nil || l.Take("a") == nil {
		t.Error("after 3 seconds there is one unit again, not two")
	}
	if l.Reset("a"); l.TakeN("a", 2) != nil || l.Left("a") != 0 {
		t.Error("a reset gives the burst back")
	}
	if err := l.TakeN("c", 3); fault.Of(err).After != time.Minute || l.Left("c") != 2 {
		t.Errorf("more than the burst: %v, %g left", err, l.Left("c"))
	}
}

func TestWhatIsHeldAndNotUsedComesBack(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	l := New(Rate{1, 6 * time.Second, 10}, func() time.Time { return now })
	if err := l.TakeN("a", 4); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		back, wait := l.Hold("a", 5)
		if wait != 0 {
			t.Fatalf("waits %s", wait)
		}
		now = now.Add(3 * time.Second)
		back()
	}
	if l.Left("a") != 7.5 {
		t.Errorf("%g left, want 10 - 4 + 9 s / 6 s", l.Left("a"))
	}
	if back, wait := l.Hold("a", 8); back != nil || wait != 3*time.Second || l.Left("a") != 7.5 {
		t.Errorf("waits %s, %g left", wait, l.Left("a"))
	}
	back, _ := l.Hold("a", 5)
	now = now.Add(3 * time.Second)
	if err := l.TakeN("a", 2); err != nil {
		t.Fatal(err)
	}
	if back(); l.Left("a") > 6 || l.Left("a") < 5.5 {
		t.Errorf("%g left, want at most 7.5 - 2 + 3 s / 6 s", l.Left("a"))
	}
}

func TestTheNumberOfBudgetsIsBounded(t *testing.T) {
	t.Parallel()
	l := New(Rate{1, time.Hour, 1}, time.Now)
	_ = l.Take("used all the time")
	for i := range kept + 10 {
		_ = l.Take(strconv.Itoa(i))
		if l.Take("used all the time") == nil {
			t.Fatal("many other keys gave this one its budget back")
		}
	}
	if l.of.Len() > kept {
		t.Errorf("%d budgets are kept, want at most %d", l.of.Len(), kept)
	}
}

func TestSourcesAreAddressesAndNetworksOfSubscribers(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"203.0.113.9": "203.0.113.9", "::ffff:203.0.113.9": "203.0.113.9", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := Source(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

func TestSharesAreBoundedForEachAndForAll(t *testing.T) {
	t.Parallel()
	s := NewShares(10, 6)
	for i, c := range []struct {
		key  string
		n    int64
		want bool
	}{{"a", 6, true}, {"a", 1, false}, {"b", 4, true}, {"c", 1, false}} {
		if got := s.Take(c.key, c.n); got != c.want {
			t.Errorf("take %d: %v", i, got)
		}
	}
	s.Give("a", 6)
	s.Give("b", 4)
	if len(s.held) != 0 || s.sum != 0 || !s.Take("c", 6) {
		t.Errorf("what was given back is held: %v", s.held)
	}
}
