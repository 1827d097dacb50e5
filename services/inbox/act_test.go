package inbox_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

func TestTheHolderChanges(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	ann, annID := w.user("ann", "agent", "", w.queue())
	_, catID := w.user("cat", "agent", "")
	id := w.wrote(event.SMS, "p", "x").ConversationID
	do := func(token, verb string, body any) *answer {
		return w.post(token, "/v1/conversations/"+id+"/"+verb, body)
	}
	holder := func(a *answer, handler string, agent any) {
		t.Helper()
		got := any(nil)
		if a.at("assignee") != nil {
			got = a.at("assignee", "id")
		}
		if a.text("handler") != handler || got != agent {
			t.Errorf("%s held by %v, want %s by %v", a.text("handler"), got, handler, agent)
		}
	}
	holder(do(w.key, "assign", object{"queue_id": w.queue()}).want(200), "queue", nil)
	holder(do(ann, "take", nil).want(200), "human", annID)
	holder(do(ann, "transfer", object{"agent_id": catID}).want(200), "human", catID)
	w.get(ann, "/v1/conversations/"+id).want(200) // by the queue it is still the team's
	holder(do(w.key, "assign", object{"bot_id": w.bot()}).want(200), "bot", nil)
	holder(do(w.key, "bot", object{"active": false}).want(200), "queue", nil)
	holder(do(w.key, "bot", object{"active": true}).want(200), "bot", nil)
	holder(do(w.key, "assign", object{"agent_id": nil}).want(200), "none", nil)
	do(w.key, "take", nil).want(422, "not_applicable")
	do(w.key, "assign", object{"agent_id": "agt_nobody"}).want(422, "bad_value")
	do(w.key, "assign", object{"queue_id": "q_nobody"}).want(422, "bad_value")
	do(w.key, "assign", object{"bot_id": "bot_nobody"}).want(422, "bad_value")
	do(w.key, "assign", object{"agent_id": annID, "queue_id": w.queue()}).want(422, "bad_value")
	fresh := w.wrote(event.SMS, "q", "x").ConversationID
	w.post(w.key, "/v1/conversations/"+fresh+"/bot", object{"active": true}).want(422, "not_applicable")
	do(w.key, "close", object{}).want(200)
	do(w.key, "bot", object{"active": true}).want(409, "conversation_closed")
	do(w.key, "close", object{}).want(409, "conversation_closed")
	if a := do(w.key, "reopen", nil).want(200); a.text("status") != "open" || a.at("waiting_since") == nil {
		t.Errorf("%s", a.raw)
	}
	do(w.key, "reopen", nil).want(409, "conversation_open")
}

// TestNoBotGetsWhatAnotherAppHas: the conversation says so, people may have it, and a bot once it is passed to this app.
func TestNoBotGetsWhatAnotherAppHas(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	_, annID := w.user("ann", "agent", "", w.queue())
	path := "/v1/conversations/" + w.wrote(event.SMS, "p", "x").ConversationID
	bot := func() *answer { return w.post(w.key, path+"/assign", object{"bot_id": w.bot()}) }
	is := func(handler string, standby bool) {
		t.Helper()
		if a := w.get(w.key, path); a.text("handler") != handler || a.at("standby") != standby {
			t.Errorf("held by %s, standby %v; want %s, %v", a.text("handler"), a.at("standby"), handler, standby)
		}
	}
	moves := func(standby bool) {
		w.happened(event.SMS, "p", event.ThreadControlMoved, func(in *event.Inbound) { in.Standby = standby })
	}
	bot().want(200)
	is("bot", false)
	moves(true)
	is("none", true)
	bot().want(409, "conversation_elsewhere")
	w.post(w.key, path+"/bot", object{"active": true}).want(409, "conversation_elsewhere")
	w.post(w.key, path+"/assign", object{"agent_id": annID}).want(200)
	is("human", true)
	w.say(w.key, strings.TrimPrefix(path, "/v1/conversations/"), object{"text": "a person may answer"}).want(202)
	w.post(w.key, path+"/assign", object{"queue_id": w.queue()}).want(200)
	is("queue", true)
	moves(false)
	is("queue", false)
	bot().want(200)
	is("bot", false)
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	path := "/v1/conversations/" + w.wrote(event.SMS, "p", "x").ConversationID
	read := w.get(w.key, path).want(200)
	etag := header{"If-Match": read.header.Get("ETag")}
	w.wrote(event.SMS, "p", "a message moves no version")
	a := w.post(w.key, path+"/tags", object{"tags": []string{"a"}}, etag).want(200)
	if a.header.Get("ETag") == etag["If-Match"] || a.at("version") == read.at("version") {
		t.Errorf("%v %s", a.header, a.raw)
	}
	w.post(w.key, path+"/tags", object{"tags": []string{"b"}}, etag).want(412, "version_mismatch")
	w.post(w.key, path+"/priority", object{"priority": "urgent"}, etag).want(412, "version_mismatch")
	w.post(w.key, path+"/priority", object{"priority": "urgent"}, header{"If-Match": a.header.Get("ETag")}).want(200)
	same := w.post(w.key, path+"/priority", object{"priority": "urgent"}).want(200)
	if again := w.post(w.key, path+"/priority", object{"priority": "urgent"}).want(200); again.at("version") != same.at("version") || again.at("seq") != same.at("seq") {
		t.Error("what changes nothing made an event")
	}
	w.post(w.key, path+"/priority", object{"priority": "extreme"}).want(422, "bad_value")
}

