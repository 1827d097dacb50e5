package ingress

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
)

func TestTheOldestUnfinishedBodyGivesWay(t *testing.T) {
	t.Parallel()
	clock := time.Unix(1e9, 0)
	a := newArrivals(Limits{Unproved: 400, Settle: time.Second}, func() time.Time { return clock })
	cuts := map[string]int{}
	arrive := func(name string, n int, keys ...string) (*arrival, bool) {
		b := a.begin(func() { cuts[name]++ }, keys...)
		return b, b.add(n)
	}
	old, _ := arrive("old", 60, "s", "c")
	whole, _ := arrive("whole", 20, "s")
	whole.complete()
	if _, ok := arrive("early", 60, "s"); ok {
		t.Error("a source has more than its share, and what has only just begun gave way")
	}
	if _, ok := arrive("elsewhere", 60, "t"); !ok {
		t.Error("another source has no room")
	}
	clock = clock.Add(time.Second)
	if _, ok := arrive("genuine", 60, "s"); !ok || cuts["old"] != 1 || len(cuts) != 1 {
		t.Errorf("taken: %v, cut off: %v", ok, cuts)
	}
	if old.add(1) {
		t.Error("what gave way goes on")
	}
	old.release()
	if _, ok := arrive("huge", 101, "u"); ok {
		t.Error("one body is larger than a share")
	}
	for _, source := range []string{"v", "w", "x", "y"} {
		clock = clock.Add(time.Second)
		if _, ok := arrive("many", 90, source); !ok {
			t.Errorf("%s: the whole is full, and nothing gave way", source)
		}
	}
	if a.sum > a.all {
		t.Errorf("%d bytes of %d", a.sum, a.all)
	}
}

// unfinished is a body whose sender stops, and waits, before its end.
type unfinished struct {
	start io.Reader
	cut   chan struct{}
}

func (u unfinished) Read(p []byte) (int, error) {
	if n, err := u.start.Read(p); err == nil {
		return n, nil
	}
	<-u.cut
	return 0, io.ErrUnexpectedEOF
}

func (unfinished) Close() error { return nil }

func TestBodiesForNoChannelAreNotKept(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(i *channel.Info) { i.Inbound.MaxBody = 4 << 20 }, func(d *Deps) { d.Limits.Unproved = 1 << 20 })
	held := unfinished{bytes.NewReader(make([]byte, 3<<20)), make(chan struct{})}
	done := make(chan int)
	req := httptest.NewRequest(http.MethodPost, "/webhooks/telegram/ch_none", held)
	req.ContentLength = 4 << 20
	go func() { done <- r.do(req).Code }()
	if w := r.post("/webhooks/telegram/ch_a", r.ch, body(t, events(message("m", strings.Repeat("x", 100<<10))))); w.Code != 200 {
		t.Errorf("a genuine webhook beside it: %d %s", w.Code, w.Body)
	}
	close(held.cut)
	if code := <-done; code != http.StatusBadRequest {
		t.Errorf("a body that ends early: %d", code)
	}
	if r.arrived.sum != 0 {
		t.Errorf("%d bytes are counted", r.arrived.sum)
	}
}
