package rcs

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// ctcuMessage is a message to one phone. Our id is its messageId and its contributionId, so that an answer names it.
type ctcuMessage struct {
	ID           string        `json:"messageId"`
	List         []ctcuOut     `json:"messageList"`
	To           []string      `json:"destinationAddress"`
	From         string        `json:"senderAddress"`
	Conversation string        `json:"conversationId"`
	Contribution string        `json:"contributionId"`
	InReplyTo    string        `json:"inReplyTo,omitempty"`
	Capability   []ctcuCapable `json:"serviceCapability"`
	ToSMS        bool          `json:"smsSupported"`
	SMS          string        `json:"smsContent,omitempty"`
	Store        bool          `json:"storeSupported"`
	Format       string        `json:"imFormat"`
	Reports      []string      `json:"reportRequest"`
}

type ctcuOut struct {
	Type     string `json:"contentType"`
	Encoding string `json:"contentEncoding"`
	Content  any    `json:"contentText"`
}

type ctcuCapable struct {
	ID      string `json:"capabilityId"`
	Version string `json:"version"`
}

// botVersion says which version of the GSMA's chatbots is spoken.
var botVersion = ctcuCapable{"ChatbotSA", `+g.gsma.rcs.botversion="#=1"`}

// home is the address of the chatbot.
func (ctcu) home(ch channel.Channel) string {
	return base(ch, "") + "/bot/" + version(ch) + "/" + bot(ch)
}

func (p ctcu) send(m outgoing, files []stored) channel.Request {
	out := ctcuMessage{
		ID: m.id, To: []string{tel(m.peer)}, From: m.ch.Settings.Text("chatbot_id"), Conversation: talk(m.ch, m.peer), Contribution: m.id, InReplyTo: m.reply,
		Capability: []ctcuCapable{botVersion}, Store: true, Format: "IM", Reports: []string{"sent", "failed", "delivered", "displayed", "deliveredToNetwork"},
	}
	add := func(kind string, content any) { out.List = append(out.List, ctcuOut{kind, "utf8", content}) }
	switch {
	case m.File != nil && len(files) > 0:
		add(fileTransfer, ctcuFiles(files[0]))
	case m.Place != nil:
		add(plainText, geoText(*m.Place))
	case len(m.Cards) > 0:
		add(botMessage, gsmaCardsOf(m.Cards, files))
	default:
		add(plainText, m.Text)
	}
	if len(m.Chips) > 0 {
		add(botChips, gsmaChips{gsmaSuggestions(m.Chips)})
	}
	if words := m.words(); m.ch.Settings.Bool("sms_fallback") && words != "" {
		out.ToSMS, out.SMS = true, words
	}
	return channel.PostJSON(p.home(m.ch)+"/messages", out, tagSend)
}

func ctcuFiles(f stored) (out []ctcuFile) {
	one := func(kind string, s stored) ctcuFile {
		return ctcuFile{Kind: kind, Size: json.Number(strconv.FormatInt(s.Size, 10)), Name: s.Name, MIME: s.MIME, URL: s.URL, Until: s.Till}
	}
	if f.More != nil {
		out = append(out, one("thumbnail", *f.More))
	}
	return append(out, one("file", f))
}

// ctcuAnswer is what the platform says to a call: with status 200 whatever became of it.
type ctcuAnswer struct {
	ID    channel.Opaque           `json:"messageId"`
	Code  *json.Number             `json:"errorCode"`
	Words string                   `json:"errorMessage"`
	Files []channel.Item[ctcuFile] `json:"fileInfo"`
}

// ctcuCodes are the platform's. Each says that nothing was sent.
var ctcuCodes = map[string]class{
	"-1":    {fault.Throttled, channel.CodeUnavailable}, // busy: once more later
	"20002": {fault.Invalid, channel.CodeContentRejected}, "20003": {fault.Invalid, channel.CodeContentRejected},
	"30001": {fault.Denied, "quota_exhausted"}, "30002": {fault.Denied, "quota_exhausted"}, // of the day, of the month
	"30003": {fault.Throttled, channel.CodeRateLimited}, "30004": {fault.Denied, "quota_exhausted"}, // of the second, of the year
	"30006": {fault.Denied, channel.CodePermission}, // the check of the notify URL failed
	"40001": {fault.Denied, channel.CodeCredentials}, "40014": {fault.Denied, channel.CodeCredentials}, "42001": {fault.Denied, channel.CodeCredentials},
	"45010": {fault.Window, channel.CodeWindowClosed}, // the time for an answer is over
	"46003": {fault.Gone, channel.CodeRecipientNotAllowed},
	"48001": {fault.Denied, channel.CodePermission},
	"60001": {fault.Invalid, channel.CodeContentRejected}, "70001": {fault.Invalid, channel.CodeContentRejected},
}

