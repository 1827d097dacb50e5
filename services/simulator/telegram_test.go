package simulator_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/telegram"
)

const ivo = "6120045577"

func bot(t *testing.T) *world {
	w := newWorld(t)
	w.open(telegram.Adapter{}, event.Telegram, "/simulator/telegram", obj{"bot_username": "@demo_bot"},
		map[string]string{"bot_token": "7000001:AA-token", "webhook_secret": "hook_secret"})
	return w
}

func toIvo(c event.Content) event.Outbound {
	return event.Outbound{AttemptID: "att_1", Peer: ivo, Content: c}
}

func TestTelegramPersonWrites(t *testing.T) {
	t.Parallel()
	w := bot(t)
	first := w.write(obj{"from": "+" + ivo, "name": "Ivo Kovač", "username": "ivo", "text": "bok 😀"})
	if first.Peer != ivo || first.Content.Text != "bok 😀" || first.Sender.Name != "Ivo Kovač" || first.Sender.Username != "ivo" {
		t.Errorf("arrived %+v %+v", first, first.Sender)
	}
	for kind, want := range map[string]event.MessageType{
		"image": event.Image, "audio": event.Audio, "video": event.Video, "document": event.Document, "sticker": event.Sticker,
		"location": event.LocationType, "contacts": event.ContactsType, "unsupported": event.Unsupported, "referral": event.Text,
	} {
		if e := w.write(obj{"from": ivo, "kind": kind, "text": "look"}); e.Type != event.MessageReceived || e.Content.Type != want {
			t.Errorf("%s arrived as %s %+v", kind, e.Type, e.Content)
		}
	}
	if e := w.write(obj{"from": ivo, "text": "re", "reply_to": first.ExternalID}); e.Content.ReplyTo == nil || e.Content.ReplyTo.ExternalID != first.ExternalID {
		t.Errorf("reply: %+v", e.Content)
	}
	for kind, want := range map[string]event.Type{"reaction": event.MessageReacted, "edit": event.MessageEdited} {
		if e := w.write(obj{"from": ivo, "kind": kind, "text": "👍", "target": first.ExternalID}); e.Type != want || e.Target != first.ExternalID {
			t.Errorf("%s arrived as %+v", kind, e)
		}
	}
	if e := w.write(obj{"from": ivo, "business": "bc1", "text": "hi"}); e.Peer != "bc1:"+ivo {
		t.Errorf("business: %+v", e)
	}
	if e := w.write(obj{"from": ivo, "business": "bc1", "kind": "delete"}); e.Type != event.MessageDeleted {
		t.Errorf("deleted: %+v", e)
	}
	if e := w.write(obj{"from": ivo, "business": "bc1", "kind": "echo", "text": "from the app"}); e.Type != event.MessageEchoed || e.Peer != "bc1:"+ivo {
		t.Errorf("echo: %+v", e)
	}
	if e := w.write(obj{"from": ivo, "kind": "reaction", "target": first.ExternalID, "removed": true}); e.Reaction.Action != "remove" {
		t.Errorf("removed: %+v", e.Reaction)
	}
	if e := w.write(obj{"from": ivo, "group": "-1001234", "text": "all"}); e.Peer != "-1001234" || e.Sender.Author != ivo {
		t.Errorf("group: %+v", e)
	}
	if status, body := w.call(w.key, "POST", "/simulator/inbound", obj{"type": "telegram", "from": ivo, "kind": "delete"}, nil); status != 422 || !strings.Contains(body, "business") {
		t.Errorf("a deletion in an ordinary chat: %d %s", status, body)
	}
}

