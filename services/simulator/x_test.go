package simulator_test

import (
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/x"
)

const alice = "1790001112223334445"

func xAccount(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.open(x.Adapter{}, event.X, "/simulator/x", obj{"user_id": "1650000000000000042"}, map[string]string{
		"consumer_key": "ck", "consumer_secret": "cs", "access_token": "1650000000000000042-at+/=", "access_token_secret": "ats",
	})
	return w
}

func toAlice(attempt string, c event.Content) event.Outbound {
	return event.Outbound{AttemptID: attempt, Peer: alice, Content: c}
}

func TestXPersonWrites(t *testing.T) {
	t.Parallel()
	w := xAccount(t)
	if e := w.write(obj{"from": alice, "name": "Alice", "text": `I <3 "refunds" & more`}); e.Peer != alice || e.Content.Text != `I <3 "refunds" & more` || e.Sender.Name != "Alice" {
		t.Errorf("arrived %+v %+v", e, e.Content)
	}
	for kind, want := range map[string]event.MessageType{"image": event.Image, "video": event.Video, "location": event.LocationType, "unsupported": event.Unsupported} {
		if e := w.write(obj{"from": alice, "kind": kind}); e.Type != event.MessageReceived || e.Content.Type != want {
			t.Errorf("%s arrived as %s %+v", kind, e.Type, e.Content)
		}
	}
	if e := w.write(obj{"from": alice, "group": "1729873623", "text": "all"}); e.Peer != "group:1729873623" || e.Sender.Author != alice {
		t.Errorf("group: %+v", e)
	}
	if e := w.write(obj{"from": alice, "kind": "typing"}); e.Typing == nil || !*e.Typing {
		t.Errorf("typing: %+v", e)
	}
	if e := w.write(obj{"from": alice, "kind": "referral", "text": "this one"}); e.Content.Referral == nil || e.Content.Referral.Source != "post" {
		t.Errorf("from a post: %+v", e.Content)
	}
}

func TestXTakesEveryKind(t *testing.T) {
	t.Parallel()
	w := xAccount(t)
	w.write(obj{"from": alice, "text": "hi"})
	w.blobs["blob"] = strings.Repeat("x", 9_000_000)
	file := func(typ event.MessageType, mime string) event.Content {
		return event.Content{Type: typ, Text: "look", Attachments: []event.Attachment{{Type: typ, MIME: mime, Name: "f", Blob: "blob", Size: 9_000_000}}}
	}
	for n, c := range []event.Content{
		{Type: event.Text, Text: "Hi <Alice> & all"}, file(event.Image, "image/gif"), file(event.Video, "video/mp4"),
		{Type: event.InteractType, Interactive: &event.Interactive{Kind: "buttons", Body: "Which?", Buttons: []event.Choice{{ID: "a", Title: "First"}, {ID: "b", Title: "Second"}}}},
	} {
		out := w.send(toAlice("att_"+string(rune('a'+n)), c))
		if len(out) != 1 || out[0].err != nil || out[0].Status != event.Sent || len(out[0].Refs) != 1 {
			t.Errorf("%s: %+v", c.Type, out)
		}
	}
}

func TestXTellsThatSomebodyHasRead(t *testing.T) {
	t.Parallel()
	w := xAccount(t)
	w.write(obj{"from": alice, "text": "hi"})
	w.forget()
	out := w.send(toAlice("att", event.Content{Type: event.Text, Text: "x"}))
	if len(out) != 1 || out[0].err != nil {
		t.Fatalf("%+v", out)
	}
	if e := w.wait(1)[0]; e.Type != event.ReceiptWatermark || e.Receipt.Status != event.Read || e.ExternalID != out[0].Refs[0] {
		t.Errorf("%+v %+v", e, e.Receipt)
	}
}

func TestXRefuses(t *testing.T) {
	t.Parallel()
	w := xAccount(t)
	w.write(obj{"from": alice, "text": "hi"})
	for name, c := range map[string]struct {
		script obj
		kind   fault.Kind
	}{
		"who lets only some write": {obj{"recipients": obj{alice: "blocked"}}, fault.Gone},
		"nobody of that number":    {obj{"recipients": obj{alice: "unknown"}}, fault.Gone},
		"a token's end":            {obj{"fail": obj{"code": 401}}, fault.Denied},
		"a page":                   {obj{"fail": obj{"status": 503}}, fault.Unknown},
		"too fast":                 {obj{"fail": obj{"code": 429}}, fault.Throttled},
	} {
		w.must("PUT", "/simulator/script", c.script, nil)
		if out := w.send(toAlice("att", event.Content{Type: event.Text, Text: "x"})); len(out) != 1 || !fault.Is(out[0].err, c.kind) {
			t.Errorf("%s: %+v", name, out)
		}
	}
}

func TestXServesFilesAndProfiles(t *testing.T) {
	t.Parallel()
	w := xAccount(t)
	e := w.write(obj{"from": alice, "name": "Alice", "kind": "image"})
	if b := w.fetch(e.Content.Attachments[0]); !strings.HasPrefix(string(b), "\xff\xd8\xff") {
		t.Errorf("a picture begins with %q", b[:min(len(b), 8)])
	}
	adapter := x.Adapter{}
	for id, want := range map[string]string{alice: "Alice", "1": ""} {
		who := channel.Who{Peer: id}
		req, _ := adapter.ProfileRequest(w.ch.Channel, who)
		resp, err := w.do(req)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := adapter.ParseProfile(w.ch.Channel, who, resp); p.Name != want || (err == nil) != (want != "") {
			t.Errorf("%s: %+v %v", id, p, err)
		}
	}
}
