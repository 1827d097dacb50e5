package simulator_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/whatsapp"
)

func cloud(t *testing.T) *world {
	w := newWorld(t)
	w.open(whatsapp.Adapter{}, event.WhatsApp, "/simulator/whatsapp",
		obj{"provider": "cloud", "phone_number_id": "109876543210987", "waba_id": "100200300400501"},
		map[string]string{"app_secret": "app-secret", "access_token": "EAAG-token", "verify_token": "verify-me"})
	return w
}

func dialog(t *testing.T) *world {
	w := newWorld(t)
	w.open(whatsapp.Adapter{}, event.WhatsApp, "/simulator/360dialog",
		obj{"provider": "360dialog", "phone_number_id": "209876543210987"},
		map[string]string{"api_key": "d360-key", "webhook_secret": "platform-secret"})
	return w
}

// both runs a test against both ways to WhatsApp.
func both(t *testing.T, f func(t *testing.T, w *world)) {
	for name, make := range map[string]func(*testing.T) *world{"cloud": cloud, "360dialog": dialog} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, make(t))
		})
	}
}

const ana = "4915112345678"

func text(attempt, s string) event.Outbound {
	return event.Outbound{AttemptID: attempt, Peer: ana, Content: event.Content{Type: event.Text, Text: s}}
}

func TestWhatsAppCustomerWrites(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, w *world) {
		e := w.write(obj{"from": "+" + ana, "name": "Ana Müller", "text": "Grüße / 😀"})
		if e.Type != event.MessageReceived || e.Peer != ana || e.Content.Text != "Grüße / 😀" || e.Sender.Name != "Ana Müller" || e.Sender.Phone != "+"+ana {
			t.Errorf("arrived: %+v %+v", e, e.Content)
		}
		first := e.ExternalID
		for kind, want := range map[string]event.MessageType{
			"image": event.Image, "audio": event.Audio, "video": event.Video, "document": event.Document, "sticker": event.Sticker,
			"location": event.LocationType, "contacts": event.ContactsType, "button": event.InteractType, "list": event.InteractType,
			"quick_reply": event.InteractType, "unsupported": event.Unsupported, "referral": event.Text,
		} {
			if e := w.write(obj{"from": ana, "kind": kind, "text": "yes"}); e.Type != event.MessageReceived || e.Content.Type != want {
				t.Errorf("%s arrived as %s %+v", kind, e.Type, e.Content)
			} else if kind == "referral" && e.OpensWindow != "free_entry" {
				t.Errorf("a referral opens no free window: %+v", e)
			}
		}
		if e := w.write(obj{"from": ana, "text": "Yes", "reply_to": first}); e.Content.ReplyTo == nil || e.Content.ReplyTo.ExternalID != first {
			t.Errorf("reply: %+v", e.Content)
		}
		for kind, want := range map[string]event.Type{"reaction": event.MessageReacted, "edit": event.MessageEdited, "delete": event.MessageDeleted} {
			if e := w.write(obj{"from": ana, "kind": kind, "text": "👍", "target": first}); e.Type != want || e.Target != first {
				t.Errorf("%s arrived as %+v", kind, e)
			}
		}
		if e := w.write(obj{"from": ana, "kind": "reaction", "target": first, "removed": true}); e.Reaction.Action != "remove" {
			t.Errorf("removed: %+v", e.Reaction)
		}
		if e := w.write(obj{"from": ana, "kind": "echo", "text": "from the app"}); e.Type != event.MessageEchoed || e.Peer != ana || e.Content.Text != "from the app" {
			t.Errorf("echo: %+v", e)
		}
		if e := w.write(obj{"from": ana, "kind": "number_changed", "target": "+4917712345678"}); e.Type != event.ContactIdentified || !slices.Contains(e.Identity.New, "4917712345678") {
			t.Errorf("another number: %+v %+v", e, e.Identity)
		}
		if e := w.write(obj{"from": "DE.12345", "name": "Hidden", "text": "no number"}); e.Peer != "DE.12345" || e.Sender.Phone != "" {
			t.Errorf("hidden number: %+v", e)
		}
		if e := w.write(obj{"from": ana, "group": "grp1", "text": "all"}); e.Peer != "grp1" || e.Sender.Author != ana {
			t.Errorf("group: %+v %+v", e, e.Sender)
		}
	})
}

