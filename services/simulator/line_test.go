package simulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/line"
)

const (
	lineUser  = "U04f8996da763b7a969b1028ee3007569"
	lineGroup = "C22222222222222222222222222222222"
)

func lineBot(t *testing.T) *world {
	w := newWorld(t)
	w.open(line.Adapter{}, event.Line, "/simulator/line", obj{"destination": "U9d74932bdb6f21dc7ab21d6fc5260f47"},
		map[string]string{"channel_secret": "secret", "channel_access_token": "token+/="})
	return w
}

func toUser(attempt string, c event.Content) event.Outbound {
	return event.Outbound{AttemptID: attempt, Peer: lineUser, Content: c}
}

func TestLinePersonWrites(t *testing.T) {
	t.Parallel()
	w := lineBot(t)
	first := w.write(obj{"from": lineUser, "text": "こんにちは"})
	if first.Peer != lineUser || first.Content.Text != "こんにちは" || first.Content.QuoteToken == "" || first.Content.ReadToken == "" {
		t.Errorf("arrived %+v %+v", first, first.Content)
	}
	for kind, want := range map[string]event.MessageType{
		"image": event.Image, "audio": event.Audio, "video": event.Video, "document": event.Document, "sticker": event.Sticker,
		"location": event.LocationType, "unsupported": event.Unsupported,
	} {
		if e := w.write(obj{"from": lineUser, "kind": kind}); e.Type != event.MessageReceived || e.Content.Type != want {
			t.Errorf("%s arrived as %s %+v", kind, e.Type, e.Content)
		}
	}
	if e := w.write(obj{"from": lineUser, "text": "re", "reply_to": first.ExternalID}); e.Content.ReplyTo == nil || e.Content.ReplyTo.ExternalID != first.ExternalID {
		t.Errorf("reply: %+v", e.Content)
	}
	if e := w.write(obj{"from": lineUser, "kind": "delete", "target": first.ExternalID}); e.Type != event.MessageDeleted || e.Target != first.ExternalID {
		t.Errorf("unsent: %+v", e)
	}
	for kind, want := range map[string]string{"block": "blocked", "unblock": "unblocked"} {
		if e := w.write(obj{"from": lineUser, "kind": kind}); e.Membership == nil || e.Membership.State != want {
			t.Errorf("%s: %+v", kind, e)
		}
	}
	in := w.write(obj{"from": "+49 151", "group": lineGroup, "text": "all"})
	if in.Peer != lineGroup || !strings.HasPrefix(in.Sender.Author, "U") {
		t.Errorf("group: %+v", in)
	}
	if e := w.write(obj{"from": "+49 151", "group": lineGroup, "kind": "edit", "text": "everybody"}); e.Type != event.MessageEdited || e.Target != in.ExternalID {
		t.Errorf("edited: %+v", e)
	}
	if status, body := w.call(w.key, "POST", "/simulator/inbound", obj{"type": "line", "from": lineUser, "kind": "edit"}, nil); status != 422 || !strings.Contains(body, "group") {
		t.Errorf("an edit in a talk with one user: %d %s", status, body)
	}
}

