package decide

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// TestALookSeesWhatWaitsInOrder compares the lines of several queues, as conversations come, change and go, with all of them
// sorted at once.
func TestALookSeesWhatWaitsInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m, want := newTenant("t"), map[string]*Routed{}
		turns := []*turn{{queue: &Queue{}}, {queue: &Queue{}}}
		turns[0].queue.ID, turns[1].queue.ID = "q_a", "q_b"
		for range rapid.IntRange(0, 40).Draw(t, "changes") {
			p := &Routed{
				State: rapid.SampledFrom([]string{"waiting", "waiting", "held", "out"}).Draw(t, "state"), QueueID: rapid.SampledFrom([]string{"", "q_a", "q_b"}).Draw(t, "queue"),
				Epoch: 2, Priority: rapid.IntRange(0, 2).Draw(t, "priority"), WaitingSince: event.At(time.Unix(rapid.Int64Range(0, 5).Draw(t, "since"), 0)),
			}
			p.ID = fmt.Sprint("cnv_", rapid.IntRange(0, 9).Draw(t, "id"))
			hold := rapid.Int64Range(0, 2).Draw(t, "hold")
			m.take(p, hold)
			delete(want, p.ID)
			if p.State == "waiting" && p.QueueID != "" && hold < p.Epoch {
				want[p.ID] = p
			}
		}
		sorted := slices.SortedFunc(maps.Values(want), order)
		for i, w := range sorted {
			x, place := m.first(turns)
			if place != w {
				t.Fatalf("%d: %v, want %v", i, place, w)
			}
			if rapid.Bool().Draw(t, "offered") {
				m.leave(place.ID)
			} else {
				x.next++
			}
		}
		if _, place := m.first(turns); place != nil {
			t.Fatalf("behind the last: %v", place)
		}
	})
}

// BenchmarkLook is what a record of routing costs while so many wait and nobody has room: it does not depend on how many.
func BenchmarkLook(b *testing.B) {
	for _, n := range []int{100, 10_000, 100_000} {
		b.Run(fmt.Sprint(n, " wait"), func(b *testing.B) {
			ctx := context.Background()
			db, err := storetest.Open(ctx, b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = db.Close() })
			d := &Decider{
				Agents: store.NewCollection[Agent](db, directory.Agents), Presences: store.NewCollection[Presence](db, PresenceSpec),
				Queues: store.NewCollection[Queue](db, directory.Queues), Routed: store.NewCollection[Routed](db, RoutedSpec), Now: time.Now, Log: slog.New(slog.DiscardHandler),
			}
			if err := db.Ensure(ctx, Specs...); err != nil {
				b.Fatal(err)
			}
			q := &Queue{}
			q.ID, q.Tenant = "q", "t"
			if err := d.Queues.Insert(ctx, q); err != nil {
				b.Fatal(err)
			}
			for i := range 50 {
				a := NewAgent("t", fmt.Sprint("agt_", i), d.at())
				a.QueueIDs = []string{q.ID}
				if err := d.Agents.Insert(ctx, a); err != nil {
					b.Fatal(err)
				}
			}
			m, o := newTenant("t"), &owner{Decider: d}
			for i := range n {
				p := &Routed{State: "waiting", QueueID: q.ID, Epoch: 1, WaitingSince: event.At(time.Unix(int64(i), 0))}
				p.ID = fmt.Sprint("cnv_", i)
				m.take(p, 0)
			}
			for b.Loop() {
				if err := o.look(ctx, m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestALeaseThatEndsLaterThanItMayIsOver(t *testing.T) {
	t.Parallel()
	at := event.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	for name, tc := range map[string]struct {
		state   string
		ends    time.Duration
		seconds int64
		want    bool
	}{
		"there":                     {"idle", time.Minute, 900, true},
		"over":                      {"idle", -time.Second, 900, false},
		"signed off":                {"offline", time.Minute, 900, false},
		"the clock was set back":    {"idle", time.Hour, 900, false},
		"another's clock":           {"idle", 905 * time.Second, 900, true},
		"a document without length": {"idle", time.Hour, 0, true},
	} {
		p := &Presence{State: tc.state, LeaseEnds: at.Add(tc.ends), LeaseSeconds: tc.seconds}
		if got := p.There(at); got != tc.want {
			t.Errorf("%s: there %t, want %t", name, got, tc.want)
		}
	}
}
