package simulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/wechat"
)

const follower = "oQ7xK1mZp4Vb2Nd9Ty6Rw8Uc3Hs0"

// wechatAccount is an account with its token; key is its EncodingAESKey, or empty.
func wechatAccount(t *testing.T, key string) *world {
	t.Helper()
	w := newWorld(t)
	secrets := map[string]string{"app_secret": "secret", "token": "gwTok3nWx2026"}
	if key != "" {
		secrets["encoding_aes_key"] = key
	}
	w.open(wechat.Adapter{}, event.WeChat, "/simulator/wechat", obj{"app_id": "wx5ac3e71b90d24f68", "original_id": "gh_7c41e9d02ab5"}, secrets)
	req, err := wechat.Adapter{}.TokenRequest(w.ch, time.Now(), "")
	if err != nil {
		t.Fatal(err)
	}
	resp, err := w.do(req)
	if err != nil {
		t.Fatal(err)
	}
	token, life, err := wechat.Adapter{}.ParseToken(resp)
	if err != nil || life != 2*time.Hour {
		t.Fatalf("%s %v", life, err)
	}
	w.ch.Token = token
	return w
}

func toFollower(attempt string, c event.Content) event.Outbound {
	return event.Outbound{AttemptID: attempt, Peer: follower, Content: c}
}

func TestWeChatPersonWrites(t *testing.T) {
	t.Parallel()
	for mode, key := range map[string]string{"plain": "", "safe": "K7mQ2vXc9LpZ4tRn8WbY6sHd1FgJ3kTa5UeNoiBrMqx"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w := wechatAccount(t, key)
			if e := w.write(obj{"from": follower, "text": "你好 ]]> <b>"}); e.Peer != follower || e.Content.Text != "你好 ]]> <b>" {
				t.Errorf("arrived %+v %+v", e, e.Content)
			}
			for kind, want := range map[string]event.MessageType{
				"image": event.Image, "audio": event.Audio, "video": event.Video, "location": event.LocationType, "unsupported": event.Unsupported,
			} {
				if e := w.write(obj{"from": follower, "kind": kind}); e.Type != event.MessageReceived || e.Content.Type != want {
					t.Errorf("%s arrived as %s %+v", kind, e.Type, e.Content)
				}
			}
			if e := w.write(obj{"from": "+49 151", "kind": "button", "button": "MENU"}); e.OpensWindow != "menu" || e.Content.Interaction.Payload != "MENU" {
				t.Errorf("menu: %+v", e)
			}
			if e := w.write(obj{"from": follower, "kind": "referral", "referral": obj{"code": "store-7"}}); e.Referral == nil || e.Referral.Code != "store-7" {
				t.Errorf("scan: %+v", e)
			}
			for kind, want := range map[string]string{"block": "unfollowed", "unblock": "followed"} {
				if e := w.write(obj{"from": follower, "kind": kind}); e.Membership == nil || e.Membership.State != want {
					t.Errorf("%s: %+v", kind, e)
				}
			}
		})
	}
}

func TestWeChatTakesEveryKind(t *testing.T) {
	t.Parallel()
	w := wechatAccount(t, "")
	w.write(obj{"from": follower, "text": "hi"})
	w.blobs["blob"] = "some bytes"
	file := func(typ event.MessageType, mime string) event.Content {
		return event.Content{Type: typ, Attachments: []event.Attachment{{Type: typ, MIME: mime, Name: "f", Blob: "blob", Size: 10}}}
	}
	for n, c := range []event.Content{
		{Type: event.Text, Text: "您好 <查看> & 感谢"},
		file(event.Image, "image/jpeg"), file(event.Audio, "audio/amr"), file(event.Video, "video/mp4"),
		{Type: event.InteractType, Interactive: &event.Interactive{Kind: "link", Body: "b", Button: "open", URL: "https://shop.example"}},
		{Type: event.InteractType, Interactive: &event.Interactive{Kind: "buttons", Body: "Which?", Buttons: []event.Choice{{ID: "a", Title: "First"}, {ID: "b", Title: "Second"}}}},
	} {
		if out := w.send(toFollower("att_"+string(rune('a'+n)), c)); len(out) != 1 || out[0].err != nil || out[0].Status != event.Sent {
			t.Errorf("%s: %+v", c.Type, out)
		}
	}
	if e := w.write(obj{"from": follower, "kind": "button", "text": "second"}); e.Content.Interaction == nil || e.Content.Interaction.ID != "b" || e.OpensWindow != "menu" {
		t.Errorf("pressed: %+v", e.Content)
	}
	for _, signal := range []string{"typing_on", "typing_off"} {
		if out := w.send(event.Outbound{Peer: follower, Signal: signal}); len(out) != 1 || out[0].err != nil {
			t.Errorf("%s: %+v", signal, out)
		}
	}
}

