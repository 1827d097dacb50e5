package chat

import (
	"net/http"
	"testing"
	"time"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ remote, said, want string }{
		{"203.0.113.9:5", "", "203.0.113.9"}, {"203.0.113.9:5", "198.51.100.1", "203.0.113.9"}, {"10.0.0.1:5", "", "10.0.0.1"},
		{"10.0.0.1:5", "1.1.1.1, 198.51.100.1", "198.51.100.1"}, {"127.0.0.1:5", "::ffff:198.51.100.1", "198.51.100.1"}, {"[::1]:5", "junk", "::1"},
		{"10.0.0.1:5", "198.51.100.1,", "10.0.0.1"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{}}
		if c.said != "" {
			r.Header.Set("X-Forwarded-For", c.said)
		}
		if got := address(r); got != c.want {
			t.Errorf("%s for %q: %s, want %s", c.remote, c.said, got, c.want)
		}
	}
}

func TestBucketsFillAgain(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	b := newLimits(Limits{Messages: Quota{20, time.Minute, 2}}, func() time.Time { return now }).messages
	for n, want := range []bool{true, true, false, false} {
		if ok := b.take("a") == nil; ok != want {
			t.Errorf("take %d: %v", n, ok)
		}
	}
	if b.take("b") != nil {
		t.Error("another's bucket is empty too")
	}
	now = now.Add(3 * time.Second)
	if b.take("a") != nil || b.take("a") == nil {
		t.Error("after 3 seconds there is one again, not two")
	}
	now = now.Add(time.Hour)
	_ = b.take("c")
	if len(b.of) != 1 {
		t.Errorf("%d buckets are kept", len(b.of))
	}
}
