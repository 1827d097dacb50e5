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
	"github.com/tributaryhq/tributary/services/facebook"
)

const (
	pageID = "204811577390142"
	psid   = "7312094458812037"
)

func facebookPage(t *testing.T) *world {
	w := newWorld(t)
	w.open(facebook.Adapter{}, event.Facebook, "/simulator/facebook", obj{"page_id": pageID, "app_id": "1029384756"},
		map[string]string{"app_secret": "secret", "page_access_token": "EAAG-page", "verify_token": "verify"})
	return w
}

func toPSID(attempt string, c event.Content) event.Outbound {
	return event.Outbound{AttemptID: attempt, Peer: psid, Content: c, By: event.Actor{Kind: "user"}}
}

func TestFacebookPersonWrites(t *testing.T) {
	t.Parallel()
	w := facebookPage(t)
	first := w.write(obj{"from": psid, "text": "¿Qué precio tiene? 🙂"})
	if first.Peer != psid || first.Content.Text != "¿Qué precio tiene? 🙂" {
		t.Errorf("arrived %+v %+v", first, first.Content)
	}
	for kind, want := range map[string]event.MessageType{
		"image": event.Image, "audio": event.Audio, "video": event.Video, "document": event.Document, "sticker": event.Sticker,
		"location": event.LocationType, "unsupported": event.Unsupported, "button": event.InteractType, "quick_reply": event.InteractType,
	} {
		if e := w.write(obj{"from": psid, "kind": kind}); e.Type != event.MessageReceived || e.Content.Type != want {
			t.Errorf("%s arrived as %s %+v", kind, e.Type, e.Content)
		}
	}
	if e := w.write(obj{"from": psid, "text": "re", "reply_to": first.ExternalID}); e.Content.ReplyTo == nil || e.Content.ReplyTo.ExternalID != first.ExternalID {
		t.Errorf("reply: %+v", e.Content)
	}
	if e := w.write(obj{"from": psid, "kind": "edit", "target": first.ExternalID, "text": "x"}); e.Type != event.MessageEdited || e.Target != first.ExternalID {
		t.Errorf("edited: %+v", e)
	}
	added, removed := w.write(obj{"from": psid, "kind": "reaction", "text": "❤️"}), w.write(obj{"from": psid, "kind": "reaction", "removed": true})
	if added.Reaction.Emoji != "❤️" || removed.Reaction.Emoji != "" || added.Ref == removed.Ref {
		t.Errorf("reactions: %+v %+v", added, removed)
	}
	if e := w.write(obj{"from": psid, "kind": "referral"}); e.Type != event.ContactReferred || e.Referral.Code == "" {
		t.Errorf("referral: %+v", e)
	}
	if e := w.write(obj{"from": psid, "text": "from an ad", "referral": obj{"source": "ADS"}}); e.OpensWindow != channel.ByFreeEntry {
		t.Errorf("ad: %+v", e)
	}
	if e := w.write(obj{"from": psid, "kind": "echo", "text": "from the inbox"}); e.Type != event.MessageEchoed || e.Peer != psid {
		t.Errorf("echo: %+v", e)
	}
	if e := w.write(obj{"from": "+49 151 23456789", "text": "x"}); strings.Trim(e.Peer, "0123456789") != "" {
		t.Errorf("a person by another name has the id %q", e.Peer)
	}
	for _, c := range []struct {
		act     obj
		standby bool
	}{{obj{"kind": "text"}, false}, {obj{"kind": "text", "standby": true}, true}, {obj{"kind": "thread_control", "target": "77"}, true}, {obj{"kind": "thread_control"}, false}} {
		c.act["from"] = psid
		if e := w.write(c.act); e.Standby != c.standby {
			t.Errorf("%v: standby is %v", c.act, e.Standby)
		}
	}
	if status, body := w.call(w.key, "POST", "/simulator/inbound", obj{"type": "facebook", "from": psid, "kind": "typing"}, nil); status != 422 || !strings.Contains(body, "not_applicable") {
		t.Errorf("typing, which nobody is told: %d %s", status, body)
	}
}

