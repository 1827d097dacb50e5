package simulator_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/sms"
)

const bob = "+447700900123"

// smsAccounts are channels of every kind, by name.
func smsAccounts(t *testing.T) map[string]*world {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	private := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	out := map[string]*world{}
	for name, c := range map[string]struct {
		base              string
		settings, secrets map[string]string
	}{
		"twilio":   {"twilio", map[string]string{"account_sid": "AC0123456789abcdef0123456789abcdef", "sender": "+14155550100"}, map[string]string{"auth_token": "tok&en"}},
		"vonage":   {"vonage", map[string]string{"sender": "447700900999"}, map[string]string{"api_key": "k00", "api_secret": "s&00", "signature_secret": "sig00"}},
		"messages": {"vonage", map[string]string{"sender": "447700900999", "api": "messages"}, map[string]string{"api_key": "k00", "api_secret": "s00", "signature_secret": "sig00"}},
		"application": {"vonage", map[string]string{"sender": "447700900999", "api": "messages", "application_id": "78d30000-5694-4df9-a2e7-000000000042"},
			map[string]string{"api_key": "k00", "api_secret": "s00", "signature_secret": "sig00", "private_key": private}},
		"infobip":  {"infobip", map[string]string{"sender": "447700900999"}, map[string]string{"api_key": "ib00", "webhook_secret": "brought & back"}},
		"password": {"infobip", map[string]string{"sender": "447700900999", "username": "acme"}, map[string]string{"password": "p00", "webhook_secret": "brought-back"}},
	} {
		w := newWorld(t)
		settings := obj{"provider": c.base}
		for k, v := range c.settings {
			settings[k] = v
		}
		w.open(sms.Adapter{}, event.SMS, "/simulator/"+c.base, settings, c.secrets)
		out[name] = w
	}
	return out
}

func toBob(text string) event.Outbound {
	return event.Outbound{AttemptID: "att", Peer: bob, Content: event.Content{Type: event.Text, Text: text}}
}

func TestSMSPersonWrites(t *testing.T) {
	t.Parallel()
	for name, w := range smsAccounts(t) {
		w.forget()
		w.must("POST", "/simulator/inbound", obj{"type": "sms", "from": bob, "text": "Hello = & world"}, nil)
		if e := w.wait(1)[0]; e.Type != event.MessageReceived || e.Peer != bob || e.Content.Text != "Hello = & world" {
			t.Errorf("%s: %+v %+v", name, e, e.Content)
		}
		w.forget()
		w.must("POST", "/simulator/inbound", obj{"type": "sms", "from": bob, "kind": "block"}, nil)
		if got := w.wait(2); got[1].Type != event.ContactConsented || got[1].Consent.Value != "out" {
			t.Errorf("%s: %+v", name, got)
		}
		if out := w.send(toBob("still there?")); len(out) != 1 || !fault.Is(out[0].err, fault.Gone) {
			t.Errorf("%s: sent to somebody who wrote STOP: %+v", name, out)
		}
		w.forget()
		w.must("POST", "/simulator/inbound", obj{"type": "sms", "from": bob, "kind": "unblock"}, nil)
		if got := w.wait(2); got[1].Consent == nil || got[1].Consent.Value != "in" {
			t.Errorf("%s: %+v", name, got)
		}
		status, _ := w.call(w.key, "POST", "/simulator/inbound", obj{"type": "sms", "from": bob, "kind": "image"}, nil)
		if texts := strings.HasPrefix(name, "vonage") || name == "messages" || name == "application"; texts != (status == 422) {
			t.Errorf("%s: a picture is answered %d", name, status)
		} else if !texts {
			e := w.wait(3)[2]
			if b := w.fetch(e.Content.Attachments[0]); e.Content.Type != event.Image || !strings.HasPrefix(string(b), "\xff\xd8\xff") {
				t.Errorf("%s: %+v, the file begins with %q", name, e.Content, b[:min(len(b), 8)])
			}
		}
	}
}

func TestSMSLongTextsComeInParts(t *testing.T) {
	t.Parallel()
	w := smsAccounts(t)["vonage"]
	text := strings.Repeat("0123456789", 40)
	w.must("POST", "/simulator/inbound", obj{"type": "sms", "from": bob, "text": text}, nil)
	got := w.wait(3)
	slices.SortFunc(got, func(a, b event.Inbound) int { return a.Piece.Part - b.Piece.Part })
	whole := ""
	for n, e := range got {
		if *e.Piece != (event.Piece{Ref: got[0].Piece.Ref, Part: n + 1, Total: 3}) {
			t.Errorf("part %d is %+v", n+1, e.Piece)
		}
		whole += e.Content.Text
	}
	if whole != text {
		t.Errorf("the parts are %q", whole)
	}
}