func TestTelegramMediaRoundTrip(t *testing.T) {
	t.Parallel()
	w := bot(t)
	for kind, magic := range map[string]string{"image": "\xff\xd8\xff", "document": "%PDF", "sticker": "RIFF"} {
		e := w.write(obj{"from": ivo, "kind": kind})
		if b := w.fetch(e.Content.Attachments[0]); !strings.HasPrefix(string(b), magic) {
			t.Errorf("%s begins with %q", kind, b[:min(len(b), 8)])
		}
	}
	w.blobs["a"], w.blobs["b"] = "\xff\xd8\xff one", "\xff\xd8\xff two"
	pictures := []event.Attachment{{Type: event.Image, MIME: "image/jpeg", Name: "1.jpg", Blob: "a"}, {Type: event.Image, MIME: "image/jpeg", Name: "2.jpg", Blob: "b"}}
	if out := w.send(toIvo(event.Content{Type: event.Image, Text: "two", Attachments: pictures})); len(out) != 1 || out[0].err != nil || len(out[0].Refs) != 2 {
		t.Errorf("album: %+v", out)
	}
	w.one(toIvo(event.Content{Type: event.Image, Attachments: pictures[:1]}))
	w.one(toIvo(event.Content{Type: event.Image, Attachments: []event.Attachment{{Type: event.Image, MIME: "image/png", URL: "https://cdn.example/p.png"}}}))
	out := w.send(toIvo(event.Content{Type: event.Image, Attachments: []event.Attachment{{Type: event.Image, MediaRef: "nobody-has-this"}}}))
	if e := fault.Of(out[0].err); e == nil || e.Code != channel.CodeMediaRejected {
		t.Errorf("an unknown file: %v", out[0].err)
	}
	if got := w.accepted("?type=telegram"); len(got) != 3 || got[0].Kind != "album" || got[0].Text != "two" {
		t.Errorf("accepted: %+v", got)
	}
}

// TestTelegramUpdatesHaveWhatTheBotAPIAlwaysGives: fields that the Bot API does not call optional, and SDKs demand.
func TestTelegramUpdatesHaveWhatTheBotAPIAlwaysGives(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bodies := make(chan []byte, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies <- b
	}))
	t.Cleanup(hook.Close)
	w.must("POST", "/simulator/accounts", obj{"type": "telegram", "settings": obj{"bot_username": "raw_bot"}, "secrets": obj{"bot_token": "7000002:AA"}, "webhook_url": hook.URL}, nil)
	for _, c := range []struct {
		kind  string
		paths []string
	}{
		{"block", []string{"my_chat_member.new_chat_member.until_date"}},
		{"unblock", []string{"my_chat_member.old_chat_member.until_date"}},
		{"unsupported", []string{"message.gift.gift.star_count", "message.gift.gift.sticker.file_id"}},
	} {
		w.must("POST", "/simulator/inbound", obj{"type": "telegram", "account": "raw_bot", "from": ivo, "kind": c.kind}, nil)
		body := <-bodies
		for _, path := range c.paths {
			if !gjson.GetBytes(body, path).Exists() {
				t.Errorf("%s: no %s in %s", c.kind, path, body)
			}
		}
	}
}

// TestTelegramLocalServer: what a server in local mode lifts, and what it does not.
func TestTelegramLocalServer(t *testing.T) {
	t.Parallel()
	for server, lifted := range map[string]bool{"cloud": false, "local": true} {
		w := newWorld(t)
		w.open(telegram.Adapter{}, event.Telegram, "/simulator/telegram", obj{"bot_username": "@demo_bot", "server": server},
			map[string]string{"bot_token": "7000001:AA-token", "webhook_secret": "hook_secret"})
		if _, err := w.do(channel.Request{Method: "POST", URL: w.url + "/simulator/telegram/bot{bot_token}/setWebhook?url=" + w.gateway.URL + "&secret_token=hook_secret"}); err != nil {
			t.Fatal(err) // what is registered again stays what it is
		}
		for size, taken := range map[int]bool{25 << 20: true, 51 << 20: lifted} {
			w.blobs["f"] = strings.Repeat("%PDF-1.7", size/8)
			resp, err := w.do(channel.Request{Method: "POST", URL: w.url + "/simulator/telegram/bot{bot_token}/sendDocument", Form: []channel.Part{
				{Name: "chat_id", Value: ivo}, {Name: "document", Blob: "f", File: "f.pdf", MIME: "application/pdf"}}})
			if err != nil || (resp.Status == http.StatusOK) != taken {
				t.Fatalf("%s: a file of %d bytes: %d %v", server, size, resp.Status, err)
			}
			if !taken {
				continue
			}
			id := gjson.GetBytes(resp.Body, "result.document.file_id").String()
			got, err := w.tryFetch(event.Attachment{Type: event.Document, MediaRef: id})
			if e := fault.Of(err); lifted && string(got) != w.blobs["f"] || !lifted && (e == nil || e.Code != channel.CodeMediaTooLarge) {
				t.Errorf("%s: fetched %d bytes of %d: %v", server, len(got), size, err)
			}
		}
		w.blobs["f"] = strings.Repeat("\xff\xd8\xff ", 11<<18)
		resp, err := w.do(channel.Request{Method: "POST", URL: w.url + "/simulator/telegram/bot{bot_token}/sendPhoto", Form: []channel.Part{
			{Name: "chat_id", Value: ivo}, {Name: "photo", Blob: "f", File: "f.jpg", MIME: "image/jpeg"}}})
		if err != nil || resp.Status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: a photo of 11 MB: %d %v", server, resp.Status, err)
		}
	}
}