func TestWhatsAppMediaRoundTrip(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, w *world) {
		for kind, magic := range map[string]string{"image": "\xff\xd8\xff", "audio": "OggS", "document": "%PDF", "sticker": "RIFF"} {
			e := w.write(obj{"from": ana, "kind": kind, "text": "look"})
			if b := w.fetch(e.Content.Attachments[0]); !strings.HasPrefix(string(b), magic) {
				t.Errorf("%s begins with %q", kind, b[:min(len(b), 8)])
			}
		}
		e := w.write(obj{"from": ana, "kind": "video", "media": obj{"mime": "video/3gpp", "data": []byte("our own bytes")}})
		if b := w.fetch(e.Content.Attachments[0]); string(b) != "our own bytes" || e.Content.Attachments[0].MIME != "video/3gpp" {
			t.Errorf("own file: %q %+v", b, e.Content.Attachments[0])
		}
		w.blobs["b1"] = "\xff\xd8\xff picture"
		out := event.Outbound{AttemptID: "att_m", Peer: ana, Content: event.Content{Type: event.Image, Text: "see", Attachments: []event.Attachment{
			{Type: event.Image, MIME: "image/jpeg", Name: "p.jpg", Blob: "b1"}}}}
		ref := w.one(out)
		if got := w.accepted("?client_ref=att_m:0"); len(got) != 1 || got[0].ID != ref || got[0].Kind != "image" || got[0].Text != "see" {
			t.Errorf("accepted %+v", got)
		}
		w.blobs["b1"] = strings.Repeat("x", 5<<20+1)
		if got := w.send(out); len(got) != 1 || !fault.Is(got[0].err, fault.Invalid) {
			t.Errorf("a picture over 5 MB: %+v", got)
		}
	})
}

func statuses(es []event.Inbound) (out []event.DeliveryStatus) {
	for _, e := range es {
		if e.Receipt != nil {
			out = append(out, e.Receipt.Status)
		}
	}
	return out
}

func TestWhatsAppReceipts(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, w *world) {
		ref := w.one(text("att_1", "hello"))
		es := w.wait(3)
		if diff := cmp.Diff([]event.DeliveryStatus{event.Sent, event.Delivered, event.Read}, statuses(es)); diff != "" {
			t.Error(diff)
		}
		for _, e := range es {
			if e.ExternalID != ref || e.Receipt.ClientRef != "att_1:0" || e.Peer != ana {
				t.Errorf("receipt %+v %+v", e, e.Receipt)
			}
		}
	})
}

