package sms

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// infobip is the SMS API v3 and the MMS API v2 (https://www.infobip.com/docs/api/channels/sms).
type infobip struct{}

// verify compares the secret that the operator has given to Infobip with ours: Infobip signs nothing. A subscription sends it in the header
// Authorization, under any scheme; our own URL for delivery reports has it as key.
func (infobip) verify(ch channel.Keyed, in channel.Inbound) error {
	got := in.Query.Get("key")
	if h := in.Header.Get("Authorization"); h != "" {
		scheme, rest, ok := strings.Cut(h, " ")
		got = h
		if ok {
			got = rest
		}
		if strings.EqualFold(scheme, "Basic") {
			pair, _ := base64.StdEncoding.DecodeString(rest) // what is no pair has no password
			_, got, _ = strings.Cut(string(pair), ":")
		}
	}
	return channel.SameSecret(got, ch.Secrets["webhook_secret"])
}

type infobipCall struct {
	Results []channel.Item[infobipResult] `json:"results"`
}

// infobipResult is a message, or with a status what became of one. A report of the API before the third calls the sender from.
type infobipResult struct {
	ID       string `json:"messageId"`
	From     string `json:"from"`
	Sender   string `json:"sender"`
	To       string `json:"to"`
	Text     string `json:"text"`
	Received string `json:"receivedAt"`
	Message  []struct {
		Kind  string `json:"contentType"`
		Value string `json:"value"`
		URL   string `json:"url"`
	} `json:"message"` // instead of the text: MMS
	Status *infobipStatus `json:"status"`
	Error  *struct {
		ID    channel.Opaque `json:"id"`
		Name  string         `json:"name"`
		Words string         `json:"description"`
	} `json:"error"`
	Done string `json:"doneAt"`
}

type infobipStatus struct {
	Group channel.Opaque `json:"groupId"`
	Name  string         `json:"groupName"`
	ID    channel.Opaque `json:"id"`
	Own   string         `json:"name"`
	Words string         `json:"description"`
}

func (infobip) parse(_ channel.Keyed, in channel.Inbound) (channel.Parsed, error) {
	var c infobipCall
	if err := json.Unmarshal(in.Body, &c); err != nil && !channel.Malformed(err) {
		return channel.Parsed{}, fault.New(fault.Invalid, "unreadable", "the body is not JSON: %w", err)
	}
	var r reader
	if c.Results == nil {
		r.out.Ignore("no_results", "")
	}
	for _, i := range c.Results {
		switch v := i.V; {
		case v.Status != nil:
			v.receipt(&r, in.Query.Get("ref"))
		case i.Err != nil:
			r.message(v.inbound(&event.Content{Type: event.Unsupported, Raw: i.Raw}), nil)
		default:
			r.message(v.inbound(v.content()), nil)
		}
	}
	return r.out, nil
}

func (v infobipResult) inbound(c *event.Content) event.Inbound {
	return event.Inbound{Ref: v.ID, ExternalID: v.ID, Peer: peerOf(v.From), ProviderAt: infobipTime(v.Received), Content: c}
}

// content is the text as it was written, keyword included, or the parts of an MMS.
func (v infobipResult) content() *event.Content {
	texts := []string{}
	if v.Text != "" {
		texts = append(texts, v.Text)
	}
	var files []event.Attachment
	for _, p := range v.Message {
		switch {
		case p.URL != "" && len(files) < maxFiles:
			files = append(files, event.Attachment{Type: kindOf(p.Kind), MIME: p.Kind, MediaRef: p.URL})
		case strings.HasPrefix(p.Kind, "text/plain") && p.Value != "":
			texts = append(texts, p.Value)
		}
	}
	return content(strings.Join(texts, "\n"), files)
}

