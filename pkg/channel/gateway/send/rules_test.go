package send

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fileurl"
	"github.com/tributaryhq/tributary/pkg/store"
)

// The tests of this file are named after the rules of docs/models/outbound.pml.

// plant puts a row into the store as an earlier owner left it, and returns it.
func (w *world) plant(m bus.Message, edit func(*Row)) *Row {
	w.t.Helper()
	msg, err := event.Decode[event.Outbound](m.Event)
	if err != nil {
		w.t.Fatal(err)
	}
	r := &Row{AttemptID: msg.AttemptID, MessageID: msg.MessageID, ChannelID: msg.ChannelID}
	r.ID, r.Tenant, r.Parts, r.Key, r.Offset, r.SendBy = RowID("acme", msg.AttemptID, 0), "acme", 1, m.Key, m.Offset, event.At(time.Now().Add(time.Hour))
	now := event.At(time.Now())
	r.State, r.Waited, r.Outbound, r.OpenOffset, r.UpdatedAt = dispatch.Waiting, true, &msg, &m.Offset, now
	edit(r)
	if err := store.NewCollection[Row](w.db, Spec(event.Telegram)).Insert(context.Background(), r); err != nil {
		w.t.Fatal(err)
	}
	return r
}

// foreign makes a planted row one that another process calls until d from now; fresh: it has never waited.
func foreign(d time.Duration, fresh bool) func(*Row) {
	return func(r *Row) {
		now := time.Now()
		r.State, r.Token, r.Deadline, r.UpdatedAt, r.Tries = dispatch.Calling, "another's", event.At(now.Add(d)), event.At(now), r.Tries+1
		if fresh {
			r.Waited, r.Outbound, r.OpenOffset = false, nil, nil
		}
	}
}

func (w *world) commitTo(n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.committed = n
}

func TestRuleBUSY_NothingIsCalledBesideAnOpenRowOfItsKey(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	w := newWorld(t, func(s gatewaytest.Sending, call int) gatewaytest.Answer {
		switch {
		case s.ID == "a0/0" && call == 1:
			return gatewaytest.Answer{Status: 503}
		case s.ID == "a0/0":
			return gatewaytest.Answer{Wait: hold}
		}
		return gatewaytest.Answer{}
	})
	w.post(text("ch_a", "ann", "a0", "x"), text("ch_a", "ann", "a1", "x"), text("ch_a", "bob", "b0", "x"))
	p := w.start(0)
	defer p.end()
	waitFor(t, func() bool { return w.provider.Calls("a0/0") == 2 && len(w.statuses("b0/0")) == 1 })
	if r := w.row("a1", 0); r == nil || r.State != dispatch.Waiting || w.provider.Calls("a1/0") != 0 {
		t.Errorf("behind a row that is being called: %+v", r)
	}
	close(hold)
	w.settled()
	w.check()
}

func TestRuleTAKEOVER_ACallThatWaitedIsRevealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.post(text("ch_a", "ann", "a0", "x"), text("ch_a", "ann", "a1", "x"))
	w.plant(w.log[0], foreign(50*time.Millisecond, false))
	w.commitTo(1)
	w.finish()
	if diff := cmp.Diff([]event.DeliveryStatus{event.Unsure}, w.statuses("a0/0")); diff != "" || w.provider.Calls("a0/0") != 0 {
		t.Errorf("%s, %d calls", diff, w.provider.Calls("a0/0"))
	}
	if r := w.row("a0", 0); r.State != dispatch.Unknown { // rule WRITEUNKNOWN
		t.Errorf("row %+v", r)
	}
	w.check()
}

func TestRuleOUTCOME_FACT_TheEndOfAWaitingRowAndItsResultAreOneWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(_ gatewaytest.Sending, call int) gatewaytest.Answer {
		return gatewaytest.Answer{Status: map[bool]int{true: 503}[call == 1]}
	})
	w.away.Store(true)
	w.post(text("ch_a", "ann", "a0", "x"))
	p := w.start(0)
	waitFor(t, func() bool { r := w.row("a0", 0); return r != nil && r.State == dispatch.Sent })
	if r := w.row("a0", 0); len(r.Pending) != 1 || r.Pending[0].Event.Type != event.SendSettled || !slices.Equal(r.Refs, []string{"ref-a0/0"}) || r.Outbound != nil || r.OpenOffset != nil {
		t.Errorf("row %+v", r)
	}
	p.life.Kill() // before Kafka is back
	<-p.over
	w.away.Store(false)
	w.finish()
	if diff := cmp.Diff([]event.DeliveryStatus{event.Accepted}, w.statuses("a0/0")); diff != "" {
		t.Error(diff)
	}
	w.check()
}