func TestWhatsAppReceiptsAsScripted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		receipts obj
		want     []event.DeliveryStatus
	}{
		"reversed":   {obj{"order": "reversed"}, []event.DeliveryStatus{event.Read, event.Delivered, event.Sent}},
		"duplicated": {obj{"order": "duplicated", "read_ms": -1}, []event.DeliveryStatus{event.Sent, event.Sent, event.Delivered, event.Delivered}},
		"failed":     {obj{"fail_with": 131026}, []event.DeliveryStatus{event.Failed}},
		"some":       {obj{"sent_ms": 0, "delivered_ms": -1, "read_ms": 60}, []event.DeliveryStatus{event.Sent, event.Read}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := cloud(t)
			w.must("PUT", "/simulator/script", obj{"receipts": c.receipts}, nil)
			w.one(text("att_1", "hello"))
			if diff := cmp.Diff(c.want, statuses(w.wait(len(c.want)))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatsAppReceiptsByHand(t *testing.T) {
	t.Parallel()
	w := cloud(t)
	w.must("PUT", "/simulator/script", obj{"receipts": obj{"mode": "manual"}}, nil)
	ref := w.one(text("att_1", "hello"))
	w.must("POST", "/simulator/receipts", obj{"account": "109876543210987", "id": ref, "status": "failed", "error": 131049}, nil)
	es := w.wait(1)
	if len(es) != 1 || es[0].ExternalID != ref || es[0].Receipt.Error.ProviderCode != "131049" || es[0].Receipt.ClientRef != "att_1:0" {
		t.Errorf("receipts: %+v", es)
	}
	w.must("POST", "/simulator/receipts", obj{"id": "wamid.never", "status": "read"}, nil)
	if es := w.wait(2); es[1].ExternalID != "wamid.never" {
		t.Errorf("a receipt for another client's message: %+v", es[1])
	}
}

func TestWhatsAppWindow(t *testing.T) {
	t.Parallel()
	w := cloud(t)
	w.must("PUT", "/simulator/script", obj{"window": "24h"}, nil)
	w.one(text("att_1", "too late"))
	if e := w.wait(1)[0]; e.Receipt.Status != event.Failed || e.Receipt.Error.ProviderCode != "131047" || e.Receipt.Error.Kind != "window" {
		t.Errorf("closed window: %+v", e.Receipt)
	}
	w.write(obj{"from": ana, "at": time.Now().Add(-25 * time.Hour).Format(time.RFC3339)})
	w.forget()
	w.one(text("att_2", "still too late"))
	if e := w.wait(1)[0]; e.Receipt.Status != event.Failed {
		t.Errorf("a window of yesterday: %+v", e.Receipt)
	}
	w.write(obj{"from": ana})
	w.forget()
	w.one(text("att_3", "in time"))
	if got := statuses(w.wait(3)); slices.Contains(got, event.Failed) {
		t.Errorf("open window: %v", got)
	}
	w.forget()
	w.one(event.Outbound{AttemptID: "att_4", Peer: "4917700000001", Content: event.Content{Type: event.TemplateType, Template: &event.Template{Name: "hello", Language: "de"}}})
	if got := statuses(w.wait(3)); slices.Contains(got, event.Failed) {
		t.Errorf("template: %v", got)
	}
}

func TestWhatsAppRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script obj
		kind   fault.Kind
		code   string
	}{
		"rate":      {obj{"throttle": obj{"per_second": 0.001}}, fault.Throttled, "130429"},
		"pair rate": {obj{"throttle": obj{"per_peer": 0.001}}, fault.Throttled, "131056"},
		"token":     {obj{"fail": obj{"code": 190}}, fault.Denied, "190"},
		"page":      {obj{"fail": obj{"status": 503}}, fault.Unknown, "503"},
		"in words":  {obj{"fail": obj{"code": 131016, "status": 400, "to": ana, "on": "messages"}}, fault.Unavailable, "131016"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := cloud(t)
			w.must("PUT", "/simulator/script", c.script, nil)
			out := w.send(text("att_1", "one"))
			if c.script["throttle"] != nil {
				out = w.send(text("att_2", "two"))
			}
			if e := fault.Of(out[0].err); e == nil || e.Kind != c.kind || e.Provider != c.code {
				t.Errorf("refused with %v", out[0].err)
			}
		})
	}
}

func TestWhatsAppFailsAsOftenAsTold(t *testing.T) {
	t.Parallel()
	w := cloud(t)
	w.must("PUT", "/simulator/script", obj{"fail": obj{"code": 131016, "times": 2}}, nil)
	for i, want := range []bool{true, true, false} {
		if out := w.send(text("att_1", "again")); (out[0].err != nil) != want {
			t.Errorf("try %d: %v", i+1, out[0].err)
		}
	}
	if got := w.accepted(""); len(got) != 1 || got[0].Copies != 1 {
		t.Errorf("accepted %+v", got)
	}
}

func TestConnectionsAreCut(t *testing.T) {
	t.Parallel()
	w := cloud(t)
	w.must("PUT", "/simulator/script", obj{"reset_before": obj{"times": 1}, "lose_answer": obj{"times": 1}}, nil)
	for range 2 {
		if out := w.send(text("att_1", "lost")); out[0].err == nil {
			t.Fatal("an answer came")
		}
	}
	w.one(text("att_1", "lost"))
	if got := w.accepted(""); len(got) != 2 || got[0].Copies != 2 || got[0].ClientRef != "att_1:0" {
		t.Errorf("accepted %+v", got)
	}
	want := []call{{"messages", "reset", 0, 0}, {"messages", "lost", 0, 0}, {"messages", "accepted", 200, 0}}
	if diff := cmp.Diff(want, w.made()); diff != "" {
		t.Error(diff)
	}
	w.must("DELETE", "/simulator/messages", nil, nil)
	if got := w.accepted(""); len(got) != 0 || len(w.made()) != 0 {
		t.Errorf("after the delete: %+v", got)
	}
}

