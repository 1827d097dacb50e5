package simulator_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/rcs"
	simulated "github.com/tributaryhq/tributary/services/simulator/rcs"
)

const mobile = "+8613912345678"

// agents are the settings and secrets of an agent of every platform.
var agents = map[string]struct {
	settings obj
	secrets  map[string]string
}{
	"google": {obj{"agent_id": "shop_agent@rbm.goog"}, map[string]string{"client_token": "ct-gw-1", "service_account": simulated.ServiceAccount()}},
	"maap":   {obj{"chatbot_id": "sip:shop@botplatform.example"}, map[string]string{"access_token": "bot-token", "webhook_secret": "whs-1"}},
	"cmcc":   {obj{"chatbot_id": "sip:12520010@botplatform.rcs.chinamobile.com", "app_id": "cm-app"}, map[string]string{"password": "cm-pass"}},
	"ctcu":   {obj{"chatbot_id": "sip:20210401@botplatform.rcs.chinaunicom.cn", "app_id": "ct-app"}, map[string]string{"app_key": "ct-key", "token": "ct-tok"}},
	"huawei": {obj{"chatbot_id": "sip:7908@botplatform.rcs.chinamobile.com", "app_id": "hw-app"}, map[string]string{"app_secret": "hw-secret"}},
}

// rcsAgent is an agent of a platform with the token that its calls need.
func rcsAgent(t *testing.T, which string, more obj) *world {
	t.Helper()
	w, a := newWorld(t), agents[which]
	settings := obj{"provider": which, "sms_fallback": true}
	for _, s := range []obj{a.settings, more} {
		for k, v := range s {
			settings[k] = v
		}
	}
	w.open(rcs.Adapter{}, event.RCS, "/simulator/rcs-"+which, settings, a.secrets)
	req, err := rcs.Adapter{}.TokenRequest(w.ch, time.Now(), strings.Repeat("0", 32))
	if err != nil {
		t.Fatal(err)
	}
	if req.URL == "" {
		return w
	}
	resp, err := w.do(req)
	if err != nil {
		t.Fatal(err)
	}
	token, life, err := rcs.Adapter{}.ParseToken(resp)
	if err != nil || life < 30*time.Minute {
		t.Fatalf("%s %v", life, err)
	}
	w.ch.Token = token
	return w
}

func toMobile(attempt string, c event.Content) event.Outbound {
	return event.Outbound{AttemptID: attempt, Peer: mobile, Content: c, CreatedAt: event.Time{Time: time.Now()}}
}

func onAll(t *testing.T, run func(t *testing.T, which string)) {
	t.Parallel()
	for which := range agents {
		t.Run(which, func(t *testing.T) {
			t.Parallel()
			run(t, which)
		})
	}
}

func TestRCSPersonWrites(t *testing.T) {
	onAll(t, func(t *testing.T, which string) {
		w := rcsAgent(t, which, nil)
		if e := w.write(obj{"from": mobile, "text": `你好 <b> & "more"`}); e.Peer != mobile || e.Content.Text != `你好 <b> & "more"` || e.Tap {
			t.Errorf("arrived %+v %+v", e, e.Content)
		}
		for kind, want := range map[string]event.MessageType{
			"image": event.Image, "audio": event.Audio, "video": event.Video, "document": event.Document, "location": event.LocationType, "unsupported": event.Unsupported,
		} {
			e := w.write(obj{"from": mobile, "kind": kind})
			if e.Type != event.MessageReceived || e.Content.Type != want {
				t.Errorf("%s arrived as %s %+v", kind, e.Type, e.Content)
			}
			if kind == "image" && which == "google" || kind == "image" && which == "maap" { // a plain address
				if a := e.Content.Attachments[0]; w.as("", "GET", strings.TrimPrefix(a.URL, w.url)) != 200 {
					t.Errorf("no picture at %s", a.URL)
				}
			} else if kind == "image" {
				if b := w.fetch(e.Content.Attachments[0]); !strings.HasPrefix(string(b), "\xff\xd8\xff") {
					t.Errorf("a picture begins with %q", b[:min(len(b), 8)])
				}
			}
		}
		tells := which == "google" || which == "maap"
		if status, _ := w.call(w.key, "POST", "/simulator/inbound", obj{"type": "rcs", "from": mobile, "kind": "typing"}, nil); (status == 200) != tells {
			t.Errorf("typing: %d", status)
		}
		if which != "google" {
			return
		}
		if e := w.write(obj{"from": mobile, "kind": "block"}); e.Consent == nil || e.Consent.Value != "out" {
			t.Errorf("UNSUBSCRIBE: %+v", e)
		}
		if e := w.write(obj{"from": mobile, "kind": "unblock"}); e.Consent == nil || e.Consent.Value != "in" {
			t.Errorf("SUBSCRIBE: %+v", e)
		}
	})
}

