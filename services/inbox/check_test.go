package inbox_test

import (
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// TestP8_CheckAnswersLikeSending: what the check says of a draft is what sending it answers, and the check leaves nothing behind.
func TestP8_CheckAnswersLikeSending(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	open := w.wrote(event.WhatsApp, "ann", "hi").ConversationID
	long := w.wrote(event.SMS, "+4915100000001", "hi").ConversationID
	w.late = 25 * time.Hour
	late := w.wrote(event.WhatsApp, "bob", "hi").ConversationID
	w.late = 0
	shut := w.wrote(event.WhatsApp, "cid", "hi").ConversationID
	w.post(w.key, "/v1/conversations/"+shut+"/close", object{}).want(200)
	blocked := w.wrote(event.WhatsApp, "dan", "hi")
	w.call(w.key, "PATCH", "/v1/contacts/"+blocked.ContactID, object{"blocked": true}).want(200)
	buttons := func(ids ...string) object {
		var out []object
		for _, id := range ids {
			out = append(out, object{"id": id, "title": id})
		}
		return object{"interactive": object{"kind": "buttons", "body": "?", "buttons": out}}
	}
	for _, c := range []struct {
		name, conversation string
		draft              object
		code, pointer      string
		parts              float64
	}{
		{"text", open, object{"text": "hello"}, "", "", 1},
		{"note", open, object{"text": "hello", "direction": "note"}, "", "", 0},
		{"unnamed file", open, object{"attachment_ids": []string{"att_none"}}, "bad_value", "/attachment_ids/0", 0},
		{"two choices of one id", open, buttons("a", "a"), "duplicate_id", "/interactive/buttons/1/id", 0},
		{"template with a text", open, object{"text": "x", "template": object{"name": "a", "language": "en"}}, "not_together", "/text", 0},
		{"location", open, object{"location": object{"latitude": 1, "longitude": 2}}, "type_not_supported", "/type", 0},
		{"window closed", late, object{"text": "hello"}, "window_closed", "", 0},
		{"template while it is closed", late, object{"template": object{"name": "a", "language": "en"}}, "", "", 1},
		{"conversation closed", shut, object{"text": "hello"}, "conversation_closed", "", 0},
		{"blocked", blocked.ConversationID, object{"text": "hello"}, "recipient_blocked", "", 0},
		{"segments", long, object{"text": "héllo €"}, "", "", 1},
	} {
		path := "/v1/conversations/" + c.conversation
		before := w.get(w.key, path).want(200).at("seq")
		a := w.post(w.key, path+"/messages/check", c.draft).want(200)
		if after := w.get(w.key, path).at("seq"); after != before {
			t.Errorf("%s: the check left something behind: seq %v, then %v", c.name, before, after)
		}
		code, pointer := "", ""
		if len(a.at("errors").([]any)) > 0 {
			code = a.text("errors", 0, "code")
			pointer, _ = a.at("errors", 0).(map[string]any)["pointer"].(string)
		}
		if code != c.code || pointer != c.pointer || a.at("ok") != (c.code == "") || a.at("parts") != c.parts {
			t.Errorf("%s: %s, want %s at %s and %v parts", c.name, a.raw, c.code, c.pointer, c.parts)
		}
		sent := w.say(w.key, c.conversation, c.draft)
		if (sent.status == 202) != (c.code == "") || c.code != "" && sent.code() != c.code {
			t.Errorf("%s: the check says %q, sending answers %d %s", c.name, code, sent.status, sent.raw)
		}
	}
	a := w.post(w.key, "/v1/conversations/"+late+"/messages/check", object{"text": "x"}).want(200)
	if a.text("window", "state") != "expired" || a.text("alternatives", 0) != "template" || a.text("window", "expires_at") == "" {
		t.Errorf("the window: %s", a.raw)
	}
	a = w.post(w.key, "/v1/conversations/"+long+"/messages/check", object{"text": "привет"}).want(200)
	if a.at("segments") != 1.0 || a.text("encoding") != "ucs2" || a.text("length", "unit") != "segments" {
		t.Errorf("segments: %s", a.raw)
	}
}

// The first message of a new conversation is a field of the call: so are its refusals' pointers.
func TestP8_RefusalsOfAFirstMessageNameItsFields(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	body := object{"channel_id": w.channel(event.SMS), "peer": "+4915100000002", "message": object{"location": object{"latitude": 1, "longitude": 2}}}
	a := w.post(w.key, "/v1/conversations", body, w.fresh()).want(422)
	if got := a.text("errors", 0, "pointer"); got != "/message/type" {
		t.Errorf("pointer %q", got)
	}
}
