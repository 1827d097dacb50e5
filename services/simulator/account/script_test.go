package account

import (
	"encoding/json"
	"testing"
	"time"
)

func script(t *testing.T, text string) *Script {
	t.Helper()
	s := &Script{}
	if err := json.Unmarshal([]byte(text), s); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	s := script(t, `{"throttle":{"per_second":10,"per_peer":1,"burst":2}}`)
	now := time.Now()
	for i, c := range []struct {
		to, want string
		after    time.Duration
	}{{"a", "", 0}, {"a", "", 0}, {"a", "peer", 0}, {"b", "account", 0}, {"c", "", time.Second}, {"a", "", 0}, {"a", "peer", 0}} {
		now = now.Add(c.after)
		if scope, wait := s.Throttle.Exceeded(c.to, now); scope != c.want || (wait > 0) != (c.want != "") {
			t.Errorf("call %d to %s: %q, %s", i, c.to, scope, wait)
		}
	}
}

func TestTimesRunOut(t *testing.T) {
	t.Parallel()
	var none *Times
	twice, always := &Times{Times: 2}, &Times{}
	for i := range 4 {
		if none.Take() || !always.Take() || twice.Take() != (i < 2) {
			t.Errorf("time %d", i)
		}
	}
	f := &Failure{Times: Times{Times: 1}, On: "messages", To: "+49151"}
	if f.Hits("media", "49151") || f.Hits("messages", "49152") || !f.Hits("messages", "49151") || f.Hits("messages", "49151") {
		t.Error("a failure hits what it should not, or more often")
	}
}

func TestWindowAndLatency(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := script(t, `{"window":"24h","latency_ms":20,"jitter_ms":10}`)
	if s.Closed(now.Add(-23*time.Hour), now) || !s.Closed(now.Add(-25*time.Hour), now) || !s.Closed(time.Time{}, now) || (&Script{}).Closed(time.Time{}, now) {
		t.Error("the window")
	}
	for range 100 {
		if d := s.Delay(); d < 20*time.Millisecond || d >= 30*time.Millisecond {
			t.Fatalf("latency %s", d)
		}
	}
}

// TestNumbersGrowAcrossRestarts: a person who was forgotten gets no number twice.
func TestNumbersGrowAcrossRestarts(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var before, after Person
	first, second := before.Number(now), before.Number(now)
	if third := after.Number(now.Add(time.Second)); second != first+1 || third <= second {
		t.Errorf("%d, %d, then %d", first, second, third)
	}
}
