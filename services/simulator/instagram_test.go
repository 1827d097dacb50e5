package simulator_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/instagram"
)

const (
	igAccount = "17841455500011223"
	igsid     = "1188223344556677"
	igPost    = "17999000111222333"
)

// instagramAccount is an account that is connected by a login.
func instagramAccount(t *testing.T, login string) *world {
	w := newWorld(t)
	settings := obj{"account_id": igAccount, "login": login, "app_id": "1029384756"}
	if login == "facebook" {
		settings["page_id"] = pageID
	}
	w.open(instagram.Adapter{}, event.Instagram, "/simulator/instagram", settings,
		map[string]string{"app_secret": "secret", "access_token": "IGAA-account", "verify_token": "verify"})
	return w
}

func toIGSID(attempt string, c event.Content) event.Outbound {
	return event.Outbound{AttemptID: attempt, Peer: igsid, Content: c, By: event.Actor{Kind: "user"}}
}

func TestInstagramPersonWrites(t *testing.T) {
	t.Parallel()
	w := instagramAccount(t, "instagram")
	first := w.write(obj{"from": igsid, "text": "Combien ? 🙂"})
	if first.Peer != igsid || first.Content.Text != "Combien ? 🙂" {
		t.Errorf("arrived %+v %+v", first, first.Content)
	}
	for kind, want := range map[string]event.MessageType{
		"image": event.Image, "audio": event.Audio, "video": event.Video, "document": event.Document, "sticker": event.Sticker, "share": event.Text,
		"story": event.Story, "story_mention": event.StoryMention, "story_reply": event.Text, "unsupported": event.Unsupported,
		"button": event.InteractType, "quick_reply": event.InteractType,
	} {
		e := w.write(obj{"from": igsid, "kind": kind})
		if e.Type != event.MessageReceived || e.Content.Type != want {
			t.Errorf("%s arrived as %s %+v", kind, e.Type, e.Content)
			continue
		}
		if strings.HasPrefix(kind, "story") && (len(e.Content.Attachments) != 1 || e.Content.Attachments[0].State != event.Remote) {
			t.Errorf("%s: %+v", kind, e.Content)
		}
	}
	if e := w.write(obj{"from": igsid, "text": "re", "reply_to": first.ExternalID}); e.Content.ReplyTo == nil || e.Content.ReplyTo.ExternalID != first.ExternalID {
		t.Errorf("reply: %+v", e.Content)
	}
	if e := w.write(obj{"from": igsid, "kind": "edit", "target": first.ExternalID, "text": "x"}); e.Type != event.MessageEdited || e.Target != first.ExternalID {
		t.Errorf("edited: %+v", e)
	}
	added, removed := w.write(obj{"from": igsid, "kind": "reaction", "text": "🔥"}), w.write(obj{"from": igsid, "kind": "reaction", "removed": true})
	if added.Reaction.Emoji != "🔥" || removed.Reaction.Emoji != "" || added.Ref == removed.Ref {
		t.Errorf("reactions: %+v %+v", added, removed)
	}
	if e := w.write(obj{"from": igsid, "kind": "referral"}); e.Type != event.ContactReferred || e.Referral.Code == "" {
		t.Errorf("referral: %+v", e)
	}
	if e := w.write(obj{"from": igsid, "text": "from an ad", "referral": obj{"source": "ADS", "headline": "Spring"}}); e.Content.Referral == nil || e.Content.Referral.Headline != "Spring" {
		t.Errorf("ad: %+v", e.Content)
	}
	if e := w.write(obj{"from": igsid, "kind": "echo", "text": "from the inbox"}); e.Type != event.MessageEchoed || e.Peer != igsid {
		t.Errorf("echo: %+v", e)
	}
	if e := w.write(obj{"from": igsid, "kind": "delete", "target": first.ExternalID}); e.Type != event.MessageDeleted || e.Target != first.ExternalID {
		t.Errorf("unsent: %+v", e)
	}
	if e := w.write(obj{"from": igsid, "kind": "thread_control", "target": "555"}); e.Type != event.ThreadControlMoved || !e.Standby {
		t.Errorf("given to another app: %+v", e)
	}
	if e := w.write(obj{"from": igsid, "text": "to a bot", "standby": true}); !e.Standby {
		t.Errorf("what another app has: %+v", e)
	}
	if e := w.write(obj{"from": igsid, "kind": "thread_control"}); e.Type != event.ThreadControlMoved || e.Standby {
		t.Errorf("given back: %+v", e)
	}
	if status, body := w.call(w.key, "POST", "/simulator/inbound", obj{"type": "instagram", "from": igsid, "kind": "location"}, nil); status != 422 || !strings.Contains(body, "not_applicable") {
		t.Errorf("a place, which Instagram does not have: %d %s", status, body)
	}
}