// LINE tells an account of its friends, of groups that it is in and of their members; of nobody else.
func TestLineTellsWhoPeopleAre(t *testing.T) {
	t.Parallel()
	w := lineBot(t)
	stranger, blocker := "U"+strings.Repeat("1", 32), "U"+strings.Repeat("2", 32)
	w.write(obj{"from": lineUser, "name": "Taro", "text": "hi"})
	member := w.write(obj{"from": "+49 151", "name": "Ivo", "group": lineGroup, "text": "all"}).Sender.Author
	w.write(obj{"from": blocker, "text": "hi"})
	w.write(obj{"from": blocker, "kind": "block"})
	adapter := line.Adapter{}
	for name, c := range map[string]struct {
		who  channel.Who
		want string
		kind fault.Kind
	}{
		"a friend":                      {channel.Who{Peer: lineUser}, "Taro", 0},
		"a member":                      {channel.Who{Peer: lineGroup, Author: member}, "Ivo", 0},
		"a group":                       {channel.Who{Peer: lineGroup}, "Simulated group 2222", 0},
		"a stranger":                    {channel.Who{Peer: stranger}, "", fault.Gone},
		"somebody who blocks":           {channel.Who{Peer: blocker}, "", fault.Gone},
		"a member who is no friend":     {channel.Who{Peer: member}, "", fault.Gone},
		"a friend who is in no group":   {channel.Who{Peer: lineGroup, Author: lineUser}, "", fault.Gone},
		"a group that nobody wrote in":  {channel.Who{Peer: "C" + strings.Repeat("3", 32)}, "", fault.Gone},
		"a member of a group like that": {channel.Who{Peer: "C" + strings.Repeat("3", 32), Author: member}, "", fault.Gone},
	} {
		req, ok := adapter.ProfileRequest(w.ch.Channel, c.who)
		if !ok {
			t.Errorf("%s cannot be asked for", name)
			continue
		}
		resp, err := w.do(req)
		if err != nil {
			t.Fatal(err)
		}
		p, err := adapter.ParseProfile(w.ch.Channel, c.who, resp)
		if p.Name != c.want || (err == nil) != strings.HasPrefix(p.AvatarRef, "https://") || err != nil && !fault.Is(err, c.kind) || err == nil && c.kind != 0 {
			t.Errorf("%s: %+v (%v)", name, p, err)
		}
	}
	w.must("PUT", "/simulator/script", obj{"fail": obj{"on": "profile", "status": 401}}, nil)
	req, _ := adapter.ProfileRequest(w.ch.Channel, channel.Who{Peer: lineUser})
	resp, err := w.do(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := adapter.ParseProfile(w.ch.Channel, channel.Who{Peer: lineUser}, resp); !fault.Is(err, fault.Denied) {
		t.Errorf("with a token that is not valid: %v", err)
	}
}

func TestLineTellsOfATokenWhatItIsAsked(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"token+/=", "eyJh.web.token"} {
		w := newWorld(t)
		w.open(line.Adapter{}, event.Line, "/simulator/line", obj{"destination": "U9d74932bdb6f21dc7ab21d6fc5260f47"},
			map[string]string{"channel_secret": "secret", "channel_access_token": token})
		ends := func() error {
			t.Helper()
			req, _ := line.Adapter{}.ExpiryRequest(w.ch)
			resp, err := w.do(req)
			if err != nil {
				t.Fatal(err)
			}
			until, err := line.Adapter{}.ParseExpiry(resp, time.Now())
			if !until.IsZero() {
				t.Errorf("%s ends at %s", token, until)
			}
			return err
		}
		if err := ends(); err != nil {
			t.Errorf("%s: %v", token, err)
		}
		w.ch.Secrets["channel_access_token"] = []string{token + "x"}
		if err := ends(); !fault.Is(err, fault.Gone) {
			t.Errorf("a token that is not valid: %v", err)
		}
	}
}

func TestLineServesTheFilesOfMessages(t *testing.T) {
	t.Parallel()
	w := lineBot(t)
	for kind, magic := range map[string]string{"image": "\xff\xd8\xff", "document": "%PDF"} {
		e := w.write(obj{"from": lineUser, "kind": kind})
		if b := w.fetch(e.Content.Attachments[0]); !strings.HasPrefix(string(b), magic) {
			t.Errorf("%s begins with %q", kind, b[:min(len(b), 8)])
		}
	}
}