func TestWeChatTellsWhatBecameOfTemplates(t *testing.T) {
	t.Parallel()
	w := wechatAccount(t, "")
	w.write(obj{"from": follower, "text": "hi"})
	w.forget()
	out := w.send(toFollower("att_t", event.Content{Type: event.TemplateType, Template: &event.Template{Name: "TM1", Language: "zh_CN"}}))
	if len(out) != 1 || out[0].err != nil || len(out[0].Refs) != 1 {
		t.Fatalf("%+v", out)
	}
	if e := w.wait(1)[0]; e.Type != event.ReceiptReceived || e.ExternalID != out[0].Refs[0] || e.Receipt.Status != event.Delivered {
		t.Errorf("%+v %+v", e, e.Receipt)
	}
}

func TestWeChatRefusesWithSuccess(t *testing.T) {
	t.Parallel()
	w := wechatAccount(t, "")
	w.write(obj{"from": follower, "text": "hi"})
	text := event.Content{Type: event.Text, Text: "x"}
	for name, c := range map[string]struct {
		script obj
		to     string
		kind   fault.Kind
	}{
		"a stranger":     {obj{}, "oStrangerStrangerStranger000", fault.Gone},
		"one who left":   {obj{"recipients": obj{follower: "blocked"}}, follower, fault.Gone},
		"too late":       {obj{"window": "1ns"}, follower, fault.Window},
		"by the script":  {obj{"fail": obj{"code": 45047}}, follower, fault.Window},
		"a token's end":  {obj{"fail": obj{"code": 42001}}, follower, fault.Denied},
		"a page":         {obj{"fail": obj{"status": 502}}, follower, fault.Unknown},
		"the busy house": {obj{"fail": obj{"code": -1}}, follower, fault.Throttled},
	} {
		w.must("PUT", "/simulator/script", c.script, nil)
		out := w.send(event.Outbound{AttemptID: "att", Peer: c.to, Content: text})
		if len(out) != 1 || !fault.Is(out[0].err, c.kind) {
			t.Errorf("%s: %+v", name, out)
		}
	}
}

func TestWeChatServesFilesProfilesAndTheCheck(t *testing.T) {
	t.Parallel()
	w := wechatAccount(t, "")
	e := w.write(obj{"from": follower, "name": "林", "kind": "image"})
	if b := w.fetch(e.Content.Attachments[0]); !strings.HasPrefix(string(b), "\xff\xd8\xff") {
		t.Errorf("a picture begins with %q", b[:min(len(b), 8)])
	}
	adapter, who := wechat.Adapter{}, channel.Who{Peer: follower}
	req, _ := adapter.ProfileRequest(w.ch.Channel, who)
	resp, err := w.do(req)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := adapter.ParseProfile(w.ch.Channel, who, resp); err != nil || p.Name != "林" {
		t.Errorf("%+v %v", p, err)
	}
	reqs, err := adapter.SetupRequests(w.ch, "")
	if err != nil {
		t.Fatal(err)
	}
	if resp, err = w.do(reqs[0]); err != nil || adapter.ParseSetup(resp) != nil {
		t.Errorf("%s %v", resp.Body, err)
	}
}
