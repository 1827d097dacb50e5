package send

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/event"
)

// lines are the connections of a world's channels, in its one partition 0.
type lines struct {
	mu    sync.Mutex
	home  map[string]int // by channel: the partition whose owner has its connection
	ready map[string]bool
	owned atomic.Int64
}

func (l *lines) Own(int) func() { l.owned.Add(1); return func() { l.owned.Add(-1) } }

func (l *lines) Ready(_ context.Context, id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	ready, there := l.ready[id]
	return !there || ready
}

func (l *lines) Home(_ context.Context, ch channel.Channel) (int, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.home[ch.ID]
	return p, ok, nil
}

func (l *lines) set(f func()) { l.mu.Lock(); defer l.mu.Unlock(); f() }

func (l *lines) use(d *Deps) { d.Sessions = l }

// homeward are the records that were handed on.
func (w *world) homeward() (out []event.Record) {
	for _, r := range w.receipts.Records() {
		if r.Topic == event.TopicOutbound(event.Telegram) {
			out = append(out, r)
		}
	}
	return out
}

func TestWhatHasNoConnectionWaitsAndCountsAsNoTry(t *testing.T) {
	t.Parallel()
	w, l := newWorld(t, nil), &lines{home: map[string]int{"ch_a": 0}, ready: map[string]bool{"ch_a": false}}
	w.post(text("ch_a", "ann", "a0", "x"), text("ch_a", "ann", "a1", "x"), text("ch_b", "ann", "b0", "x"))
	p := w.start(0, l.use)
	waitFor(t, func() bool {
		r := w.row("a1", 0)
		return r != nil && r.State == dispatch.Waiting && len(w.statuses("b0/0")) == 1
	})
	if r := w.row("a0", 0); r.Tries != 0 || w.provider.Calls("a0/0") != 0 {
		t.Errorf("a row without a connection: %+v", r)
	}
	l.set(func() { l.ready["ch_a"] = true })
	w.settled()
	p.end()
	if diff := cmp.Diff([]string{"b0/0", "a0/0", "a1/0"}, w.provider.Order("ann")); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if l.owned.Load() != 0 {
		t.Error("the partition was not released")
	}
}

// What can never be called needs no connection to be refused.
func TestWhatIsRefusedWaitsForNoConnection(t *testing.T) {
	t.Parallel()
	w, l := newWorld(t, nil), &lines{home: map[string]int{"ch_a": 7}, ready: map[string]bool{"ch_a": false}}
	w.post(text("ch_a", "ann", "a0", "unrenderable"))
	p := w.start(0, l.use)
	w.settled()
	p.end()
	if got := w.codes()["a0/0"]; got != "failed unrenderable" || len(w.homeward()) != 0 {
		t.Errorf("%s, %d handed on", got, len(w.homeward()))
	}
}

func TestRuleFORWARD_ARecordElsewhereIsHandedToItsHome(t *testing.T) {
	t.Parallel()
	w, l := newWorld(t, nil), &lines{home: map[string]int{"ch_a": 7}}
	w.post(text("ch_a", "ann", "a0", "x"), text("ch_b", "ann", "b0", "x"))
	w.away.Store(true)
	p := w.start(0, l.use)
	waitFor(t, func() bool { return w.row("b0", 0) != nil })
	w.mu.Lock()
	if w.done[0] {
		t.Error("a record is done that was not handed on")
	}
	w.mu.Unlock()
	w.away.Store(false)
	waitFor(t, func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.committed == 2 })
	p.end()
	want := []event.Record{{Topic: event.TopicOutbound(event.Telegram), Key: "ch_a", Lane: "ch_a|ann", Event: w.log[0].Event}}
	if diff := cmp.Diff(want, w.homeward()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if w.row("a0", 0) != nil || w.provider.Calls("a0/0") != 0 {
		t.Error("a record that was handed on has a row here")
	}
}

func TestRuleHANDON_AWaitingRowElsewhereIsHandedOnAndStaysItsPartitions(t *testing.T) {
	t.Parallel()
	w, l := newWorld(t, nil), &lines{home: map[string]int{}, ready: map[string]bool{"ch_a": false}}
	w.post(text("ch_a", "ann", "a0", "x"))
	p := w.start(0, l.use) // the channel is called by HTTP, and its row waits
	waitFor(t, func() bool { r := w.row("a0", 0); return r != nil && r.State == dispatch.Waiting })
	l.set(func() { l.home["ch_a"] = 7 }) // now it has a connection, elsewhere
	waitFor(t, func() bool { return len(w.homeward()) == 1 })
	p.end()
	r := w.homeward()[0]
	msg, err := event.Decode[event.Outbound](r.Event)
	if err != nil || r.Key != "ch_a" || r.Lane != "ch_a|ann" || msg.AttemptID != "a0" {
		t.Errorf("%+v %v", r, err)
	}
	again := w.start(0, l.use) // the next owner of the partition finds it, as whoever adopted it may be gone
	waitFor(t, func() bool { return len(w.homeward()) == 2 })
	again.end()
	if row := w.row("a0", 0); row.State != dispatch.Waiting || row.Partition != 0 || row.OpenOffset == nil || w.provider.Calls("a0/0") != 0 {
		t.Errorf("%+v", row)
	}
	home := &lines{home: map[string]int{"ch_a": 0}} // its home adopts the row by the record, and calls it once
	w.mu.Lock()
	w.log = append(w.log, bus.Message{Topic: r.Topic, Partition: 0, Offset: 1, Key: r.Key, Lane: r.Lane, Event: r.Event})
	w.mu.Unlock()
	last := w.start(0, home.use)
	w.settled()
	last.end()
	if n := w.provider.Taken("a0/0"); n != 1 {
		t.Errorf("sent %d times", n)
	}
}

func TestRuleOWNROW_ARecordOfWhichARowExistsIsDoneWhereItLies(t *testing.T) {
	t.Parallel()
	w, l := newWorld(t, nil), &lines{home: map[string]int{"ch_a": 7}}
	w.impatient()
	w.post(text("ch_a", "ann", "a0", "x"))
	w.plant(w.log[0], foreign(time.Nanosecond, true)) // of a process that is gone
	p := w.start(0, l.use)
	w.settled()
	p.end()
	if got := w.codes()["a0/0"]; got != "unknown no_word" || len(w.homeward()) != 0 {
		t.Errorf("%s, %d handed on", got, len(w.homeward()))
	}
}

// Records of earlier versions have the key channel|peer and no lane; those of types with sessions the key channel.
func TestRecordsOfEarlierVersionsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.post(text("ch_a", "ann", "a0", "x"), text("ch_a", "ann", "a1", "x"), text("ch_a", "bob", "b0", "x"))
	w.log[1].Key, w.log[2].Key = "ch_a", "ch_a"
	w.finish()
	if diff := cmp.Diff([]string{"a0/0", "a1/0"}, w.provider.Order("ann")); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for _, id := range []string{"a0", "a1", "b0"} {
		if r := w.row(id, 0); r.Key != "ch_a|ann" && r.Key != "ch_a|bob" {
			t.Errorf("row of %s: lane %q", id, r.Key)
		}
	}
}