// chips are every kind of choice, with labels that all platforms take.
func chips() []event.Choice {
	at := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	return []event.Choice{
		{ID: "yes", Title: "Yes"}, {Kind: "url", ID: "u", Title: "Shop", URL: "https://shop.example/"}, {Kind: "dial", ID: "d", Title: "Call", Phone: "+8675512345678"},
		{Kind: "location", ID: "l", Title: "Where", Location: &event.Location{Latitude: 22.5, Longitude: 114.05, Name: "Shop"}}, {Kind: "location_request", ID: "r", Title: "I am here"},
		{Kind: "calendar", ID: "c", Title: "Note it", Event: &event.CalendarEvent{Title: "Visit", Start: event.Time{Time: at}, End: event.Time{Time: at.Add(time.Hour)}}},
	}
}

func TestRCSTakesEveryKind(t *testing.T) {
	onAll(t, func(t *testing.T, which string) {
		w := rcsAgent(t, which, nil)
		w.must("PUT", "/simulator/script", obj{"receipts": obj{"mode": "manual"}}, nil)
		w.write(obj{"from": mobile, "text": "hi"})
		w.blobs["blob"] = strings.Repeat("x", 90_000)
		file := event.Attachment{Type: event.Image, MIME: "image/jpeg", Name: "f.jpg", Blob: "blob", Size: 90_000}
		sends := map[string]event.Content{
			"text":     {Type: event.Text, Text: "Hi <Alice> & 全部"},
			"location": {Type: event.LocationType, Location: &event.Location{Latitude: 22.5, Longitude: 114.05, Name: "Shop"}},
			"chips":    {Type: event.InteractType, Interactive: &event.Interactive{Kind: "reply_keyboard", Body: "Which?", Buttons: chips()}},
			"card":     {Type: event.InteractType, Interactive: &event.Interactive{Kind: "buttons", Header: "Shoes", Body: "Blue", Buttons: chips()[:4]}},
			"carousel": {Type: event.InteractType, Interactive: &event.Interactive{Kind: "carousel", Sections: []event.Section{
				{Title: "One", Description: "first", Rows: chips()[:2]}, {Title: "Two", Rows: chips()[1:3]},
			}}},
		}
		if which != "huawei" {
			sends["file"] = event.Content{Type: event.Image, Attachments: []event.Attachment{file}}
			card := *sends["card"].Interactive
			sends["card with a picture"] = event.Content{Type: event.InteractType, Interactive: &card, Attachments: []event.Attachment{file}}
		}
		for kind, c := range sends {
			out := w.send(toMobile("att_"+kind[:4]+kind[len(kind)-3:], c))
			if len(out) != 1 || out[0].err != nil || len(out[0].Refs) != 1 {
				t.Errorf("%s: %+v", kind, out)
			}
		}
		kinds := map[string]int{}
		for _, m := range w.accepted("") {
			kinds[m.Kind]++
		}
		if kinds["card"] == 0 || kinds["carousel"] != 1 || kinds["text"] == 0 || which != "huawei" && kinds["file"] != 1 {
			t.Errorf("they took %v", kinds)
		}
		// What was offered can be taken.
		w.one(toMobile("att_again", sends["chips"]))
		if e := w.write(obj{"from": mobile, "kind": "button", "button": "yes"}); e.Tap || e.Content.Interaction == nil || e.Content.Interaction.ID != "yes" {
			t.Errorf("tapped: %+v %+v", e, e.Content)
		}
		if e := w.write(obj{"from": mobile, "kind": "button", "button": "action:u"}); !e.Tap {
			t.Errorf("opened a page: %+v %+v", e, e.Content)
		}
	})
}