func TestInstagramServesTheFilesOfPeople(t *testing.T) {
	t.Parallel()
	w := instagramAccount(t, "instagram")
	for kind, magic := range map[string]string{"image": "\xff\xd8\xff", "document": "%PDF", "story_mention": "\xff\xd8\xff"} {
		from := w.write(obj{"from": igsid, "kind": kind}).Content.Attachments[0].URL
		for url, want := range map[string]int{from: 200, from + "x": 403} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := w.http.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			b, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != want || want == 200 && !strings.HasPrefix(string(b), magic) {
				t.Errorf("%s at %s: %d, begins with %q", kind, url, resp.StatusCode, b[:min(len(b), 8)])
			}
		}
	}
}

func TestInstagramTakesEveryKind(t *testing.T) {
	t.Parallel()
	for _, login := range []string{"instagram", "facebook"} {
		w := instagramAccount(t, login)
		picture := event.Attachment{Type: event.Image, MIME: "image/png", URL: "https://cdn.example/p.png"}
		choices := []event.Choice{{ID: "a", Title: "First"}, {ID: "b", Title: "Second"}}
		rows := []event.Section{{Rows: []event.Choice{{ID: "x", Title: "X"}, {Title: "Y", URL: "https://shop.example"}}}}
		for n, c := range []event.Content{
			{Type: event.Text, Text: "hello", ReplyTo: &event.Quote{ExternalID: "aWdf1"}},
			{Type: event.Text, Text: "later", MessageTag: "HUMAN_AGENT"},
			{Type: event.Image, Attachments: []event.Attachment{picture}},
			{Type: event.Image, Attachments: []event.Attachment{picture, picture}},
			{Type: event.Image, Attachments: []event.Attachment{{Type: event.Image, MediaRef: igPost}}},
			{Type: event.Sticker, Sticker: &event.StickerRef{ID: "like_heart"}},
			{Type: event.InteractType, Interactive: &event.Interactive{Kind: "link", Body: "See", Button: "Open", URL: "https://shop.example/x"}},
			{Type: event.InteractType, Interactive: &event.Interactive{Kind: "cards", Button: "Choose", Sections: rows}},
			{Type: event.InteractType, Interactive: &event.Interactive{Kind: "reply_keyboard", Body: "Which?", Buttons: choices}},
			{Type: event.InteractType, Interactive: &event.Interactive{Kind: "buttons", Body: "Which?", Buttons: choices}},
		} {
			if out := w.send(toIGSID("att_"+string(rune('a'+n)), c)); len(out) != 1 || out[0].err != nil || len(out[0].Refs) != 1 {
				t.Errorf("%s, %s: %+v", login, c.Type, out)
			}
		}
		if e := w.write(obj{"from": igsid, "kind": "button", "text": "second"}); e.Content.Interaction == nil || e.Content.Interaction.Payload != "b" {
			t.Errorf("pressed: %+v", e.Content)
		}
		for _, msg := range []event.Outbound{{Peer: igsid, Signal: "typing_on"}, {Peer: igsid, Signal: "read"},
			toIGSID("att_r", event.Content{Type: event.ReactionType, Reaction: &event.Reaction{Target: "aWdf1", Emoji: "❤️"}})} {
			if out := w.send(msg); len(out) != 1 || out[0].err != nil {
				t.Errorf("%s %s: %+v", msg.Signal, msg.Content.Type, out)
			}
		}
	}
}

