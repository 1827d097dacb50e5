package session_test

import (
	"net/http"
	"testing"

	"github.com/tributaryhq/tributary/pkg/event"
)

func TestAMessageGoesInAndItsAnswerComesOut(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	b := visit(t, 0, id, frame{"page": frame{"url": "https://shop.example/orders/1?token=x", "title": "Order 1"}})
	l, hello := b.connect(0)
	if hello["gap"] != false || hello["lastSeq"] != 0.0 {
		t.Errorf("hello: %v", hello)
	}
	l.say(frame{"t": "message", "clientId": "c-1", "text": "Where is my order?"})
	a := l.want("ack")
	if a.seq() != 1 || a["duplicate"] != false || a.text("clientId") != "c-1" || a.text("id") != event.DeriveID("msg", tenant, id, b.visitor+":c-1") {
		t.Errorf("ack: %v", a)
	}
	eventually(t, "the message on the topic", func() bool { return len(w.said(id, event.MessageReceived)) == 1 })
	m := w.said(id, event.MessageReceived)[0]
	if m.Peer != b.visitor || m.Ref != b.visitor+":c-1" || m.ExternalID != "c-1" || m.Content.Text != "Where is my order?" {
		t.Errorf("event: %+v", m)
	}
	eventually(t, "the page", func() bool { return len(w.said(id, event.ContactPageViewed)) == 1 })
	if p := w.said(id, event.ContactPageViewed)[0].Page; p.URL != "https://shop.example/orders/1" || p.Title != "Order 1" {
		t.Errorf("page: %+v", p)
	}
	sent := w.send(t, id, b.visitor, nil)
	f := l.want("message")
	if f.seq() != 2 || f.text("id") != sent.MessageID || f.text("text") != "Hello" || f.text("author") != "agent" || f.text("name") != "Bea" {
		t.Errorf("frame: %v", f)
	}
	eventually(t, "the result", func() bool { return len(w.settled(id)) == 1 })
	if r := w.settled(id)[0]; r.Status != event.Sent || len(r.ExternalIDs) != 1 || r.ExternalIDs[0] != sent.MessageID {
		t.Errorf("result: %+v", r)
	}
	eventually(t, "delivered", func() bool {
		rs := w.said(id, event.ReceiptReceived)
		return len(rs) == 1 && rs[0].ExternalID == sent.MessageID && rs[0].Receipt.Status == event.Delivered
	})
	l.say(frame{"t": "read", "upTo": sent.MessageID})
	eventually(t, "read", func() bool {
		rs := w.said(id, event.ReceiptWatermark)
		return len(rs) == 1 && rs[0].ExternalID == sent.MessageID && rs[0].Peer == b.visitor && rs[0].Ref == b.visitor+":"+sent.MessageID
	})
}

func TestTypingBothWays(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	b := visit(t, 1, id, frame{})
	l, _ := b.connect(0)
	l.say(frame{"t": "typing", "on": true})
	eventually(t, "typing", func() bool {
		es := w.said(id, event.ContactTyping)
		return len(es) == 1 && *es[0].Typing
	})
	w.send(t, id, b.visitor, func(m *event.Outbound) { m.Signal = "typing_on" })
	if f := l.want("typing"); f["on"] != true || f["seq"] != nil {
		t.Errorf("typing: %v", f)
	}
	w.send(t, id, b.visitor, func(m *event.Outbound) { m.Signal, m.InReplyTo = "read", "c-1" })
	if f := l.want("read"); f.text("upTo") != "c-1" {
		t.Errorf("read: %v", f)
	}
	_ = l.conn.CloseNow()
	eventually(t, "not typing any more", func() bool {
		es := w.said(id, event.ContactTyping)
		return len(es) == 2 && !*es[1].Typing
	})
}

func TestAPollGetsWhatASocketGets(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	b := visit(t, 0, id, frame{})
	status, a := b.call("POST", "/messages", frame{"t": "message", "clientId": "c-1", "text": "By HTTP"})
	if status != http.StatusAccepted || a.text("t") != "ack" || a.seq() != 1 {
		t.Fatalf("%d %v", status, a)
	}
	got := make(chan frame, 1)
	go func() {
		_, f := b.at(1).call("GET", "/poll?after=1&wait=20", nil)
		got <- f
	}()
	sent := w.send(t, id, b.visitor, nil)
	f := <-got
	events, _ := f["events"].([]any)
	if len(events) != 1 || f["nextSeq"] != 2.0 || f["pollAfterMs"] != 0.0 {
		t.Fatalf("poll: %v", f)
	}
	if m := frame(events[0].(map[string]any)); m.text("id") != sent.MessageID || m.seq() != 2 {
		t.Errorf("poll: %v", m)
	}
	eventually(t, "delivered", func() bool { return len(w.said(id, event.ReceiptReceived)) == 1 })
	if _, f := b.call("GET", "/poll?after=2&wait=0", nil); len(f["events"].([]any)) != 0 || f["nextSeq"] != 2.0 {
		t.Errorf("nothing new: %v", f)
	}
	if _, f := b.call("GET", "/poll?after=7&wait=0", nil); f["gap"] != true || f["nextSeq"] != 2.0 {
		t.Errorf("from nowhere: %v", f)
	}
	if _, f := b.call("GET", "/messages?limit=1", nil); len(f["events"].([]any)) != 1 || f["more"] != true {
		t.Errorf("history: %v", f)
	}
	if _, f := b.call("GET", "/messages?before=2", nil); len(f["events"].([]any)) != 1 || f["more"] != false {
		t.Errorf("history: %v", f)
	}
}