func TestRCSReceipts(t *testing.T) {
	onAll(t, func(t *testing.T, which string) {
		w := rcsAgent(t, which, nil)
		w.must("PUT", "/simulator/script", obj{"receipts": obj{"mode": "auto"}}, nil)
		ref := w.one(toMobile("att", event.Content{Type: event.Text, Text: "x"}))
		w.until("the receipt of reading", func() bool {
			return slices.ContainsFunc(w.events, func(e event.Inbound) bool {
				return e.Receipt != nil && e.Receipt.Status == event.Read && e.ExternalID == ref
			})
		})
		w.forget()
		w.must("PUT", "/simulator/script", obj{"receipts": obj{"mode": "manual"}}, nil)
		ref = w.one(toMobile("att2", event.Content{Type: event.Text, Text: "x"}))
		w.must("POST", "/simulator/receipts", obj{"type": "rcs", "id": ref, "status": "failed"}, nil)
		if e := w.wait(1)[0]; e.Receipt == nil || e.Receipt.Status != event.Failed || e.Receipt.Error == nil || e.ExternalID != ref {
			t.Errorf("failed: %+v %+v", e, e.Receipt)
		}
	})
}

// Where a phone has no RCS, China's platforms send an SMS in its place and say so.
func TestRCSFallsBackToSMS(t *testing.T) {
	t.Parallel()
	for _, which := range []string{"cmcc", "ctcu", "huawei"} {
		t.Run(which, func(t *testing.T) {
			t.Parallel()
			w := rcsAgent(t, which, nil)
			w.must("PUT", "/simulator/script", obj{"recipients": obj{mobile: "unknown"}}, nil)
			ref := w.one(toMobile("att", event.Content{Type: event.Text, Text: "x"}))
			w.until("the SMS", func() bool {
				return slices.ContainsFunc(w.events, func(e event.Inbound) bool {
					return e.Receipt != nil && e.Receipt.Via == "sms" && e.Receipt.Status != event.Failed && e.ExternalID == ref
				})
			})
		})
	}
}

func TestRCSRefuses(t *testing.T) {
	onAll(t, func(t *testing.T, which string) {
		w := rcsAgent(t, which, nil)
		slow, denied := obj{"code": 429, "status": 429}, obj{"code": 401, "status": 401}
		blocked := fault.Denied // a status that says no more
		if which == "ctcu" {
			blocked, slow, denied = fault.Gone, obj{"code": 30003}, obj{"code": 40014}
		}
		for name, c := range map[string]struct {
			script obj
			kind   fault.Kind
		}{
			"who has blocked it": {obj{"recipients": obj{mobile: "blocked"}}, blocked},
			"a token's end":      {obj{"fail": denied}, fault.Denied},
			"a page":             {obj{"fail": obj{"status": 503}}, fault.Unknown},
			"too fast":           {obj{"fail": slow}, fault.Throttled},
		} {
			w.must("PUT", "/simulator/script", c.script, nil)
			out := w.send(toMobile("att", event.Content{Type: event.Text, Text: "x"}))
			if len(out) != 1 || !fault.Is(out[0].err, c.kind) {
				t.Errorf("%s: %+v", name, out)
			}
		}
	})
}

