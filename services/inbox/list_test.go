package inbox_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/event"
)

// pages reads a list to its end in one direction, doing something between the pages.
func (w *tenant) pages(path, cursor, name string, between func()) (ids []string, last *answer) {
	w.Helper()
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	for range 100 {
		p := path
		if cursor != "" {
			p += sep + "cursor=" + cursor
		}
		last = w.get(w.key, p).want(200)
		page := last.ids()
		if name == "prev_cursor" {
			ids = append(page, ids...)
		} else {
			ids = append(ids, page...)
		}
		if cursor = last.text(name); cursor == "" {
			return ids, last
		}
		between()
	}
	w.Fatal("the list has no end")
	return nil, nil
}

func TestConversationsArePagedBothWaysWhileTheyCome(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	var made []string
	for i := range 11 {
		made = append([]string{w.wrote(event.SMS, fmt.Sprintf("p%d", i), "x").ConversationID}, made...)
	}
	n := 100
	more := func() { n++; w.wrote(event.SMS, fmt.Sprintf("p%d", n), "new") }
	down, last := w.pages("/v1/conversations?limit=3", "", "next_cursor", more)
	if diff := cmp.Diff(made, down); diff != "" {
		t.Errorf("downwards: %s", diff)
	}
	up, _ := w.pages("/v1/conversations?limit=3", last.text("prev_cursor"), "prev_cursor", func() {})
	if want := 11 - len(last.ids()) + n - 100; len(up) != want || len(slices.Compact(slices.Sorted(slices.Values(up)))) != want {
		t.Errorf("upwards: %d, want %d: %v", len(up), want, up)
	}
	if !slices.Equal(up[len(up)-3:], made[11-len(last.ids())-3:11-len(last.ids())]) {
		t.Errorf("upwards: %v", up)
	}
	asc, _ := w.pages("/v1/conversations?limit=4&sort=last_message_at", "", "next_cursor", func() {})
	if asc[0] != made[10] || len(asc) != n-100+11 {
		t.Errorf("oldest first: %v", asc)
	}
	w.get(w.key, "/v1/conversations?cursor=nonsense").want(422, "bad_cursor")
	w.get(w.key, "/v1/conversations?limit=0").want(422, "out_of_range")
	w.get(w.key, "/v1/conversations?limit=201").want(422, "out_of_range")
}

