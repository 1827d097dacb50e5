package send

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// settled waits until every part has a result.
func (w *world) settled() {
	w.t.Helper()
	waitFor(w.t, func() bool { return len(w.missing()) == 0 })
}

// codes are the results as "status code", by part.
func (w *world) codes() map[string]string {
	got := map[string]string{}
	for id, rs := range w.results() {
		got[id] = string(rs[len(rs)-1].Status)
		if e := rs[len(rs)-1].Error; e != nil {
			got[id] += " " + e.Code
		}
	}
	return got
}

func TestAFastSendIsOneWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	db := &storetest.Counted{DB: w.db}
	w.post(text("ch_a", "ann", "a0", "x"), text("ch_a", "ann", "a1", "x"), text("ch_b", "ann", "b0", "x"))
	p := w.start(0, func(d *Deps) { d.DB = db })
	w.settled()
	p.end()
	if n := db.Writes.Load(); n != 3 {
		t.Errorf("%d writes for 3 messages", n)
	}
	r := w.results()["a0/0"][0]
	want := event.SendResult{AttemptID: "a0", MessageID: "msg_a0", ConversationID: "cnv_1", ThreadID: "thr_1", Attempt: 1, ChannelID: "ch_a", ChannelType: event.Telegram,
		Peer: "ann", Parts: 1, ExternalIDs: []string{"ref-a0/0"}, Status: event.Accepted, At: r.At}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Error(diff)
	}
	rows, err := Rows(t.Context(), w.db, event.Telegram, "acme", "a0", 3)
	if err != nil || len(rows) != 1 || rows[0].ExpiresAt.Sub(rows[0].SendBy.Time) != dispatch.KeptFor || rows[0].SendBy.Sub(w.log[0].Event.Time.Time).Round(time.Hour) != sendFor {
		t.Errorf("%+v %v", rows, err)
	}
}

func TestP13_AResultThatKafkaDoesNotTakeIsKeptInItsRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.timing.Publish = 20 * time.Millisecond
	w.away.Store(true)
	w.post(text("ch_a", "ann", "a0", "x"))
	p := w.start(0)
	waitFor(t, func() bool { r := w.row("a0", 0); return r != nil && r.State == dispatch.Sent && len(r.Pending) == 1 })
	p.life.Kill()
	<-p.over
	w.away.Store(false)
	w.finish()
	if diff := cmp.Diff(map[string]string{"a0/0": "accepted"}, w.codes()); diff != "" {
		t.Error(diff)
	}
}

func TestP8_WhatCannotSucceedIsNotCalled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	off := w.channel("ch_off")
	off.Enabled = false
	foreign := w.channel("ch_other")
	foreign.Tenant = "other"
	w.channels.Put(off)
	w.channels.Put(foreign)
	closed := text("ch_a", "ann", "window", "x")
	closed.WindowUntil = event.At(time.Now().Add(-time.Minute))
	late := text("ch_a", "ann", "late", "x")
	late.SendBy = event.At(time.Now().Add(-time.Minute))
	gif := text("ch_a", "ann", "gif", "x")
	gif.Content = event.Content{Type: event.Image, Attachments: []event.Attachment{{Type: event.Image, MIME: "image/gif"}}}
	w.post(text("ch_a", "ann", "long", strings.Repeat("x", 1001)), gif, closed, late, text("ch_a", "ann", "render", "unrenderable"),
		text("ch_off", "ann", "off", "x"), text("ch_none", "ann", "none", "x"), text("ch_other", "ann", "other", "x"))
	p := w.start(0)
	w.settled()
	p.end()
	want := map[string]string{
		"long/0": "failed text_too_long", "gif/0": "failed media_type_not_supported", "window/0": "failed window_closed", "late/0": "failed send_expired",
		"render/0": "failed unrenderable", "off/0": "failed channel_disabled", "none/0": "failed channel_gone", "other/0": "failed channel_gone",
	}
	if diff := cmp.Diff(want, w.codes()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if n := len(w.provider.Auth()); n != 0 {
		t.Errorf("%d calls", n)
	}
}

func TestAFailedPartEndsItsAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s gatewaytest.Sending, call int) gatewaytest.Answer {
		switch {
		case strings.HasSuffix(s.ID, "/1"):
			return gatewaytest.Answer{Status: 400}
		case s.ID == "b0/0" && call == 1:
			return gatewaytest.Answer{Status: 503} // b0 is drained, a0 is not
		}
		return gatewaytest.Answer{}
	})
	w.post(text("ch_a", "ann", "a0", "1\n--\n2\n--\n3\n--\n4"), text("ch_a", "bob", "b0", "1\n--\n2\n--\n3"), text("ch_a", "ann", "a1", "x"))
	p := w.start(0)
	w.settled()
	p.end()
	want := map[string]string{
		"a0/0": "accepted", "a0/1": "failed content_rejected", "a0/2": "failed earlier_part_failed", "a0/3": "failed earlier_part_failed",
		"b0/0": "accepted", "b0/1": "failed content_rejected", "b0/2": "failed earlier_part_failed", "a1/0": "accepted",
	}
	if diff := cmp.Diff(want, w.codes()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	w.check()
}

func TestP7_OnlyWhereItIsAllowedIsAnUnknownCallRepeated(t *testing.T) {
	t.Parallel()
	lost := func(_ gatewaytest.Sending, call int) gatewaytest.Answer {
		return gatewaytest.Answer{Silent: call == 1}
	}
	for name, c := range map[string]struct {
		policy string
		calls  int
		want   string
	}{"hold": {`{}`, 1, "unknown no_answer"}, "unreadable": {`[`, 1, "unknown no_answer"}, "retry": {`{"on_unknown":"retry"}`, 2, "accepted"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, lost)
			ch := w.channel("ch_a")
			ch.Policy = channel.ReadPolicy(json.RawMessage(c.policy))
			w.channels.Put(ch)
			w.post(text("ch_a", "ann", "a0", "x"))
			p := w.start(0)
			w.settled()
			p.end()
			if diff := cmp.Diff(map[string]string{"a0/0": c.want}, w.codes()); diff != "" || w.provider.Calls("a0/0") != c.calls {
				t.Errorf("%d calls %s", w.provider.Calls("a0/0"), diff)
			}
		})
	}
}

func TestThrottlingHoldsTheChannelOrTheRecipient(t *testing.T) {
	t.Parallel()
	for name, scope := range map[string]fault.Scope{
		"channel": fault.ScopeChannel, "account": fault.ScopeAccount, "recipient": fault.ScopePeer, "not said": "",
	} {
		peer := scope == fault.ScopePeer || scope == ""
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(s gatewaytest.Sending, call int) gatewaytest.Answer {
				if s.ID == "a0/0" && call == 1 {
					return gatewaytest.Answer{Status: 429, After: "3600", Scope: scope}
				}
				return gatewaytest.Answer{}
			})
			w.post(text("ch_a", "ann", "a0", "x"))
			p := w.start(0)
			waitFor(t, func() bool { r := w.row("a0", 0); return r != nil && r.State == dispatch.Waiting })
			w.post(text("ch_a", "bob", "b0", "x"))
			if err := p.handler()(t.Context(), w.log[1]); err != nil {
				t.Error(err)
			}
			if peer {
				waitFor(t, func() bool { return w.codes()["b0/0"] != "" })
			} else if r := w.row("b0", 0); r == nil || r.State != dispatch.Waiting { // it did not even try
				t.Errorf("the other recipient of a throttled channel: %+v", r)
			}
			p.end()
			if n := w.provider.Calls("a0/0"); n != 1 {
				t.Errorf("%d calls before the time that the provider gave", n)
			}
			w.commitTo(2)
			w.pass(2 * time.Hour)
			w.finish()
			if diff := cmp.Diff(map[string]string{"a0/0": "accepted", "b0/0": "accepted"}, w.codes()); diff != "" || w.provider.Calls("a0/0") != 2 {
				t.Errorf("%d calls %s", w.provider.Calls("a0/0"), diff)
			}
			w.check()
		})
	}
}

func TestPlacesBoundTheCallsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(gatewaytest.Sending, int) gatewaytest.Answer {
		late := make(chan struct{})
		time.AfterFunc(3*time.Millisecond, func() { close(late) })
		return gatewaytest.Answer{Wait: late}
	}, func(i *channel.Info) { i.Send.Concurrency = 2 })
	for n := range 40 {
		w.post(text("ch_a", fmt.Sprint("p", n%20), fmt.Sprint("a", n), "x"))
	}
	p := w.start(0)
	w.settled()
	p.end()
	if n := w.provider.Most(); n != 2 {
		t.Errorf("%d calls at once", n)
	}
	w.check()
}

func TestRatesOfChannelAndRecipient(t *testing.T) {
	t.Parallel()
	for _, per := range []string{"channel", "peer"} {
		rated := func(every time.Duration) *world {
			w := newWorld(t, nil, func(i *channel.Info) {
				i.Send.Rates = []channel.Rate{{Per: per, N: 1, Every: channel.Duration(every), Burst: 1}}
			})
			for n := range 4 {
				w.post(text("ch_a", "ann", fmt.Sprint("a", n), "x"))
			}
			w.post(text("ch_b", "bob", "b0", "x"))
			return w
		}
		t.Run(per+" holds nobody else", func(t *testing.T) {
			t.Parallel()
			w := rated(24 * time.Hour)
			p := w.start(0)
			waitFor(t, func() bool {
				r := w.row("a3", 0)
				return len(w.results()) == 2 && r != nil && r.State == dispatch.Waiting
			})
			p.end()
			if diff := cmp.Diff(map[string]string{"a0/0": "accepted", "b0/0": "accepted"}, w.codes()); diff != "" {
				t.Error(diff)
			}
		})
		t.Run(per+" is kept", func(t *testing.T) {
			t.Parallel()
			w := rated(100 * time.Millisecond)
			start := time.Now()
			p := w.start(0)
			w.settled()
			if d := time.Since(start); d < 295*time.Millisecond {
				t.Errorf("4 calls within %s", d)
			}
			p.end()
			w.check()
		})
	}
}

// A channel whose settings give another rate than its type has sends at that rate, also after it was changed.
func TestAChannelSendsAtTheRateOfItsSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, func(i *channel.Info) {
		i.Send.Rates = []channel.Rate{{Per: "channel", N: 1000, Every: channel.Duration(24 * time.Hour), Burst: 1000, Setting: "pace"}}
	})
	ch := w.channel("ch_a")
	ch.Settings["pace"] = "1"
	w.channels.Put(ch)
	for n := range 4 {
		w.post(text("ch_a", "ann", fmt.Sprint("a", n), "x"))
	}
	p := w.start(0)
	defer p.end()
	waitFor(t, func() bool {
		r := w.row("a3", 0)
		return len(w.results()) == 1 && r != nil && r.State == dispatch.Waiting
	})
	ch.Settings = maps.Clone(ch.Settings)
	ch.Settings["pace"] = "1000"
	w.channels.Put(ch)
	w.post(text("ch_a", "bob", "b0", "x"))
	if err := p.handler()(t.Context(), w.records()[4]); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return w.provider.Taken("a3/0") == 1 && w.provider.Taken("b0/0") == 1 })
}

func TestP12_ADeadProviderDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	w := newWorld(t, func(s gatewaytest.Sending, _ int) gatewaytest.Answer {
		if strings.HasPrefix(s.ID, "dead") {
			return gatewaytest.Answer{Wait: hang}
		}
		return gatewaytest.Answer{}
	})
	for n := range 200 {
		w.post(text("ch_a", fmt.Sprint("p", n), fmt.Sprint("dead", n), "x"))
	}
	for n := range 20 {
		w.post(text("ch_b", fmt.Sprint("p", n), fmt.Sprint("well", n), "x"))
	}
	p := w.start(0)
	waitFor(t, func() bool { return len(w.results()) == 20 }) // not one of the dead is ever answered
	waitFor(t, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.done) >= 216 // all but the four that are being called
	})
	for id := range w.results() {
		if !strings.HasPrefix(id, "well") {
			t.Errorf("%s has a result", id)
		}
	}
	p.stop()
	close(hang)
	<-p.over
}

