package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
	"github.com/tributaryhq/tributary/pkg/telemetry/traceparent"
)

// live runs a process over the log, later by ahead, until every part has a result or it dies.
func (b *bots) live(life *storetest.Life, ahead time.Duration) {
	ctx, cancel := context.WithCancel(b.t.Context())
	defer cancel()
	p := b.process(life.DB(b.db), life.Publisher(b.results), func() time.Time { return time.Now().Add(ahead) })
	var work sync.WaitGroup
	work.Go(func() { _ = p.facts.Run(ctx) })
	o, err := p.Assign(ctx, bus.Assignment{Generation: 1})
	if err != nil {
		cancel()
		work.Wait()
		return
	}
	lanes := map[string][]int{}
	for n, r := range b.log {
		lanes[r.conversation] = append(lanes[r.conversation], n)
	}
	for lane, ns := range lanes {
		work.Go(func() {
			for _, n := range ns {
				for r := b.log[n]; o.Run(ctx, lane, int64(n), p.task(r.id, "echo", r.words)) != nil; time.Sleep(time.Millisecond) {
					if ctx.Err() != nil || life.Gone() {
						return
					}
				}
			}
		})
	}
	waitFor(b.t, func() bool { return life.Gone() || b.settled() })
	cancel()
	work.Wait()
	o.Release()
}

func (b *bots) settled() bool {
	said := b.said()
	return !slices.ContainsFunc(b.log, func(r record) bool {
		for part := range strings.Fields(r.words) {
			if len(said[fmt.Sprintf("%s/%d", r.id, part)]) == 0 {
				return true
			}
		}
		return false
	})
}

// Whatever is dispatched, messages or not: a process that dies at any point calls nothing twice and in no other order, and every part has
// its result in the end.
func TestP3_P7_P9_DeathAtEveryPoint(t *testing.T) {
	t.Parallel()
	for point := int64(1); ; point++ {
		b := newBots(t, func(_ context.Context, part string, call int) Verdict {
			if part == "t2/0" && call == 1 {
				return away
			}
			return taken
		})
		b.log = []record{{"ann", "t1", "hello"}, {"ann", "t2", "two parts"}, {"ann", "t3", "bye"}, {"bob", "t4", "hello"}}
		life := storetest.NewLife(point, ErrStopped)
		b.live(life, 0)
		died := life.Gone()
		b.live(storetest.NewLife(0, ErrStopped), 2*time.Minute) // the calls of the dead are over
		b.check(point)
		if !died || t.Failed() {
			return
		}
	}
}

func (b *bots) check(point int64) {
	b.t.Helper()
	var ann []string
	said := b.said()
	for _, part := range b.called() {
		if !strings.HasPrefix(part, "t4") && !slices.Contains(ann, part) {
			ann = append(ann, part)
		}
	}
	if !slices.IsSorted(ann) {
		b.t.Errorf("death at %d: called in the order %v", point, ann)
	}
	for _, r := range b.log {
		for part := range strings.Fields(r.words) {
			id := fmt.Sprintf("%s/%d", r.id, part)
			calls := len(slices.DeleteFunc(b.called(), func(s string) bool { return s != id }))
			if most := map[string]int{"t2/0": 2}[id]; calls > max(1, most) {
				b.t.Errorf("death at %d: %s was called %d times", point, id, calls)
			}
			if len(said[id]) == 0 || calls == 0 && said[id][0] != string(Unknown) {
				b.t.Errorf("death at %d: of %s is said %v after %d calls", point, id, said[id], calls)
			}
		}
	}
}

