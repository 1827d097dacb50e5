package sms

import (
	"crypto/sha1" //nolint:gosec // Twilio signs with no other
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// twilio is Programmable Messaging (https://www.twilio.com/docs/messaging/api/message-resource).
type twilio struct{}

// twilioSignature carries the base64 HMAC-SHA1 of the URL and the form under the account's primary auth token
// (https://www.twilio.com/docs/usage/webhooks/webhooks-security).
const twilioSignature = "X-Twilio-Signature"

func (twilio) verify(ch channel.Keyed, in channel.Inbound) error {
	sum, err := base64.StdEncoding.Strict().DecodeString(in.Header.Get(twilioSignature))
	if err != nil {
		return channel.ErrForged
	}
	signed, err := twilioSigned(in)
	if err != nil {
		return channel.ErrForged
	}
	for _, at := range withAndWithoutPort(in.URL) {
		if err = channel.SameMAC(sha1.New, []byte(at+signed), sum, ch.Secrets["auth_token"]); err == nil {
			return nil
		}
	}
	return err
}

// twilioSigned is what is signed behind the URL: every value of the form behind its name, in the order of the names, as it is. Of another body
// the digest stands in the URL.
func twilioSigned(in channel.Inbound) (string, error) {
	if sum := in.Query.Get("bodySHA256"); sum != "" {
		have := sha256.Sum256(in.Body)
		if subtle.ConstantTimeCompare([]byte(hex.EncodeToString(have[:])), []byte(strings.ToLower(sum))) != 1 {
			return "", channel.ErrForged
		}
		return "", nil
	}
	if in.Method == "GET" {
		return "", nil
	}
	form, err := url.ParseQuery(string(in.Body))
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(form)) {
		values := slices.Clone(form[k])
		slices.Sort(values)
		for _, v := range slices.Compact(values) {
			b.WriteString(k + v)
		}
	}
	return b.String(), nil
}

// withAndWithoutPort are the ways in which Twilio may have written a URL: with the scheme's own port or without.
func withAndWithoutPort(rawURL string) []string {
	scheme, rest, ok := strings.Cut(rawURL, "://")
	host, path, _ := strings.Cut(rest, "/")
	port := map[string]string{"https": ":443", "http": ":80"}[scheme]
	if !ok || port == "" {
		return []string{rawURL}
	}
	name := strings.TrimSuffix(host, port)
	if name == host && strings.LastIndexByte(host, ':') > strings.LastIndexByte(host, ']') {
		return []string{rawURL} // another port
	}
	return []string{scheme + "://" + name + "/" + path, scheme + "://" + name + port + "/" + path}
}

// thanks answers Twilio's calls: no message back.
var thanks = channel.Reply{Status: 200, ContentType: "text/xml", Body: []byte("<Response/>")}

func (twilio) parse(_ channel.Keyed, in channel.Inbound) (channel.Parsed, error) {
	f, err := fields(in)
	if err != nil {
		return channel.Parsed{Reply: thanks}, err
	}
	r := reader{out: channel.Parsed{Reply: thanks}}
	if status := f.Get("MessageStatus"); status != "" {
		twilioReceipt(&r, f, status, in.Query.Get("ref"))
	} else if f.Get("SmsStatus") == "" || f.Get("SmsStatus") == "received" || f.Get("SmsStatus") == "receiving" {
		twilioMessage(&r, f)
	} else {
		r.out.Ignore("status", f.Get("SmsStatus"))
	}
	return r.out, nil
}

// maxFiles is how many files one message has at most.
const maxFiles = 10