// receipt reads a report. What it means its group says, but for messages that an operator has taken and not yet delivered.
func (v infobipResult) receipt(r *reader, ref string) {
	s, ok := infobipGroups[strings.ToUpper(v.Status.Name)]
	if !ok {
		r.out.Ignore("status", v.Status.Name)
		return
	}
	if s == event.Delivered && v.Status.ID == "2" {
		s = event.Sent
	}
	e := event.Inbound{
		Ref: v.ID + ":" + v.Status.Own + ":" + v.Done, ExternalID: v.ID, Peer: peerOf(v.To), ProviderAt: infobipTime(v.Done),
		Receipt: &event.Receipt{Status: s, ClientRef: ref},
	}
	if s == event.Failed {
		code, words := v.Status.Own, v.Status.Words
		if x := v.Error; x != nil && x.ID != "0" && x.Name != "" {
			code, words = x.Name, cmp.Or(x.Words, words)
		}
		c := infobipClass(v.Status.Name, code)
		e.Receipt.Error = failure(c.kind, c.code, code, words)
	}
	r.receipt(e, false)
}

// infobipGroups are the groups of statuses (https://www.infobip.com/docs/essentials/response-status-and-error-codes).
var infobipGroups = map[string]event.DeliveryStatus{
	"ACCEPTED": event.Sent, "PENDING": event.Sent, "DELIVERED": event.Delivered,
	"UNDELIVERABLE": event.Failed, "EXPIRED": event.Failed, "REJECTED": event.Failed,
}

// infobipCodes are the errors that say more than the group does.
var infobipCodes = map[string]class{
	"EC_UNKNOWN_SUBSCRIBER": {fault.Gone, channel.CodeRecipientUnknown}, "EC_UNIDENTIFIED_SUBSCRIBER": {fault.Gone, channel.CodeRecipientUnknown},
	"EC_ABSENT_SUBSCRIBER": {fault.Gone, "recipient_unavailable"}, "EC_ABSENT_SUBSCRIBER_SM": {fault.Gone, "recipient_unavailable"},
	"EC_ILLEGAL_SUBSCRIBER": {fault.Gone, channel.CodeRecipientNotAllowed}, "EC_CALL_BARRED": {fault.Gone, channel.CodeRecipientNotAllowed},
	"EC_USER_IN_BLACKLIST": {fault.Gone, channel.CodeRecipientOptedOut}, "EC_SENDERID_BLACKLISTED": {fault.Denied, channel.CodePermission},
	"EC_NOT_ENOUGH_CREDITS": {fault.Denied, channel.CodeAccountRestricted}, "REJECTED_NOT_ENOUGH_CREDITS": {fault.Denied, channel.CodeAccountRestricted},
	"REJECTED_DESTINATION": {fault.Gone, channel.CodeRecipientNotAllowed}, "REJECTED_SENDER": {fault.Denied, channel.CodePermission},
	"REJECTED_NETWORK": {fault.Denied, channel.CodePermission}, "REJECTED_PREFIX_MISSING": {fault.Gone, channel.CodeRecipientUnknown},
	"REJECTED_FLOODING_FILTER": {fault.Throttled, channel.CodeSpamLimited}, "EC_FLOODING_FILTER": {fault.Throttled, channel.CodeSpamLimited},
}

func infobipClass(group, code string) class {
	if c, ok := infobipCodes[code]; ok {
		return c
	}
	if strings.EqualFold(group, "EXPIRED") {
		return class{fault.Gone, "recipient_unavailable"}
	}
	return class{fault.Invalid, channel.CodeContentRejected}
}

// infobipTime reads their times, whose zone has no colon; what is none is no time.
func infobipTime(text string) event.Time {
	for _, layout := range []string{"2006-01-02T15:04:05.999-0700", time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return event.At(t)
		}
	}
	return event.Time{}
}

type infobipSend struct {
	Messages []infobipMessage `json:"messages"`
}

type infobipMessage struct {
	Sender       string               `json:"sender"`
	Destinations []infobipDestination `json:"destinations"`
	Content      infobipContent       `json:"content"`
	Webhooks     struct {
		Delivery struct {
			URL          string `json:"url"`
			Intermediate bool   `json:"intermediateReport"`
		} `json:"delivery"`
		ContentType string `json:"contentType"`
	} `json:"webhooks"`
}

type infobipDestination struct {
	To string `json:"to"`
	ID string `json:"messageId"`
}

type infobipContent struct {
	Text     string           `json:"text,omitempty"`
	Title    string           `json:"title,omitempty"`
	Segments []infobipSegment `json:"messageSegments,omitempty"`
}

