package send

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/event"
)

// reply is a message of two parts, the first of which answers by a handle.
func reply(id, handle string, until time.Duration) event.Outbound {
	m := text("ch_a", "ann", id, "one\n--\ntwo")
	m.ReplyHandle, m.ReplyUntil = handle, event.At(time.Now().Add(until))
	return m
}

// Rule STALE: a message goes on without its handle after the documented answer that the handle is stale, and after nothing else.
func TestRuleSTALE_AMessageGoesOnWithoutAStaleHandle(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		first   gatewaytest.Answer // to the first call with the handle
		until   time.Duration
		handles map[string]int
		calls   int // of the first part
		status  event.DeliveryStatus
	}{
		"taken":           {until: time.Hour, handles: map[string]int{"h": 1}, calls: 1, status: event.Accepted},
		"stale":           {first: gatewaytest.Answer{Status: 410}, until: time.Hour, handles: map[string]int{}, calls: 2, status: event.Accepted},
		"not now":         {first: gatewaytest.Answer{Status: 503}, until: time.Hour, handles: map[string]int{"h": 1}, calls: 2, status: event.Accepted},
		"no clear answer": {first: gatewaytest.Answer{Status: 500, Taken: true}, until: time.Hour, handles: map[string]int{"h": 1}, calls: 1, status: event.Unsure},
		"expired":         {until: -time.Second, handles: map[string]int{}, calls: 1, status: event.Accepted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(s gatewaytest.Sending, call int) gatewaytest.Answer {
				if s.With != "" && call == 1 {
					return x.first
				}
				return gatewaytest.Answer{}
			})
			w.post(reply("a0", "h", x.until))
			w.finish()
			if diff := cmp.Diff(x.handles, w.provider.Handles()); diff != "" {
				t.Errorf("messages by handle\n%s", diff)
			}
			if n := w.provider.Calls("a0/0"); n != x.calls {
				t.Errorf("%d calls, want %d", n, x.calls)
			}
			if got := w.results()["a0/0"]; got[len(got)-1].Status != x.status {
				t.Errorf("%+v, want %s", got, x.status)
			}
			w.check()
		})
	}
}

// A9 at every point of a life: a handle reaches the provider once, also if it turns stale.
func TestP7_DeathAtEveryPointOfAMessageWithAHandle(t *testing.T) {
	t.Parallel()
	script := func(s gatewaytest.Sending, call int) gatewaytest.Answer {
		switch {
		case s.ID == "a0/0" && call == 1:
			return gatewaytest.Answer{Status: 503}
		case s.With == "stale":
			return gatewaytest.Answer{Status: 410}
		}
		return gatewaytest.Answer{}
	}
	post := func(w *world) { w.post(reply("a0", "h", time.Hour), reply("a1", "stale", time.Hour)) }
	whole := newWorld(t, script)
	post(whole)
	p := whole.start(0)
	whole.settled()
	p.end()
	for at := int64(1); at <= p.life.Points(); at++ {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, script)
			w.impatient()
			post(w)
			w.dieAt(at)
			w.check()
			for token, n := range w.provider.Handles() {
				if n > 1 || token == "stale" {
					t.Errorf("A9: the handle %s reached the provider %d times", token, n)
				}
			}
		})
	}
}