// A message is echoed, and then seen: never delivered. Early or twice, if the script wants it.
func TestInstagramTellsWhatBecameOfAMessage(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]obj{
		"as usual": {}, "at once": {"receipts": obj{"sent_ms": 0, "delivered_ms": 0, "read_ms": 0}}, "twice": {"duplicate_webhooks": 1},
		"reversed": {"receipts": obj{"order": "reversed"}},
	} {
		w := instagramAccount(t, "instagram")
		w.write(obj{"from": igsid, "text": "hello"})
		w.must("PUT", "/simulator/script", script, nil)
		w.forget()
		ref := w.one(toIGSID("att_1", event.Content{Type: event.Text, Text: "hi"}))
		seen := map[event.Type]event.Inbound{}
		w.until(name+": echoed and seen", func() bool {
			for _, e := range w.events {
				seen[e.Type] = e
			}
			return len(seen) == 2
		})
		if e := seen[event.MessageEchoed]; e.ExternalID != ref || e.Peer != igsid {
			t.Errorf("%s: echo %+v", name, e)
		}
		if e := seen[event.ReceiptWatermark]; e.ExternalID != ref || e.Receipt == nil || e.Receipt.Status != event.Read || e.Peer != igsid {
			t.Errorf("%s: seen %+v", name, e)
		}
	}
}

func TestInstagramComments(t *testing.T) {
	t.Parallel()
	w := instagramAccount(t, "instagram")
	in := w.write(obj{"from": igsid, "post": igPost, "text": "Price?", "username": "nina.sample"})
	if in.Post == nil || in.Post.ID != igPost || in.Peer == igsid || in.Sender.Username != "nina.sample" {
		t.Fatalf("arrived %+v", in)
	}
	if e := w.write(obj{"from": igsid, "post": igPost, "text": "And blue?", "referral": obj{"source_id": "120215", "headline": "Spring"}}); e.Content.Referral == nil || e.Content.Referral.SourceID != "120215" {
		t.Errorf("below an ad: %+v", e.Content)
	}
	mention := w.write(obj{"from": igsid, "post": igPost, "kind": "mention"})
	if mention.Content.Type != event.Unsupported || mention.Post.ID != igPost {
		t.Errorf("mention: %+v", mention)
	}
	for _, about := range []event.Inbound{in, mention} {
		w.one(event.Outbound{AttemptID: "att_" + about.ExternalID, Peer: about.Peer, Post: about.Post, InReplyTo: about.ExternalID, Content: event.Content{Type: event.Text, Text: "20 €"}})
	}
	ours := w.one(event.Outbound{AttemptID: "att_1", Peer: in.Peer, Post: in.Post, InReplyTo: in.ExternalID, Content: event.Content{Type: event.Text, Text: "21 €"}})
	act := func(kind event.ActionKind, id, text string) said {
		out := w.send(event.Outbound{AttemptID: "act_" + string(kind), Peer: in.Peer, Post: in.Post, Content: event.Content{Type: event.Text, Text: text},
			Action: &event.Action{Kind: kind, Target: event.Target{Type: event.Text, Parts: []event.TargetPart{{ExternalIDs: []string{id}}}}}})
		if len(out) != 1 {
			t.Fatalf("%s: %+v", kind, out)
		}
		return out[0]
	}
	for _, kind := range []event.ActionKind{event.ActionHide, event.ActionHide, event.ActionUnhide} {
		if out := act(kind, in.ExternalID, ""); out.err != nil {
			t.Errorf("%s: %+v", kind, out)
		}
	}
	if out := act(event.ActionUnsend, ours, ""); out.err != nil {
		t.Errorf("delete: %+v", out)
	}
	if out := act(event.ActionUnsend, ours, ""); !fault.Is(out.err, fault.Gone) {
		t.Errorf("delete again: %+v", out)
	}
	// The answer to a private reply is the one thing that tells who commented among messages.
	if out := act(event.ActionPrivateReply, in.ExternalID, "By message"); out.err != nil || len(out.Aliases) != 1 || out.Aliases[0] != igsid {
		t.Errorf("private reply: %+v", out)
	}
	if e := fault.Of(act(event.ActionPrivateReply, in.ExternalID, "Again").err); e == nil || e.Code != "private_reply_given" {
		t.Errorf("a second private reply: %v", e)
	}
	if status, _ := w.call(w.key, "POST", "/simulator/inbound", obj{"type": "instagram", "from": igsid, "post": igPost, "kind": "edit"}, nil); status != 422 {
		t.Errorf("an edit, which Instagram does not tell: %d", status)
	}
}