type infobipSegment struct {
	Kind string `json:"type"`
	Text string `json:"text,omitempty"`
	URL  string `json:"contentUrl,omitempty"`
	MIME string `json:"contentType,omitempty"`
}

// infobipKey is the place of the secret in our URL for reports.
const infobipKey = "{webhook_secret}"

// send names the message by our own reference of it. Whether Infobip refuses one that it has seen is not documented, so it is no key for trying again.
func (infobip) send(ch channel.Channel, msg event.Outbound) (channel.Request, error) {
	m := infobipMessage{
		Sender: ch.Settings.Text("sender"), Destinations: []infobipDestination{{To: bare(msg.Peer), ID: channel.ClientRef(msg.AttemptID, 0)}},
		Content: infobipContent{Text: msg.Content.Text},
	}
	m.Webhooks.Delivery.URL, m.Webhooks.Delivery.Intermediate, m.Webhooks.ContentType = callback(ch, msg)+"&key="+infobipKey, true, "application/json"
	path := "/sms/3/messages"
	if len(msg.Content.Attachments) > 0 {
		path, m.Content = "/mms/2/messages", infobipContent{Title: ch.Name}
		if msg.Content.Text != "" {
			m.Content.Segments = append(m.Content.Segments, infobipSegment{Kind: "TEXT", Text: msg.Content.Text})
		}
		for _, a := range msg.Content.Attachments {
			m.Content.Segments = append(m.Content.Segments, infobipSegment{Kind: "LINK", URL: channel.BlobURL(a.Blob), MIME: a.MIME})
		}
	}
	return channel.PostJSON(api(ch, "")+path, infobipSend{[]infobipMessage{m}}, tagSend), nil
}

func (infobip) sign(ch channel.Keyed, req channel.Request, _ time.Time, _ string) (channel.Request, error) {
	if user := ch.Settings.Text("username"); user != "" {
		req.Header.Set("Authorization", basic(user, ch.Secrets.Current("password")))
	} else {
		req.Header.Set("Authorization", "App "+ch.Secrets.Current("api_key"))
	}
	if req.Tag == tagSend {
		req.Body = []byte(strings.Replace(string(req.Body), infobipKey, url.QueryEscape(ch.Secrets.Current("webhook_secret")), 1))
	}
	return req, nil
}

// settle takes a message as accepted if Infobip says so of it; the status of the answer is that of the call.
func (i infobip) settle(resp channel.Response) (channel.Outcome, error) {
	if resp.Status < 200 || resp.Status > 299 {
		return channel.Outcome{}, i.refusal(resp)
	}
	var a struct {
		Messages []struct {
			ID     string        `json:"messageId"`
			Status infobipStatus `json:"status"`
		} `json:"messages"`
	}
	if err := json.Unmarshal(resp.Body, &a); err != nil && !channel.Malformed(err) || len(a.Messages) != 1 || a.Messages[0].ID == "" {
		return channel.Outcome{}, unclear("Infobip", resp.Status)
	}
	switch m := a.Messages[0]; m.Status.Group {
	case "0", "1", "3":
		return channel.Outcome{Refs: []string{m.ID}, Status: event.Accepted}, nil
	case "2", "4", "5":
		return channel.Outcome{}, infobipClass(m.Status.Name, m.Status.Own).error(m.Status.Own, "Infobip: %s", m.Status.Words)
	}
	return channel.Outcome{}, unclear("Infobip", resp.Status)
}

func (infobip) refusal(resp channel.Response) error {
	var a struct {
		Error struct {
			Exception struct {
				ID    string `json:"messageId"`
				Words string `json:"text"`
			} `json:"serviceException"`
		} `json:"requestError"`
		Code  string `json:"errorCode"`
		Words string `json:"description"`
	}
	_ = json.Unmarshal(resp.Body, &a) // what is no JSON has no words
	return refused("Infobip", resp.Status, cmp.Or(a.Error.Exception.Words, a.Words, a.Error.Exception.ID, a.Code, "status "+strconv.Itoa(resp.Status)))
}

// setup tries the credentials: what people write comes by a subscription that is made by hand.
func (infobip) setup(ch channel.Channel, _ string) []channel.Request {
	return []channel.Request{{Method: "GET", URL: api(ch, "") + "/account/1/balance", Tag: tagSetup}}
}
