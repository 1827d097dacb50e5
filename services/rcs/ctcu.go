package rcs

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// ctcu is China Telecom and China Unicom (CSP interface V1.0.4): ctcu.go has what comes, ctcu_send.go what goes.
type ctcu struct{}

var _ interface {
	platform
	uploader
	lender
	keeper
} = ctcu{}

// fresh is how far the time that a push names may be from ours: nothing else bounds a replay, as the signature does not cover the body.
const fresh = 5 * time.Minute

// verify checks the signature over token, time and nonce, which stand in headers.
func (ctcu) verify(ch channel.Keyed, in channel.Inbound) error {
	at := in.Header.Get("timestamp")
	n, err := strconv.ParseInt(at, 10, 64)
	if sent := event.Unix(n).Time; err != nil || sent.Before(in.At.Add(-fresh)) || sent.After(in.At.Add(fresh)) {
		return channel.ErrForged
	}
	var live []string
	for _, token := range ch.Secrets["token"] {
		if token != "" {
			live = append(live, ctcuSignature(token, at, in.Header.Get("nonce")))
		}
	}
	return channel.SameSecret(strings.ToLower(in.Header.Get("signature")), live)
}

// ctcuSignature is the SHA-256 of its parts, sorted and written one after the other.
func ctcuSignature(parts ...string) string {
	slices.Sort(parts)
	sum := sha256.Sum256([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

// sign adds the access token and leads the call to where the platform wants calls with it. The time has to be in the header date.
func (ctcu) sign(ch channel.Keyed, req channel.Request, at time.Time, _ string) channel.Request {
	token, home, _ := strings.Cut(ch.Token, " ")
	if to, err := url.Parse(home); home != "" && err == nil && to.Host != "" {
		if u, err := url.Parse(req.URL); err == nil {
			req.URL = to.Scheme + "://" + to.Host + strings.TrimPrefix(req.URL, u.Scheme+"://"+u.Host)
		}
	}
	req.Header.Set("Authorization", "accessToken "+token)
	req.Header.Set("Date", httpDate(at))
	return req
}

// httpDate is a time as the header Date has it.
func httpDate(at time.Time) string { return at.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT") }

// ctcuPush is a message of somebody.
type ctcuPush struct {
	ID           string                   `json:"messageId"`
	List         []channel.Item[ctcuPart] `json:"messageList"`
	At           string                   `json:"dateTime"`
	AtAlso       string                   `json:"dataTime"` // as one table of the specification has it
	From         string                   `json:"senderAddress"`
	Original     string                   `json:"origUser"`
	To           string                   `json:"destinationAddress"`
	Conversation string                   `json:"conversationId"`
	Contribution string                   `json:"contributionId"`
	InReplyTo    string                   `json:"inReplyTo"`
}

type ctcuPart struct {
	Type     string          `json:"contentType"`
	TypeAlso string          `json:"contenType"` // as one sample of the specification has it
	Encoding string          `json:"contentEncoding"`
	Content  json.RawMessage `json:"contentText"` // a text, an object or an array, by its type
}

// kind is the media type, without parameters.
func (p ctcuPart) kind() string {
	t := p.Type
	if t == "" {
		t = p.TypeAlso
	}
	t, _, _ = strings.Cut(t, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// body is the content as it was meant: a text, or JSON. In base64 it is a text again, whatever its type.
func (p ctcuPart) body() []byte {
	var s string
	if json.Unmarshal(p.Content, &s) != nil {
		return p.Content
	}
	if strings.EqualFold(p.Encoding, "base64") {
		if b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s)); err == nil {
			return []byte(valid(string(b)))
		}
	}
	return []byte(s)
}

// ctcuFile is one file of a file message.
type ctcuFile struct {
	Kind  string      `json:"type,omitempty"` // file, thumbnail
	Size  json.Number `json:"fileSize,omitempty"`
	Name  string      `json:"fileName,omitempty"`
	MIME  string      `json:"contentType"`
	URL   string      `json:"url"`
	Until string      `json:"until,omitempty"`
}

// parse reads one push. What it is the address says to which it went: the platform adds a suffix to the notify URL.
func (ctcu) parse(ch channel.Keyed, in channel.Inbound) (channel.Parsed, error) {
	if in.Method == "GET" {
		if !strings.HasSuffix(strings.TrimSuffix(in.Path, "/"), "/notifyPath") {
			return channel.Parsed{Handshake: true, Reply: channel.Reply{Status: 404}}, nil
		}
		return channel.Parsed{Handshake: true, Reply: channel.Reply{Status: 200, Header: channel.Header{
			"Echostr": {in.Header.Get("echoStr")}, "Appid": {ch.Settings.Text("app_id")},
		}}}, nil
	}
	r := ctcuReader{raw: in.Body}
	var err error
	switch path := in.Path; {
	case strings.Contains(path, "/deliveryNotification"):
		err = r.statuses()
	case strings.Contains(path, "/notifyInfoNotification"), strings.Contains(path, "/notice/"), strings.Contains(path, "/check"):
		err = r.news(path)
	default:
		err = r.message(ch)
	}
	if err != nil && !channel.Malformed(err) {
		return channel.Parsed{}, fault.New(fault.Invalid, "unreadable", "the body is not JSON: %w", err)
	}
	return r.out, nil
}

type ctcuReader struct {
	reader
	raw []byte
}

// reply is what the platform wants to hear of every push.
func (r *ctcuReader) reply(id, conversation, contribution string) {
	r.out.Reply = channel.Reply{Status: 200, ContentType: "application/json", Body: channel.JSON(struct {
		ID           string `json:"messageId,omitempty"`
		Conversation string `json:"conversationId,omitempty"`
		Contribution string `json:"contributionId,omitempty"`
		Code         int    `json:"errorCode"`
		Words        string `json:"errorMessage"`
	}{id, conversation, contribution, 0, "success"})}
}

func (r *ctcuReader) message(ch channel.Keyed) error {
	var p ctcuPush
	err := json.Unmarshal(r.raw, &p)
	if err != nil && !channel.Malformed(err) {
		return err
	}
	r.reply(p.ID, p.Conversation, p.Contribution)
	peer, sender := who(p.From, p.Original)
	switch {
	case p.To != "" && !sameBot(p.To, ch.Settings.Text("chatbot_id")):
		r.out.Ignore("other_chatbot", "")
		return nil
	case peer == "":
		r.out.Ignore("no_sender", "")
		return nil
	case p.ID == "":
		r.out.Ignore("no_id", "")
		return nil
	}
	at := when(p.At)
	if at.IsZero() {
		at = when(p.AtAlso)
	}
	if len(p.List) > maxParts {
		p.List = nil
	}
	for n, i := range p.List {
		in := event.Inbound{Ref: p.ID, ExternalID: p.ID, Peer: peer, Sender: sender, ProviderAt: at}
		if n > 0 {
			in.Ref += ":" + strconv.Itoa(n)
			in.ExternalID = in.Ref
		}
		c, tap := i.V.content()
		if in.Tap = tap && c != nil; c != nil {
			c.QuoteToken, c.ReplyTo = p.Contribution, quote(p.InReplyTo)
		}
		r.said(in, c, i.Raw)
	}
	if len(p.List) == 0 {
		r.said(event.Inbound{Ref: p.ID, Peer: peer, Sender: sender, ProviderAt: at}, nil, r.raw)
	}
	return nil
}

// maxParts is how many parts of one message are read: what has more is a placeholder.
const maxParts = 20

// sameBot reports whether two addresses are one chatbot: some pushes leave the scheme away.
func sameBot(a, b string) bool {
	cut := func(s string) string { return strings.ToLower(strings.TrimPrefix(strings.TrimSpace(s), "sip:")) }
	return cut(a) == cut(b)
}

// content is what one part of a message says, and whether it is no message for the platform; nil for what is not known.
func (p ctcuPart) content() (c *event.Content, tap bool) {
	body := p.body()
	switch p.kind() {
	case plainText, "":
		return gsmaText(string(body)), false
	case fileTransfer, fileTransfer + "+json":
		var files []channel.Item[ctcuFile]
		if json.Unmarshal(body, &files) != nil {
			return nil, false
		}
		for _, i := range files {
			f := i.V
			if f.Kind == "thumbnail" || f.URL == "" {
				continue
			}
			size, _ := f.Size.Int64() // what is no number is no size
			return file(event.Attachment{MIME: f.MIME, Name: f.Name, Size: max(size, 0), MediaRef: f.URL}), false
		}
	case fileTransfer + "+xml":
		return ftContent(string(body)), false
	case botResponse:
		var a gsmaAnswer
		if err := json.Unmarshal(body, &a); err != nil && !channel.Malformed(err) {
			return nil, false
		}
		return a.content()
	case botShared:
		return shared(body), true
	}
	return nil, false
}

// ctcuStatuses are what becomes of our messages.
var ctcuStatuses = map[string]event.Receipt{
	"sent": {Status: event.Sent}, "delivered": {Status: event.Delivered}, "displayed": {Status: event.Read},
	"deliveredToNetwork": {Status: event.Delivered, Via: viaSMS}, "failed": {Status: event.Failed},
}

// Ways that a message may have gone instead of RCS.
const (
	viaSMS      = "sms"
	viaVideoSMS = "video_sms"
)

// ctcuFailures are the codes of a message that failed.
var ctcuFailures = map[string]struct {
	class
	words string
}{
	"1": {class{fault.Gone, channel.CodeRecipientUnknown}, "there is no such phone"},
	"2": {class{fault.Gone, codeNoRCS}, "the phone has no 5G messages"},
	"3": {class{fault.Invalid, channel.CodeContentRejected}, "the content is not allowed"},
	"4": {class{fault.Gone, codeOffline}, "the phone is offline"},
	"5": {class{fault.Gone, channel.CodeRecipientBlocked}, "the phone has refused it"},
	"6": {class{fault.Invalid, channel.CodeContentRejected}, "the phone does not support the content"},
}

// statuses reads what became of messages. Their senderAddress is who got the message: one message may go to many.
func (r *ctcuReader) statuses() error {
	var p struct {
		List []channel.Item[struct {
			ID    string         `json:"messageId"`
			To    string         `json:"senderAddress"`
			State string         `json:"status"`
			Code  channel.Opaque `json:"errorCode"`
			Words string         `json:"errorMessage"`
			At    string         `json:"dateTime"`
		}] `json:"deliveryInfoList"`
	}
	err := json.Unmarshal(r.raw, &p)
	if err != nil && !channel.Malformed(err) {
		return err
	}
	r.reply("", "", "")
	for _, i := range p.List {
		d := i.V
		peer, _ := who(d.To, "")
		receipt, known := ctcuStatuses[d.State]
		ref := d.ID + ":" + d.To + ":" + d.State
		switch {
		case d.ID == "" || peer == "":
			r.out.Ignore("no_message_id", d.State)
			continue
		case d.State == "revokeOk" || d.State == "revokeFail":
			r.revoked(ref, peer, d.ID, d.State == "revokeOk", when(d.At))
			continue
		case !known:
			r.out.Ignore("status", d.State)
			continue
		}
		if receipt.Status == event.Failed {
			f, known := ctcuFailures[string(d.Code)]
			if !known {
				f.class, f.words = class{fault.Gone, codeUnsent}, "the message was not delivered"
			}
			if d.Words != "" {
				f.words = d.Words
			}
			receipt.Error = f.fault(string(d.Code), f.words).Shown()
		}
		r.add(event.Inbound{Type: event.ReceiptReceived, Ref: ref, Peer: peer, ExternalID: d.ID, ProviderAt: when(d.At), Receipt: &receipt})
	}
	if len(p.List) == 0 {
		r.out.Ignore("event", "status")
	}
	return nil
}

// news are those of the account: changes that were reviewed, files that were reviewed, and complaints.
func (r *ctcuReader) news(path string) error {
	var p struct {
		Type   string         `json:"type"`
		Result channel.Opaque `json:"result"`
		Spam   string         `json:"spamType"`
		Text   string         `json:"freeText"`
		Words  string         `json:"description"`
		Reason string         `json:"reason"`
	}
	err := json.Unmarshal(r.raw, &p)
	if err != nil && !channel.Malformed(err) {
		return err
	}
	r.reply("", "", "")
	a := &event.Account{Detail: lines(string(p.Result), p.Words, p.Reason)}
	switch {
	case strings.Contains(path, "rcsspam"):
		a.What, a.Detail = "complaint", lines(p.Spam, p.Text)
	case strings.Contains(path, "informationChange"):
		a.What = "information_change"
	case strings.Contains(path, "/check"):
		a.What = strings.TrimSuffix("audit_"+channelWord(p.Type), "_")
	default:
		r.out.Ignore("event", path[strings.LastIndexByte(path, '/')+1:])
		return nil
	}
	r.add(event.Inbound{Type: event.AccountChanged, Ref: a.What + ":" + event.Hash(string(r.raw)), Account: a})
	return nil
}
