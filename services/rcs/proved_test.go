package rcs

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/channeltest"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// pushed is the body of a push of Google's with these data.
func pushed(data []byte) []byte {
	return fmt.Appendf(nil, `{"message":{"data":%q}}`, base64.StdEncoding.EncodeToString(data))
}

// proved is a call of a channel's platform with a body, which at Google stands as the data of a push, and with the proof of its origin.
func proved(t *testing.T, ch channel.Keyed, path string, body []byte) channel.Inbound {
	t.Helper()
	in := channel.Inbound{Method: "POST", Path: path, Header: channel.Header{}, Body: body, At: channeltest.At}
	switch of(ch.Channel).(type) {
	case google:
		mac := hmac.New(sha512.New, []byte(ch.Secrets.Current("client_token")))
		mac.Write(body)
		in.Header.Set(googleSignature, base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		in.Body = pushed(body)
	case maap:
		in.Header.Set("Authorization", "Bearer "+ch.Secrets.Current("webhook_secret"))
	case cmcc, huawei: // they prove themselves as they want to have our calls proved
		in.Header = of(ch.Channel).sign(ch, channel.Request{Header: channel.Header{}}, in.At, channeltest.Nonce).Header
	case ctcu:
		at := fmt.Sprint(in.At.Unix())
		in.Header.Set("timestamp", at)
		in.Header.Set("nonce", "4711")
		in.Header.Set("signature", ctcuSignature(ch.Secrets.Current("token"), at, "4711"))
	}
	if err := (Adapter{}).Verify(ch, in); err != nil {
		t.Fatalf("%s: the call is not proved: %v", ch.ID, err)
	}
	return in
}

// channels are one of each platform.
var channels = map[string]string{byGoogle: "channel.json", byMaaP: "channel.maap.json", byCMCC: "channel.cmcc.json", byCTCU: "channel.ctcu.json", byHuawei: "channel.huawei.json"}

// A body that no platform sends is refused as unreadable, or nothing comes of it, although its call is proved.
func TestBadBodiesAreRefusedAlthoughTheyAreProved(t *testing.T) {
	t.Parallel()
	for platform, file := range channels {
		ch := keyed(t, file)
		for _, path := range []string{"", "/deliveryNotification/x/status", "/notifyInfoNotification/x/notice"} {
			for name, body := range channeltest.BadBodies() {
				p, err := Adapter{}.Parse(ch, proved(t, ch, path, body))
				if err != nil && !fault.Is(err, fault.Invalid) || err == nil && len(p.Ignored) == 0 || len(p.Events) > 0 {
					t.Errorf("%s, %s at %q: %d events, ignored %v, %v", platform, name, path, len(p.Events), p.Ignored, err)
				}
			}
		}
	}
}

// embedded is a bad body where JSON has a value: as it is, if it is JSON, otherwise as a text.
func embedded(body []byte) string {
	if json.Valid(body) {
		return string(body)
	}
	return string(quoted(string(body)))
}

// What somebody has sent is a placeholder for a message, whatever stands where its content should.
func TestBadContentsArePlaceholders(t *testing.T) {
	t.Parallel()
	encoded := base64.StdEncoding.EncodeToString
	contents := func(form string, kinds ...string) (out []func([]byte) string) {
		for _, kind := range kinds {
			out = append(out, func(body []byte) string { return fmt.Sprintf(form, kind, encoded(body)) })
		}
		return out
	}
	fields := func(form string, names ...string) (out []func([]byte) string) {
		for _, name := range names {
			out = append(out, func(body []byte) string { return fmt.Sprintf(form, name, embedded(body)) })
		}
		return out
	}
	for platform, forms := range map[string][]func([]byte) string{
		byGoogle: fields(`{"senderPhoneNumber":"+14155550142","messageId":"m","%s":%s}`, "userFile", "location", "hologram"),
		byMaaP: fields(`{"event":"message","RCSMessage":{"msgId":"m","%s":%s},"messageContact":{"userContact":"+14155550142"}}`,
			"fileMessage", "audioMessage", "geolocationPushMessage", "suggestedResponse", "sharedData", "hologram"),
		byCMCC: contents(`<m><inboundMessage><senderAddress>tel:+8613800138000</senderAddress><messageId>m</messageId><contentType>%s</contentType>`+
			`<contentEncoding>base64</contentEncoding><bodyText>%s</bodyText></inboundMessage></m>`, fileTransfer+"+xml", botResponse, botShared, "x/y"),
		byCTCU: contents(`{"messageId":"m","senderAddress":"tel:+8613800138000","messageList":[{"contentType":"%s","contentEncoding":"base64","contentText":"%s"}]}`,
			fileTransfer, fileTransfer+"+xml", botResponse, botShared, "x/y"),
		byHuawei: contents(`{"senderAddress":"tel:+8613800138000","messageId":"m","contentType":"%s","contentEncoding":"base64","bodyText":"%s"}`,
			fileTransfer+"+xml", botResponse, botShared, "x/y"),
	} {
		ch := keyed(t, channels[platform])
		for n, form := range forms {
			for name, body := range channeltest.BadBodies() {
				p, err := Adapter{}.Parse(ch, proved(t, ch, "", []byte(form(body))))
				if err != nil || len(p.Events) != 1 || p.Events[0].Type != event.MessageReceived || p.Events[0].Content.Type != event.Unsupported {
					t.Errorf("%s, content %d, %s: %.300v %v", platform, n, name, p, err)
				}
			}
		}
	}
}

// What costs most takes no more memory than a few times its size, although its call is proved: deep JSON, XML with a document type, ten
// thousand parts.
func TestHostileBodiesAreBounded(t *testing.T) {
	const limit = 64 << 20
	many := func(before, one, after string, n int) []byte {
		return []byte(before + strings.TrimSuffix(strings.Repeat(one+",", n), ",") + after)
	}
	for name, c := range map[string]struct {
		platform, path string
		body           []byte
		events         int // at most
	}{
		"10,000 parts":      {byCTCU, "/messageNotification/x/messages", many(`{"messageId":"m","senderAddress":"tel:+8613800138000","messageList":[`, `{"contentType":"text/plain","contentText":"x"}`, `]}`, 10_000), 1},
		"10,000 receipts":   {byCTCU, "/deliveryNotification/x/status", many(`{"deliveryInfoList":[`, `{"messageId":"m","senderAddress":"tel:+8613800138000","status":"sent"}`, `]}`, 10_000), 1},
		"deep JSON":         {byMaaP, "", bytes.Repeat([]byte(`{"RCSMessage":`), 70_000), 0},
		"deep lists":        {byHuawei, "", append([]byte(`{"deliveryInfo":`), bytes.Repeat([]byte("["), 900_000)...), 0},
		"deep XML":          {byCMCC, "", bytes.Repeat([]byte("<a>"), 300_000), 0},
		"10,000 messages":   {byCMCC, "", []byte("<m>" + strings.Repeat("<inboundMessage><senderAddress>tel:+8613800138000</senderAddress><messageId>m</messageId></inboundMessage>", 10_000) + "</m>"), 0},
		"a billion laughs":  {byCMCC, "", []byte(`<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><inboundMessageNotification>&b;</inboundMessageNotification>`), 0},
		"another charset":   {byCMCC, "", []byte("<?xml version=\"1.0\" encoding=\"GB2312\"?><m>\xb6\xa9\xb5\xa5</m>"), 0},
		"data of a push":    {byGoogle, "", make([]byte, 600_000), 0},
		"a long base64":     {byHuawei, "", many(`{"senderAddress":"tel:+8613800138000","messageId":"m","contentEncoding":"base64","bodyText":"`, strings.Repeat("/9j/", 200_000), `"}`, 1), 1},
		"a nested response": {byHuawei, "", many(`{"senderAddress":"tel:+8613800138000","messageId":"m","contentType":"`+botResponse+`","bodyText":"`, strings.Repeat("[", 900_000), `"}`, 1), 1},
	} {
		ch := keyed(t, channels[c.platform])
		in := proved(t, ch, c.path, c.body)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		p, _ := Adapter{}.Parse(ch, in)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > limit {
			t.Errorf("%s: %d MiB for %d KiB", name, used>>20, len(c.body)>>10)
		}
		if len(p.Events) > c.events {
			t.Errorf("%s: %d events", name, len(p.Events))
		}
	}
}

// Receipts tell by which way a message went: Google and the GSMA know no other than RCS, China's platforms fall back to SMS.
func TestReceiptsTellTheWayOfAMessage(t *testing.T) {
	t.Parallel()
	type way struct {
		status event.DeliveryStatus
		via    string
	}
	oma := map[string]way{
		"MessageSent": {event.Sent, ""}, "DeliveredToTerminal": {event.Delivered, ""}, "MessageDisplayed": {event.Read, ""}, "DeliveryImpossible": {event.Failed, ""},
		"DeliveredToNetwork": {event.Delivered, "sms"}, "DeliveredToSMS": {event.Delivered, "sms"}, "DeliveredToSMSFailed": {event.Failed, "sms"},
		"DeliveredToVms": {event.Delivered, "video_sms"}, "DeliveredToVmsFailed": {event.Failed, "video_sms"},
		"DeliverdToNetwork": {event.Delivered, "sms"}, "DeliveredToPigeon": {},
	}
	for platform, c := range map[string]struct {
		path, form string // of a push, with the place of what it tells
		ways       map[string]way
	}{
		byGoogle: {"", `{"senderPhoneNumber":"+14155550142","phoneNumber":"+14155550142","messageId":"m","eventId":"e","eventType":"%s"}`, map[string]way{
			"DELIVERED": {event.Delivered, ""}, "READ": {event.Read, ""}, "DELIVERED_BY_SMS": {},
		}},
		byMaaP: {"", `{"event":"messageStatus","RCSMessage":{"msgId":"m","status":"%s"},"messageContact":{"userContact":"+14155550142"}}`, map[string]way{
			"sent": {event.Sent, ""}, "delivered": {event.Delivered, ""}, "displayed": {event.Read, ""}, "failed": {event.Failed, ""}, "deliveredToNetwork": {},
		}},
		byCMCC: {"", `<n:deliveryInfoNotification xmlns:n="urn:x"><deliveryInfo><address>tel:+8613800138000</address><messageId>m</messageId>` +
			`<deliveryStatus>%s</deliveryStatus></deliveryInfo></n:deliveryInfoNotification>`, oma},
		byCTCU: {"/deliveryNotification/x/status", `{"deliveryInfoList":[{"messageId":"m","senderAddress":"tel:+8613800138000","status":"%s"}]}`, map[string]way{
			"sent": {event.Sent, ""}, "delivered": {event.Delivered, ""}, "displayed": {event.Read, ""}, "failed": {event.Failed, ""},
			"deliveredToNetwork": {event.Delivered, "sms"}, "DeliveredToNetwork": {},
		}},
		byHuawei: {"", `{"deliveryInfo":{"address":"tel:+8613800138000","messageId":"m","deliveryStatus":"%s"}}`, oma},
	} {
		ch := keyed(t, channels[platform])
		for state, want := range c.ways {
			p, err := Adapter{}.Parse(ch, proved(t, ch, c.path, fmt.Appendf(nil, c.form, state)))
			var got way
			if len(p.Events) == 1 && p.Events[0].Receipt != nil {
				got = way{p.Events[0].Receipt.Status, p.Events[0].Receipt.Via}
			}
			if err != nil || got != want || (want == way{}) != (len(p.Ignored) == 1) {
				t.Errorf("%s, %s: %+v, ignored %v, %v; want %+v", platform, state, got, p.Ignored, err, want)
			}
		}
	}
}
