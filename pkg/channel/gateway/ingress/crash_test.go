package ingress

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/lease"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/proof"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// mortalBus is Kafka as a process has it that dies.
type mortalBus struct {
	*recorder
	of store.Publisher
}

func (b mortalBus) Publish(ctx context.Context, recs ...event.Record) error {
	return b.of.Publish(ctx, recs...)
}

// TestP1_P13_ACrashAtAnyStepOfTakingACallLosesNothingThatWasAnswered kills the process before and after every produce and every
// write of the spool, with Kafka there and away. Its successor takes what the provider repeats; of a provider that repeats
// nothing, only what was answered is promised.
func TestP1_P13_ACrashAtAnyStepOfTakingACallLosesNothingThatWasAnswered(t *testing.T) {
	t.Parallel()
	f := proof.Figures{}
	for _, retries := range []bool{true, false} {
		for at := range int64(28) {
			var ahead time.Duration
			now := func() time.Time { return time.Now().Add(ahead) }
			world := newRig(t, func(i *channel.Info) { i.Inbound.Retries = retries }, func(d *Deps) { d.Now = now })
			m := storetest.NewLife(at+1, nil)
			first := newRig(t, func(i *channel.Info) { i.Inbound.Retries = retries }, func(d *Deps) {
				d.DB, d.Bus = m.DB(world.DB), mortalBus{world.bus, m.Publisher(world.bus)}
				d.Now = now
			})
			var acked, again []string
			say := func(r *rig, ref string) {
				if w := r.post("/webhooks/telegram/ch_a", r.ch, body(t, events(message(ref, "text")))); w.Code == 200 && (r != first || !m.Gone()) {
					acked = append(acked, ref)
				} else if retries {
					again = append(again, ref)
				}
			}
			for n := range 8 {
				switch n { // Kafka goes and comes back, as far as somebody sees it
				case 2:
					world.bus.Fail(func([]event.Record) error { return errors.New("away") })
				case 5:
					world.bus.Fail(nil)
				}
				say(first, fmt.Sprint("m", n))
				_ = first.spool.look(t.Context())
			}
			if m.Gone() {
				f.Faults++
			}
			for _, ref := range again { // the provider has been waiting for an answer
				say(world, ref)
			}
			for active := true; active; active = world.spool.active() {
				ahead += lease.TTL // the dead one does not renew its lease
				if err := world.spool.look(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			got := world.refs(t)
			for _, ref := range acked {
				f.Events++
				if !slices.Contains(got, ref) {
					t.Errorf("retries %v, point %d: %s was answered and is not on Kafka: %v", retries, at, ref, got)
					f.Lost++
				}
			}
			if !retries && !slices.IsSorted(got) {
				t.Errorf("point %d: the order is %v", at, got)
			}
		}
	}
	proof.Report(t, f)
}