func TestTelegramTakesEveryKind(t *testing.T) {
	t.Parallel()
	w := bot(t)
	ref := w.one(toIvo(event.Content{Type: event.Text, Text: "hello"}))
	if !strings.HasPrefix(ref, ivo+":") {
		t.Errorf("ref %s", ref)
	}
	for _, c := range []event.Content{
		{Type: event.Text, Text: "re", ReplyTo: &event.Quote{ExternalID: ref}},
		{Type: event.LocationType, Location: &event.Location{Latitude: 1, Longitude: 2}},
		{Type: event.LocationType, Location: &event.Location{Latitude: 1, Longitude: 2, Name: "Here", Address: "There"}},
		{Type: event.ContactsType, Contacts: []event.Card{{Name: "Ben", Phones: []string{"+491511"}}}},
		{Type: event.InteractType, Interactive: &event.Interactive{Kind: "buttons", Body: "Which?", Buttons: []event.Choice{{ID: "a", Title: "First"}, {ID: "b", Title: "Second"}}}},
	} {
		w.one(toIvo(c))
	}
	e := w.write(obj{"from": ivo, "kind": "button", "text": "second"})
	if e.Content.Interaction == nil || e.Content.Interaction.Payload != "b" {
		t.Errorf("pressed: %+v", e.Content.Interaction)
	}
	for _, msg := range []event.Outbound{
		toIvo(event.Content{Type: event.ReactionType, Reaction: &event.Reaction{Target: ref, Emoji: "👍"}}),
		{Peer: ivo, Signal: "typing_on"}, {Peer: ivo, Signal: "ack", ReplyHandle: e.Content.Interaction.Ack}, {Peer: "bc1:" + ivo, Signal: "read", InReplyTo: "bc1:" + ref},
	} {
		if out := w.send(msg); len(out) != 1 || out[0].err != nil {
			t.Errorf("%s %s: %+v", msg.Signal, msg.Content.Type, out)
		}
	}
}

