package rcs

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// maap is a platform in the manner of the GSMA's FNW.11: maap.go has what comes, maap_send.go what goes.
type maap struct{}

var _ interface {
	platform
	uploader
	signaller
	capable
} = maap{}

// verify checks the webhook secret: the GSMA defines no signature. Without it nothing proves a push; one that is let pass all the same is
// at least a push.
func (maap) verify(ch channel.Keyed, in channel.Inbound) error {
	if in.Method != "POST" {
		return channel.ErrForged
	}
	if ch.Settings.Text("verification") == "none" {
		var p maapPush
		if json.Unmarshal(in.Body, &p) != nil || p.Event == "" {
			return channel.ErrForged
		}
		return nil
	}
	live := ch.Secrets["webhook_secret"]
	if bearer, ok := strings.CutPrefix(in.Header.Get("Authorization"), "Bearer "); ok {
		return channel.SameSecret(bearer, live)
	}
	return channel.SameSecret(in.Query.Get("secret"), live)
}

// sign adds the bot's token.
func (maap) sign(ch channel.Keyed, req channel.Request, _ time.Time, _ string) channel.Request {
	req.Header.Set("Authorization", "Bearer "+ch.Secrets.Current("access_token"))
	return req
}

// maapPush is a push. Each is one event.
type maapPush struct {
	Event   string       `json:"event"`
	Message *maapMessage `json:"RCSMessage"`
	Contact maapContact  `json:"messageContact"`
	File    *struct {
		ID     channel.Opaque `json:"fileId"`
		URL    string         `json:"fileUrl"`
		Status string         `json:"status"`
	} `json:"file"`
}

type maapContact struct {
	Number string `json:"userContact,omitempty"`
	Chat   string `json:"chatId,omitempty"` // of somebody who hides their number
}

type maapMessage struct {
	ID     channel.Opaque  `json:"msgId"`
	At     string          `json:"timestamp"`
	Text   string          `json:"textMessage"`
	File   *maapFile       `json:"fileMessage"`
	Audio  *maapFile       `json:"audioMessage"`
	Place  *maapPlace      `json:"geolocationPushMessage"`
	Typing string          `json:"isTyping"` // active, idle
	Status string          `json:"status"`
	Taken  *gsmaAnswer     `json:"suggestedResponse"`
	Shared json.RawMessage `json:"sharedData"`
}

type maapFile struct {
	URL  string      `json:"fileUrl"`
	Name string      `json:"fileName,omitempty"`
	MIME string      `json:"fileMIMEType,omitempty"`
	Size json.Number `json:"fileSize,omitempty"`

	Thumbnail string `json:"thumbnailUrl,omitempty"`
}

type maapPlace struct {
	Pos   string `json:"pos"` // "lat,lon" or "lat lon"
	Label string `json:"label,omitempty"`
}

func (maap) parse(_ channel.Keyed, in channel.Inbound) (channel.Parsed, error) {
	var p maapPush
	if err := json.Unmarshal(in.Body, &p); err != nil && !channel.Malformed(err) {
		return channel.Parsed{}, fault.New(fault.Invalid, "unreadable", "the body is not JSON: %w", err)
	}
	r := maapReader{raw: in.Body}
	switch {
	case p.Event == "fileStatus":
		r.file(p)
	case p.Message == nil:
		r.out.Ignore("no_message", p.Event)
	default:
		r.message(p)
	}
	return r.out, nil
}

type maapReader struct {
	reader
	raw []byte
}

