package inbox_test

import (
	"bytes"
	"image"
	pngenc "image/png"
	"mime"
	"mime/multipart"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/record"
	"github.com/tributaryhq/tributary/services/inbox/updates"
)

func TestSend(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	in := w.wrote(event.WhatsApp, "p", "hello")
	a := w.say(w.key, in.ConversationID, object{"text": "hi", "reply_to": in.ID}).want(202)
	if a.text("status") != "queued" || a.text("direction") != "outbound" || a.text("sender", "type") != "app" || a.text("sent_via", "kind") != "api" {
		t.Errorf("%s", a.raw)
	}
	if a.text("reply_to", "message_id") != in.ID || a.text("reply_to", "excerpt") != "hello" {
		t.Errorf("%s", a.raw)
	}
	got := w.get(w.key, "/v1/messages/"+a.text("id")).want(200)
	if got.text("id") != a.text("id") || got.at("seq") != a.at("seq") {
		t.Errorf("%s\n%s", a.raw, got.raw)
	}
	w.say(w.key, in.ConversationID, object{"reaction": object{"message_id": in.ID, "emoji": "👍"}}).want(202)
	w.say(w.key, in.ConversationID, object{"reaction": object{"message_id": in.ID, "emoji": ""}}).want(202)
	note := w.say(w.key, in.ConversationID, object{"direction": "note", "text": "watch out", "mentions": []string{"usr_x"}}).want(202)
	if note.at("status") != nil || note.text("direction") != "note" {
		t.Errorf("%s", note.raw)
	}
	c := w.get(w.key, "/v1/conversations/"+in.ConversationID).want(200)
	if c.text("last_message", "direction") != "outbound" || c.text("last_message", "type") != "reaction" {
		t.Errorf("a note became the last message: %s", c.raw)
	}
}

func TestP3_IdempotencyKeys(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	in := w.wrote(event.WhatsApp, "p", "hello")
	path, key := "/v1/conversations/"+in.ConversationID+"/messages", w.fresh()
	w.post(w.key, path, object{"text": "x"}).want(422, "idempotency_key_missing")
	first := w.post(w.key, path, object{"text": "hi"}, key).want(202)
	if first.header.Get("Idempotency-Replayed") != "" {
		t.Error("the first answer is marked as a repeat")
	}
	w.post(w.key, path, object{"text": "other"}, key).want(422, "idempotency_key_reused")
	w.post(w.key, "/v1/conversations/"+in.ConversationID+"/close", object{}).want(200)
	again := w.post(w.key, path, object{"text": "hi"}, key).want(202) // whatever has changed since
	if again.text("id") != first.text("id") || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%v %s", again.header, again.raw)
	}
	w.post(w.key, path, object{"text": "new"}, w.fresh()).want(409, "conversation_closed")
}

func TestP3_ConcurrentRepeatsMakeOneMessage(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	in := w.wrote(event.SMS, "p", "hello")
	path, key := "/v1/conversations/"+in.ConversationID+"/messages", w.fresh()
	var wg sync.WaitGroup
	ids := make([]string, 16)
	for i := range ids {
		wg.Go(func() { ids[i] = w.post(w.key, path, object{"text": "hi"}, key).text("id") })
	}
	wg.Wait()
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) != 1 || ids[0] == "" {
		t.Errorf("messages %v", ids)
	}
	if n := len(w.get(w.key, path).ids()); n != 2 {
		t.Errorf("%d messages", n)
	}
}

