package inbox_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
)

func decision(d event.Decision) bus.Message {
	return bus.Message{Event: event.New("evt_"+d.ID, event.RoutingDecided, "routing", "", d.ConversationID, d.At, d)}
}

// bodies are what the operations with a body take.
func (w *tenant) bodies() map[string]any {
	return map[string]any{
		"sendMessage": object{"text": "x"}, "checkMessage": object{"text": "x"}, "assignConversation": object{}, "transferConversation": object{}, "closeConversation": object{},
		"snoozeConversation": object{"until": "2999-01-01T00:00:00Z"}, "typingInConversation": object{"typing": true},
		"tagConversation": object{"tags": []string{"x"}}, "prioritizeConversation": object{"priority": "low"}, "botInConversation": object{"active": false},
		"patchContact": object{"name": "x"}, "editMessage": object{"text": "x"}, "replyPrivately": object{"text": "x"},
	}
}

// everywhere calls every operation of the document that names a thing by id.
func (w *tenant) everywhere(token string, ids map[string]string, check func(op string, a *answer)) {
	w.Helper()
	for path, item := range w.spec.Doc.Paths.Map() {
		if !strings.Contains(path, "{id}") {
			continue
		}
		kind := strings.Split(path, "/")[2]
		for method, op := range item.Operations() {
			if ids[kind] == "" {
				w.Fatalf("no id for %s", path)
			}
			check(op.OperationID, w.call(token, method, strings.ReplaceAll(path, "{id}", ids[kind]), w.bodies()[op.OperationID], w.fresh()))
		}
	}
}

func (w *tenant) things() map[string]string {
	w.Helper()
	in := w.wrote(event.SMS, "p", "x")
	file := w.upload("a.png", picture())
	w.say(w.key, in.ConversationID, object{"attachment_ids": []string{file}}).want(202)
	return map[string]string{"conversations": in.ConversationID, "messages": in.ID, "contacts": in.ContactID, "attachments": file}
}

func TestP10_AnotherTenantFindsNothing(t *testing.T) {
	t.Parallel()
	w, other := newTenant(t), newTenant(t)
	ids := w.things()
	other.everywhere(other.key, ids, func(op string, a *answer) {
		if a.status != http.StatusNotFound {
			t.Errorf("%s: status %d: %s", op, a.status, a.raw)
		}
	})
	for _, list := range []string{"/v1/conversations", "/v1/contacts", "/v1/conversations?contact_id=" + ids["contacts"], "/v1/conversations?channel_id=" + w.channel(event.SMS)} {
		if got := other.get(other.key, list).want(200).ids(); len(got) > 0 {
			t.Errorf("%s: %v", list, got)
		}
	}
	if a := other.get(other.key, "/v1/counters").want(200); a.at("unassigned", "count") != 0.0 {
		t.Errorf("%s", a.raw)
	}
	mine := other.wrote(event.SMS, "q", "x")
	for _, body := range []object{
		{"attachment_ids": []string{ids["attachments"]}}, {"text": "x", "reply_to": ids["messages"]},
		{"reaction": object{"message_id": ids["messages"], "emoji": "x"}},
	} {
		other.say(other.key, mine.ConversationID, body).want(422, "bad_value")
	}
	other.post(other.key, "/v1/conversations", object{"channel_id": w.channel(event.SMS), "peer": "p"}).want(422, "bad_value")
	other.post(other.key, "/v1/conversations", object{"channel_id": other.channel(event.SMS), "contact_id": ids["contacts"]}).want(422, "bad_value")
	for _, to := range []object{{"queue_id": w.queue()}, {"bot_id": w.bot()}} {
		other.post(other.key, "/v1/conversations/"+mine.ConversationID+"/assign", to).want(422, "bad_value")
	}
	w.everywhere(w.key, w.things(), func(op string, a *answer) {
		if a.status == http.StatusNotFound {
			t.Errorf("%s: its own tenant does not find it: %s", op, a.raw)
		}
	})
}