func TestWhatsAppCredentials(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, w *world) {
		w.ch.Secrets["access_token"], w.ch.Secrets["api_key"] = []string{"wrong"}, []string{"wrong"}
		if out := w.send(text("att_1", "hello")); !fault.Is(out[0].err, fault.Denied) {
			t.Errorf("a wrong key: %v", out[0].err)
		}
		if got := w.accepted(""); len(got) != 0 {
			t.Errorf("accepted %+v", got)
		}
	})
}

func TestWhatsAppTellsOfATokenWhatItIsAsked(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, w *world) {
		adapter := w.adapt.(channel.Expirer)
		for name, want := range map[string]fault.Kind{w.ch.Secrets.Current("access_token"): 0, "wrong": fault.Gone} {
			w.ch.Secrets["access_token"] = []string{name}
			req, asks := adapter.ExpiryRequest(w.ch)
			if !asks { // 360dialog
				continue
			}
			resp, err := w.do(req)
			if err != nil {
				t.Fatal(err)
			}
			if until, err := adapter.ParseExpiry(resp, time.Now()); !until.IsZero() || (err == nil) != (want == 0) || err != nil && !fault.Is(err, want) {
				t.Errorf("%s: %s, %v", name, until, err)
			}
		}
	})
}

func TestWhatsAppSetup(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, w *world) {
		reqs, err := w.adapt.(channel.Setup).SetupRequests(w.ch, w.gateway.URL+"/other")
		if err != nil {
			t.Fatal(err)
		}
		for _, req := range reqs {
			if resp, err := w.do(req); err != nil || resp.Status != http.StatusOK {
				t.Errorf("%s: %d %s %v", req.URL, resp.Status, resp.Body, err)
			}
		}
		if e := w.write(obj{"from": ana, "text": "there"}); e.Content.Text != "there" {
			t.Errorf("after the setup: %+v", e)
		}
		var list struct{ Data []obj }
		w.must("GET", "/simulator/accounts", nil, &list)
		if len(list.Data) != 1 || list.Data[0]["webhook_url"] != w.gateway.URL+"/other" || list.Data[0]["api_base_url"] != w.ch.Settings["api_base_url"] {
			t.Errorf("accounts: %v", list.Data)
		}
	})
}

func TestWhatsAppInteractive(t *testing.T) {
	t.Parallel()
	w := cloud(t)
	ref := w.one(event.Outbound{AttemptID: "att_b", Peer: ana, Content: event.Content{Type: event.InteractType, Interactive: &event.Interactive{
		Kind: "buttons", Body: "Which?", Buttons: []event.Choice{{ID: "a", Title: "First"}, {ID: "b", Title: "Second"}}}}})
	w.wait(3)
	if e := w.write(obj{"from": ana, "kind": "button", "text": "second"}); e.Content.Interaction == nil || e.Content.Interaction.ID != "b" || e.Content.ReplyTo.ExternalID != ref {
		t.Errorf("pressed: %+v %+v", e.Content.Interaction, e.Content.ReplyTo)
	}
	out := w.send(event.Outbound{Peer: ana, Signal: "typing_on", InReplyTo: w.write(obj{"from": ana}).ExternalID})
	if len(out) != 1 || out[0].err != nil {
		t.Errorf("typing: %+v", out)
	}
	if status, body := w.call(w.key, "POST", "/simulator/inbound", obj{"type": "whatsapp", "from": ana, "kind": "typing"}, nil); status != 422 || !strings.Contains(body, "not_applicable") {
		t.Errorf("typing of a person: %d %s", status, body)
	}
}