func TestRuleSCANBELOW_RecordsToComeBringTheirRowsThemselves(t *testing.T) {
	t.Parallel()
	b := newBots(t, nil)
	b.log = []record{{"ann", "t1", "x"}, {"bob", "t2", "x"}}
	held := func(r *turn) { r.NextAt = event.At(time.Now().Add(time.Hour)) }
	b.plant(0, held)
	b.plant(1, held)
	ctx, cancel := context.WithCancel(t.Context())
	o, err := b.alive().Assign(ctx, bus.Assignment{Offset: 1})
	if err != nil {
		t.Fatal(err)
	}
	if !o.Busy("ann") || o.Busy("bob") {
		t.Errorf("below: %v, at the mark: %v", o.Busy("ann"), o.Busy("bob"))
	}
	cancel()
	o.Release()
}

func TestRulePAGED_AllOpenRowsAreRead(t *testing.T) {
	t.Parallel()
	b := newBots(t, nil)
	for n := range 700 {
		b.log = append(b.log, record{fmt.Sprint("p", n), fmt.Sprint("t", n), "x"})
		b.plant(int64(n), func(r *turn) { r.NextAt = event.At(time.Now().Add(time.Hour)) })
	}
	seen := 0
	for _, err := range b.alive().open(t.Context(), bus.Assignment{Offset: 700}) {
		if err != nil {
			t.Fatal(err)
		}
		seen++
	}
	if seen != 700 {
		t.Errorf("%d open of 700", seen)
	}
}

func TestRuleADOPT_ARowThatEndedWhileItWasReadHoldsNothingUp(t *testing.T) {
	t.Parallel()
	b := newBots(t, nil)
	b.log = []record{{"ann", "t1", "x"}, {"ann", "t2", "x"}}
	read := *b.plant(0, func(r *turn) { r.call("another's", 0, time.Hour, time.Now()) }) // a copy's lane reads this
	p := b.alive()
	if _, err := p.rows.Update(t.Context(), read.ID, func(r *turn) error {
		r.end(Outcome{State: Sent}, time.Now())
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	o := p.owner(ctx, bus.Assignment{})
	o.table.add(&read)
	if err := o.Run(t.Context(), "ann", 1, p.task("t2", "echo", "x")); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return slices.Contains(b.called(), "t2/0") })
	cancel()
	o.Release()
}

func TestRuleDEADLINE_NoByteLeavesAfterIt(t *testing.T) {
	t.Parallel()
	var until time.Time
	b := newBots(t, func(ctx context.Context, _ string, _ int) Verdict {
		until, _ = ctx.Deadline()
		return taken
	})
	p := b.process(b.db, b.results, func() time.Time { now := time.Now(); time.Sleep(30 * time.Millisecond); return now })
	o := p.owner(t.Context(), bus.Assignment{})
	deliver := func(deadline time.Time) Finding {
		row := &turn{}
		row.Deadline = event.At(deadline)
		j := &job[*turn]{Owner: o, task: p.task("t1", "echo", "x"), doc: row, of: 1}
		return j.deliver(t.Context()).Finding
	}
	end := time.Now().Add(time.Minute)
	if f := deliver(end); f != Taken || until.IsZero() || until.After(end) {
		t.Errorf("%v: a process that was held up calls until %s, its row says %s", f, until, end)
	}
	until = time.Time{}
	if f := deliver(time.Now().Add(-time.Millisecond)); f != Deferred || !until.IsZero() {
		t.Errorf("called after the deadline: %v", f)
	}
}