func TestP8_WhatCannotSucceedIsRefused(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	in := w.wrote(event.WhatsApp, "p", "hello")
	png, text := w.upload("a.png", png), w.upload("a.txt", []byte("text"))
	for _, x := range []struct {
		body    object
		code    string
		pointer string
	}{
		{object{"text": strings.Repeat("x", 101)}, "text_too_long", "/text"},
		{object{"text": ""}, "empty_message", "/text"},
		{object{"type": "location", "location": object{"latitude": 1, "longitude": 2}}, "type_not_supported", "/type"},
		{object{"attachment_ids": []string{text}, "type": "image"}, "bad_value", "/type"},
		{object{"attachment_ids": []string{text}, "type": "document"}, "type_not_supported", "/type"},
		{object{"attachment_ids": []string{png, png}}, "too_many_attachments", "/attachment_ids"},
		{object{"attachment_ids": []string{"att_nobody"}}, "bad_value", "/attachment_ids/0"},
		{object{"text": "x", "subject": "y"}, "subject_not_supported", "/subject"},
		{object{"text": "x", "reply_to": "msg_nobody"}, "bad_value", "/reply_to"},
		{object{"interactive": object{"kind": "list"}}, "interactive_not_supported", "/interactive/kind"},
		{object{"reaction": object{"message_id": "msg_nobody", "emoji": "x"}}, "bad_value", "/reaction/message_id"},
		{object{"direction": "note"}, "required", "/text"},
		{object{"text": "x", "colour": "red"}, "unknown_field", "/colour"},
		{object{"type": "poem"}, "bad_value", "/type"},
		{object{"location": object{"latitude": 91, "longitude": 2}}, "out_of_range", "/location/latitude"},
	} {
		a := w.say(w.key, in.ConversationID, x.body).want(422, x.code)
		if got := a.text("errors", 0, "pointer"); got != x.pointer {
			t.Errorf("%s: pointer %s, want %s", x.code, got, x.pointer)
		}
	}
	if n := len(w.get(w.key, "/v1/conversations/"+in.ConversationID+"/messages").ids()); n != 1 {
		t.Errorf("%d messages, although all were refused", n)
	}
}

func TestP8_TheWindow(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	w.late = 23 * time.Hour
	soon := w.wrote(event.WhatsApp, "soon", "hello")
	w.late = 25 * time.Hour
	closed := w.wrote(event.WhatsApp, "closed", "hello")
	state := func(id string) string { return w.get(w.key, "/v1/conversations/"+id).text("window", "state") }
	if a, b := state(soon.ConversationID), state(closed.ConversationID); a != "expiring" || b != "expired" {
		t.Errorf("windows %s, %s", a, b)
	}
	w.say(w.key, soon.ConversationID, object{"text": "still"}).want(202)
	a := w.say(w.key, closed.ConversationID, object{"text": "too late"}).want(422, "window_closed")
	if a.text("allowed", 0) != "template" {
		t.Errorf("%s", a.raw)
	}
	w.say(w.key, closed.ConversationID, object{"template": object{"name": "hello", "language": "en"}}).want(202)
	w.say(w.key, closed.ConversationID, object{"direction": "note", "text": "a note has no window"}).want(202)
	w.wrote(event.SMS, "any", "hello")
	if c := w.wrote(event.SMS, "any", "again"); state(c.ConversationID) != "none" {
		t.Error("a channel without a window shows one")
	}
}

func TestP8_ChannelAndContactMustTakeIt(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	in := w.wrote(event.SMS, "p", "hello")
	w.call(w.key, "PATCH", "/v1/contacts/"+in.ContactID, object{"blocked": true}).want(200)
	w.say(w.key, in.ConversationID, object{"text": "hi"}).want(409, "recipient_blocked")
	w.call(w.key, "PATCH", "/v1/contacts/"+in.ContactID, object{"blocked": false}).want(200)
	w.say(w.key, in.ConversationID, object{"text": "hi"}).want(202)
	put(w, directory.Channels, "ch_off_"+w.id, &directory.Channel{Type: event.SMS, Name: "Off", Version: 1})
	w.post(w.key, "/v1/conversations", object{"channel_id": "ch_off_" + w.id, "peer": "p", "message": object{"text": "x"}}, w.fresh()).want(409, "channel_disabled")
}