func TestViewsAndFilters(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	ann, annID := w.user("ann", "agent", "", w.queue())
	conv := map[string]string{}
	for _, name := range []string{"waiting", "held", "queued", "answered", "closed", "snoozed", "blocked", "comment", "botted"} {
		in := w.wrote(event.SMS, name, "x", func(in *event.Inbound) {
			if name == "comment" {
				in.Post = &event.Post{ID: "post"}
			}
		})
		conv[name] = in.ConversationID
	}
	act := func(name, verb string, body any) {
		w.post(w.key, "/v1/conversations/"+conv[name]+"/"+verb, body).want(200)
	}
	act("held", "assign", object{"agent_id": annID})
	act("queued", "assign", object{"queue_id": w.queue()})
	act("botted", "assign", object{"bot_id": w.bot()})
	act("closed", "close", object{})
	act("snoozed", "snooze", object{"until": time.Now().Add(time.Hour)})
	act("held", "tags", object{"tags": []string{"vip", "new"}})
	w.say(w.key, conv["answered"], object{"text": "done"}).want(202)
	w.call(w.key, "PATCH", "/v1/contacts/"+w.get(w.key, "/v1/conversations/"+conv["blocked"]).text("contact", "id"), object{"blocked": true}).want(200)
	contact := w.get(w.key, "/v1/conversations/"+conv["held"]).text("contact", "id")
	other := w.wrote(event.WhatsApp, "other", "x").ConversationID
	conv["other"] = other
	w.post(ann, "/v1/conversations/"+conv["held"]+"/read", nil).want(200)

	for _, x := range []struct{ token, query, want string }{
		{w.key, "", "waiting held queued answered closed snoozed blocked botted other"},
		{w.key, "?view=all", "waiting held queued answered closed snoozed blocked botted other"},
		{w.key, "?view=unassigned", "waiting queued answered botted other"},
		{w.key, "?view=assigned", "held"},
		{w.key, "?view=resolved", "closed"},
		{w.key, "?view=snoozed", "snoozed"},
		{w.key, "?view=blocked", "blocked"},
		{w.key, "?view=unresponded", "waiting held queued botted other"},
		{w.key, "?view=mine", ""},
		{ann, "?view=mine", "held"},
		{ann, "?view=team", "queued"},
		{ann, "", "waiting held queued answered snoozed blocked botted other"}, // what nobody has, too
		{w.key, "?kind=comments", "comment"},
		{w.key, "?kind=comments&view=unassigned", "comment"},
		{w.key, "?status=closed", "closed"},
		{w.key, "?assignee_id=" + annID, "held"},
		{w.key, "?queue_id=" + w.queue(), "queued"},
		{w.key, "?channel_id=" + w.channel(event.WhatsApp), "other"},
		{w.key, "?channel_type=whatsapp", "other"},
		{w.key, "?channel_type=whatsapp&view=resolved", ""},
		{w.key, "?contact_id=" + contact, "held"},
		{w.key, "?contact_id=" + contact + "&view=unassigned", ""},
		{w.key, "?tag=vip", "held"},
		{w.key, "?tag=vip&channel_type=whatsapp", ""},
		{w.key, "?ou_id=unorganized&view=snoozed", "snoozed"},
		{w.key, "?ou_id=ou_x", ""},
		{ann, "?unread=true", "waiting queued answered snoozed blocked botted other"},
		{ann, "?unread=false", "held"},
		{w.key, "?sort=-waiting_since&view=unassigned", "waiting queued botted other"},
		{w.key, "?sort=last_message_at&view=resolved", "closed"},
		{w.key, "?updated_since=2999-01-01T00:00:00Z", ""},
	} {
		got := w.get(x.token, "/v1/conversations"+x.query).want(200).ids()
		want := []string{}
		for _, name := range strings.Fields(x.want) {
			want = append(want, conv[name])
		}
		if strings.Contains(x.query, "sort=-waiting_since") && got[0] != conv["waiting"] {
			t.Errorf("%s: who waits longest is not first", x.query)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			var names []string
			for _, id := range got {
				for name, c := range conv {
					if c == id {
						names = append(names, name)
					}
				}
			}
			t.Errorf("%s: %v, want %s", x.query, names, x.want)
		}
	}
	w.get(w.key, "/v1/conversations?view=nonsense").want(422, "bad_value")

	a := w.get(w.key, "/v1/counters").want(200)
	for badge, want := range map[string]float64{"messages_unresponded": 5, "comments_unresponded": 1, "unassigned": 6} {
		if n := a.at(badge, "count"); n != want || a.at(badge, "capped") != false {
			t.Errorf("%s: %v, want %v", badge, a.at(badge), want)
		}
	}
	if b := w.get(ann, "/v1/counters").want(200); b.at("messages_unresponded", "count") != 5.0 || b.at("unassigned", "count") != 6.0 {
		t.Errorf("in the agent's visibility: %s", b.raw)
	}
}