func TestRuleADOPT_ARecordThatComesAgainBringsItsWaitingRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.post(text("ch_a", "ann", "a0", "x"))
	w.plant(w.log[0], func(*Row) {})
	w.finish() // from offset 0: the scan does not bring it
	if w.provider.Taken("a0/0") != 1 {
		t.Error("the waiting row was not taken up")
	}
	w.check()
}

func TestRuleDEADLINE_AnothersCallIsLeftAloneWithItsKey(t *testing.T) {
	t.Parallel()
	for name, fresh := range map[string]bool{"of the record itself": true, "that waited": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.post(text("ch_a", "ann", "a0", "x"), text("ch_a", "ann", "a1", "x"))
			for n := range 8 { // one after the other, for as long as it would take to give a call up
				w.post(text("ch_a", "bob", fmt.Sprint("b", n), "x"))
			}
			w.plant(w.log[0], foreign(time.Hour, fresh))
			w.pass(time.Hour) // its deadline, but not yet the margin by which clocks may differ
			w.timing.Margin = time.Hour
			p := w.start(0)
			waitFor(t, func() bool { return len(w.statuses("b7/0")) == 1 })
			p.end()
			if r := w.row("a0", 0); r.State != dispatch.Calling || len(w.statuses("a0/0")) != 0 || w.provider.Calls("a1/0") != 0 {
				t.Errorf("before the deadline: %+v, %d calls behind it", r, w.provider.Calls("a1/0"))
			}
			w.pass(time.Hour)
			w.finish()
			if diff := cmp.Diff([]event.DeliveryStatus{event.Unsure}, w.statuses("a0/0")); diff != "" || w.provider.Calls("a0/0") != 0 || w.provider.Taken("a1/0") != 1 {
				t.Error(diff, w.provider.Order("ann"))
			}
			w.check()
		})
	}
}

func TestRuleDEADLINE_WhatIsTakenLateIsUnknownAndHoldsNothingUp(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	w := newWorld(t, func(s gatewaytest.Sending, _ int) gatewaytest.Answer {
		if s.ID == "a0/1" {
			return gatewaytest.Answer{Wait: hold}
		}
		return gatewaytest.Answer{}
	})
	w.impatient()
	w.post(text("ch_a", "ann", "a0", "x\n--\ny"), text("ch_a", "ann", "a1", "x"))
	p := w.start(0)
	defer p.end()
	waitFor(t, func() bool { return w.provider.Taken("a1/0") == 1 })
	close(hold)
	waitFor(t, func() bool { return w.provider.Taken("a0/1") == 1 })
	if diff := cmp.Diff([]string{"a0/0", "a1/0", "a0/1"}, w.provider.Order("ann")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]event.DeliveryStatus{event.Unsure}, w.statuses("a0/1")); diff != "" {
		t.Error(diff)
	}
	w.check() // A3 allows it, as the model does
}

func TestRuleOWNWRITE_AWriteThatSeemedToFailIsKnownAgain(t *testing.T) {
	t.Parallel()
	for n := int64(1); n <= 12; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, moody)
			busyLog(w)
			db := &doubtful{DB: w.db, from: n}
			facts := store.NewApplier(db, w.publisher(), nil)
			p := w.start(0, func(d *Deps) { d.DB, d.Facts = db, facts })
			applying, stop := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { defer close(done); _ = facts.Run(applying) }()
			w.settled()
			p.end()
			stop()
			<-done
			w.check()
			for id, rs := range w.results() {
				for _, r := range rs {
					if r.Status == event.Unsure {
						t.Errorf("%s is unknown, although nobody died", id)
					}
				}
			}
		})
	}
}

// doubtful is a store of which some writes, two in a row, are made and yet return an error: inserts, claims and
// outcomes alike.
type doubtful struct {
	store.DB
	from, n int64
	mu      sync.Mutex
}

func (d *doubtful) Batch(ctx context.Context, ops []store.Op) []error {
	errs := d.DB.Batch(ctx, ops)
	d.mu.Lock()
	d.n++
	doubt := d.n == d.from || d.n == d.from+1
	d.mu.Unlock()
	for i, err := range errs {
		if doubt && err == nil {
			errs[i] = errors.New("the connection broke after the write")
		}
	}
	return errs
}

func TestRuleOWNDONE_AnAbandonedHandlersCallIsNotForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.post(text("ch_a", "ann", "a0", "x"))
	p := w.start(0)
	w.settled()
	p.end()
	w.commitTo(0)
	w.done = map[int64]bool{}
	w.pass(2 * time.Hour) // the call's deadline
	// The record comes again in the same process, as after a handler that was abandoned: its own call is another's now.
	again := w.start(0)
	defer again.end()
	waitFor(t, func() bool { return slices.Contains(w.statuses("a0/0"), event.Unsure) })
	if n := w.provider.Calls("a0/0"); n != 1 {
		t.Errorf("%d calls", n)
	}
	w.check()
}