func TestP10_AgentsSeeTheirOwnAndTheirTeams(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	ann, annID := w.user("ann", "agent", "", w.queue())
	_, bob := w.user("bob", "agent", "")
	ids := w.things()
	in, other := ids["conversations"], w.opensElsewhere(event.SMS)
	blind := func(when string) {
		t.Helper()
		w.everywhere(ann, ids, func(op string, a *answer) {
			if !strings.Contains(op, "Contact") && op != "contactTimeline" && a.status != http.StatusNotFound {
				t.Errorf("%s, %s: status %d: %s", when, op, a.status, a.raw)
			}
		})
		if a := w.get(ann, "/v1/contacts/"+ids["contacts"]+"/timeline").want(200); len(a.at("data").([]any)) > 0 {
			t.Errorf("%s: %s", when, a.raw)
		}
		if a := w.get(ann, "/v1/contacts/"+ids["contacts"]+"/events").want(200); len(a.ids()) > 0 {
			t.Errorf("%s: %s", when, a.raw)
		}
		for _, q := range []string{"", "?view=unassigned", "?view=unresponded", "?contact_id=" + ids["contacts"], "?tag=x", "?status=open", "?sort=-waiting_since"} {
			if got := w.get(ann, "/v1/conversations"+q).want(200).ids(); len(got) > 0 {
				t.Errorf("%s: %s shows %v", when, q, got)
			}
		}
	}
	assign := func(to object) {
		t.Helper()
		w.post(w.key, "/v1/conversations/"+in+"/assign", to).want(200)
	}
	sighted := func(when string) {
		t.Helper()
		w.get(ann, "/v1/conversations/"+in).want(200)
		for _, q := range []string{"", "?contact_id=" + ids["contacts"], "?status=open"} {
			if got := w.get(ann, "/v1/conversations"+q).want(200).ids(); !slices.Equal(got, []string{in}) {
				t.Errorf("%s: %s shows %v", when, q, got)
			}
		}
	}
	sighted("free for every agent")
	assign(object{"queue_id": other})
	blind("in another queue")
	assign(object{"queue_id": w.queue()})
	sighted("in the own queue")
	assign(object{})
	assign(object{"agent_id": bob})
	blind("another's")
	assign(object{"agent_id": annID})
	sighted("held")
	w.get(ann, "/v1/messages/"+ids["messages"]).want(200)
	w.get(ann, "/v1/attachments/"+ids["attachments"]).want(200)
	assign(object{"agent_id": bob})
	blind("taken away")
	w.post(w.key, "/v1/conversations/"+in+"/close", object{}).want(200)
	w.get(ann, "/v1/conversations/"+in).want(200) // who took part sees how it ended
	if got := w.get(ann, "/v1/conversations?view=resolved").want(200).ids(); !slices.Equal(got, []string{in}) {
		t.Errorf("of those who took part: %v", got)
	}
	w.post(w.key, "/v1/conversations/"+in+"/reopen", nil).want(200)
	assign(object{"queue_id": other})
	blind("reopened")
}

func TestP10_IsolatedUnitsSeeTheirOwn(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	north := w.unit("north")
	city := w.unit("city", north)
	south := w.unit("south")
	in := map[string]map[string]string{}
	for _, ou := range []string{north, city, south, ""} {
		id := "ch_" + w.id + ou
		put(w, directory.Channels, id, &directory.Channel{Type: event.SMS, Name: ou, Enabled: true, Version: 1, OUID: ou})
		m := w.wrote(event.SMS, "p", "x", func(in *event.Inbound) { in.ChannelID, in.Ref = id, in.Ref+ou })
		in[ou] = map[string]string{"conversations": m.ConversationID, "messages": m.ID, "contacts": m.ContactID, "attachments": "att_nobody"}
	}
	key := w.apiKey(north, auth.All...)
	boss, _ := w.user("boss", "supervisor", north)
	if n := len(w.get(key, "/v1/conversations").ids()); n != 4 {
		t.Fatalf("without isolation: %d", n)
	}
	w.settings(func(s *directory.Settings) { s.EnforceOUIsolation = true })
	for _, token := range []string{key, boss} {
		for ou, sees := range map[string]bool{north: true, city: true, south: false, "": false} {
			if !sees {
				w.everywhere(token, in[ou], func(op string, a *answer) {
					if a.status != http.StatusNotFound {
						t.Errorf("%s of %q: status %d: %s", op, ou, a.status, a.raw)
					}
				})
			} else {
				w.get(token, "/v1/conversations/"+in[ou]["conversations"]).want(200)
				w.get(token, "/v1/contacts/"+in[ou]["contacts"]).want(200)
			}
		}
		for _, list := range []string{"/v1/conversations", "/v1/contacts"} {
			if got := w.get(token, list).want(200).ids(); len(got) != 2 {
				t.Errorf("%s: %v", list, got)
			}
		}
		if a := w.get(token, "/v1/counters").want(200); a.at("unassigned", "count") != 2.0 {
			t.Errorf("%s", a.raw)
		}
		w.post(token, "/v1/conversations", object{"channel_id": "ch_" + w.id + south, "peer": "p"}).want(422, "bad_value")
	}
	if n := len(w.get(w.key, "/v1/conversations?kind=messages").ids()); n != 4 {
		t.Errorf("who belongs to no unit sees %d", n)
	}
}

func TestWhoIsNobodyGetsNothing(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	for _, token := range []string{"", "trb_x_y", "nonsense"} {
		w.get(token, "/v1/conversations").want(401, "unauthenticated")
	}
	reader := w.apiKey("", auth.ReadAll)
	id := w.wrote(event.SMS, "p", "x").ConversationID
	for op, verb := range map[string]string{"sendMessage": "messages", "assignConversation": "assign", "closeConversation": "close", "tagConversation": "tags"} {
		w.post(reader, "/v1/conversations/"+id+"/"+verb, w.bodies()[op], w.fresh()).want(403, "forbidden")
	}
	w.post(reader, "/v1/conversations", object{"channel_id": w.channel(event.SMS), "peer": "x"}).want(403, "forbidden")
}