// answer reads an answer, or says what it refuses.
func (ctcu) answer(resp channel.Response) (a ctcuAnswer, err error) {
	perr := json.Unmarshal(resp.Body, &a)
	switch {
	case resp.Status >= 500 || perr != nil && !channel.Malformed(perr) || a.Code == nil:
		if err := byStatus(resp, "status "+strconv.Itoa(resp.Status)); err != nil {
			return a, err
		}
		return a, unclear(resp.Status)
	case a.Code.String() == "0" && resp.Status < 300:
		return a, nil
	}
	c, known := ctcuCodes[a.Code.String()]
	if !known { // 81000 to 83999 are China Telecom's own, 87000 to 89999 China Unicom's
		c = class{fault.Invalid, channel.CodeContentRejected}
	}
	return a, c.fault(a.Code.String(), a.Words)
}

func (p ctcu) sent(resp channel.Response) ([]string, error) {
	a, err := p.answer(resp)
	switch {
	case err != nil:
		return nil, err
	case a.ID == "":
		return nil, unclear(resp.Status)
	}
	return []string{string(a.ID)}, nil
}

// upload puts a file at the platform for the messages that follow. Both operators look at it before it may be sent.
func (p ctcu) upload(ch channel.Channel, a event.Attachment, _ event.Time) channel.Request {
	return channel.Request{
		Method: "POST", URL: p.home(ch) + "/medias/upload", Header: channel.Header{"Uploadmode": {"temp"}},
		Form: []channel.Part{{Name: "File", Blob: a.Blob, File: cmp.Or(a.Name, "file"), MIME: a.MIME}},
	}
}

func (p ctcu) uploaded(resp channel.Response) (out stored, err error) {
	a, err := p.answer(resp)
	if err != nil {
		return stored{}, err
	}
	for _, i := range a.Files {
		f := i.V
		size, _ := f.Size.Int64() // what is no number is no size
		out = out.with(f.Kind, stored{URL: f.URL, Name: f.Name, MIME: f.MIME, Size: max(size, 0), Till: f.Until})
	}
	if out.URL == "" {
		return stored{}, unclear(resp.Status)
	}
	return out, nil
}

// ready is never asked: a file has its address at once.
func (p ctcu) ready(ch channel.Channel, id string) channel.Request {
	return channel.Request{Method: "GET", URL: p.home(ch) + "/medias/" + id}
}

func (p ctcu) revoke(ch channel.Channel, peer, id string) (channel.Request, func(channel.Response) error) {
	req := channel.PostJSON(p.home(ch)+"/revoke", struct {
		ID     string   `json:"messageId"`
		To     []string `json:"destinationAddress"`
		Status string   `json:"status"`
	}{id, []string{tel(peer)}, "RevokeRequested"}, tagRevoke)
	return req, func(resp channel.Response) error {
		_, err := p.answer(resp)
		return err
	}
}

// download leads to a file of somebody by the platform, which has it: its address is a header.
func (p ctcu) download(ch channel.Channel, at string) channel.Request {
	return channel.Request{URL: p.home(ch) + "/medias/download", Header: channel.Header{"Url": {at}}}
}

// token asks for an access token, which ends the one before.
func (p ctcu) token(ch channel.Keyed, _ time.Time, _ string) (channel.Request, error) {
	return channel.PostJSON(p.home(ch.Channel)+"/accessToken", struct {
		App string `json:"appId"`
		Key string `json:"appKey"`
	}{ch.Settings.Text("app_id"), ch.Secrets.Current("app_key")}, tagToken), nil
}

// parseToken reads the token, and behind a space where calls with it go.
func (p ctcu) parseToken(resp channel.Response) (string, time.Duration, error) {
	var a struct {
		Token string         `json:"accessToken"`
		Life  json.Number    `json:"expires"` // seconds
		Home  string         `json:"url"`
		Code  channel.Opaque `json:"errorCode"`
		Words string         `json:"errorMessage"`
	}
	perr := json.Unmarshal(resp.Body, &a)
	life, err := strconv.ParseInt(a.Life.String(), 10, 64)
	switch {
	case resp.Status >= 500:
		return "", 0, unclear(resp.Status)
	case perr == nil && a.Code != "" && a.Code != "0":
		c, known := ctcuCodes[string(a.Code)]
		if !known || c.kind == fault.Invalid {
			c = class{fault.Denied, channel.CodeCredentials}
		}
		return "", 0, c.fault(string(a.Code), a.Words)
	case resp.Status < 200 || resp.Status > 299:
		return "", 0, byStatus(resp, "status "+strconv.Itoa(resp.Status))
	case perr != nil || a.Token == "" || err != nil || life <= 0 || strings.ContainsAny(a.Token, " \r\n"):
		return "", 0, noToken()
	}
	return strings.TrimSpace(a.Token + " " + a.Home), time.Duration(life) * time.Second, nil
}