// Somebody whose phone has no RCS is found out before anything is sent, where the platform tells.
func TestRCSChecksCapabilities(t *testing.T) {
	t.Parallel()
	for _, which := range []string{"google", "maap"} {
		t.Run(which, func(t *testing.T) {
			t.Parallel()
			w := rcsAgent(t, which, obj{"capability_check": true})
			if out := w.send(toMobile("att", event.Content{Type: event.Text, Text: "x"})); len(out) != 1 || out[0].err != nil {
				t.Fatalf("%+v", out)
			}
			w.must("PUT", "/simulator/script", obj{"recipients": obj{mobile: "unknown"}}, nil)
			if out := w.send(toMobile("att2", event.Content{Type: event.Text, Text: "x"})); len(out) != 1 || !fault.Is(out[0].err, fault.Gone) {
				t.Errorf("%+v", out)
			}
			for _, c := range w.made() {
				if c.Name != "capabilities" && c.Name != "contactCapabilities" && c.Outcome == "refused" {
					t.Errorf("was sent all the same: %+v", c)
				}
			}
			if n := len(w.accepted("")); n != 1 {
				t.Errorf("%d messages were accepted", n)
			}
		})
	}
}

func TestRCSTakesBack(t *testing.T) {
	onAll(t, func(t *testing.T, which string) {
		w := rcsAgent(t, which, nil)
		w.must("PUT", "/simulator/script", obj{"receipts": obj{"mode": "manual"}}, nil)
		ref := w.one(toMobile("att", event.Content{Type: event.Text, Text: "x"}))
		back := toMobile("att2", event.Content{})
		target := func(id string) *event.Action {
			return &event.Action{Kind: event.ActionUnsend, Target: event.Target{Type: event.Text, Of: 1, Parts: []event.TargetPart{{ExternalIDs: []string{id}}}, At: event.Time{Time: time.Now()}}}
		}
		back.Action = target(ref)
		if out := w.send(back); len(out) != 1 || out[0].err != nil {
			t.Errorf("%+v", out)
		}
		back.Action = target("never")
		if out := w.send(back); len(out) != 1 || out[0].err == nil {
			t.Errorf("one that is not there: %+v", out)
		}
	})
}

// Google answers a message that it has again as it did the first time; so does China Mobile.
func TestRCSRepeats(t *testing.T) {
	t.Parallel()
	for _, which := range []string{"google", "cmcc"} {
		t.Run(which, func(t *testing.T) {
			t.Parallel()
			w := rcsAgent(t, which, nil)
			msg := toMobile("att", event.Content{Type: event.Text, Text: "x"})
			if one, two := w.one(msg), w.one(msg); one != two || len(w.accepted("")) != 1 {
				t.Errorf("%s, then %s; %d messages", one, two, len(w.accepted("")))
			}
		})
	}
}

// Another's key, agent or password is refused.
func TestRCSCredentials(t *testing.T) {
	onAll(t, func(t *testing.T, which string) {
		w := rcsAgent(t, which, nil)
		msg := toMobile("att", event.Content{Type: event.Text, Text: "x"})
		ch := w.ch
		w.ch.Token = "another"
		for name := range w.ch.Secrets {
			if name != "service_account" {
				w.ch.Secrets[name] = []string{"another"}
			}
		}
		if out := w.send(msg); len(out) != 1 || !fault.Is(out[0].err, fault.Denied) {
			t.Errorf("%+v", out)
		}
		w.ch = ch
		if which != "google" {
			return
		}
		w.ch.Secrets["service_account"] = []string{strings.Replace(simulated.ServiceAccount(), "sim-", "not-", 1)}
		req, err := rcs.Adapter{}.TokenRequest(w.ch, time.Now(), "")
		if err != nil {
			t.Fatal(err)
		}
		resp, err := w.do(req)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := (rcs.Adapter{}).ParseToken(resp); !fault.Is(err, fault.Denied) {
			t.Errorf("a token for another's key: %v", err)
		}
	})
}