func TestAnsweringAssigns(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	agent, agentID := w.user("ann", "agent", "", w.queue())
	boss, bossID := w.user("bob", "supervisor", "")
	in := w.wrote(event.SMS, "p", "hello")
	path := "/v1/conversations/" + in.ConversationID
	w.post(w.key, path+"/assign", object{"queue_id": w.queue()}).want(200)
	w.say(w.key, in.ConversationID, object{"text": "by the API"}).want(202)
	if a := w.get(w.key, path); a.at("assignee") != nil || a.text("handler") != "queue" {
		t.Errorf("an API key holds nothing: %s", a.raw)
	}
	w.say(agent, in.ConversationID, object{"direction": "note", "text": "a note is no answer"}).want(202)
	if a := w.get(w.key, path); a.at("assignee") != nil {
		t.Errorf("%s", a.raw)
	}
	w.say(agent, in.ConversationID, object{"text": "mine"}).want(202)
	if a := w.get(agent, path); a.text("assignee", "id") != agentID || a.text("assignee", "name") != "ann" || a.text("handler") != "human" {
		t.Errorf("%s", a.raw)
	}
	w.say(boss, in.ConversationID, object{"text": "who holds it keeps it"}).want(202)
	if a := w.get(boss, path); a.text("assignee", "id") != agentID {
		t.Errorf("%s", a.raw)
	}
	w.settings(func(s *directory.Settings) { s.AnswerAssignsRoles = []string{"agent"} })
	other := w.wrote(event.SMS, "q", "hello")
	w.say(boss, other.ConversationID, object{"text": "without taking it"}).want(202)
	if a := w.get(boss, "/v1/conversations/"+other.ConversationID); a.at("assignee") != nil {
		t.Errorf("%s got it: %s", bossID, a.raw)
	}
}

func TestResend(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	in := w.wrote(event.SMS, "p", "hello")
	m := w.say(w.key, in.ConversationID, object{"text": "hi"}).want(202)
	id := m.text("id")
	w.post(w.key, "/v1/messages/"+id+"/resend", nil).want(409, "conflict")
	w.settle(id, 1, event.Failed)
	a := w.post(w.key, "/v1/messages/"+id+"/resend", nil).want(202)
	if len(a.at("attempts").([]any)) != 2 || a.text("status") != "queued" {
		t.Errorf("%s", a.raw)
	}
	w.post(w.key, "/v1/messages/"+id+"/resend", nil).want(409, "conflict") // it is on its way
	d := w.get(w.key, "/v1/messages/"+id+"/deliveries").want(200)
	if len(d.at("data").([]any)) != 2 || d.text("data", 0, "status") != "failed" || d.text("data", 1, "status") != "queued" {
		t.Errorf("%s", d.raw)
	}
	type stored struct {
		store.Meta
		provider.Call
	}
	call := &stored{Call: provider.Call{ChannelID: "ch", MessageID: id, AttemptID: d.text("data", 0, "attempt_id"), URL: "https://provider.example/send", At: event.At(time.Now())}}
	call.ID, call.Tenant = "call_1", w.id
	w.ok(store.NewCollection[stored](w.db, provider.CallSpec).Insert(w.Context(), call))
	if d := w.get(w.key, "/v1/messages/"+id+"/deliveries").want(200); d.text("data", 0, "calls", 0, "url") != call.URL { // and nothing of its document
		t.Errorf("%s", d.raw)
	}
	w.post(w.key, "/v1/messages/"+in.ID+"/resend", nil).want(422, "not_applicable")
	note := w.say(w.key, in.ConversationID, object{"direction": "note", "text": "x"}).text("id")
	w.post(w.key, "/v1/messages/"+note+"/resend", nil).want(422, "not_applicable")
	w.settle(id, 2, event.Failed)
	w.post(w.key, "/v1/conversations/"+in.ConversationID+"/close", object{}).want(200)
	w.post(w.key, "/v1/messages/"+id+"/resend", nil).want(409, "conversation_closed")
}

// settle lets delivery status say what became of an attempt.
func (w *tenant) settle(message string, attempt int, s event.DeliveryStatus) {
	w.Helper()
	m, err := w.record.Messages.Get(w.Context(), message)
	w.ok(err)
	a := m.Attempts[attempt-1]
	said := event.Status{MessageID: m.ID, AttemptID: a.ID, Attempt: a.N, Seq: a.Seq + 1, Status: s, Step: event.Step{Status: s, At: event.At(time.Now()), Source: "send"}}
	u := &updates.Consumer{Record: w.record, Now: time.Now}
	w.ok(u.Status(w.Context(), bus.Message{Event: event.New("evt_"+a.ID, event.StatusChanged, "deliverystatus", w.id, m.ID, said.Step.At, said)}))
}

var png = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")