func TestTimelinesAreWindowedBothWays(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	first := w.wrote(event.SMS, "p", "1")
	for i := range 8 {
		w.wrote(event.SMS, "p", fmt.Sprint(i+2))
	}
	w.post(w.key, "/v1/conversations/"+first.ConversationID+"/close", object{}).want(200)
	second := w.wrote(event.SMS, "p", "second")
	for _, path := range []string{"/v1/conversations/" + first.ConversationID + "/timeline", "/v1/contacts/" + first.ContactID + "/timeline"} {
		whole := w.positions(w.get(w.key, path+"?limit=200").want(200))
		if len(whole) < 11 {
			t.Fatalf("%s: %v", path, whole)
		}
		var back []string
		for cursor := ""; ; {
			q := path + "?limit=3"
			if cursor != "" {
				q += "&before=" + cursor
			}
			a := w.get(w.key, q).want(200)
			back = append(w.positions(a), back...)
			if cursor = a.text("prev_cursor"); cursor == "" {
				break
			}
			w.wrote(event.SMS, "p", "meanwhile")
		}
		if diff := cmp.Diff(whole, back); diff != "" {
			t.Errorf("%s backwards: %s", path, diff)
		}
		var forth []string
		for cursor := whole[0]; cursor != ""; {
			a := w.get(w.key, path+"?limit=3&after="+cursor).want(200)
			forth = append(forth, w.positions(a)...)
			cursor = a.text("next_cursor")
		}
		if diff := cmp.Diff(whole[1:], forth[:len(whole)-1]); diff != "" {
			t.Errorf("%s forwards: %s", path, diff)
		}
		a := w.get(w.key, path+"?limit=5&around="+whole[5]).want(200)
		if diff := cmp.Diff(whole[3:8], w.positions(a)); diff != "" || a.text("prev_cursor") != whole[3] || a.text("next_cursor") != whole[7] {
			t.Errorf("%s around: %s %s", path, diff, a.raw)
		}
		w.get(w.key, path+"?before=a&after=b").want(422)
		w.get(w.key, path+"?before=nonsense").want(422, "bad_cursor")
	}
	msgs := w.get(w.key, "/v1/conversations/"+first.ConversationID+"/messages?limit=2&after=2").want(200)
	if msgs.at("data", 0, "seq") != 3.0 || msgs.at("data", 1, "seq") != 4.0 {
		t.Errorf("%s", msgs.raw)
	}
	evts := w.get(w.key, "/v1/conversations/"+first.ConversationID+"/events").want(200)
	if evts.text("data", 0, "type") != "conversation_opened" || evts.text("data", 1, "type") != "conversation_closed" {
		t.Errorf("%s", evts.raw)
	}
	if ids := w.get(w.key, "/v1/contacts/"+first.ContactID+"/conversations").want(200).ids(); !slices.Equal(ids, []string{second.ConversationID, first.ConversationID}) {
		t.Errorf("%v", ids)
	}
	if a := w.get(w.key, "/v1/contacts/"+first.ContactID+"/events?limit=1").want(200); a.text("data", 0, "type") != "conversation_opened" || a.text("next_cursor") == "" {
		t.Errorf("%s", a.raw)
	}
	if a := w.get(w.key, "/v1/conversations/"+first.ConversationID+"/routing").want(200); len(a.ids()) != 0 {
		t.Errorf("%s", a.raw)
	}
}

func (w *tenant) positions(a *answer) (out []string) {
	for i := range a.at("data").([]any) {
		out = append(out, a.text("data", i, "position"))
	}
	return out
}

func TestContacts(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	a := w.wrote(event.SMS, "+44", "x", func(in *event.Inbound) {
		in.Sender = &event.Profile{Name: "Ada", Phone: "+44", Email: "ada@example.org"}
	})
	w.wrote(event.SMS, "+45", "x")
	path := "/v1/contacts/" + a.ContactID
	c := w.get(w.key, path).want(200)
	if c.text("name") != "Ada" || c.text("identities", 0, "peer") != "+44" || c.text("open_conversation_ids", 0) != a.ConversationID || c.text("origin_channel", "id") != w.channel(event.SMS) {
		t.Errorf("%s", c.raw)
	}
	if ids := w.get(w.key, "/v1/contacts?limit=1").want(200); len(ids.ids()) != 1 || ids.text("next_cursor") == "" {
		t.Errorf("%s", ids.raw)
	}
	for _, q := range []string{"?phone=%2B44", "?email=ada@example.org", "?email=ada@example.org&phone=%2B44"} {
		if ids := w.get(w.key, "/v1/contacts"+q).want(200).ids(); !slices.Equal(ids, []string{a.ContactID}) {
			t.Errorf("%s: %v", q, ids)
		}
	}
	if ids := w.get(w.key, "/v1/contacts?email=ada@example.org&phone=1").want(200).ids(); len(ids) != 0 {
		t.Errorf("%v", ids)
	}
	p := w.call(w.key, "PATCH", path, object{"name": "Lady Lovelace", "custom_fields": object{"plan": "gold"}, "tags": []string{"vip"}}).want(200)
	if p.text("name") != "Lady Lovelace" || p.text("custom_fields", "plan") != "gold" || p.text("phone") != "+44" {
		t.Errorf("%s", p.raw)
	}
	if p = w.call(w.key, "PATCH", path, object{"custom_fields": object{"plan": nil}, "email": nil}).want(200); p.at("custom_fields", "plan") != nil || p.text("email") != "" || p.text("name") != "Lady Lovelace" {
		t.Errorf("%s", p.raw)
	}
	w.call(w.key, "PATCH", path, object{"name": strings.Repeat("x", 257)}).want(422, "too_long")
	w.call(w.key, "PATCH", path, object{"age": 3}).want(422, "unknown_field")
	w.call(w.apiKey("", auth.ReadAll), "PATCH", path, object{"name": "x"}).want(403, "forbidden")
	w.get(w.apiKey("", auth.ChannelsWrite), "/v1/contacts").want(403, "forbidden")
	w.get(w.apiKey("", auth.ChannelsWrite), path).want(403, "forbidden")
}