func TestABreakerSparesADeadAccountAndLetsItBack(t *testing.T) {
	t.Parallel()
	var dead atomic.Bool
	dead.Store(true)
	w := newWorld(t, func(gatewaytest.Sending, int) gatewaytest.Answer {
		if dead.Load() {
			return gatewaytest.Answer{Status: 503}
		}
		return gatewaytest.Answer{}
	})
	w.timing.Breaker = 100 * time.Millisecond
	for n := range 30 {
		w.post(text("ch_a", fmt.Sprint("p", n), fmt.Sprint("a", n), "x"))
	}
	p := w.start(0)
	waitFor(t, func() bool { return len(w.provider.Auth()) >= dispatch.TripAfter })
	seen, since := len(w.provider.Auth()), time.Now()
	late := time.NewTimer(250 * time.Millisecond)
	<-late.C
	// Those that were under way when it opened, then one whenever it lets one try.
	if n := len(w.provider.Auth()) - seen; n > 10+2*int(time.Since(since)/w.timing.Breaker) {
		t.Errorf("%d calls to a dead account in %s", n, time.Since(since))
	}
	dead.Store(false)
	w.settled()
	p.end()
	w.check()
}

func TestABroadcastLetsPeopleGoFirst(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	var began atomic.Bool
	w := newWorld(t, func(gatewaytest.Sending, int) gatewaytest.Answer {
		if began.CompareAndSwap(false, true) {
			return gatewaytest.Answer{Wait: gate}
		}
		return gatewaytest.Answer{}
	}, func(i *channel.Info) { i.Send.Concurrency = 1 })
	for n := range 30 {
		m := text("ch_a", fmt.Sprint("p", n), fmt.Sprint("bulk", n), "x")
		m.By.Kind = "broadcast"
		w.post(m)
	}
	p := w.start(0)
	waitFor(t, func() bool { w.mu.Lock(); defer w.mu.Unlock(); return len(w.done) == 29 }) // all wait but the one that is called
	w.post(text("ch_a", "ann", "person", "x"))
	if err := p.handler()(t.Context(), w.log[30]); err != nil {
		t.Error(err)
	}
	close(gate)
	w.settled()
	p.end()
	said := w.receipts.Topic(event.TopicReceipts)
	n := slices.IndexFunc(said, func(e event.Event) bool { return strings.Contains(string(e.Data), `"person"`) })
	if n < 0 || n > 11 {
		t.Errorf("a person's message was sent after %d of a broadcast", n)
	}
	w.check()
}

func TestSignalsAreSentOnceOrNotAtAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	signal := func(peer string, age time.Duration, kind string) bus.Message {
		m := text("ch_a", peer, "", "")
		m.Signal = kind
		return bus.Message{Key: event.Key("ch_a", peer), Event: event.New("s"+peer, event.SignalSend, "inbox", "acme", "", event.At(time.Now().Add(-age)), m)}
	}
	p := w.start(0)
	defer p.end()
	for _, m := range []bus.Message{signal("ann", 0, "typing_on"), signal("bob", time.Minute, "typing_on"), signal("cid", 0, "dance")} {
		if err := p.handler()(t.Context(), m); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff([]string{"typing_on"}, w.provider.Signals()); diff != "" || len(w.results()) != 0 {
		t.Errorf("%s, said %v", diff, w.results())
	}
}

