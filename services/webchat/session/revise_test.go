package session_test

import (
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/event"
)

// A browser that has a message is told of its edit and its deletion; the history has it as it is now, and nothing of what it said.
func TestAMessageIsEditedAndTakenBackAtTheVisitor(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	b := visit(t, 0, id, frame{})
	l, _ := b.connect(0)
	sent := w.send(t, id, b.visitor, func(m *event.Outbound) { m.Content.Text = "secret-one" })
	l.want("message")
	act := func(kind event.ActionKind, target, text string) event.Outbound {
		return w.send(t, id, b.visitor, func(m *event.Outbound) {
			m.MessageID, m.Content.Text = sent.MessageID, text
			m.Action = &event.Action{Kind: kind, Target: event.Target{Type: event.Text, Of: 1, Parts: []event.TargetPart{{ExternalIDs: []string{target}}}, At: sent.CreatedAt}}
		})
	}
	result := func(attempt event.Outbound) (out event.SendResult) {
		t.Helper()
		eventually(t, "the result", func() bool {
			for _, r := range w.settled(id) {
				if r.AttemptID == attempt.AttemptID {
					out = r
				}
			}
			return out.Status != ""
		})
		return out
	}
	history := func() frame {
		t.Helper()
		status, got := b.call("GET", "/messages", nil)
		if status != 200 {
			t.Fatalf("history: %d %v", status, got)
		}
		return frame(got["events"].([]any)[0].(map[string]any))
	}
	edit := act(event.ActionEdit, sent.MessageID, "secret-two")
	if f := l.want("edit"); f.text("id") != sent.MessageID || f.text("text") != "secret-two" || f.seq() != 2 {
		t.Errorf("frame: %v", f)
	}
	if r := result(edit); r.Status != event.Sent || r.Action != event.ActionEdit || len(r.ExternalIDs) != 0 {
		t.Errorf("result: %+v", r)
	}
	if f := history(); f.text("t") != "message" || f.text("text") != "secret-two" || f["edited"] != true || f.text("name") != "Bea" || f.seq() != 1 {
		t.Errorf("history: %v", f)
	}
	unsend := act(event.ActionUnsend, sent.MessageID, "")
	if f := l.want("delete"); f.text("id") != sent.MessageID {
		t.Errorf("frame: %v", f)
	}
	if r := result(unsend); r.Status != event.Sent || r.Action != event.ActionUnsend {
		t.Errorf("result: %+v", r)
	}
	if f := history(); f["deleted"] != true || f.text("id") != sent.MessageID || strings.Contains(f.text("text"), "secret") {
		t.Errorf("history: %v", f)
	}
	if r := result(act(event.ActionEdit, "msg_nobody", "x")); r.Status != event.Failed || r.Error.Code != "target_missing" {
		t.Errorf("an edit of what is not there: %+v", r)
	}
}