func TestAPriorityIsAWordWhereverItIsShown(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	in := w.wrote(event.SMS, "p", "x")
	path := "/v1/conversations/" + in.ConversationID
	set := []string{"low", "normal", "high", "urgent", "none"}
	for _, p := range set {
		w.post(w.key, path+"/priority", object{"priority": p}).want(200)
	}
	w.settled()
	for _, list := range []string{path + "/events", path + "/timeline", "/v1/contacts/" + in.ContactID + "/timeline"} {
		a := w.get(w.key, list+"?limit=100").want(200)
		var shown []string
		for _, it := range a.at("data").([]any) {
			row := it.(map[string]any)
			if inner, ok := row["event"].(map[string]any); ok {
				row = inner
			}
			if row["type"] == record.PriorityChanged {
				shown = append(shown, fmt.Sprint(row["data"].(map[string]any)["priority"]))
			}
		}
		if diff := cmp.Diff(set, shown); diff != "" {
			t.Errorf("%s: %s", list, diff)
		}
	}
}

func TestCloseNotesAndUnassigning(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	ann, annID := w.user("ann", "agent", "")
	open := func() string {
		id := w.wrote(event.SMS, "p", "x").ConversationID
		w.post(w.key, "/v1/conversations/"+id+"/assign", object{"agent_id": annID}).want(200)
		return "/v1/conversations/" + id
	}
	path := open()
	if a := w.post(ann, path+"/close", object{}).want(200); a.at("assignee") != nil || a.text("closed_by", "kind") != "user" {
		t.Errorf("%s", a.raw)
	}
	w.get(ann, path).want(200) // who took part still sees it
	w.settings(func(s *directory.Settings) { s.CloseNoteRequired, s.CloseUnassigns = true, false })
	path = open()
	if a := w.post(ann, path+"/close", object{"category": "sold"}).want(422); len(a.at("errors").([]any)) == 0 {
		t.Errorf("%s", a.raw)
	}
	if a := w.post(ann, path+"/close", object{"category": "sold", "summary": "two"}).want(200); a.text("close", "category") != "sold" || a.text("assignee", "id") != annID {
		t.Errorf("%s", a.raw)
	}
}

func TestSnooze(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	path := "/v1/conversations/" + w.wrote(event.SMS, "p", "x").ConversationID
	w.post(w.key, path+"/snooze", object{"until": time.Now().Add(-time.Second)}).want(422, "out_of_range")
	until := time.Now().Add(3 * time.Second) // the call itself takes a while on a busy machine
	if a := w.post(w.key, path+"/snooze", object{"until": until}).want(200); a.text("status") != "snoozed" || a.at("snoozed_until") == nil {
		t.Errorf("%s", a.raw)
	}
	storetest.Eventually(t, "it wakes by itself", func() bool { return w.get(w.key, path).text("status") == "open" })
	if time.Now().Before(until) {
		t.Error("it woke too early")
	}
	w.post(w.key, path+"/snooze", object{"until": time.Now().Add(time.Hour)}).want(200)
	if a := w.post(w.key, path+"/unsnooze", nil).want(200); a.text("status") != "open" || a.at("snoozed_until") != nil {
		t.Errorf("%s", a.raw)
	}
	w.post(w.key, path+"/close", object{}).want(200)
	w.post(w.key, path+"/snooze", object{"until": time.Now().Add(time.Hour)}).want(409, "conversation_closed")
}