// The press of a button is answered although a message to the same person waits; a typing dot would come before that message.
func TestAnAnswerToAButtonWaitsForNoMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(gatewaytest.Sending, int) gatewaytest.Answer { return gatewaytest.Answer{Status: 503} })
	p := w.start(0)
	defer p.end()
	handle := p.handler()
	m := bus.Message{Key: event.Key("ch_a", "ann"), Event: event.New("e", event.MessageSend, "inbox", "acme", "", event.At(time.Now()), text("ch_a", "ann", "a0", "x"))}
	if err := handle(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{"", "call-1"} {
		signal := text("ch_a", "ann", "", "")
		signal.Signal, signal.ReplyHandle = "typing_on", token
		m.Event = event.New("s"+token, event.SignalSend, "inbox", "acme", "", event.At(time.Now()), signal)
		if err := handle(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if want := len(token) / len("call-1"); len(w.provider.Signals()) != want {
			t.Errorf("with the handle %q: %d signals, want %d", token, len(w.provider.Signals()), want)
		}
	}
}

func TestOwnTroubleIsNotTheMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p := w.start(0)
	defer p.end()
	handle := p.handler()
	w.channels.Fail(fault.New(fault.Unavailable, "unavailable", "the store is away"))
	msg := text("ch_a", "ann", "a0", "x")
	m := bus.Message{Key: "k", Event: event.New("e", event.MessageSend, "inbox", "acme", "", event.At(time.Now()), msg)}
	if err := handle(t.Context(), m); !fault.Is(err, fault.Unavailable) {
		t.Errorf("directory away: %v", err)
	}
	w.channels.Fail(nil)
	m.Event.Data = json.RawMessage(`"no message"`)
	if err := handle(t.Context(), m); !fault.Is(err, fault.Invalid) {
		t.Errorf("poison: %v", err)
	}
	if len(w.provider.Auth()) != 0 || w.row("a0", 0) != nil {
		t.Error("something was sent")
	}
}

func TestWhatAnAnswerShowsOfTheRecipientIsReportedOnce(t *testing.T) {
	t.Parallel()
	w := &Worker{Deps: Deps{Source: "telegram", Now: time.Now}}
	about := func(attempt string) message {
		m := text("ch_a", "4915", attempt, "x")
		m.Aliases = []string{"known"}
		return message{w, rendering{tenant: "acme", source: m}}
	}
	refused := func(code string) *event.Error { return &event.Error{Code: code} }
	for name, c := range map[string]struct {
		o             dispatch.Outcome
		peer, aliases string
		state         string
	}{
		"nothing new":      {o: dispatch.Outcome{State: dispatch.Sent, Answer: provider.Verdict{Peer: "4915", Aliases: []string{"known", ""}}}},
		"another spelling": {o: dispatch.Outcome{State: dispatch.Sent, Answer: provider.Verdict{Peer: "49015"}}, peer: "49015", aliases: "4915"},
		"a user id":        {o: dispatch.Outcome{State: dispatch.Sent, Answer: provider.Verdict{Aliases: []string{"DE.7", "DE.7"}}}, peer: "4915", aliases: "DE.7"},
		"both":             {o: dispatch.Outcome{State: dispatch.Sent, Answer: provider.Verdict{Peer: "49015", Aliases: []string{"DE.7", "known"}}}, peer: "49015", aliases: "4915 DE.7"},
		"blocked":          {o: dispatch.Outcome{State: dispatch.Failed, Err: refused(channel.CodeRecipientBlocked)}, peer: "4915", state: "blocked"},
		"deleted":          {o: dispatch.Outcome{State: dispatch.Failed, Err: refused(channel.CodeRecipientGone)}, peer: "4915", state: "gone"},
		"another refusal":  {o: dispatch.Outcome{State: dispatch.Failed, Err: refused(channel.CodeRecipientUnknown)}},
		"an unsure block":  {o: dispatch.Outcome{State: dispatch.Unknown, Err: refused(channel.CodeRecipientBlocked)}},
	} {
		one, two := about("a0").Records(0, 1, c.o), about("a1").Records(0, 1, c.o)
		if c.peer == "" {
			if len(one) != 1 {
				t.Errorf("%s: %d records", name, len(one))
			}
			continue
		}
		if len(one) != 2 || one[1].Topic != event.TopicInbound || one[1].Key != event.Key("ch_a", "4915") {
			t.Errorf("%s: %+v", name, one)
			continue
		}
		in, err := event.Decode[event.Inbound](one[1].Event)
		if err != nil || in.Peer != c.peer || strings.Join(in.Aliases, " ") != c.aliases {
			t.Errorf("%s: %+v %v", name, in, err)
		}
		if c.state != "" && (in.Membership == nil || in.Membership.State != c.state) || c.state == "" && len(in.Identity.Old) > 0 {
			t.Errorf("%s: %+v", name, in)
		}
		if same := one[1].Event.ID == two[1].Event.ID; same != (c.state == "") { // an id is learned once, a block may come again
			t.Errorf("%s: two attempts say the same: %v", name, same)
		}
	}
}
