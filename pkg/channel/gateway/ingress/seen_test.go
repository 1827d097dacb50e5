package ingress

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// Whoever looks people up hears of an event once it is on Kafka: not of what Kafka did not take, which the provider sends again, and
// not of what went into the spool, which comes later than any look-up.
func TestAnEventIsSeenOnceItIsOnKafka(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		retries, away bool
		want          []string
	}{
		"on Kafka":                      {true, false, []string{"ch_a m1", "ch_a m2"}},
		"Kafka is away":                 {true, true, nil},
		"Kafka is away, in the spool":   {false, true, nil},
		"on Kafka, spool would be used": {false, false, []string{"ch_a m1", "ch_a m2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var got []string
			r := newRig(t, func(i *channel.Info) { i.Inbound.Retries = c.retries }, func(d *Deps) {
				bus := d.Bus.(*recorder)
				d.Seen = func(ch channel.Channel, e event.Inbound) {
					mu.Lock()
					defer mu.Unlock()
					if !slices.ContainsFunc(bus.Records(), func(r event.Record) bool { return r.Event.Type == event.MessageReceived }) {
						t.Error("seen before it is on Kafka")
					}
					got = append(got, ch.ID+" "+e.Ref)
				}
			})
			if c.away {
				r.bus.Fail(func([]event.Record) error { return context.DeadlineExceeded })
			}
			r.post("/webhooks/telegram/ch_a", r.ch, body(t, events(message("m1", "hi"), message("m2", "ho"))))
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(got, c.want) {
				t.Errorf("seen %v, want %v", got, c.want)
			}
		})
	}
}