// picture is a PNG of 480 × 320 pixels.
func picture() []byte {
	var b bytes.Buffer
	if err := pngenc.Encode(&b, image.NewGray(image.Rect(0, 0, 480, 320))); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// TestFilesHaveASizeAndAPreview follows both from the upload to the record of what is sent.
func TestFilesHaveASizeAndAPreview(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	in := w.wrote(event.SMS, "p", "hello")
	up := w.uploadAs(w.key, "a.png", picture()).want(201)
	sent := w.say(w.key, in.ConversationID, object{"attachment_ids": []string{up.text("id")}}).want(202)
	for _, a := range []map[string]any{up.body, sent.at("attachments", 0).(map[string]any)} {
		if a["width"] != 480.0 || a["height"] != 320.0 || a["preview_url"] != "/v1/attachments/"+up.text("id")+"/preview" {
			t.Errorf("%v", a)
		}
	}
	got := w.get(w.key, up.text("preview_url")).want(200)
	if cfg, kind, err := image.DecodeConfig(bytes.NewReader(got.raw)); err != nil || kind != "jpeg" || cfg.Width != 240 || cfg.Height != 160 ||
		got.header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("%v %s %v %v", cfg, kind, err, got.header)
	}
	m, err := w.record.Messages.Get(t.Context(), sent.text("id"))
	w.ok(err)
	if keys := record.Blobs(m.Content); len(keys) != 2 || keys[1] != m.Content.Attachments[0].Preview {
		t.Errorf("the message holds %v, and not its preview", keys)
	}
	w.get(w.key, "/v1/attachments/"+w.upload("a.txt", []byte("text"))+"/preview").want(404)
}

func (w *tenant) upload(name string, content []byte) string {
	w.Helper()
	return w.uploadAs(w.key, name, content).want(201).text("id")
}

func (w *tenant) uploadAs(token, name string, content []byte) *answer {
	w.Helper()
	return w.uploadDeclared(token, name, "application/octet-stream", content)
}

func (w *tenant) uploadDeclared(token, name, declared string, content []byte) *answer {
	w.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part := must(form.CreatePart(textproto.MIMEHeader{
		"Content-Type": {declared}, "Content-Disposition": {mime.FormatMediaType("form-data", map[string]string{"name": "file", "filename": name})},
	}))
	must(part.Write(content))
	w.ok(form.Close())
	return w.request(token, "POST", "/v1/attachments", form.FormDataContentType(), &b)
}

func TestWhatAFileIsAndWhatItIsSentAs(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	in := w.wrote(event.SMS, "p", "hello")
	isom := []byte("\x00\x00\x00\x1cftypisom\x00\x00\x02\x00isomiso2mp41\x00\x00\x00\x08free")
	m4a := []byte("\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00M4A mp42isom\x00\x00\x00\x00")
	for _, c := range []struct {
		name, declared string
		content        []byte
		kind, mime     string
		inline         bool
	}{
		{"memo.mp4", "audio/mp4", isom, "audio", "audio/mp4", true},
		{"clip.mp4", "application/octet-stream", isom, "video", "video/mp4", true},
		{"memo.m4a", "application/octet-stream", m4a, "audio", "audio/mp4", true},
		{"memo.m4a", "application/octet-stream", isom, "audio", "audio/mp4", true},
		{"photo.png", "image/png", []byte("<!doctype html><script>alert(1)</script>"), "document", "text/html; charset=utf-8", false},
		{"photo.jpg", "image/jpeg", png, "image", "image/png", true},
	} {
		up := w.uploadDeclared(w.key, c.name, c.declared, c.content).want(201)
		if up.text("type") != c.kind || up.text("mime") != c.mime {
			t.Errorf("%s as %s: %s", c.name, c.declared, up.raw)
		}
		got := w.get(w.key, "/v1/attachments/"+up.text("id")).want(200)
		if inline := strings.HasPrefix(got.header.Get("Content-Disposition"), "inline"); got.header.Get("Content-Type") != c.mime || inline != c.inline {
			t.Errorf("%s is served with %v", c.name, got.header)
		}
	}
	id := w.upload("scan.png", png)
	sent := w.say(w.key, in.ConversationID, object{"type": "document", "attachment_ids": []string{id}}).want(202)
	if sent.text("type") != "document" || sent.text("attachments", 0, "type") != "document" {
		t.Errorf("%s", sent.raw)
	}
	w.say(w.key, in.ConversationID, object{"type": "video", "attachment_ids": []string{id}}).want(422, "bad_value")
	w.say(w.key, in.ConversationID, object{"type": "voice", "text": "without a file"}).want(422, "required")
}

