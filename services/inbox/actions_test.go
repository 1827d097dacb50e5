package inbox_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/services/inbox/record"
	"github.com/tributaryhq/tributary/services/inbox/updates"
)

// acts are what the tests' WhatsApp can do to messages: everything.
var acts = map[event.ActionKind]channel.ActionRule{
	event.ActionEdit:   {Types: []event.MessageType{event.Text, event.InteractType}, Interactive: []string{"buttons"}, Repeatable: true},
	event.ActionUnsend: {For: channel.Duration(time.Hour), Repeatable: true},
	event.ActionHide:   {Repeatable: true}, event.ActionUnhide: {Repeatable: true}, event.ActionPrivateReply: {},
}

// status takes over one step of an attempt or action, as delivery status tells it.
func (w *tenant) status(m *record.Message, s event.Status) {
	w.Helper()
	u := &updates.Consumer{Record: w.record, Now: time.Now, Known: w.in.Unpark}
	s.MessageID, s.Step.Status, s.Step.Source = m.ID, s.Status, "send"
	if s.Step.At.IsZero() {
		s.Step.At = event.At(time.Now())
	}
	w.ok(u.Status(w.Context(), bus.Message{Event: event.New("evt_"+s.AttemptID+fmt.Sprint(s.Seq), event.StatusChanged, "deliverystatus", w.id, m.ID, s.Step.At, s)}))
}

// sent is a message of ours that the provider has taken in one part.
func (w *tenant) sent(conversation string, body object) *record.Message {
	w.Helper()
	id := w.say(w.key, conversation, body).want(202).text("id")
	m := must(w.record.Messages.Get(w.Context(), id))
	w.status(m, event.Status{
		AttemptID: m.Attempts[0].ID, Attempt: 1, Seq: 1, Status: event.Sent, Parts: 1, ExternalIDs: []string{"ext-" + id}, Step: event.Step{ExternalID: "ext-" + id},
	})
	return must(w.record.Messages.Get(w.Context(), id))
}

// ended is how an action comes to an end.
func (w *tenant) ended(m *record.Message, kind event.ActionKind, action string, status event.DeliveryStatus, why *event.Error) {
	w.Helper()
	w.status(m, event.Status{AttemptID: action, Attempt: 1, Seq: 1, Status: status, Action: kind, Step: event.Step{Error: why}})
}

// An edit is a record of its own; the message changes once the provider has done it, and not before.
func TestAnEditShowsWhenTheProviderHasTakenIt(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	m := w.sent(w.wrote(event.WhatsApp, "p", "hello").ConversationID, object{"text": "we open at nine"})
	leaving := w.leaving(event.ActionSend)
	at, key := "/v1/messages/"+m.ID, w.fresh()
	a := w.post(w.key, at+"/edit", object{"text": "we open at ten"}, key).want(202)
	if a.text("text") != "we open at nine" || a.at("edited_at") != nil || a.text("actions", 0, "status") != "queued" || a.text("actions", 0, "text") != "we open at ten" {
		t.Errorf("before its result: %s", a.raw)
	}
	o := <-leaving
	want := event.Target{Type: event.Text, Of: 1, Parts: []event.TargetPart{{Part: 0, ExternalIDs: []string{"ext-" + m.ID}}}, At: m.CreatedAt}
	if diff := cmp.Diff(want, o.Action.Target); diff != "" || o.Content.Text != "we open at ten" || o.Peer != "p" || o.AttemptID != a.text("actions", 0, "id") {
		t.Errorf("the record: %+v\n%s", o, diff)
	}
	if again := w.post(w.key, at+"/edit", object{"text": "we open at ten"}, key).want(202); again.header.Get("Idempotency-Replayed") != "true" || len(must(w.record.Messages.Get(w.Context(), m.ID)).Actions) != 1 {
		t.Errorf("a repeat: %v %s", again.header, again.raw)
	}
	w.post(w.key, at+"/edit", object{"text": "other"}, key).want(422, "idempotency_key_reused")
	for range 2 { // results come more than once
		w.ended(m, event.ActionEdit, o.AttemptID, event.Sent, nil)
	}
	got := w.get(w.key, at).want(200)
	if got.text("text") != "we open at ten" || got.at("edited_at") == nil || got.text("actions", 0, "status") != "sent" || got.text("status") != "sent" {
		t.Errorf("after its result: %s", got.raw)
	}
	w.rowsOf(m, "message_edited")
	if calls := w.get(w.key, at+"/deliveries").want(200); calls.text("data", 1, "action") != "edit" || calls.text("data", 1, "attempt_id") != o.AttemptID {
		t.Errorf("%s", calls.raw)
	}
}