func (r *maapReader) message(p maapPush) {
	m := *p.Message
	peer, sender := who(p.Contact.Number, "")
	if peer == "" {
		peer = p.Contact.Chat
	}
	switch {
	case peer == "":
		r.out.Ignore("no_sender", p.Event)
		return
	case m.ID == "":
		r.out.Ignore("no_id", p.Event)
		return
	}
	in := event.Inbound{Ref: peer + ":" + string(m.ID), Peer: peer, ProviderAt: when(m.At)}
	if p.Contact.Chat != "" && p.Contact.Chat != peer {
		in.Aliases = []string{p.Contact.Chat}
	}
	switch p.Event {
	case "message", "response", "newUser":
		in.ExternalID, in.Sender = string(m.ID), sender
		c, tap := m.content()
		in.Tap = tap && c != nil
		r.said(in, c, r.raw)
	case "isTyping":
		on := m.Typing != "idle"
		in.Ref += ":" + m.Typing + ":" + m.At
		in.Type, in.Typing = event.ContactTyping, &on
		r.add(in)
	case "messageStatus":
		r.status(in, m)
	case "alias":
		r.alias(in)
	default:
		r.out.Ignore("event", p.Event)
	}
}

// content is what a message says, and whether it is none for the platform; nil for what is not known.
func (m maapMessage) content() (c *event.Content, tap bool) {
	switch {
	case m.Taken != nil:
		return m.Taken.content()
	case m.File != nil:
		return m.File.content(), false
	case m.Audio != nil:
		c := m.Audio.content()
		if c != nil && c.Type != event.Audio && m.Audio.MIME == "" {
			c.Type, c.Attachments[0].Type = event.Audio, event.Audio
		}
		return c, false
	case m.Place != nil:
		lat, lon, ok := strings.Cut(strings.TrimSpace(strings.ReplaceAll(m.Place.Pos, ",", " ")), " ")
		at := place(lat, lon)
		if !ok || at == nil {
			return nil, false
		}
		at.Name = m.Place.Label
		return &event.Content{Type: event.LocationType, Location: at}, false
	case len(m.Shared) > 0:
		body, _ := json.Marshal(map[string]json.RawMessage{"sharedData": m.Shared}) // it came as JSON
		return shared(body), true
	}
	return text(m.Text), false
}

func (f *maapFile) content() *event.Content {
	size, _ := f.Size.Int64() // what is no number is no size
	return file(event.Attachment{MIME: f.MIME, Name: f.Name, Size: max(size, 0), URL: f.URL})
}

// maapStatuses are what becomes of our messages. One that was cancelled is one that we have taken back: the action has its own result.
var maapStatuses = map[string]event.DeliveryStatus{"sent": event.Sent, "delivered": event.Delivered, "displayed": event.Read, "failed": event.Failed}

func (r *maapReader) status(in event.Inbound, m maapMessage) {
	status, known := maapStatuses[m.Status]
	if !known {
		r.out.Ignore("status", m.Status)
		return
	}
	in.Ref += ":" + m.Status
	in.Type, in.ExternalID, in.Receipt = event.ReceiptReceived, string(m.ID), &event.Receipt{Status: status}
	if status == event.Failed {
		in.Receipt.Error = class{fault.Gone, codeUnsent}.fault(m.Status, "the message was not delivered").Shown()
	}
	r.add(in)
}

// alias says that two ids are one person: somebody has shown, or hidden, their number.
func (r *maapReader) alias(in event.Inbound) {
	if len(in.Aliases) == 0 {
		r.out.Ignore("no_alias", "")
		return
	}
	in.Type, in.Identity = event.ContactIdentified, &event.Identity{New: in.Aliases, Reason: "alias"}
	r.add(in)
}

// file says what became of an upload: who uploads asks by itself, so that it is news only where the platform refuses it.
func (r *maapReader) file(p maapPush) {
	switch {
	case p.File == nil || p.File.ID == "":
		r.out.Ignore("no_id", p.Event)
	case p.File.Status == "ready" || p.File.Status == "pending":
		r.out.Ignore("file", p.File.Status)
	default:
		r.add(event.Inbound{
			Type: event.AccountChanged, Ref: "file:" + string(p.File.ID) + ":" + p.File.Status,
			Account: &event.Account{What: "file_" + p.File.Status, Detail: string(p.File.ID)},
		})
	}
}

// bare is the address of the bot.
func (maap) bare(ch channel.Channel) string {
	return base(ch, "") + "/" + url.PathEscape(ch.Settings.Text("chatbot_id"))
}