func TestLineTakesEveryKind(t *testing.T) {
	t.Parallel()
	w := lineBot(t)
	for n, c := range []event.Content{
		{Type: event.Text, Text: "hello", ReplyTo: &event.Quote{ExternalID: "1", Token: "quote"}},
		{Type: event.Text, Text: strings.Repeat("x", 5001)},
		{Type: event.LocationType, Location: &event.Location{Latitude: 1, Longitude: 2}},
		{Type: event.Sticker, Sticker: &event.StickerRef{PackageID: "446", ID: "1988"}},
		{Type: event.Image, Attachments: []event.Attachment{{Type: event.Image, MIME: "image/png", URL: "https://cdn.example/p.png"}}},
		{Type: event.InteractType, Interactive: &event.Interactive{Kind: "list", Body: "Which?", Sections: []event.Section{{Rows: []event.Choice{{ID: "x", Title: "X"}}}}}},
		{Type: event.InteractType, Interactive: &event.Interactive{Kind: "reply_keyboard", Body: "Which?", Buttons: []event.Choice{{ID: "x", Title: "X"}}}},
		{Type: event.InteractType, Interactive: &event.Interactive{Kind: "buttons", Body: "Which?", Buttons: []event.Choice{{ID: "a", Title: "First"}, {ID: "b", Title: "Second"}}}},
	} {
		if out := w.send(toUser("att_"+string(rune('a'+n)), c)); len(out) != 1 || out[0].err != nil || len(out[0].Refs) == 0 {
			t.Errorf("%s: %+v", c.Type, out)
		}
	}
	if e := w.write(obj{"from": lineUser, "kind": "button", "text": "second"}); e.Content.Interaction == nil || e.Content.Interaction.Payload != "b" {
		t.Errorf("pressed: %+v", e.Content.Interaction)
	}
	for _, msg := range []event.Outbound{{Peer: lineUser, Signal: "typing_on"}, {Peer: lineUser, Signal: "read", ReadToken: "token"}} {
		if out := w.send(msg); len(out) != 1 || out[0].err != nil {
			t.Errorf("%s: %+v", msg.Signal, out)
		}
	}
}

// A push with a retry key that was used is not sent again, and is the success that it was before.
func TestLineTakesAPushOnce(t *testing.T) {
	t.Parallel()
	w := lineBot(t)
	hello := toUser("att_1", event.Content{Type: event.Text, Text: "hello"})
	first, again := w.one(hello), w.one(hello)
	if got := w.accepted("?type=line"); first != again || len(got) != 1 {
		t.Errorf("%s, then %s; accepted %+v", first, again, got)
	}
	if other := w.one(toUser("att_2", hello.Content)); other == first {
		t.Error("another attempt is another message")
	}
}

// A reply token is good once, in the minute after the event; after that the message is pushed.
func TestLineTakesAReplyTokenOnce(t *testing.T) {
	t.Parallel()
	w := lineBot(t)
	hello := toUser("att_1", event.Content{Type: event.Text, Text: "hello"})
	hello.ReplyHandle = "0123456789abcdef0123456789abcdef"
	out := w.send(hello)
	if len(out) != 1 || out[0].err != nil || len(out[0].Refs) != 1 {
		t.Fatalf("%+v", out)
	}
	if calls := w.accepted("?type=line"); len(calls) != 1 || calls[0].To != lineUser {
		t.Errorf("accepted %+v: want one push", calls)
	}
}

func TestLineRefusals(t *testing.T) {
	t.Parallel()
	w := lineBot(t)
	hello := toUser("att_1", event.Content{Type: event.Text, Text: "hello"})
	for name, c := range map[string]struct {
		script obj
		kind   fault.Kind
		code   string
	}{
		"unknown":  {obj{"recipients": obj{lineUser: "unknown"}}, fault.Gone, channel.CodeRecipientUnknown},
		"too many": {obj{"fail": obj{"status": 429}}, fault.Throttled, channel.CodeRateLimited},
		"quota":    {obj{"fail": obj{"status": 429, "message": "You have reached your monthly limit."}}, fault.Denied, "quota_exhausted"},
		"proxy":    {obj{"fail": obj{"status": 502}}, fault.Unknown, channel.CodeUnclear},
	} {
		w.must("PUT", "/simulator/script", c.script, nil)
		if e := fault.Of(w.send(hello)[0].err); e == nil || e.Kind != c.kind || e.Code != c.code {
			t.Errorf("%s: %v", name, e)
		}
	}
}
