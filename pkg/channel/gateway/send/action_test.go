package send

import (
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/event"
)

// act is an action on the message target: it says text.
func act(peer, id string, kind event.ActionKind, target, says string) event.Outbound {
	o := text("ch_a", peer, id, says)
	o.Action = &event.Action{Kind: kind, Target: event.Target{
		Type: event.Text, Of: 1, Parts: []event.TargetPart{{Part: 0, ExternalIDs: []string{target}}}, At: event.At(time.Now()),
	}}
	return o
}

// acting is a message, edits of an older one, a message behind them, and a deletion.
func acting(w *world) {
	w.post(text("ch_a", "ann", "a0", "hello"), act("ann", "e1", event.ActionEdit, "old", "one"), act("ann", "e2", event.ActionEdit, "old", "two"),
		text("ch_a", "ann", "a1", "again"), act("ann", "u1", event.ActionUnsend, "older", "gone"), act("bob", "p1", event.ActionPrivateReply, "comment", "thanks"))
}

// A service that dies at any point loses no action, and does none in another order: what is done twice has the effect of once.
func TestP7_DeathAtEveryPointOfActions(t *testing.T) {
	t.Parallel()
	moods := func(s gatewaytest.Sending, call int) gatewaytest.Answer {
		switch {
		case s.ID == "e1/0" && call == 1:
			return gatewaytest.Answer{Status: 503}
		case s.ID == "u1/0" && call > 1:
			return gatewaytest.Answer{Status: 208, Taken: true}
		}
		return gatewaytest.Answer{}
	}
	deaths(t, moods, acting, (*world).checkActions)
}

// checkActions checks that every action was done, in order, and that its result says so.
func (w *world) checkActions() {
	w.t.Helper()
	for target, want := range map[string]string{"old": "edit:two", "older": "unsend:gone"} {
		if got := w.provider.State(target); got != want {
			w.t.Errorf("the message %s is %q, want %q: the order was %v", target, got, want, w.provider.Order("ann"))
		}
	}
	for id, results := range w.results() {
		for _, r := range results {
			if kind := map[string]event.ActionKind{"e1/0": event.ActionEdit, "e2/0": event.ActionEdit, "u1/0": event.ActionUnsend, "p1/0": event.ActionPrivateReply}[id]; r.Action != kind {
				w.t.Errorf("the result of %s is of the action %q", id, r.Action)
			}
			if repeatable := id == "e1/0" || id == "e2/0" || id == "u1/0"; repeatable && r.Status != event.Accepted {
				w.t.Errorf("%s is said to be %s", id, r.Status)
			}
		}
	}
	if n := w.provider.Taken("p1/0"); n > 1 {
		w.t.Errorf("the private reply arrived %d times", n)
	}
}

func TestRuleLINGER_AnActionIsRepeatedAfterTheDeadlineOfItsCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s gatewaytest.Sending, call int) gatewaytest.Answer {
		return gatewaytest.Answer{Silent: s.ID == "e1/0" && call == 1}
	})
	w.impatient()
	w.post(act("ann", "e1", event.ActionEdit, "old", "one"), act("ann", "e2", event.ActionEdit, "old", "two"))
	p := w.start(0)
	defer p.end()
	var r *Row
	waitFor(t, func() bool { r = w.row("e1", 0); return r != nil && r.State == dispatch.Waiting })
	if r.NextAt.Before(r.Deadline) {
		t.Errorf("it is called again at %s, before %s", r.NextAt, r.Deadline)
	}
	w.settled()
	if n := w.provider.Calls("e1/0"); n < 2 || w.provider.State("old") != "edit:two" { // a slow machine needs more than the second call
		t.Errorf("%d calls, the message is %q", n, w.provider.State("old"))
	}
}

// A record of an action that comes again finds its outcome: it is not done again, over what was done since.
func TestRuleDONE_AnActionThatComesAgainIsNotRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.post(act("ann", "e1", event.ActionEdit, "old", "one"), act("ann", "e2", event.ActionEdit, "old", "two"))
	p := w.start(0)
	w.settled()
	p.end()
	if r := w.row("e1", 0); r.State != dispatch.Sent {
		t.Errorf("row %+v", r)
	}
	w.commitTo(0)
	w.finish()
	if a, b := w.provider.Calls("e1/0"), w.provider.Calls("e2/0"); a != 1 || b != 1 {
		t.Errorf("%d and %d calls", a, b)
	}
}

// A record that says message and holds an action, or the other way round, is sent as neither.
func TestP14_AnActionIsNeverSentAsAMessage(t *testing.T) {
	t.Parallel()
	message, action := text("ch_a", "ann", "a0", "x"), act("ann", "e1", event.ActionEdit, "old", "one")
	for typ, msg := range map[event.Type]event.Outbound{event.ActionSend: message, event.MessageSend: action} {
		if sendable(typ, msg) {
			t.Errorf("a record of type %s with the action %v is sent", typ, msg.Action)
		}
	}
	if !sendable(event.MessageSend, message) || !sendable(event.ActionSend, action) {
		t.Error("a message, or an action, is not sent")
	}
}