func TestInstagramTellsWhoPeopleAre(t *testing.T) {
	t.Parallel()
	w := instagramAccount(t, "instagram")
	w.write(obj{"from": igsid, "name": "Nina Sample", "text": "hi"})
	adapter := instagram.Adapter{}
	for who, want := range map[string]string{igsid: "Nina Sample", "99999999": ""} {
		req, _ := adapter.ProfileRequest(w.ch.Channel, channel.Who{Peer: who})
		resp, err := w.do(req)
		if err != nil {
			t.Fatal(err)
		}
		p, err := adapter.ParseProfile(w.ch.Channel, channel.Who{Peer: who}, resp)
		if p.Name != want || (want == "") != fault.Is(err, fault.Gone) {
			t.Errorf("%s: %+v (%v)", who, p, err)
		}
	}
}

// The app is subscribed to the account, or to its Page; the token of the account is renewed, and is used then.
func TestInstagramIsSetUp(t *testing.T) {
	t.Parallel()
	adapter := instagram.Adapter{}
	for _, login := range []string{"instagram", "facebook"} {
		w := instagramAccount(t, login)
		reqs, err := adapter.SetupRequests(w.ch, w.gateway.URL)
		if err != nil || len(reqs) != 1 {
			t.Fatalf("%v (%v)", reqs, err)
		}
		if resp, err := w.do(reqs[0]); err != nil || resp.Status != 200 {
			t.Errorf("%+v (%v)", resp, err)
		}
		if login == "facebook" {
			continue
		}
		req, ok := adapter.ExpiryRequest(w.ch)
		if !ok {
			t.Fatal("the token of an account ends")
		}
		resp, err := w.do(req)
		until, err2 := adapter.ParseExpiry(resp, time.Now())
		token := adapter.ParseRenewal(resp)
		if err != nil || err2 != nil || time.Until(until) < 59*24*time.Hour || token == "" || token == w.ch.Secrets.Current("access_token") {
			t.Errorf("%+v: until %s (%v, %v)", resp, until, err, err2)
		}
		w.ch.Token = token
		if out := w.send(toIGSID("att_1", event.Content{Type: event.Text, Text: "hello"})); out[0].err != nil {
			t.Errorf("with the renewed token: %+v", out)
		}
	}
}

func TestInstagramRefusals(t *testing.T) {
	t.Parallel()
	w := instagramAccount(t, "instagram")
	hello := toIGSID("att_1", event.Content{Type: event.Text, Text: "hello"})
	for name, c := range map[string]struct {
		script obj
		kind   fault.Kind
		code   string
	}{
		"unknown":       {obj{"recipients": obj{igsid: "unknown"}}, fault.Gone, channel.CodeRecipientUnknown},
		"blocked":       {obj{"recipients": obj{igsid: "blocked"}}, fault.Gone, "recipient_unavailable"},
		"too many":      {obj{"throttle": obj{"per_second": 0.001, "burst": 1}}, fault.Throttled, channel.CodeRateLimited},
		"window":        {obj{"window": "1ns"}, fault.Window, channel.CodeWindowClosed},
		"switched off":  {obj{"receipts": obj{"fail_with": 2534041}}, fault.Denied, "message_access_off"},
		"another app":   {obj{"fail": obj{"code": 2534037}}, fault.Denied, "conversation_elsewhere"},
		"error in 200":  {obj{"fail": obj{"code": 36000}}, fault.Invalid, channel.CodeMediaTooLarge},
		"proxy":         {obj{"fail": obj{"status": 502}}, fault.Unknown, channel.CodeUnclear},
		"page as a 200": {obj{"fail": obj{"status": 200}}, fault.Unknown, channel.CodeUnclear},
	} {
		w.must("PUT", "/simulator/script", c.script, nil)
		out := w.send(hello)
		if name == "too many" { // the burst is one call
			out = w.send(hello)
		}
		if e := fault.Of(out[0].err); e == nil || e.Kind != c.kind || e.Code != c.code {
			t.Errorf("%s: %v", name, e)
		}
	}
	w.must("PUT", "/simulator/script", obj{"window": "24h"}, nil)
	w.write(obj{"from": igsid, "text": "long ago", "at": time.Now().Add(-25 * time.Hour).UTC().Format(time.RFC3339)})
	hello.Content.MessageTag = "HUMAN_AGENT"
	if out := w.send(hello); out[0].err != nil {
		t.Errorf("a person's answer after the window: %+v", out)
	}
	w.must("PUT", "/simulator/script", obj{"lose_answer": obj{"times": 1}}, nil)
	if out := w.send(hello); len(out) != 1 || out[0].err == nil {
		t.Errorf("a lost answer: %+v", out)
	}
}
