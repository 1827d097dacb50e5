package send

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/event"
)

// busyLog is a bit of everything: two keys, a row that waits, rows behind it, several parts, a copy, a refusal for good.
func busyLog(w *world) {
	w.post(text("ch_a", "ann", "a0", "hello"), text("ch_a", "bob", "b0", "hi"), text("ch_a", "ann", "a1", "one\n--\ntwo"),
		text("ch_a", "ann", "a0", "hello"), text("ch_b", "cid", "c0", "no\n--\nnever"), text("ch_a", "bob", "b1", "again"))
}

func moody(s gatewaytest.Sending, call int) gatewaytest.Answer {
	switch {
	case s.ID == "a0/0" && call == 1, s.ID == "b1/0" && call < 3:
		return gatewaytest.Answer{Status: 503}
	case s.ID == "c0/0":
		return gatewaytest.Answer{Status: 400}
	}
	return gatewaytest.Answer{}
}

func TestP7_DeathAtEveryPoint(t *testing.T) {
	t.Parallel()
	deaths(t, moody, busyLog, (*world).check)
}

// deaths lets a service that has this to do live whole, and then die at every point of that life.
func deaths(t *testing.T, moods func(gatewaytest.Sending, int) gatewaytest.Answer, fill, check func(*world)) {
	whole := newWorld(t, moods)
	fill(whole)
	p := whole.start(0)
	whole.settled()
	p.end()
	check(whole)
	points := p.life.Points()
	if points < 20 {
		t.Fatalf("only %d points in a whole life", points)
	}
	for at := int64(1); at <= points; at++ {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, moods)
			w.impatient()
			fill(w)
			w.dieAt(at)
			check(w)
		})
	}
}

func TestP7_RandomLives(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		answers := []gatewaytest.Answer{{}, {}, {}, {Status: 503}, {Status: 400}, {Status: 500}, {Status: 500, Taken: true}, {Silent: true}, {Silent: true, Taken: true}, {Status: 429}}
		plan := rapid.SliceOfN(rapid.IntRange(0, len(answers)-1), 40, 40).Draw(rt, "answers")
		next := make(chan int, len(plan))
		for _, n := range plan {
			next <- n
		}
		w := newWorld(drawn{t, rt}, func(gatewaytest.Sending, int) gatewaytest.Answer {
			select {
			case n := <-next:
				return answers[n]
			default:
				return gatewaytest.Answer{}
			}
		})
		w.impatient()
		for n := range rapid.IntRange(1, 8).Draw(rt, "messages") {
			peer := rapid.SampledFrom([]string{"ann", "bob"}).Draw(rt, "peer")
			body := rapid.SampledFrom([]string{"x", "x\n--\ny"}).Draw(rt, "text")
			w.post(text("ch_a", peer, fmt.Sprintf("m%d", n), body))
		}
		for range rapid.IntRange(0, 3).Draw(rt, "deaths") {
			p := w.start(int64(rapid.IntRange(1, 30).Draw(rt, "at")))
			select {
			case <-p.over:
			case <-time.After(w.budget):
				p.end()
			}
		}
		w.finish()
		w.check()
	})
}

// drawn says what fails to rapid, which then looks for the smallest life that fails.
type drawn struct {
	testing.TB
	rt *rapid.T
}

func (d drawn) Helper()                   { d.rt.Helper() }
func (d drawn) Error(a ...any)            { d.rt.Error(a...) }
func (d drawn) Errorf(s string, a ...any) { d.rt.Errorf(s, a...) }
func (d drawn) Fatal(a ...any)            { d.rt.Fatal(a...) }
func (d drawn) Fatalf(s string, a ...any) { d.rt.Fatalf(s, a...) }
func (d drawn) Logf(s string, a ...any)   { d.rt.Logf(s, a...) }
func (d drawn) Failed() bool              { return d.rt.Failed() }

func TestP13_AnOrderlyStopLeavesNothingUnknown(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	w := newWorld(t, func(s gatewaytest.Sending, call int) gatewaytest.Answer {
		if s.ID == "a0/0" {
			return gatewaytest.Answer{Wait: hold}
		}
		return moody(s, call)
	})
	busyLog(w)
	p := w.start(0)
	waitFor(t, func() bool { return w.provider.Calls("a0/0") == 1 })
	p.stop()
	close(hold)
	<-p.over
	if got := w.statuses("a0/0"); len(got) != 1 || got[0] != event.Accepted {
		t.Errorf("the call under way at the stop: %v", got)
	}
	w.finish()
	w.check()
	for id, rs := range w.results() {
		for _, r := range rs {
			if r.Status == event.Unsure {
				t.Errorf("%s is unknown after an orderly stop", id)
			}
		}
	}
}

// forever is longer than anything takes on any store: what has not happened by then never will.
const forever = time.Minute

func waitFor(t testing.TB, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(forever); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it never happened")
		}
	}
}