func TestSMSTellsWhatBecameOfAMessage(t *testing.T) {
	t.Parallel()
	for name, w := range smsAccounts(t) {
		w.forget()
		id := w.one(toBob("Hi = & Bob, 你好"))
		var got []string
		for _, e := range w.wait(2) {
			got = append(got, string(e.Receipt.Status))
			if e.Type != event.ReceiptReceived || e.ExternalID != id || e.Peer != bob || e.Receipt.ClientRef != channel.ClientRef("att", 0) {
				t.Errorf("%s: %+v %+v", name, e, e.Receipt)
			}
		}
		if slices.Sort(got); !slices.Equal(got, []string{"delivered", "sent"}) {
			t.Errorf("%s told %v", name, got)
		}
		w.forget()
		w.must("PUT", "/simulator/script", obj{"receipts": obj{"fail_with": map[string]int{"twilio": 30003, "vonage": 2, "messages": 1180, "application": 1180}[name] + map[string]int{"infobip": 27, "password": 27}[name]}}, nil)
		w.one(toBob("again"))
		if e := w.wait(1)[0]; e.Receipt.Status != event.Failed || e.Receipt.Error == nil || e.Receipt.Error.Code != "recipient_unavailable" {
			t.Errorf("%s: %+v %+v", name, e.Receipt, e.Receipt.Error)
		}
	}
}

func TestSMSEachPartOfALongTextHasAReceipt(t *testing.T) {
	t.Parallel()
	w := smsAccounts(t)["vonage"]
	out := w.send(toBob(strings.Repeat("a", 200)))
	if len(out) != 1 || out[0].err != nil || len(out[0].Refs) != 2 {
		t.Fatalf("%+v", out)
	}
	told := map[string]bool{}
	for _, e := range w.wait(4) {
		told[e.ExternalID+" "+string(e.Receipt.Status)] = true
	}
	for _, id := range out[0].Refs {
		if !told[id+" sent"] || !told[id+" delivered"] {
			t.Errorf("%s: told %v", id, told)
		}
	}
}

func TestSMSRefuses(t *testing.T) {
	t.Parallel()
	for name, w := range smsAccounts(t) {
		codes := map[string]obj{
			"twilio": {"credentials": 20003, "too fast": 20429}, "vonage": {"credentials": 4, "too fast": 1},
			"messages": {"credentials": 1110, "too fast": 1000}, "application": {"credentials": 1110, "too fast": 1000},
			"infobip": {"credentials": 401, "too fast": 429}, "password": {"credentials": 401, "too fast": 429},
		}[name]
		for what, c := range map[string]struct {
			script obj
			kind   fault.Kind
		}{
			"nobody of that number": {obj{"recipients": obj{bob: "unknown"}}, fault.Gone},
			"credentials":           {obj{"fail": obj{"code": codes["credentials"]}}, fault.Denied},
			"too fast":              {obj{"fail": obj{"code": codes["too fast"]}}, fault.Throttled},
			"a page":                {obj{"fail": obj{"status": 503}}, fault.Unknown},
		} {
			w.must("PUT", "/simulator/script", c.script, nil)
			if out := w.send(toBob("x")); len(out) != 1 || !fault.Is(out[0].err, c.kind) {
				t.Errorf("%s, %s: %+v", name, what, out)
			}
		}
	}
}

func TestSMSChecksCredentials(t *testing.T) {
	t.Parallel()
	for name, w := range smsAccounts(t) {
		reqs, err := w.adapt.(channel.Setup).SetupRequests(w.ch, w.gateway.URL)
		if err != nil || len(reqs) != 1 {
			t.Fatalf("%s: %v, %v", name, reqs, err)
		}
		if resp, err := w.do(reqs[0]); err != nil || resp.Status != 200 {
			t.Errorf("%s: %d, %v", name, resp.Status, err)
		}
		for k := range w.ch.Secrets {
			if k != "private_key" {
				w.ch.Secrets[k] = []string{"another"}
			}
		}
		if resp, err := w.do(reqs[0]); err != nil || resp.Status != 401 {
			t.Errorf("%s with other secrets: %d, %v", name, resp.Status, err)
		}
		if out := w.send(toBob("x")); name != "application" && (len(out) != 1 || !fault.Is(out[0].err, fault.Denied)) {
			t.Errorf("%s with other secrets: %+v", name, out)
		}
	}
}