func TestAttachments(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	agent, _ := w.user("ann", "agent", "", w.queue())
	colleague, _ := w.user("cat", "agent", "", w.queue())
	stranger, _ := w.user("dan", "agent", "")
	in := w.wrote(event.SMS, "p", "hello")
	w.post(w.key, "/v1/conversations/"+in.ConversationID+"/assign", object{"queue_id": w.queue()}).want(200)
	page := []byte("<!doctype html><script>alert(1)</script>")
	up := w.uploadAs(agent, `../../etc/x"<b>.png`, page).want(201)
	id := up.text("id")
	if up.text("mime") != "text/html; charset=utf-8" || up.text("type") != "document" || strings.ContainsAny(up.text("name"), `/\"`) {
		t.Errorf("%s", up.raw)
	}
	a := w.get(agent, "/v1/attachments/"+id).want(200)
	if !bytes.Equal(a.raw, page) || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") ||
		a.header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(a.header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%v %q", a.header, a.raw)
	}
	w.get(colleague, "/v1/attachments/"+id).want(404) // not sent yet
	sent := w.say(agent, in.ConversationID, object{"attachment_ids": []string{id}}).want(202)
	m, err := w.record.Messages.Get(t.Context(), sent.text("id"))
	if err != nil {
		t.Fatal(err)
	}
	held := store.NewCollection[blob.Reference](w.db, blob.Specs[1])
	if rs, _, _, err := held.Query(t.Context(), store.Query{Where: []store.Eq{{Field: "key", Value: m.Content.Attachments[0].Blob}}, Order: "at"}); err != nil ||
		!slices.ContainsFunc(rs, func(r *blob.Reference) bool { return r.Owner == m.ID }) {
		t.Errorf("the message holds no file: %v %v", rs, err)
	}
	w.get(stranger, "/v1/attachments/"+id).want(404)
	w.post(w.key, "/v1/conversations/"+in.ConversationID+"/assign", object{"queue_id": w.queue()}).want(200)
	w.get(colleague, "/v1/attachments/"+id).want(200)
	if a := w.get(w.key, "/v1/attachments/"+w.upload("a.png", png)); a.header.Get("Content-Type") != "image/png" || !strings.HasPrefix(a.header.Get("Content-Disposition"), "inline") {
		t.Errorf("%v", a.header)
	}
	w.get(w.key, "/v1/attachments/att_nobody").want(404)
	w.post(w.key, "/v1/attachments", object{}).want(415, "unsupported_media_type")
	w.request(w.key, "POST", "/v1/attachments", "multipart/form-data; boundary=x", strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n--x--")).want(422, "required")
	reader := w.apiKey("", auth.ReadAll)
	w.uploadAs(reader, "a.png", png).want(403, "forbidden")
}

// A file that a refused message names stays an unused upload, which is deleted when its time is over.
func TestTheFilesOfARefusedMessageStillExpire(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	closed := w.wrote(event.SMS, "closed", "x").ConversationID
	w.post(w.key, "/v1/conversations/"+closed+"/close", object{}).want(200)
	blocked := w.wrote(event.SMS, "blocked", "x")
	w.call(w.key, "PATCH", "/v1/contacts/"+blocked.ContactID, object{"blocked": true}).want(200)
	window := w.wrote(event.WhatsApp, "late", "x", func(in *event.Inbound) {
		in.ProviderAt = event.At(time.Now().Add(-25 * time.Hour))
	}).ConversationID
	for name, conversation := range map[string]string{"closed": closed, "blocked": blocked.ConversationID, "window": window} {
		id := w.upload("a.png", png)
		if a := w.say(w.key, conversation, object{"attachment_ids": []string{id}}); a.status < 400 {
			t.Fatalf("%s: %s", name, a.raw)
		}
		f, err := w.record.Files.Get(t.Context(), id)
		if err != nil || f.ExpiresAt.IsZero() || len(f.Conversations) > 0 {
			t.Errorf("%s: %+v %v", name, f, err)
		}
	}
}

// What is in the file store is named by attachment ids alone, wherever a message may name a file.
func TestP10_NoMessageNamesAKeyOfTheFileStore(t *testing.T) {
	t.Parallel()
	w, other := newTenant(t), newTenant(t)
	in := w.wrote(event.WhatsApp, "p", "hello")
	mine, theirs := w.upload("a.png", png), other.upload("b.png", png)
	f, err := open().record.Files.Get(t.Context(), mine)
	if err != nil {
		t.Fatal(err)
	}
	agent, _ := w.user("blob", "agent", "")
	colleagues := w.uploadAs(agent, "c.png", png).want(201).text("id")
	header := func(attachment object) object {
		return object{"template": object{"name": "x", "language": "en", "components": []any{object{"type": "header", "parameters": []any{
			object{"type": "image", "attachment": attachment}}}}}}
	}
	for name, body := range map[string]object{
		"template":           header(object{"type": "image", "mime": "image/png", "blob": f.Blob}),
		"template, ready":    header(object{"id": mine, "blob": f.Blob, "state": "ready"}),
		"template, sha":      header(object{"id": mine, "sha256": f.SHA256}),
		"template, nothing":  header(object{"type": "image"}),
		"template, two ways": header(object{"id": mine, "url": "https://files.example/a.png"}),
		"template, inside":   header(object{"url": "http://127.0.0.1/a.png"}),
		"template, file":     header(object{"url": "file:///etc/passwd"}),
		"template, foreign":  header(object{"id": theirs}),
		"template, unsent":   header(object{"id": colleagues}),
		"ids":                {"attachment_ids": []string{f.Blob}},
		"foreign":            {"attachment_ids": []string{theirs}},
		"unsent":             {"attachment_ids": []string{colleagues}},
		"attachments":        {"attachments": []any{object{"type": "image", "blob": f.Blob}}},
		"card":               {"contacts": []any{object{"name": "A", "blob": f.Blob}}},
		"interactive":        {"interactive": object{"kind": "buttons", "body": "b", "attachment": object{"blob": f.Blob}}},
		"raw":                {"text": "x", "raw": object{"blob": f.Blob}},
	} {
		if a := w.say(w.key, in.ConversationID, body); a.status != 422 {
			t.Errorf("%s: %d %s", name, a.status, a.raw)
		}
		if a := w.post(w.key, "/v1/conversations", object{"channel_id": in.ChannelID, "peer": "p2", "message": body}, w.fresh()); a.status != 422 {
			t.Errorf("%s, starting: %d %s", name, a.status, a.raw)
		}
	}
	sent := w.say(w.key, in.ConversationID, header(object{"id": mine})).want(202)
	m, err := open().record.Messages.Get(t.Context(), sent.text("id"))
	if err != nil || m.Content.Template.Components[0].Parameters[0].Attachment.Blob != f.Blob {
		t.Errorf("an uploaded file is not in the template: %+v %v", m, err)
	}
	w.say(w.key, in.ConversationID, header(object{"url": "https://files.example/a.png"})).want(202)
	if again, err := open().record.Files.Get(t.Context(), mine); err != nil || !again.ExpiresAt.IsZero() {
		t.Errorf("the file of a sent template still expires: %+v %v", again, err)
	}
}

func TestStart(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	start := func(body object, hs ...header) *answer { return w.post(w.key, "/v1/conversations", body, hs...) }
	a := start(object{"channel_id": w.channel(event.SMS), "peer": "+44", "name": "Ada", "message": object{"text": "hi"}}, w.fresh()).want(201)
	id := a.text("conversation", "id")
	if a.text("message", "conversation_id") != id || a.text("conversation", "contact", "name") != "Ada" || a.text("conversation", "opened_by", "kind") != "api" {
		t.Errorf("%s", a.raw)
	}
	if b := start(object{"channel_id": w.channel(event.SMS), "contact_id": a.text("conversation", "contact", "id")}).want(201); b.text("conversation", "id") != id {
		t.Errorf("another conversation, although one is open: %s", b.raw)
	}
	start(object{"channel_id": w.channel(event.SMS), "peer": "+44", "message": object{"text": "x"}}).want(422, "idempotency_key_missing")
	start(object{"channel_id": w.channel(event.Instagram), "peer": "x"}).want(422, "cannot_start")
	start(object{"channel_id": w.channel(event.WhatsApp), "peer": "x", "message": object{"text": "cold"}}, w.fresh()).want(422, "cannot_start")
	start(object{"channel_id": w.channel(event.WhatsApp), "peer": "x", "message": object{"template": object{"name": "a", "language": "en"}}}, w.fresh()).want(201)
	start(object{"channel_id": "ch_nobody", "peer": "x"}).want(422, "bad_value")
	start(object{"channel_id": w.channel(event.SMS)}).want(422, "required")
	start(object{"channel_id": w.channel(event.SMS), "contact_id": "cnt_nobody"}).want(422, "bad_value")
	before := len(w.get(w.key, "/v1/conversations").ids())
	start(object{"channel_id": w.channel(event.SMS), "peer": "+45", "message": object{"type": "location", "location": object{"latitude": 1, "longitude": 1}}}, w.fresh()).want(422, "type_not_supported")
	if after := len(w.get(w.key, "/v1/conversations").ids()); after != before {
		t.Error("a refused first message left a conversation")
	}
}

func TestP3_StartsThatAreRepeatedStartNothing(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	for i, body := range []object{
		{"channel_id": w.channel(event.SMS), "peer": "a"},
		{"channel_id": w.channel(event.SMS), "peer": "b", "message": object{"text": "hi"}},
	} {
		key := w.fresh()
		id := w.post(w.key, "/v1/conversations", body, key).want(201).text("conversation", "id")
		w.post(w.key, "/v1/conversations/"+id+"/close", object{}).want(200)
		a := w.post(w.key, "/v1/conversations", body, key).want(201)
		if a.text("conversation", "id") != id || a.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("%d: %v %s", i, a.header, a.raw)
		}
		body["peer"] = "c"
		w.post(w.key, "/v1/conversations", body, key).want(422, "idempotency_key_reused")
	}
}

