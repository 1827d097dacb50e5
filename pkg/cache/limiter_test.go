package cache

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/fault"
)

func limiters(t *testing.T, r Rate, clock *time.Time, caches ...*Cache) (ls []*Limiter) {
	t.Helper()
	for _, c := range caches {
		l, err := c.Limiter("ch_1", r)
		if err != nil {
			t.Fatal(err)
		}
		l.now = func() time.Time { return *clock }
		ls = append(ls, l)
	}
	return ls
}

func TestReplicasShareARate(t *testing.T) {
	t.Parallel()
	a, m := open(t)
	b := m.connect()
	clock := time.Unix(1_700_000_000, 0)
	ls := limiters(t, Rate{Limit: 30, Per: time.Second}, &clock, a, b)
	total := 0
	for range 20 { // steps of 50 ms
		for i := range 40 {
			if ok, wait := ls[i%2].Take(t.Context()); ok {
				total++
			} else if wait <= 0 || wait > 250*time.Millisecond {
				t.Fatalf("wait %s", wait)
			}
		}
		clock = clock.Add(50 * time.Millisecond)
	}
	if total != 30 {
		t.Errorf("%d tokens in a second, want 30", total)
	}
}

func TestRedisAwayLimitsLocally(t *testing.T) {
	t.Parallel()
	c, m := open(t)
	clock := time.Unix(1_700_000_000, 0)
	l := limiters(t, Rate{Limit: 40, Per: time.Second}, &clock, c)[0]
	if ok, _ := l.Take(t.Context()); !ok {
		t.Fatal("no token")
	}
	m.cut()
	clock = clock.Add(time.Second)
	total := 0
	for range 100 { // ten seconds
		for range 10 {
			if ok, _ := l.Take(t.Context()); ok {
				total++
			}
		}
		clock = clock.Add(100 * time.Millisecond)
		if clock.Sub(time.Unix(1_700_000_000, 0)) == 2*time.Second {
			c.away.Set() // spares the test the time-outs
		}
	}
	if total < 190 || total > 210 {
		t.Errorf("%d tokens in ten seconds, want half the rate: about 200", total)
	}
	m.heal()
	c.away = due.Mark{}
	clock = clock.Add(time.Second)
	total = 0
	for range 20 {
		if ok, _ := l.Take(t.Context()); ok {
			total++
		}
	}
	if total != 10 {
		t.Errorf("%d tokens in a quarter of a second after Redis came back, want 10", total)
	}
}

func TestWindowsAddUpToTheRate(t *testing.T) {
	t.Parallel()
	c, _ := open(t)
	rapid.Check(t, func(t *rapid.T) {
		r := Rate{Limit: rapid.IntRange(1, 10_000).Draw(t, "limit"), Per: time.Duration(rapid.IntRange(100, 3_600_000).Draw(t, "ms")) * time.Millisecond}
		l, err := c.Limiter("x", r)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for i := range l.parts {
			l.current = int64(i)
			sum += l.limit()
		}
		if sum != r.Limit || l.window <= 0 {
			t.Fatalf("windows of %d/%s add up to %d", r.Limit, r.Per, sum)
		}
	})
	if _, err := c.Limiter("x", Rate{Limit: 0, Per: time.Second}); !fault.Is(err, fault.Invalid) {
		t.Errorf("no limit: %v", err)
	}
}