func twilioMessage(r *reader, f url.Values) {
	id := firstOf(f, "MessageSid", "SmsMessageSid", "SmsSid")
	e := event.Inbound{Ref: id, ExternalID: id, Peer: peerOf(f.Get("From"))}
	if other := f.Get("ExternalUserId"); other != "" && other != e.Peer {
		e.Aliases = []string{other}
	}
	if name := f.Get("ProfileName"); name != "" {
		e.Sender = &event.Profile{Name: name}
	}
	var files []event.Attachment
	n, _ := strconv.Atoi(f.Get("NumMedia")) // no number: no file
	for i := range min(n, maxFiles) {
		at := strconv.Itoa(i)
		mime := f.Get("MediaContentType" + at)
		files = append(files, event.Attachment{Type: kindOf(mime), MIME: mime, MediaRef: f.Get("MediaUrl" + at)})
	}
	e.Content = content(f.Get("Body"), files)
	if payload := f.Get("ButtonPayload"); payload != "" {
		e.Content.Type = event.InteractType
		e.Content.Interaction = &event.Interaction{Kind: "button", ID: payload, Title: f.Get("ButtonText"), Payload: payload}
	}
	var reported *event.Consent
	switch f.Get("OptOutType") { // Twilio's own reading of the text, with the words that the account has chosen
	case "STOP":
		reported = &optOut
	case "START":
		reported = &optIn
	}
	r.message(e, reported)
}

// twilioStatuses are Twilio's, in their own words (https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks).
var twilioStatuses = map[string]event.DeliveryStatus{
	"queued": event.Accepted, "accepted": event.Accepted, "scheduled": event.Accepted, "sending": event.Sent, "sent": event.Sent,
	"delivered": event.Delivered, "read": event.Read, "undelivered": event.Failed, "failed": event.Failed, "canceled": event.Failed,
}

func twilioReceipt(r *reader, f url.Values, status, ref string) {
	id := firstOf(f, "MessageSid", "SmsSid")
	s, ok := twilioStatuses[status]
	if !ok {
		r.out.Ignore("status", status)
		return
	}
	e := event.Inbound{Ref: id + ":" + status, ExternalID: id, Peer: peerOf(f.Get("To")), Receipt: &event.Receipt{Status: s, ClientRef: ref}}
	code := f.Get("ErrorCode")
	if s == event.Failed {
		c := twilioClass(code)
		e.Receipt.Error = failure(c.kind, c.code, code, f.Get("ErrorMessage"))
	}
	r.receipt(e, s == event.Failed && code == twilioOptedOut)
}

func (twilio) send(ch channel.Channel, msg event.Outbound) (channel.Request, error) {
	form := url.Values{"To": {msg.Peer}, "StatusCallback": {callback(ch, msg)}}
	if service := ch.Settings.Text("messaging_service_sid"); service != "" {
		form.Set("MessagingServiceSid", service)
	}
	if from := ch.Settings.Text("sender"); from != "" {
		if kind, _, ok := strings.Cut(msg.Peer, ":"); ok && !strings.Contains(from, ":") {
			from = kind + ":" + from
		}
		form.Set("From", from)
	}
	if !form.Has("From") && !form.Has("MessagingServiceSid") {
		return channel.Request{}, fault.New(fault.Invalid, "sender_missing", "the channel names neither a sender nor a messaging service to send from")
	}
	if text := msg.Content.Text; text != "" {
		form.Set("Body", text)
	}
	var size int64
	for n, a := range msg.Content.Attachments {
		if size += a.Size; size > maxMMS {
			return channel.Request{}, fault.At(pointer(n), channel.CodeMediaTooLarge, "the files of a message have at most %d MiB together", maxMMS>>20)
		}
		form.Add("MediaUrl", channel.BlobURL(a.Blob))
	}
	return channel.Request{
		Method: "POST", URL: api(ch, twilioAPI) + "/2010-04-01/Accounts/" + url.PathEscape(ch.Settings.Text("account_sid")) + "/Messages.json",
		Header: channel.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: []byte(form.Encode()), Tag: tagSend,
	}, nil
}

const twilioAPI = "https://api.twilio.com"

func (twilio) sign(ch channel.Keyed, req channel.Request, _ time.Time, _ string) (channel.Request, error) {
	req.Header.Set("Authorization", basic(ch.Settings.Text("account_sid"), ch.Secrets.Current("auth_token")))
	return req, nil
}

func (t twilio) settle(resp channel.Response) (channel.Outcome, error) {
	if resp.Status < 200 || resp.Status > 299 {
		return channel.Outcome{}, t.refusal(resp)
	}
	var a struct {
		SID    string         `json:"sid"`
		Status string         `json:"status"`
		Code   channel.Opaque `json:"error_code"`
		Words  string         `json:"error_message"`
	}
	if err := json.Unmarshal(resp.Body, &a); err != nil && !channel.Malformed(err) || a.SID == "" {
		return channel.Outcome{}, unclear("Twilio", resp.Status)
	}
	if twilioStatuses[a.Status] == event.Failed {
		return channel.Outcome{}, twilioClass(string(a.Code)).error(string(a.Code), "Twilio: %s", a.Words)
	}
	return channel.Outcome{Refs: []string{a.SID}, Status: event.Accepted}, nil
}