func TestReadingIsPerUser(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	ann, _ := w.user("ann", "supervisor", "")
	path := "/v1/conversations/" + w.wrote(event.SMS, "p", "1").ConversationID
	w.wrote(event.SMS, "p", "2")
	unread := func(token string) any { return w.get(token, path).at("unread_count") }
	if w.post(ann, path+"/read", nil).want(200).at("unread_count") != 0.0 || unread(w.key) != 2.0 {
		t.Error("reading is of one user")
	}
	w.say(w.key, w.get(w.key, path).text("id"), object{"text": "an answer is nothing to read"}).want(202)
	if unread(ann) != 0.0 {
		t.Errorf("unread %v", unread(ann))
	}
	w.wrote(event.SMS, "p", "3")
	if unread(ann) != 1.0 {
		t.Errorf("unread %v", unread(ann))
	}
	w.post(ann, path+"/read", nil).want(200)
	if w.post(ann, path+"/unread", nil).want(200).at("unread_count") != 1.0 || unread(w.key) != 3.0 {
		t.Error("unread is of one user")
	}
}

func TestWhatRoutingSends(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	id := w.wrote(event.SMS, "p", "1").ConversationID
	decide := w.replicas[0].parts.Consumers[1].Handle
	d := event.Decision{ID: "dec_" + id, ConversationID: id, Epoch: 1, Action: "send", Content: &event.Content{Type: event.Text, Text: "we are closed"}}
	for range 2 {
		w.ok(decide(context.Background(), decision(d)))
	}
	a := w.get(w.key, "/v1/conversations/"+id+"/messages").want(200)
	if len(a.ids()) != 2 || a.text("data", 1, "sender", "type") != "system" || a.text("data", 1, "sent_via", "kind") != "automation" {
		t.Errorf("%s", a.raw)
	}
	if c, err := w.record.Conversations.Get(t.Context(), id); err != nil || !c.Unresponded {
		t.Errorf("an automatic answer is none: %v", err)
	}
	away := d
	away.ID = "dec_away" + id
	w.happened(event.SMS, "p", event.ThreadControlMoved, func(in *event.Inbound) { in.Standby = true })
	w.ok(decide(context.Background(), decision(away))) // another app answers
	w.post(w.key, "/v1/conversations/"+id+"/close", object{}).want(200)
	late, bad, gone := d, d, d
	late.ID, bad.ID, gone.ID = "dec_late"+id, "dec_bad"+id, "dec_gone"+id
	bad.Content, gone.ConversationID = &event.Content{Type: event.LocationType}, "cnv_nobody"
	for _, d := range []event.Decision{late, bad, gone} {
		w.ok(decide(context.Background(), decision(d))) // nobody waits for it
	}
	if n := len(w.get(w.key, "/v1/conversations/"+id+"/messages").ids()); n != 2 {
		t.Errorf("%d messages", n)
	}
}

func TestRoutingsDecisionsAreExplained(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	_, annID := w.user("ann", "agent", "")
	id := w.wrote(event.SMS, "p", "1").ConversationID
	decide := w.replicas[0].parts.Consumers[1].Handle
	for i, agent := range []string{annID, "agt_late"} {
		d := event.Decision{ID: []string{"dec_a", "dec_b"}[i] + id, ConversationID: id, Epoch: 1, Action: "assign", AgentID: agent,
			Reasons: []event.Reason{{Code: "least_loaded", AgentID: agent}}, At: event.At(time.Now().Add(time.Duration(i) * time.Second))}
		w.ok(decide(context.Background(), decision(d)))
	}
	a := w.get(w.key, "/v1/conversations/"+id+"/routing").want(200)
	if a.text("data", 0, "outcome") != "refused" || a.text("data", 1, "outcome") != "applied" || a.text("data", 1, "reasons", 0, "code") != "least_loaded" {
		t.Errorf("%s", a.raw)
	}
	if c := w.get(w.key, "/v1/conversations/"+id).want(200); c.text("assignee", "id") != annID {
		t.Errorf("%s", c.raw)
	}
}

func TestADeletedAgentIsShownAsSuch(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	id := w.wrote(event.SMS, "p", "1").ConversationID
	_, err := w.record.Conversations.Update(t.Context(), id, func(c *record.Conversation) error {
		c.Assign(record.Target{AgentID: "agt_gone"}, event.Actor{Kind: "automation"}, "", event.At(time.Now()))
		return nil
	})
	w.ok(err)
	if a := w.get(w.key, "/v1/conversations/"+id).want(200); a.text("assignee", "name") == "" {
		t.Errorf("%s", a.raw)
	}
}