// What changes a message names it, so that people see the change on the message.
func TestChangesNameTheirMessages(t *testing.T) {
	t.Parallel()
	check := func(w *world, want map[string][]string) {
		t.Helper()
		got := map[string][]string{}
		for _, m := range w.accepted("") {
			got[m.Kind] = append(got[m.Kind], m.About...)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	w := bot(t)
	first, second := w.one(toIvo(event.Content{Type: event.Text, Text: "one"})), w.one(toIvo(event.Content{Type: event.Text, Text: "two"}))
	number := func(ref string) string { _, n, _ := strings.Cut(ref, ":"); return n }
	for _, call := range []string{
		"setMessageReaction?chat_id=" + ivo + "&message_id=" + number(first) + "&reaction=" + url.QueryEscape(`[{"type":"emoji","emoji":"👍"}]`),
		"editMessageText?chat_id=" + ivo + "&message_id=" + number(first) + "&text=once",
		"deleteMessages?chat_id=" + ivo + "&message_ids=[" + number(first) + "," + number(second) + "]",
	} {
		if resp, err := w.do(channel.Request{Method: "POST", URL: w.url + "/simulator/telegram/bot{bot_token}/" + call}); err != nil || resp.Status != http.StatusOK {
			t.Fatalf("%s: %d %s %v", call, resp.Status, resp.Body, err)
		}
	}
	check(w, map[string][]string{"text": nil, "reaction": {first}, "edit": {first}, "delete": {first, second}})

	w = cloud(t)
	ref := w.one(event.Outbound{AttemptID: "att_1", Peer: ana, Content: event.Content{Type: event.Text, Text: "hello"}})
	w.one(event.Outbound{AttemptID: "att_2", Peer: ana, Content: event.Content{Type: event.ReactionType, Reaction: &event.Reaction{Target: ref, Emoji: "👍"}}})
	check(w, map[string][]string{"text": nil, "reaction": {ref}})
}

func TestTelegramRefusals(t *testing.T) {
	t.Parallel()
	w := bot(t)
	hello := toIvo(event.Content{Type: event.Text, Text: "hello"})
	for name, c := range map[string]struct {
		script obj
		kind   fault.Kind
		code   string
	}{
		"blocked":   {obj{"recipients": obj{ivo: "blocked"}}, fault.Gone, channel.CodeRecipientBlocked},
		"not found": {obj{"recipients": obj{ivo: "unknown"}}, fault.Gone, channel.CodeRecipientUnknown},
		"too many":  {obj{"fail": obj{"code": 429, "retry_after": 17}}, fault.Throttled, channel.CodeRateLimited},
		"proxy":     {obj{"fail": obj{"status": 502}}, fault.Unknown, channel.CodeUnclear},
	} {
		w.must("PUT", "/simulator/script", c.script, nil)
		out := w.send(hello)
		if e := fault.Of(out[0].err); e == nil || e.Kind != c.kind || e.Code != c.code || name == "too many" && e.After.Seconds() != 17 {
			t.Errorf("%s: %v", name, out[0].err)
		}
	}
	w.must("PUT", "/simulator/script", obj{}, nil)
	w.write(obj{"from": ivo, "kind": "block"})
	if out := w.send(hello); !fault.Is(out[0].err, fault.Gone) {
		t.Errorf("blocked by the person: %v", out[0].err)
	}
	w.write(obj{"from": ivo, "kind": "unblock"})
	w.one(hello)
	w.ch.Secrets["bot_token"] = []string{"7000001:wrong"}
	if out := w.send(hello); !fault.Is(out[0].err, fault.Denied) {
		t.Errorf("a wrong token: %v", out[0].err)
	}
}

// TestTelegramGroupMoves: the group has another id now, which the adapter takes up by itself.
func TestTelegramGroupMoves(t *testing.T) {
	t.Parallel()
	w := bot(t)
	w.must("PUT", "/simulator/script", obj{"fail": obj{"code": 400, "message": "Bad Request: group chat was upgraded to a supergroup chat", "migrate_to_chat_id": -1007, "to": "-7"}}, nil)
	out := w.send(event.Outbound{Peer: "-7", Content: event.Content{Type: event.Text, Text: "all"}})
	if len(out) != 1 || out[0].err != nil || !strings.HasPrefix(out[0].Refs[0], "-1007:") {
		t.Errorf("moved: %+v", out)
	}
	ref := w.one(event.Outbound{Peer: "@news", Content: event.Content{Type: event.Text, Text: "to a channel"}})
	if got := w.accepted(""); len(got) != 2 || got[1].ID != ref {
		t.Errorf("accepted %+v, ref %s", got, ref)
	}
}

func TestTelegramSetup(t *testing.T) {
	t.Parallel()
	w := bot(t)
	reqs, err := w.adapt.(channel.Setup).SetupRequests(w.ch, w.gateway.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range reqs {
		if resp, err := w.do(r); err != nil || resp.Status != http.StatusOK {
			t.Errorf("%d %s %v", resp.Status, resp.Body, err)
		}
	}
	if e := w.write(obj{"from": ivo, "kind": "reaction", "text": "👍", "target": "5"}); e.Type != event.MessageReacted {
		t.Errorf("a reaction, asked for: %+v", e)
	}
	if _, err := w.do(channel.Request{Method: "POST", URL: w.url + "/simulator/telegram/bot{bot_token}/setWebhook?allowed_updates=%5B%22message%22%5D&url=" + w.gateway.URL + "&secret_token=hook_secret"}); err != nil {
		t.Fatal(err)
	}
	if status, _ := w.call(w.key, "POST", "/simulator/inbound", obj{"type": "telegram", "from": ivo, "kind": "reaction", "text": "👍", "target": "5"}, nil); status != 409 {
		t.Errorf("a reaction, not asked for: %d", status)
	}
	if resp, err := w.do(channel.Request{Method: "POST", URL: w.url + "/simulator/telegram/bot{bot_token}/setWebhook?url=https://metadata.internal/"}); err != nil || resp.Status != 400 {
		t.Errorf("a foreign webhook: %d %v", resp.Status, err)
	}
}

// TestTelegramChatsAreInOrder: what fails holds back what comes after it in the same chat, and only that.
func TestTelegramChatsAreInOrder(t *testing.T) {
	t.Parallel()
	w := bot(t)
	w.status = 500
	var got struct{ Status int }
	w.must("POST", "/simulator/inbound", obj{"type": "telegram", "from": ivo, "text": "0"}, &got)
	if got.Status != 500 {
		t.Fatalf("answered %d", got.Status)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.call(w.key, "POST", "/simulator/inbound", obj{"type": "telegram", "from": ivo, "text": "1"}, nil)
	}()
	w.until("a second try", func() bool { return w.calls >= 3 })
	w.mu.Lock()
	w.status = 0
	w.mu.Unlock()
	<-done
	es := w.wait(2)
	if es[0].Content.Text != "0" || es[1].Content.Text != "1" {
		t.Errorf("in the order %q, %q", es[0].Content.Text, es[1].Content.Text)
	}
}

// Edits and deletions do what Telegram documents, the second time and after 48 hours as well.
func TestTelegramEditsAndDeletes(t *testing.T) {
	t.Parallel()
	w := bot(t)
	one, two := w.one(toIvo(event.Content{Type: event.Text, Text: "one"})), w.one(toIvo(event.Content{Type: event.Text, Text: "two"}))
	act := func(kind event.ActionKind, text string, refs ...string) string {
		msg := toIvo(event.Content{Type: event.Text, Text: text})
		msg.Action = &event.Action{Kind: kind, Target: event.Target{Type: event.Text, Parts: []event.TargetPart{{ExternalIDs: refs}}}}
		out := w.send(msg)
		if len(out) != 1 || out[0].err != nil {
			return fault.Of(out[0].err).Code
		}
		return string(out[0].Status)
	}
	for _, step := range []struct {
		kind event.ActionKind
		text string
		refs []string
		want string
	}{
		{event.ActionEdit, "uno", []string{one}, "sent"},
		{event.ActionEdit, "uno", []string{one}, "sent"}, // it says so already
		{event.ActionEdit, "one", []string{one}, "sent"},
		{event.ActionUnsend, "", []string{one}, "sent"},
		{event.ActionUnsend, "", []string{one}, "sent"}, // it is gone already
		{event.ActionEdit, "late", []string{one}, "target_missing"},
		{event.ActionUnsend, "", []string{one, two}, "sent"}, // the plural call passes over what is gone
		{event.ActionEdit, "late", []string{two}, "target_missing"},
	} {
		if got := act(step.kind, step.text, step.refs...); got != step.want {
			t.Errorf("%s %q of %v: %s, want %s", step.kind, step.text, step.refs, got, step.want)
		}
	}
	var kinds []string
	for _, m := range w.accepted("?type=telegram") {
		kinds = append(kinds, m.Kind+" "+m.Text)
	}
	if got, want := strings.Join(kinds, ", "), "text one, text two, edit uno, edit one, delete , delete "; got != want {
		t.Errorf("accepted %q, want %q", got, want)
	}
}