func TestRuleCOPYRULE_ACopyIsDoneAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.post(text("ch_a", "ann", "a0", "x"), text("ch_a", "ann", "a0", "x"))
	w.plant(w.log[0], foreign(time.Hour, true))
	w.commitTo(1) // the copy is the first to come; whose call it is does not matter to it
	p := w.start(0)
	defer p.end()
	waitFor(t, func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.committed == 2 })
	if r := w.row("a0", 0); r.State != dispatch.Calling || w.provider.Calls("a0/0") != 0 || len(w.results()) != 0 {
		t.Errorf("%+v, %d calls, said %v", r, w.provider.Calls("a0/0"), w.results())
	}
}

func TestRuleCASDRAIN_TwoOwnersCallARowOnceAndInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for n := range 12 {
		w.post(text("ch_a", fmt.Sprint("p", n%2), fmt.Sprint("a", n), "x"))
		w.plant(w.log[n], func(*Row) {})
	}
	w.commitTo(12)
	zombie, owner := w.start(0), w.start(0)
	w.settled()
	zombie.end()
	owner.end()
	for n := range 12 {
		if id := fmt.Sprintf("a%d/0", n); w.provider.Calls(id) != 1 {
			t.Errorf("%s: %d calls", id, w.provider.Calls(id))
		}
	}
	w.check()
}

func TestRuleEXPIREWAITING_OnlyAWaitingRowExpires(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	w := newWorld(t, func(s gatewaytest.Sending, call int) gatewaytest.Answer {
		if s.ID == "a0/0" && call == 2 {
			return gatewaytest.Answer{Wait: hold}
		}
		return gatewaytest.Answer{Status: 503}
	})
	w.post(text("ch_a", "ann", "a0", "x"), text("ch_a", "ann", "a1", "x"), text("ch_a", "bob", "b0", "x\n--\ny"), text("ch_a", "cid", "c0", "x"))
	w.plant(w.log[3], foreign(time.Hour, false)) // a call whose process is gone
	p := w.start(0)
	defer p.end()
	waits := func(id string, part int) bool { r := w.row(id, part); return r != nil && r.State == dispatch.Waiting }
	waitFor(t, func() bool { return w.provider.Calls("a0/0") == 2 && waits("a1", 0) && waits("b0", 1) })
	w.pass(100 * time.Hour) // all of them are too late
	waitFor(t, func() bool { return w.row("b0", 1).State.Final() })
	if w.row("a0", 0).State != dispatch.Calling {
		t.Errorf("a row that is being called: %s", w.row("a0", 0).State)
	}
	close(hold)
	waitFor(t, func() bool { return len(w.missing()) == 1 })
	p.end()
	w.finish()
	want := map[string]string{"a0/0": "accepted", "a1/0": "failed send_expired", "b0/0": "failed send_expired", "b0/1": "failed earlier_part_failed", "c0/0": "unknown no_word"}
	if diff := cmp.Diff(want, w.codes()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if w.row("b0", 0).State != dispatch.Expired {
		t.Errorf("row %+v", w.row("b0", 0))
	}
	w.check()
}

// The people who get a link get it with the text, and the file is theirs to fetch.
func TestAFileThatTheChannelDoesNotTakeLeavesAsALink(t *testing.T) {
	t.Parallel()
	texts := make(chan string, 1)
	w := newWorld(t, func(s gatewaytest.Sending, _ int) gatewaytest.Answer {
		texts <- s.Text
		return gatewaytest.Answer{}
	})
	sealer, err := auth.NewSealer(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	files := fileurl.New(sealer, "http://127.0.0.1:1", time.Now)
	m := text("ch_a", "ann", "a0", "see")
	m.Content.Type, m.Content.AsLink = event.Document, true
	m.Content.Attachments = []event.Attachment{{Type: event.Document, MIME: "application/pdf", Name: "a.pdf", Blob: "acme/ab/a"}}
	w.post(m)
	p := w.start(0, func(d *Deps) { d.Files = files })
	w.settled()
	p.end()
	before, link, _ := strings.Cut(<-texts, "\n")
	f, err := files.Open(strings.TrimPrefix(link, "http://127.0.0.1:1/files/"))
	if want := (fileurl.File{Tenant: "acme", Key: "acme/ab/a", MIME: "application/pdf", Name: "a.pdf"}); err != nil || before != "see" || f != want {
		t.Errorf("%q, then %q: %+v %v", before, link, f, err)
	}
	w.check()
}
