package session_test

import (
	"fmt"
	"testing"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

func TestASocketReadsOnWhereItWas(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	b := visit(t, 0, id, frame{})
	l, _ := b.connect(0)
	first := w.send(t, id, b.visitor, nil)
	if f := l.want("message"); f.text("id") != first.MessageID || f.seq() != 1 {
		t.Fatalf("first: %v", f)
	}
	_ = l.conn.CloseNow()
	var ids []string
	for n := range 3 { // while nobody looks
		ids = append(ids, w.send(t, id, b.visitor, nil).MessageID)
		eventually(t, "its place", func() bool { return len(w.settled(id)) == n+2 })
	}
	l, hello := b.at(1).connect(1)
	if hello["lastSeq"] != 4.0 || hello["gap"] != false {
		t.Errorf("hello: %v", hello)
	}
	for n, want := range ids {
		if f := l.want("message"); f.text("id") != want || f.seq() != int64(n+2) {
			t.Errorf("replay %d: %v", n, f)
		}
	}
	eventually(t, "all delivered", func() bool { return len(w.said(id, event.ReceiptReceived)) >= 4 })
}

func TestAGapIsSaid(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	b := visit(t, 0, id, frame{})
	const said = 9 // more than a mailbox's head holds
	for n := range said {
		b.call("POST", "/messages", frame{"clientId": fmt.Sprint("c-", n), "text": "x"})
	}
	l, hello := b.connect(99) // a place that this mailbox never had
	if hello["gap"] != true || hello["lastSeq"] != float64(said) {
		t.Errorf("hello: %v", hello)
	}
	w.send(t, id, b.visitor, nil)
	if f := l.want("message"); f.seq() != said+1 {
		t.Errorf("behind the gap: %v", f)
	}
	// what is older than we keep
	spec := store.Spec{Name: "webchat_frames", Expires: true, Indexes: []store.Index{{Name: "by_mailbox", Fields: []string{"mailbox", "seq"}}}}
	frames := store.NewCollection[struct{ store.Meta }](w.env.DB, spec)
	if err := w.env.DB.Ensure(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	_, s := visitAgain(t, b)
	docs, _, _, err := frames.Query(t.Context(), store.Query{Where: []store.Eq{{Field: "mailbox", Value: s.text("conversationId")}}, Order: "seq", Limit: 2})
	if err != nil || len(docs) != 2 {
		t.Fatalf("%d %v", len(docs), err)
	}
	for _, d := range docs {
		if err := frames.Delete(t.Context(), d.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, hello := b.connect(0); hello["gap"] != true {
		t.Errorf("hello: %v", hello)
	}
	if l, hello := b.connect(2); hello["gap"] != false || l.want("message").seq() != 3 {
		t.Errorf("hello: %v", hello)
	}
}

func visitAgain(t *testing.T, b *browser) (int, frame) {
	t.Helper()
	return b.call("POST", "/sessions", frame{})
}

func TestP3_ARepeatedClientIDIsOneMessage(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	b := visit(t, 0, id, frame{})
	other := visit(t, 0, id, frame{"visitorId": b.visitor, "visitorSecret": b.secret}) // the same visitor in another tab
	if other.visitor != b.visitor {
		t.Fatalf("%s became %s", b.visitor, other.visitor)
	}
	l, _ := b.connect(0)
	tab, _ := other.at(1).connect(0)
	m := frame{"t": "message", "clientId": "c-1", "text": "Once"}
	l.say(m)
	first := l.want("ack")
	if f := tab.want("message"); f.text("clientId") != "c-1" || f.text("author") != "visitor" || f.seq() != first.seq() || f.text("id") != first.text("id") {
		t.Errorf("the other tab: %v", f)
	}
	l.say(m)
	again := l.want("ack")
	if again["duplicate"] != true || again.seq() != first.seq() || again.text("id") != first.text("id") || again["ts"] != first["ts"] {
		t.Errorf("first %v, again %v", first, again)
	}
	renewed, _ := b.at(1).connect(0) // after a reconnection
	if f := renewed.want("message"); f.seq() != 1 {
		t.Errorf("replay: %v", f)
	}
	renewed.say(m)
	if again := renewed.want("ack"); again["duplicate"] != true || again.seq() != first.seq() {
		t.Errorf("again: %v", again)
	}
	l.say(frame{"t": "message", "clientId": "c-2", "text": "Twice"})
	if a := l.want("ack"); a.seq() != 2 || a["duplicate"] != false {
		t.Errorf("ack: %v", a)
	}
	eventually(t, "both", func() bool { return len(w.said(id, event.MessageReceived)) == 2 })
	if f := tab.want("message"); f.text("clientId") != "c-2" {
		t.Errorf("the other tab: %v", f)
	}
}

func TestP3_AnAttemptIsAppendedOnce(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	b := visit(t, 0, id, frame{})
	l, _ := b.connect(0)
	m := w.send(t, id, b.visitor, nil)
	l.want("message")
	eventually(t, "the result", func() bool { return len(w.settled(id)) == 1 })
	w.send(t, id, b.visitor, func(o *event.Outbound) { // a copy under another id of its row: only the mailbox can know
		at := o.CreatedAt
		*o = m
		o.AttemptID, o.CreatedAt = m.AttemptID+"x", at
	})
	eventually(t, "another result", func() bool { return len(w.settled(id)) == 2 })
	w.send(t, id, b.visitor, func(o *event.Outbound) { // another attempt is meant to be seen
		o.MessageID, o.Attempt, o.AttemptID = m.MessageID, 2, m.AttemptID+"2"
	})
	if f := l.want("message"); f.seq() != 2 || f.text("id") != m.MessageID+".2" {
		t.Errorf("second attempt: %v", f)
	}
}

func TestOneReplicasSocketHearsWhatAnotherTakes(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	for sender := range 2 {
		b := visit(t, sender, id, frame{})
		l, _ := b.at(1 - sender).connect(0)
		if status, a := b.call("POST", "/messages", frame{"clientId": "c-1", "text": "Here"}); status != 202 {
			t.Fatalf("%d %v", status, a)
		}
		if f := l.want("message"); f.text("text") != "Here" || f.text("author") != "visitor" {
			t.Errorf("%v", f)
		}
		for range 8 { // wherever the outbound record is consumed, both hear of it
			w.send(t, id, b.visitor, nil)
		}
		both, _ := b.connect(1)
		for n := range 8 {
			x, y := l.want("message"), both.want("message")
			if x.seq() != int64(n+2) || x.text("id") != y.text("id") {
				t.Errorf("%d: %v and %v", n, x, y)
			}
		}
	}
}

func TestAnUnknownVisitorIsGone(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	w.send(t, id, "vis_nobody", nil)
	eventually(t, "the result", func() bool { return len(w.settled(id)) == 1 })
	if r := w.settled(id)[0]; r.Status != event.Failed || r.Error.Code != "recipient_unknown" {
		t.Errorf("result: %+v", r)
	}
}

func TestWebhooksAreRefused(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	b := &browser{t: t, url: w.urls[0]}
	if status, f := b.call("POST", "/webhooks/webchat/"+id, frame{"visitor": "vis_1", "frame": frame{"t": "message", "clientId": "c", "text": "forged"}}); status != 401 {
		t.Errorf("%d %v", status, f)
	}
	if got := w.said(id, event.MessageReceived); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func TestWithoutRedisAReplicaLooksByItself(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	b := visit(t, deaf, id, frame{})
	l, _ := b.connect(0)
	if status, a := b.at(0).call("POST", "/messages", frame{"clientId": "c-1", "text": "Here"}); status != 202 {
		t.Fatalf("%d %v", status, a)
	}
	if f := l.want("message"); f.seq() != 1 {
		t.Errorf("%v", f)
	}
	w.send(t, id, b.visitor, nil)
	if f := l.want("message"); f.seq() != 2 {
		t.Errorf("%v", f)
	}
	l.say(frame{"t": "message", "clientId": "c-2", "text": "There"})
	if a := l.want("ack"); a.seq() != 3 {
		t.Errorf("%v", a)
	}
}