func TestRuleREVCHECK_OnlyThatVeryCallIsGivenUp(t *testing.T) {
	t.Parallel()
	b := newBots(t, nil)
	b.log = []record{{"ann", "t1", "x"}}
	seen := b.plant(0, func(r *turn) { r.call("another's", 0, -time.Second, time.Now()) })
	p := b.alive()
	if _, err := p.rows.Update(t.Context(), seen.ID, func(r *turn) error {
		r.call("a third's", 0, time.Minute, time.Now())
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	j := &job[*turn]{Owner: p.owner(t.Context(), bus.Assignment{}), task: p.task("t1", "echo", "x"), doc: seen, of: 1}
	got, err := j.giveUp(t.Context())
	if err != nil || got.State != Calling || got.Token != "a third's" {
		t.Errorf("%+v %v", got, err)
	}
}

func TestRuleCASDRAIN_FORGET_WhoLosesTheRaceReadsThatRowAgain(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	b := newBots(t, func(context.Context, string, int) Verdict { <-hold; return taken })
	b.log = []record{{"ann", "t1", "x"}}
	row := b.plant(0, func(*turn) {})
	claim := func() (*drained[*turn], error) {
		p := b.alive()
		read := *row // both have read it as waiting
		d := &drained[*turn]{job: job[*turn]{Owner: p.owner(t.Context(), bus.Assignment{}), task: p.task("t1", "echo", "x"), doc: &read, of: 1}}
		return d, d.claim(t.Context(), p.Scopes.Enter("echo", "ann"))
	}
	first := make(chan *drained[*turn])
	go func() {
		d, err := claim()
		if err != nil {
			t.Error(err)
		}
		first <- d
	}()
	waitFor(t, func() bool { return len(b.called()) == 1 })
	second, err := claim()
	if err != nil || second.left.id != row.ID || second.left.due.After(time.Now()) {
		t.Errorf("the loser goes on with %+v, %v", second.left, err)
	}
	close(hold)
	if d := <-first; d.left.id != "" || len(b.called()) != 1 {
		t.Errorf("the winner has %+v left after the calls %v", d.left, b.called())
	}
}

// Kafka away, or the store: the outcome of a call is said when it is back, and the row holds the answer.
func TestAnOutcomeIsSaidWhateverIsAway(t *testing.T) {
	t.Parallel()
	b := newBots(t, nil)
	b.log = []record{{"ann", "t1", "x"}}
	b.results.Fail(func([]event.Record) error { return errors.New("kafka is away") })
	ctx, cancel := context.WithCancel(t.Context())
	p := b.alive()
	o := p.owner(ctx, bus.Assignment{})
	if err := o.Run(ctx, "ann", 0, p.task("t1", "echo", "x")); err != nil {
		t.Fatal(err)
	}
	row, err := p.rows.Get(ctx, "t1/0")
	if err != nil || row.State != Sent || row.Heard != "heard x" || len(row.Pending) != 1 || len(b.said()) != 0 {
		t.Errorf("%+v %v, said %v", row, err, b.said())
	}
	b.results.Fail(nil)
	if err := p.rows.Apply(ctx, "t1/0"); err != nil || !slices.Equal(b.said()["t1/0"], []string{"sent"}) {
		t.Errorf("%v, said %v", err, b.said())
	}
	cancel()
	o.Release()
}

// What waits is called, and its outcome said, in the trace of its record.
func TestWhatWaitsIsCalledInItsTrace(t *testing.T) {
	t.Parallel()
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	var mu sync.Mutex
	var traces []string
	b := newBots(t, func(ctx context.Context, _ string, call int) Verdict {
		mu.Lock()
		defer mu.Unlock()
		if traces = append(traces, traceparent.Of(ctx)); call == 1 {
			return away
		}
		return taken
	})
	b.log = []record{{"ann", "t1", "x"}}
	ctx, cancel := context.WithCancel(t.Context())
	p := b.alive()
	o := p.owner(ctx, bus.Assignment{})
	b.results.Fail(func([]event.Record) error { return errors.New("kafka is away") })
	if err := o.Run(traceparent.With(ctx, trace), "ann", 0, p.task("t1", "echo", "x")); err != nil {
		t.Fatal(err)
	}
	var row *turn
	waitFor(t, func() bool {
		var err error
		row, err = p.rows.Get(ctx, "t1/0")
		return err == nil && row.State == Sent
	})
	cancel()
	o.Release()
	if !slices.Equal(traces, []string{trace, trace}) || len(row.Pending) != 1 || row.Pending[0].Trace != trace {
		t.Errorf("called in %q, said in %+v", traces, row.Pending)
	}
}
