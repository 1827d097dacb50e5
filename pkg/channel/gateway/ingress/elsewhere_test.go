package ingress

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// The faults in this file were seen on another gateway (docs/reference/faults.md).

// endless is a body that never ends; it counts what was read of it.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	e.read += int64(len(p))
	return len(p), nil
}

func (*endless) Close() error { return nil }

func TestAHugeBodyToNobodyIsRefusedUnread(t *testing.T) {
	r := newRig(t, func(i *channel.Info) { i.Inbound.MaxBody = 1 << 20 })
	for name, announced := range map[string]int64{"announced": 200 << 20, "unannounced": -1} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		body := &endless{}
		req := httptest.NewRequest(http.MethodPost, "/webhooks/telegram/ch_none", nil)
		req.Body, req.ContentLength = body, announced
		w := r.do(req)
		runtime.ReadMemStats(&after)
		most := int64(2 << 20)
		if announced > 0 {
			most = 0
		}
		if w.Code != http.StatusRequestEntityTooLarge || body.read > most {
			t.Errorf("%s: %d after %d bytes", name, w.Code, body.read)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
			t.Errorf("%s: %d bytes allocated", name, grown)
		}
	}
}

// TestNoWebhookWaitsForALog: what is taken logs nothing, what is refused logs once in a while, so that a slow sink slows nobody.
func TestNoWebhookWaitsForALog(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	began := r.log.Len()
	for n := range 200 {
		if w := r.post("/webhooks/telegram/ch_a", r.ch, body(t, events(message(fmt.Sprint("m", n), "text")))); w.Code != 200 {
			t.Fatal(w.Code)
		}
		if w := r.post("/webhooks/telegram/ch_none", r.ch, body(t, events(message("x", "text")))); w.Code != 401 {
			t.Fatal(w.Code)
		}
	}
	if n := r.log.Len() - began; n != 0 {
		t.Errorf("200 webhooks and 200 refusals wrote %d bytes of log", n)
	}
	r.bus.Fail(func([]event.Record) error { return fmt.Errorf("away") })
	for n := range 20 {
		r.post("/webhooks/telegram/ch_a", r.ch, body(t, events(message(fmt.Sprint("l", n), "text"))))
	}
	if n := r.log.Len() - began; n > 2000 {
		t.Errorf("20 webhooks without Kafka wrote %d bytes of log", n)
	}
}

// TestP4_NothingOvertakesTheSpoolOfAnotherReplica: what one replica has kept in the spool was acknowledged first.
func TestP4_NothingOvertakesTheSpoolOfAnotherReplica(t *testing.T) {
	t.Parallel()
	a := newRig(t, noRetries)
	b := newRig(t, noRetries, func(d *Deps) { d.DB, d.Bus = a.DB, a.bus })
	a.bus.Fail(func([]event.Record) error { return fmt.Errorf("away") })
	if w := a.post("/webhooks/telegram/ch_a", a.ch, body(t, events(message("first", "text")))); w.Code != 200 {
		t.Fatal(w.Code)
	}
	a.bus.Fail(nil)
	if w := b.post("/webhooks/telegram/ch_a", b.ch, body(t, events(message("second", "text")))); w.Code != 200 {
		t.Fatal(w.Code)
	}
	for end := time.Now().Add(time.Minute); len(a.refs(t)) < 2 && time.Now().Before(end); {
		if err := b.spool.look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := a.refs(t); len(got) != 2 || got[0] != "first" {
		t.Errorf("published %v", got)
	}
}
