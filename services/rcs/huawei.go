package rcs

import (
	"cmp"
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// huawei is Message over 5G of Huawei Cloud, and what its AICC gets from there: China Mobile's interface in JSON.
type huawei struct{}

var _ interface {
	platform
	keeper
} = huawei{}

var huaweiHeader = regexp.MustCompile(`^\s*Username\s*=\s*"([^"]*)"\s*,\s*Password\s*=\s*"([^"]*)"\s*$`)

// verify compares the name and the password that a push carries: nothing is signed.
func (huawei) verify(ch channel.Keyed, in channel.Inbound) error {
	m := huaweiHeader.FindStringSubmatch(in.Header.Get("Authorization"))
	if m == nil || in.Method != "POST" {
		return channel.ErrForged
	}
	name := channel.SameSecret(m[1], []string{ch.Settings.Text("app_id")})
	if err := channel.SameSecret(m[2], ch.Secrets["app_secret"]); err != nil {
		return err
	}
	return name
}

// sign adds the same to our calls.
func (huawei) sign(ch channel.Keyed, req channel.Request, _ time.Time, _ string) channel.Request {
	req.Header.Set("Authorization", `Username="`+ch.Settings.Text("app_id")+`",Password="`+ch.Secrets.Current("app_secret")+`"`)
	agentOf(ch.Channel, req.Header)
	return req
}

// many is one object, or a list of them.
type many[T any] []channel.Item[T]

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (m *many[T]) UnmarshalJSON(b []byte) error {
	var list []channel.Item[T]
	if json.Unmarshal(b, &list) != nil {
		var one channel.Item[T]
		_ = one.UnmarshalJSON(b) // it never fails
		list = []channel.Item[T]{one}
	}
	*m = list
	return nil
}

// huaweiPush is a push of any kind: the kinds have no field in common that names them, and the address need not.
type huaweiPush struct {
	omaInbound
	Infos many[omaDelivery] `json:"deliveryInfo"`
	To    string            `json:"address"`
	State string            `json:"status"`
	Files json.RawMessage   `json:"file-info"`
	Links []channel.Item[struct {
		To string `json:"href"`
	}] `json:"link"`
}

func (huawei) parse(ch channel.Keyed, in channel.Inbound) (channel.Parsed, error) {
	var p huaweiPush
	if err := json.Unmarshal(in.Body, &p); err != nil && !channel.Malformed(err) && len(in.Body) > 0 {
		return channel.Parsed{}, fault.New(fault.Invalid, "unreadable", "the body is not JSON: %w", err)
	}
	r := reader{out: channel.Parsed{Reply: channel.Reply{Status: 204}}}
	link := ""
	if len(p.Links) > 0 {
		link = p.Links[0].V.To
	}
	switch tid := in.Header.Get("tid"); {
	case tid != "" || len(p.Files) > 0:
		r.reviewed(tid, in.Header.Get("Authstatus"), p.Files)
	case len(p.Infos) > 0:
		for _, i := range p.Infos {
			r.delivery(i.V, link)
		}
	case p.State != "" && p.From == "":
		r.taken(p.To, p.ID, p.State, link)
	case p.From != "" || p.Original != "":
		r.message(ch, p.omaInbound, in.Body)
	default:
		r.out.Ignore("event", last(in.Path))
	}
	return r.out, nil
}

// reviewed is whether a file may be sent: news of the account. Its address stands in it.
func (r *reader) reviewed(tid, state string, files json.RawMessage) {
	what := "media_rejected"
	if state == "0" {
		what = "media_approved"
	}
	var list []channel.Item[struct {
		Kind string `json:"type"`
		Data struct {
			URL string `json:"url"`
		} `json:"data"`
	}]
	_ = json.Unmarshal(files, &list) // without it the number of the transfer is all there is
	at := ""
	for _, i := range list {
		if i.V.Kind != "thumbnail" {
			at = cmp.Or(at, i.V.Data.URL)
		}
	}
	r.add(event.Inbound{Type: event.AccountChanged, Ref: what + ":" + cmp.Or(tid, event.Hash(string(files))), Account: &event.Account{What: what, Detail: lines(tid, at)}})
}

// huaweiMessage is a message to one phone.
type huaweiMessage struct {
	Address    string   `json:"address"`
	To         string   `json:"destinationAddress"`
	From       string   `json:"senderAddress"`
	Correlator string   `json:"clientCorrelator"`
	Message    huaweiIM `json:"outboundIMMessage"`
}

type huaweiIM struct {
	Type         string        `json:"contentType"`
	Encoding     string        `json:"contentEncoding"`
	Conversation string        `json:"conversationID"`
	Contribution string        `json:"contributionID"`
	InReplyTo    string        `json:"inReplyToContributionID,omitempty"`
	Body         string        `json:"bodyText"`
	Reports      []string      `json:"reportRequest"`
	Store        string        `json:"storeSupported"`
	ToSMS        string        `json:"shortMessageSupported"`
	Capability   []ctcuCapable `json:"serviceCapability"`
}

func (huawei) home(ch channel.Channel) string { return base(ch, "") + "/openchatbot/v2/" + bot(ch) }

func (p huawei) send(m outgoing, files []stored) channel.Request {
	out := huaweiMessage{Address: tel(m.peer), To: tel(m.peer), From: m.ch.Settings.Text("chatbot_id"), Correlator: m.id}
	out.Message = huaweiIM{
		Encoding: "utf8", Conversation: talk(m.ch, m.peer), Contribution: m.id, InReplyTo: m.reply, Reports: reports(m.ch), Store: "true",
		ToSMS: strconv.FormatBool(m.ch.Settings.Bool("sms_fallback")), Capability: []ctcuCapable{botVersion},
	}
	out.Message.Type, out.Message.Body = omaBody(m, files)
	return channel.PostJSON(p.home(m.ch)+"/outbound", out, tagSend)
}

// huaweiAnswer is what the platform says to a call.
type huaweiAnswer struct {
	ID    channel.Opaque `json:"messageId"`
	URL   string         `json:"resourceURL"`
	Code  channel.Opaque `json:"code"`
	Also  channel.Opaque `json:"resultCode"`
	Words string         `json:"description"`
	More  string         `json:"message"`
}

// answer reads an answer, or says what it refuses: a code other than zero refuses, whatever the status.
func (huawei) answer(resp channel.Response) (a huaweiAnswer, err error) {
	perr := json.Unmarshal(resp.Body, &a)
	code := cmp.Or(string(a.Code), string(a.Also))
	switch {
	case resp.Status >= 500:
		return a, unclear(resp.Status)
	case perr == nil && strings.Trim(code, "0") != "":
		c, known := statuses[resp.Status]
		if !known {
			c = class{fault.Invalid, channel.CodeContentRejected}
		}
		f := c.fault(code, cmp.Or(a.Words, a.More))
		if c.kind == fault.Throttled {
			f.After = after(resp.Header)
		}
		return a, f
	}
	if err := byStatus(resp, "status "+strconv.Itoa(resp.Status)); err != nil {
		return a, err
	}
	if perr != nil && !channel.Malformed(perr) && bytesOf(resp) != "" {
		return a, unclear(resp.Status)
	}
	return a, nil
}

func (p huawei) sent(resp channel.Response) ([]string, error) {
	a, err := p.answer(resp)
	if err != nil {
		return nil, err
	}
	id := cmp.Or(string(a.ID), last(a.URL), last(resp.Header.Get("Location")))
	if id == "" {
		return nil, unclear(resp.Status)
	}
	return []string{id}, nil
}

// revoke asks for a message back; whether it came back a push tells
// (https://support.huaweicloud.com/api-messageover5g/messageover5g_05_0008.html).
func (p huawei) revoke(ch channel.Channel, peer, id string) (channel.Request, func(channel.Response) error) {
	req := channel.PostJSON(base(ch, "")+"/messaging/v2/"+bot(ch)+"/"+url.PathEscape(id)+"/outbound", struct {
		Address string `json:"address"`
		Status  string `json:"status"`
	}{tel(peer), "RevokeRequested"}, tagRevoke)
	req.Method = "PUT"
	req.Header.Set("Address", tel(peer))
	return req, func(resp channel.Response) error {
		_, err := p.answer(resp)
		if err == nil && resp.Status != 204 && !json.Valid(resp.Body) {
			return unclear(resp.Status)
		}
		return err
	}
}

// download leads to a file of somebody by the platform: its address is a header
// (https://support.huaweicloud.com/api-messageover5g/messageover5g_05_0005.html).
func (p huawei) download(ch channel.Channel, at string) channel.Request {
	return channel.Request{URL: p.home(ch) + "/files", Header: channel.Header{"File-Location": {at}}}
}