// rowsOf checks which rows the timeline has for what was done to a message.
func (w *tenant) rowsOf(m *record.Message, types ...string) {
	w.Helper()
	var got []string
	list := w.get(w.key, "/v1/conversations/"+m.ConversationID+"/events").want(200)
	for n := range list.ids() {
		if list.text("data", n, "category") == "message" && list.text("data", n, "data", "message_id") == m.ID {
			got = append(got, list.text("data", n, "type"))
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(types, got); diff != "" {
		w.Errorf("rows (-want +got)\n%s", diff)
	}
}

// What failed is visible, and the message is as it was; an edit that a later one has overtaken changes nothing.
func TestAFailedOrOvertakenEditChangesNothing(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	m := w.sent(w.wrote(event.WhatsApp, "p", "hello").ConversationID, object{"text": "one"})
	edit := func(text string) string {
		a := w.post(w.key, "/v1/messages/"+m.ID+"/edit", object{"text": text}).want(202)
		return a.text("actions", len(a.at("actions").([]any))-1, "id")
	}
	bad, two, three := edit("bad"), edit("two"), edit("three")
	w.ended(m, event.ActionEdit, bad, event.Failed, &event.Error{Code: "target_locked"})
	w.ended(m, event.ActionEdit, three, event.Sent, nil)
	w.ended(m, event.ActionEdit, two, event.Sent, nil)
	got := w.get(w.key, "/v1/messages/"+m.ID).want(200)
	if got.text("text") != "three" || got.text("actions", 0, "status") != "failed" || got.text("actions", 0, "error", "code") != "target_locked" {
		t.Errorf("%s", got.raw)
	}
	w.rowsOf(m, "action_failed", "message_edited", "message_edited")
}

// A message that is taken back is empty for good, with what its edits would have made of it.
func TestUnsendErasesTheMessage(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	m := w.sent(w.wrote(event.WhatsApp, "p", "hello").ConversationID, object{"text": "secret-one"})
	at := "/v1/messages/" + m.ID
	w.post(w.key, at+"/edit", object{"text": "secret-two"}).want(202)
	w.post(w.key, "/v1/conversations/"+m.ConversationID+"/close", object{}).want(200) // what was said is still to be taken back
	a := w.post(w.key, at+"/unsend", nil).want(202)
	if a.at("deleted_at") != nil || a.text("text") != "secret-one" {
		t.Errorf("before its result: %s", a.raw)
	}
	w.post(w.key, at+"/edit", object{"text": "x"}).want(409, "message_deleted")
	w.post(w.key, at+"/unsend", nil).want(409, "message_deleted")
	w.ended(m, event.ActionUnsend, a.text("actions", 1, "id"), event.Sent, nil)
	w.ended(m, event.ActionEdit, a.text("actions", 0, "id"), event.Sent, nil) // its result comes late
	got := w.get(w.key, at).want(200)
	if got.at("deleted_at") == nil || strings.Contains(string(got.raw), "secret") {
		t.Errorf("after its result: %s", got.raw)
	}
	w.post(w.key, at+"/unsend", nil).want(409, "message_deleted")
}

func TestP8_ActionsThatCannotSucceedAreRefused(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	in := w.wrote(event.WhatsApp, "p", "hello")
	sms := w.wrote(event.SMS, "p", "hello")
	m, other := w.sent(in.ConversationID, object{"text": "hi"}), w.sent(sms.ConversationID, object{"text": "hi"})
	queued := w.say(w.key, in.ConversationID, object{"text": "on its way"}).want(202).text("id")
	note := w.say(w.key, in.ConversationID, object{"direction": "note", "text": "a note"}).want(202).text("id")
	template := w.sent(in.ConversationID, object{"template": object{"name": "hello", "language": "en"}})
	agent, _ := w.user("ann", "agent", "")
	for _, x := range []struct {
		token, id, do string
		body          any
		status        int
		code, pointer string
	}{
		{w.key, m.ID, "edit", object{"text": strings.Repeat("x", 101)}, 422, "text_too_long", "/text"},
		{w.key, m.ID, "edit", object{"text": ""}, 422, "empty_message", "/text"},
		{w.key, m.ID, "edit", object{"interactive": object{"kind": "buttons"}}, 422, "not_applicable", "/interactive"},
		{w.key, m.ID, "edit", object{"colour": "red"}, 422, "unknown_field", "/colour"},
		{w.key, template.ID, "edit", object{"text": "x"}, 422, "action_not_for_type", ""},
		{w.key, queued, "edit", object{"text": "x"}, 409, "message_not_sent", ""},
		{w.key, queued, "unsend", nil, 409, "message_not_sent", ""},
		{w.key, note, "edit", object{"text": "x"}, 422, "action_not_for_message", ""},
		{w.key, in.ID, "unsend", nil, 422, "action_not_for_message", ""},
		{w.key, in.ID, "hide", nil, 422, "action_not_for_message", ""},
		{w.key, other.ID, "edit", object{"text": "x"}, 422, "action_not_supported", ""},
		{w.key, other.ID, "unsend", nil, 422, "action_not_supported", ""},
		{w.key, "msg_nobody", "unsend", nil, 404, "not_found", ""},
		{w.apiKey("", "conversations.read_all"), m.ID, "unsend", nil, 403, "forbidden", ""},
		{agent, "msg_nobody", "hide", nil, 404, "not_found", ""},
	} {
		a := w.post(x.token, "/v1/messages/"+x.id+"/"+x.do, x.body).want(x.status, x.code)
		if x.pointer != "" && a.text("errors", 0, "pointer") != x.pointer {
			t.Errorf("%s %s: want the pointer %q: %s", x.do, x.code, x.pointer, a.raw)
		}
	}
	w.ok(second(w.record.Messages.Update(w.Context(), m.ID, func(m *record.Message) error { m.CreatedAt = m.CreatedAt.Add(-time.Hour); return nil })))
	a := w.post(w.key, "/v1/messages/"+m.ID+"/unsend", nil).want(422, "action_too_late")
	if got := fmt.Sprint(a.at("actions")); got != "[edit hide private_reply unhide unsend]" {
		t.Errorf("what the channel can do: %s", got)
	}
	if now := must(w.record.Messages.Get(w.Context(), m.ID)); len(now.Actions) != 0 {
		t.Errorf("%+v, although all were refused", now.Actions)
	}
}

func second[T any](_ T, err error) error { return err }

// A channel type can claim the actions of record.Actions and no others (services/all compares the claims); each of them is sent here, to our
// own message or to a customer's comment.
func TestEveryActionHasAnEmitter(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	m := w.sent(w.wrote(event.WhatsApp, "p", "hello").ConversationID, object{"text": "hi"})
	comment := w.wrote(event.WhatsApp, "p", "nice", func(in *event.Inbound) { in.Post = &event.Post{ID: "post_1"} })
	calls := map[event.ActionKind]struct {
		id, path string
		body     any
	}{
		event.ActionEdit: {m.ID, "edit", object{"text": "x"}}, event.ActionUnsend: {m.ID, "unsend", nil},
		event.ActionHide: {comment.ID, "hide", nil}, event.ActionUnhide: {comment.ID, "unhide", nil},
		event.ActionPrivateReply: {comment.ID, "private-reply", object{"text": "thanks"}},
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(record.Actions)), slices.Sorted(maps.Keys(calls))); diff != "" {
		t.Fatalf("record.Actions and their emitters (-claimed +emitted)\n%s", diff)
	}
	leaving := w.leaving(event.ActionSend)
	for _, kind := range record.Actions {
		c := calls[kind]
		w.post(w.key, "/v1/messages/"+c.id+"/"+c.path, c.body).want(202)
		o := <-leaving
		for o.Action.Kind != kind { // a fact may be published more than once
			o = <-leaving
		}
		if o.MessageID != c.id || len(o.Action.Target.ExternalIDs()) != 1 {
			t.Errorf("%s: %+v", kind, o)
		}
		target := must(w.record.Messages.Get(w.Context(), c.id))
		w.ended(target, kind, o.AttemptID, event.Sent, nil)
		after := must(w.record.Messages.Get(w.Context(), c.id))
		if after.Hidden != (kind == event.ActionHide) {
			t.Errorf("after %s hidden is %v", kind, after.Hidden)
		}
	}
	if got := w.get(w.key, "/v1/messages/"+comment.ID).want(200); got.text("actions", 2, "text") != "thanks" || got.text("text") != "nice" {
		t.Errorf("the private reply: %s", got.raw)
	}
}

func TestP3_ConcurrentRepeatsOfAnActionAreOne(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	m := w.sent(w.wrote(event.WhatsApp, "p", "hello").ConversationID, object{"text": "hi"})
	key := w.fresh()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() { w.post(w.key, "/v1/messages/"+m.ID+"/edit", object{"text": "x"}, key).want(202) })
	}
	wg.Wait()
	if now := must(w.record.Messages.Get(w.Context(), m.ID)); len(now.Actions) != 1 {
		t.Errorf("%d actions", len(now.Actions))
	}
}
