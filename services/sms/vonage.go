package sms

import (
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // one of the signatures that an account may have chosen
	"crypto/sha1" //nolint:gosec // the same
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"hash"
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

// vonage is the SMS API (https://developer.vonage.com/en/api/sms).
type vonage struct{}

// vonageFresh is how old a call may be, by the time that is signed with it: Vonage calls again for 24 h what was not taken, and a call that
// comes again means the same events.
const vonageFresh = 25 * time.Hour

func (vonage) verify(ch channel.Keyed, in channel.Inbound) error {
	f, err := fields(in)
	if err != nil || in.Method == "GET" && len(in.Body) > 0 {
		return channel.ErrForged
	}
	if in.Method == "GET" && len(f) == 0 {
		return nil // the dashboard's look at the URL
	}
	seconds, err := strconv.ParseInt(f.Get("timestamp"), 10, 64)
	if err != nil || stale(time.Unix(seconds, 0), in.At) {
		return channel.ErrForged
	}
	sum, err := hex.DecodeString(f.Get("sig"))
	if err != nil {
		return channel.ErrForged
	}
	return vonageSigned(vonageText(f), sum, ch.Secrets["signature_secret"])
}

func stale(at, now time.Time) bool {
	return at.Before(now.Add(-vonageFresh)) || at.After(now.Add(5*time.Minute))
}

// vonageText is what is signed: the parameters in their order, without characters in values that separate them
// (https://developer.vonage.com/en/getting-started/concepts/signing-messages).
func vonageText(f url.Values) string {
	var b strings.Builder
	plain := strings.NewReplacer("&", "_", "=", "_")
	for _, k := range slices.Sorted(maps.Keys(f)) {
		if k != "sig" {
			b.WriteString("&" + k + "=" + plain.Replace(f.Get(k)))
		}
	}
	return b.String()
}

// vonageSigned checks the signature by the method whose length it has.
func vonageSigned(text string, sum []byte, live []string) error {
	methods := map[int]func() hash.Hash{md5.Size: md5.New, sha1.Size: sha1.New, sha256.Size: sha256.New, sha512.Size: sha512.New}
	method, ok := methods[len(sum)]
	if !ok {
		return channel.ErrForged
	}
	if len(sum) == md5.Size { // the plain hash, which is what accounts have if they chose nothing
		for _, secret := range live {
			if have := md5.Sum([]byte(text + secret)); secret != "" && hmac.Equal(have[:], sum) { //nolint:gosec // see above
				return nil
			}
		}
	}
	return channel.SameMAC(method, []byte(text), sum, live)
}

func (vonage) parse(_ channel.Keyed, in channel.Inbound) (channel.Parsed, error) {
	f, err := fields(in)
	if err != nil {
		return channel.Parsed{}, err
	}
	var r reader
	switch {
	case in.Method == "GET" && len(f) == 0:
		r.out.Handshake = true
	case f.Has("status") && f.Has("err-code"):
		vonageReceipt(&r, f)
	default:
		vonageMessage(&r, f)
	}
	return r.out, nil
}

func vonageMessage(r *reader, f url.Values) {
	id := f.Get("messageId")
	e := event.Inbound{Ref: id, ExternalID: id, Peer: peerOf(f.Get("msisdn")), ProviderAt: vonageTime(f.Get("message-timestamp")), Content: content(f.Get("text"), nil)}
	if f.Get("type") == "binary" {
		raw, _ := json.Marshal(map[string]string{"data": f.Get("data"), "udh": f.Get("udh")}) // texts always marshal
		e.Content = &event.Content{Type: event.Unsupported, Raw: raw}
	}
	if part, total := number(f, "concat-part"), number(f, "concat-total"); f.Get("concat") == "true" && part > 0 && total > 1 && part <= total {
		e.Piece = &event.Piece{Ref: f.Get("to") + ":" + f.Get("concat-ref"), Part: part, Total: total}
	}
	r.message(e, nil)
}

func number(f url.Values, name string) int {
	n, _ := strconv.Atoi(f.Get(name)) // what is none is 0
	return n
}

// vonageStatuses are what receipts say (https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts).
var vonageStatuses = map[string]event.DeliveryStatus{
	"accepted": event.Sent, "buffered": event.Sent, "delivered": event.Delivered,
	"expired": event.Failed, "failed": event.Failed, "rejected": event.Failed,
}

func vonageReceipt(r *reader, f url.Values) {
	id, status, code := f.Get("messageId"), f.Get("status"), f.Get("err-code")
	s, ok := vonageStatuses[status]
	if !ok {
		r.out.Ignore("status", status)
		return
	}
	e := event.Inbound{
		Ref: id + ":" + status + ":" + code, ExternalID: id, Peer: peerOf(f.Get("msisdn")), ProviderAt: vonageTime(f.Get("message-timestamp")),
		Receipt: &event.Receipt{Status: s, ClientRef: f.Get("client-ref")},
	}
	if s == event.Failed {
		c, known := vonageReceiptCodes[code]
		if !known {
			c = class{fault.Invalid, channel.CodeContentRejected}
		}
		e.Receipt.Error = failure(c.kind, c.code, code, status)
	}
	r.receipt(e, false)
}

// vonageReceiptCodes are why a message was not delivered.
var vonageReceiptCodes = map[string]class{
	"1": {fault.Unavailable, channel.CodeUnavailable}, "2": {fault.Gone, "recipient_unavailable"}, "3": {fault.Gone, channel.CodeRecipientUnknown},
	"4": {fault.Gone, channel.CodeRecipientNotAllowed}, "5": {fault.Unavailable, channel.CodeUnavailable}, "6": {fault.Invalid, channel.CodeContentRejected},
	"7": {fault.Gone, "recipient_unavailable"}, "8": {fault.Unavailable, channel.CodeUnavailable}, "9": {fault.Gone, channel.CodeRecipientOptedOut},
	"10": {fault.Invalid, channel.CodeContentRejected}, "11": {fault.Gone, channel.CodeRecipientUnknown}, "12": {fault.Gone, "recipient_unavailable"},
	"13": {fault.Gone, channel.CodeRecipientNotAllowed}, "14": {fault.Gone, channel.CodeRecipientNotAllowed}, "15": {fault.Denied, channel.CodeAccountRestricted},
	"16": {fault.Denied, channel.CodeAccountRestricted},
}

// vonageTime reads their times, which are UTC and name no zone; what is none is no time.
func vonageTime(text string) event.Time {
	t, err := time.Parse("2006-01-02 15:04:05", text)
	if err != nil {
		return event.Time{}
	}
	return event.At(t)
}

const vonageSMS = "https://rest.nexmo.com"

// send needs no public file: this API has texts only.
func (vonage) send(ch channel.Channel, msg event.Outbound) (channel.Request, error) {
	form := url.Values{
		"from": {bare(ch.Settings.Text("sender"))}, "to": {bare(msg.Peer)}, "text": {msg.Content.Text},
		"status-report-req": {"1"}, "callback": {ch.WebhookURL}, "client-ref": {channel.ClientRef(msg.AttemptID, 0)},
	}
	if channel.Encoding(msg.Content.Text) != "gsm7" {
		form.Set("type", "unicode")
	}
	return channel.Request{
		Method: "POST", URL: api(ch, vonageSMS) + "/sms/json", Header: channel.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body: []byte(form.Encode()), Tag: tagSend,
	}, nil
}

// sign uses the account's key and secret in the header, where no log of requests has them.
func (vonage) sign(ch channel.Keyed, req channel.Request, _ time.Time, _ string) (channel.Request, error) {
	req.Header.Set("Authorization", basic(ch.Secrets.Current("api_key"), ch.Secrets.Current("api_secret")))
	return req, nil
}

// settle reads the answer, which is a 200 whatever happened: each part of a long text has a status and an id of its own. Once a part was taken,
// the message was sent.
func (v vonage) settle(resp channel.Response) (channel.Outcome, error) {
	if resp.Status < 200 || resp.Status > 299 {
		return channel.Outcome{}, v.refusal(resp)
	}
	var a struct {
		Messages []struct {
			Status channel.Opaque `json:"status"`
			ID     string         `json:"message-id"`
			Words  string         `json:"error-text"`
		} `json:"messages"`
	}
	if err := json.Unmarshal(resp.Body, &a); err != nil && !channel.Malformed(err) || len(a.Messages) == 0 {
		return channel.Outcome{}, unclear("Vonage", resp.Status)
	}
	var out channel.Outcome
	for _, m := range a.Messages {
		if m.Status == "0" && m.ID != "" {
			out.Refs, out.Status = append(out.Refs, m.ID), event.Accepted
		}
	}
	if out.Refs != nil {
		return out, nil
	}
	m := a.Messages[0]
	c, ok := vonageCodes[string(m.Status)]
	if !ok || m.Status == "0" {
		return channel.Outcome{}, unclear("Vonage", resp.Status)
	}
	e := c.error(string(m.Status), "Vonage: %s", m.Words)
	if c.kind == fault.Throttled {
		e.After = vonageWait(m.Words)
	}
	return channel.Outcome{}, e
}

// vonageWait is how long the words of a throttled call ask to wait: "Throughput Rate Exceeded - please wait [ 250 ] and retry", in ms.
func vonageWait(words string) time.Duration {
	_, rest, _ := strings.Cut(words, "[")
	digits, _, _ := strings.Cut(rest, "]")
	ms, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 32)
	if err != nil || ms < 0 {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}

// vonageCodes are the statuses of sends (https://developer.vonage.com/en/messaging/sms/guides/troubleshooting-sms).
var vonageCodes = map[string]class{
	"1": {fault.Throttled, channel.CodeRateLimited},
	"2": {fault.Invalid, channel.CodeContentRejected}, "3": {fault.Invalid, channel.CodeContentRejected},
	"4": {fault.Denied, channel.CodeCredentials}, "14": {fault.Denied, channel.CodeCredentials},
	"5": {fault.Unknown, channel.CodeUnclear}, // an error of theirs: nothing tells whether it went out
	"6": {fault.Gone, channel.CodeRecipientUnknown}, "7": {fault.Gone, channel.CodeRecipientBlocked},
	"8": {fault.Denied, channel.CodeAccountRestricted}, "9": {fault.Denied, channel.CodeAccountRestricted}, "11": {fault.Denied, channel.CodeAccountRestricted},
	"10": {fault.Throttled, channel.CodeRateLimited}, // too many connections
	"12": {fault.Invalid, channel.CodeTextTooLong},
	"15": {fault.Denied, channel.CodePermission}, "22": {fault.Invalid, channel.CodeContentRejected}, "23": {fault.Invalid, channel.CodeContentRejected},
	"29": {fault.Gone, channel.CodeRecipientNotAllowed}, "33": {fault.Gone, channel.CodeRecipientUnknown},
}

func (vonage) refusal(resp channel.Response) error {
	var a struct {
		Code   string `json:"error-code"`
		Label  string `json:"error-code-label"`
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}
	_ = json.Unmarshal(resp.Body, &a) // what is no JSON has no words
	return refused("Vonage", resp.Status, strings.TrimSpace(strings.Join(notEmpty(a.Code, a.Label, a.Title, a.Detail), " ")))
}

// setup tries the credentials: an account's URLs may serve other numbers as well, and are entered by hand.
func (vonage) setup(ch channel.Channel, _ string) []channel.Request {
	return []channel.Request{{Method: "GET", URL: api(ch, vonageSMS) + "/account/get-balance", Tag: tagSetup}}
}

func notEmpty(texts ...string) []string {
	return slices.DeleteFunc(texts, func(s string) bool { return s == "" })
}