func TestFacebookServesTheFilesOfPeople(t *testing.T) {
	t.Parallel()
	w := facebookPage(t)
	for kind, magic := range map[string]string{"image": "\xff\xd8\xff", "document": "%PDF"} {
		from := w.write(obj{"from": psid, "kind": kind}).Content.Attachments[0].URL
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

func TestFacebookTakesEveryKind(t *testing.T) {
	t.Parallel()
	w := facebookPage(t)
	w.blobs["blobs/p"] = "picture"
	picture := event.Attachment{Type: event.Image, MIME: "image/png", Blob: "blobs/p"}
	choices := []event.Choice{{ID: "a", Title: "First"}, {ID: "b", Title: "Second"}}
	rows := []event.Section{{Rows: []event.Choice{{ID: "x", Title: "X"}, {Title: "Y", URL: "https://shop.example"}}}}
	param := func(name, text string) event.Parameter { return event.Parameter{Type: "text", Name: name, Text: text} }
	for n, c := range []event.Content{
		{Type: event.Text, Text: "hello", ReplyTo: &event.Quote{ExternalID: "m_1"}},
		{Type: event.Image, Attachments: []event.Attachment{picture}},
		{Type: event.Image, Attachments: []event.Attachment{{Type: event.Image, MIME: "image/png", URL: "https://cdn.example/p.png"}}},
		{Type: event.Sticker, Sticker: &event.StickerRef{ID: "369239263222822"}},
		{Type: event.InteractType, Interactive: &event.Interactive{Kind: "link", Body: "See", Button: "Open", URL: "https://shop.example/x"}},
		{Type: event.InteractType, Interactive: &event.Interactive{Kind: "cards", Button: "Choose", Sections: rows}},
		{Type: event.InteractType, Interactive: &event.Interactive{Kind: "media", Buttons: choices}, Attachments: []event.Attachment{picture}},
		{Type: event.InteractType, Interactive: &event.Interactive{Kind: "reply_keyboard", Body: "Which?", Buttons: choices}},
		{Type: event.InteractType, Interactive: &event.Interactive{Kind: "contact_request", Body: "Your number?"}},
		{Type: event.TemplateType, Template: &event.Template{Name: "order_update", Language: "en"}},
		{Type: event.TemplateType, Template: &event.Template{Name: "receipt", Language: "en", Components: []event.Component{
			{Type: "order", Parameters: []event.Parameter{param("recipient_name", "Ana"), param("order_number", "1"), param("currency", "EUR"), param("payment_method", "Visa")}},
			{Type: "summary", Parameters: []event.Parameter{param("total_cost", "1.50")}},
		}}},
		{Type: event.InteractType, Interactive: &event.Interactive{Kind: "buttons", Body: "Which?", Buttons: choices}},
	} {
		if out := w.send(toPSID("att_"+string(rune('a'+n)), c)); len(out) != 1 || out[0].err != nil || len(out[0].Refs) != 1 {
			t.Errorf("%s: %+v", c.Type, out)
		}
	}
	if e := w.write(obj{"from": psid, "kind": "button", "text": "second"}); e.Content.Interaction == nil || e.Content.Interaction.Payload != "b" {
		t.Errorf("pressed: %+v", e.Content)
	}
	for _, msg := range []event.Outbound{{Peer: psid, Signal: "typing_on"}, {Peer: psid, Signal: "typing_off"}, {Peer: psid, Signal: "read"},
		toPSID("att_r", event.Content{Type: event.ReactionType, Reaction: &event.Reaction{Target: "m_1", Emoji: "👍"}})} {
		if out := w.send(msg); len(out) != 1 || out[0].err != nil {
			t.Errorf("%s %s: %+v", msg.Signal, msg.Content.Type, out)
		}
	}
}

// A message is echoed with our reference, then delivered and read; early or twice, if the script wants it.
func TestFacebookTellsWhatBecameOfAMessage(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]obj{
		"as usual": {}, "at once": {"receipts": obj{"sent_ms": 0, "delivered_ms": 0, "read_ms": 0}}, "twice": {"duplicate_webhooks": 1},
		"reversed": {"receipts": obj{"order": "reversed"}},
	} {
		w := facebookPage(t)
		w.write(obj{"from": psid, "text": "hello"})
		w.must("PUT", "/simulator/script", script, nil)
		w.forget()
		ref := w.one(toPSID("att_1", event.Content{Type: event.Text, Text: "hi"}))
		seen := map[event.DeliveryStatus]event.Inbound{}
		w.until(name+": sent, delivered and read", func() bool {
			for _, e := range w.events {
				if e.Receipt != nil {
					seen[e.Receipt.Status] = e
				}
			}
			return len(seen) == 3
		})
		if e := seen[event.Sent]; e.ExternalID != ref || e.Receipt.ClientRef != "att_1:0" {
			t.Errorf("%s: echo %+v %+v", name, e, e.Receipt)
		}
		if e := seen[event.Read]; e.Type != event.ReceiptWatermark || e.Receipt.UpTo.IsZero() || e.Peer != psid {
			t.Errorf("%s: read %+v", name, e)
		}
	}
}

// An answer that was lost is known by the echo: it carries the reference of the send.
func TestFacebookLosesAnAnswer(t *testing.T) {
	t.Parallel()
	w := facebookPage(t)
	w.must("PUT", "/simulator/script", obj{"lose_answer": obj{"times": 1}}, nil)
	if out := w.send(toPSID("att_1", event.Content{Type: event.Text, Text: "hi"})); len(out) != 1 || out[0].err == nil {
		t.Fatalf("%+v", out)
	}
	w.until("the echo", func() bool {
		for _, e := range w.events {
			if e.Receipt != nil && e.Receipt.ClientRef == "att_1:0" {
				return true
			}
		}
		return false
	})
}

func TestFacebookComments(t *testing.T) {
	t.Parallel()
	w := facebookPage(t)
	in := w.write(obj{"from": psid, "post": "330011224455", "text": "¿Precio?", "name": "Pau Soler"})
	if in.Post == nil || in.Post.ID != pageID+"_330011224455" || in.Peer == psid || in.Sender.Name != "Pau Soler" {
		t.Fatalf("arrived %+v", in)
	}
	for kind, want := range map[string]event.Type{"edit": event.MessageEdited, "reaction": event.MessageReacted} {
		if e := w.write(obj{"from": psid, "post": "330011224455", "kind": kind}); e.Type != want || e.Target != in.ExternalID {
			t.Errorf("%s: %+v", kind, e)
		}
	}
	for _, kind := range []string{"image", "video"} {
		if e := w.write(obj{"from": "Ben", "post": "330011224455", "kind": kind}); string(e.Content.Type) != kind || e.Peer == in.Peer {
			t.Errorf("%s: %+v", kind, e)
		}
	}
	answer := event.Outbound{AttemptID: "att_1", Peer: in.Peer, Post: in.Post, InReplyTo: in.ExternalID, Content: event.Content{Type: event.Text, Text: "20 €"}}
	ours := w.one(answer)
	w.blobs["blobs/p"] = "picture"
	answer.Content = event.Content{Type: event.Image, Attachments: []event.Attachment{{Type: event.Image, MIME: "image/png", Blob: "blobs/p"}}}
	w.one(answer)
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
	if out := act(event.ActionEdit, ours, "21 €"); out.err != nil {
		t.Errorf("edit: %+v", out)
	}
	if out := act(event.ActionUnsend, ours, ""); out.err != nil {
		t.Errorf("delete: %+v", out)
	}
	if out := act(event.ActionUnsend, ours, ""); !fault.Is(out.err, fault.Gone) {
		t.Errorf("delete again: %+v", out)
	}
	// The answer to a private reply is the one thing that tells who commented among messages.
	if out := act(event.ActionPrivateReply, in.ExternalID, "Te escribo"); out.err != nil || len(out.Aliases) != 1 || out.Aliases[0] != psid {
		t.Errorf("private reply: %+v", out)
	}
	if e := fault.Of(act(event.ActionPrivateReply, in.ExternalID, "Otra vez").err); e == nil || e.Code != "private_reply_given" {
		t.Errorf("a second private reply: %v", e)
	}
	if e := w.write(obj{"from": psid, "post": "330011224455", "kind": "delete"}); e.Type != event.MessageDeleted || e.Target != in.ExternalID {
		t.Errorf("deleted: %+v", e)
	}
	if status, _ := w.call(w.key, "POST", "/simulator/inbound", obj{"type": "facebook", "from": psid, "post": "1", "kind": "location"}, nil); status != 422 {
		t.Errorf("a place as a comment: %d", status)
	}
}

func TestFacebookTellsWhoPeopleAre(t *testing.T) {
	t.Parallel()
	w := facebookPage(t)
	w.write(obj{"from": psid, "name": "Ana Ribeiro", "text": "hi"})
	adapter := facebook.Adapter{}
	for who, want := range map[string]string{psid: "Ana Ribeiro", "99999999": ""} {
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

func TestFacebookPageIsSubscribed(t *testing.T) {
	t.Parallel()
	w := facebookPage(t)
	reqs, err := facebook.Adapter{}.SetupRequests(w.ch, w.gateway.URL)
	if err != nil || len(reqs) != 1 {
		t.Fatalf("%v (%v)", reqs, err)
	}
	if resp, err := w.do(reqs[0]); err != nil || resp.Status != 200 {
		t.Errorf("%+v (%v)", resp, err)
	}
}

func TestFacebookTokensDoNotEnd(t *testing.T) {
	t.Parallel()
	w := facebookPage(t)
	adapter := facebook.Adapter{}
	req, ok := adapter.ExpiryRequest(w.ch)
	resp, err := w.do(req)
	if !ok || err != nil {
		t.Fatalf("asked: %v (%v)", ok, err)
	}
	if until, err := adapter.ParseExpiry(resp, time.Now()); err != nil || !until.IsZero() {
		t.Errorf("until %s (%v)", until, err)
	}
}

func TestFacebookRefusals(t *testing.T) {
	t.Parallel()
	w := facebookPage(t)
	hello := toPSID("att_1", event.Content{Type: event.Text, Text: "hello"})
	for name, c := range map[string]struct {
		script obj
		kind   fault.Kind
		code   string
	}{
		"unknown":       {obj{"recipients": obj{psid: "unknown"}}, fault.Gone, channel.CodeRecipientUnknown},
		"blocked":       {obj{"recipients": obj{psid: "blocked"}}, fault.Gone, "recipient_unavailable"},
		"too many":      {obj{"throttle": obj{"per_second": 0.001, "burst": 1}}, fault.Throttled, channel.CodeRateLimited},
		"window":        {obj{"window": "1ns"}, fault.Window, channel.CodeWindowClosed},
		"fails":         {obj{"receipts": obj{"fail_with": 1893063}}, fault.Denied, channel.CodeAccountRestricted},
		"another app":   {obj{"fail": obj{"code": 2018300}}, fault.Denied, "conversation_elsewhere"},
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
	w.must("PUT", "/simulator/script", obj{"fail": obj{"code": 2018300, "times": 1}}, nil)
	w.ch.Settings["thread_control"] = "take"
	if out := w.send(hello); len(out) != 1 || out[0].err != nil || len(out[0].Refs) != 1 {
		t.Errorf("a conversation that is taken: %+v", out)
	}
	w.must("PUT", "/simulator/script", obj{"window": "24h"}, nil)
	w.write(obj{"from": psid, "text": "long ago", "at": time.Now().Add(-25 * time.Hour).UTC().Format(time.RFC3339)})
	hello.Content.MessageTag = "HUMAN_AGENT"
	if out := w.send(hello); out[0].err != nil {
		t.Errorf("a person's answer after the window: %+v", out)
	}
}