func TestClosedAnswersWithTheOpenOne(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	first := w.wrote(event.SMS, "p", "hello")
	path := "/v1/conversations/" + first.ConversationID
	w.post(w.key, path+"/close", object{}).want(200)
	if a := w.say(w.key, first.ConversationID, object{"text": "x"}).want(409, "conversation_closed"); a.at("open_conversation_id") != nil {
		t.Errorf("%s", a.raw)
	}
	second := w.wrote(event.SMS, "p", "again")
	for _, a := range []*answer{
		w.say(w.key, first.ConversationID, object{"text": "x"}), w.post(w.key, path+"/reopen", nil),
		w.post(w.key, path+"/assign", object{"queue_id": w.queue()}),
	} {
		if a.want(409, "conversation_closed"); a.text("open_conversation_id") != second.ConversationID {
			t.Errorf("%s", a.raw)
		}
	}
}

// A file that the channel cannot carry goes as a link if its author says so; what is stored and shown is what the author sent.
func TestP8_WhatAChannelDoesNotTakeIsSentAsALink(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	bare, short := w.wrote(event.RCS, "+4915100000077", "hi").ConversationID, w.wrote(event.WhatsApp, "ann", "hi").ConversationID
	note := w.upload("a.txt", []byte("text"))
	a := w.say(w.key, bare, object{"attachment_ids": []string{note}, "text": "see"}).want(422, "type_not_supported")
	if !bytes.Contains(a.raw, []byte("as_link")) {
		t.Errorf("the refusal does not say what to do: %s", a.raw)
	}
	linked := object{"attachment_ids": []string{note}, "text": "see", "as_link": true}
	check := w.post(w.key, "/v1/conversations/"+bare+"/messages/check", linked).want(200)
	if check.at("ok") != true || check.text("type") != "text" || check.at("parts") != 1.0 {
		t.Errorf("check: %s", check.raw)
	}
	m := w.get(w.key, "/v1/messages/"+w.say(w.key, bare, linked).want(202).text("id")).want(200)
	if m.at("as_link") != true || m.text("text") != "see" || m.text("attachments", 0, "id") != note || m.text("type") != "document" {
		t.Errorf("shown: %s", m.raw)
	}
	if a := w.say(w.key, short, linked).want(422, "text_too_long"); a.text("errors", 0, "pointer") != "/text" {
		t.Errorf("the link counts: %s", a.raw)
	}
	own := w.upload("a.png", png)
	if m := w.say(w.key, short, object{"attachment_ids": []string{own}, "as_link": true}).want(202); m.text("type") != "image" {
		t.Errorf("what the channel takes stays a file: %s", m.raw)
	}
}