// twilioOptedOut is the code of what is refused because the person has written STOP.
const twilioOptedOut = "21610"

// twilioCodes are those of the API and of undelivered messages (https://www.twilio.com/docs/api/errors).
var twilioCodes = map[string]class{
	"20003": {fault.Denied, channel.CodeCredentials},
	"20429": {fault.Throttled, channel.CodeRateLimited},
	"14107": {fault.Throttled, channel.CodeRateLimited},
	"63018": {fault.Throttled, channel.CodeRateLimited},
	"21211": {fault.Gone, channel.CodeRecipientUnknown},
	"21612": {fault.Gone, channel.CodeRecipientUnknown},
	"21614": {fault.Gone, channel.CodeRecipientUnknown},
	"21408": {fault.Denied, channel.CodePermission}, // the region is off in the account
	"21606": {fault.Denied, channel.CodePermission}, // the sender is not the account's, or cannot send this
	"21660": {fault.Denied, channel.CodePermission},
	"21610": {fault.Gone, channel.CodeRecipientOptedOut},
	"21617": {fault.Invalid, channel.CodeTextTooLong},
	"21620": {fault.Invalid, channel.CodeMediaRejected},
	"21623": {fault.Invalid, channel.CodeMediaTooLarge},
	"30001": {fault.Throttled, channel.CodeRateLimited}, // its queue is full
	"30002": {fault.Denied, channel.CodeAccountRestricted},
	"30003": {fault.Gone, "recipient_unavailable"},
	"30004": {fault.Gone, channel.CodeRecipientBlocked},
	"30005": {fault.Gone, channel.CodeRecipientUnknown},
	"30006": {fault.Gone, channel.CodeRecipientNotAllowed}, // a landline
	"30007": {fault.Invalid, channel.CodeContentRejected},  // a carrier's filter
	"30008": {fault.Unavailable, channel.CodeUnavailable},
	"30034": {fault.Denied, channel.CodeAccountRestricted}, // the number is not registered for its use
	"30038": {fault.Invalid, channel.CodeContentRejected},
}

func twilioClass(code string) class {
	if c, ok := twilioCodes[code]; ok {
		return c
	}
	return class{fault.Invalid, channel.CodeContentRejected}
}

func (twilio) refusal(resp channel.Response) error {
	var a struct {
		Code  channel.Opaque `json:"code"`
		Words string         `json:"message"`
	}
	err := json.Unmarshal(resp.Body, &a)
	if err != nil && !channel.Malformed(err) || a.Code == "" || resp.Status >= 500 || resp.Status < 400 {
		return refused("Twilio", resp.Status, "status "+strconv.Itoa(resp.Status))
	}
	c, ok := twilioCodes[string(a.Code)]
	if known, byStatus := statuses[resp.Status]; !ok && byStatus {
		c = known
	} else if !ok {
		c = class{fault.Invalid, channel.CodeContentRejected}
	}
	return c.error(string(a.Code), "Twilio: %s", a.Words)
}

// setup has a messaging service call us for what people write. The URL of a single number is entered by hand; then the credentials are tried.
func (twilio) setup(ch channel.Channel, webhookURL string) []channel.Request {
	if service := ch.Settings.Text("messaging_service_sid"); service != "" {
		form := url.Values{"InboundRequestUrl": {webhookURL}, "InboundMethod": {"POST"}, "UseInboundWebhookOnNumber": {"false"}}
		return []channel.Request{{
			Method: "POST", URL: api(ch, "https://messaging.twilio.com") + "/v1/Services/" + url.PathEscape(service),
			Header: channel.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: []byte(form.Encode()), Tag: tagSetup,
		}}
	}
	return []channel.Request{{Method: "GET", URL: api(ch, twilioAPI) + "/2010-04-01/Accounts/" + url.PathEscape(ch.Settings.Text("account_sid")) + ".json", Tag: tagSetup}}
}
