package rcs

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// cmcc is China Mobile: cmcc.go has what comes, cmcc_send.go what goes.
type cmcc struct{}

var _ interface {
	platform
	uploader
	keeper
} = cmcc{}

// verify checks the credentials of a push, which are made as those of our calls are. Where the province signs nothing, a push names at
// least the chatbot in its address.
func (cmcc) verify(ch channel.Keyed, in channel.Inbound) error {
	if in.Method != "POST" {
		return channel.ErrForged
	}
	if ch.Settings.Text("verification") == "none" {
		if sameBot(last(in.Path), ch.Settings.Text("chatbot_id")) {
			return nil
		}
		return channel.ErrForged
	}
	date := in.Header.Get("Date")
	at, err := time.Parse(time.RFC1123, date)
	if err != nil || at.Before(in.At.Add(-fresh)) || at.After(in.At.Add(fresh)) {
		return channel.ErrForged
	}
	var live []string
	for _, password := range ch.Secrets["password"] {
		if password != "" {
			live = append(live, cmccCredentials(ch.Settings.Text("app_id"), password, date))
		}
	}
	return channel.SameSecret(in.Header.Get("Authorization"), live)
}

// cmccCredentials are Basic: the app id, and the digest of the password's digest with the very text of the header Date.
func cmccCredentials(app, password, date string) string {
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return hex.EncodeToString(sum[:])
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(app+":"+hash(hash(password)+date)))
}

// sign adds credentials for this moment.
func (cmcc) sign(ch channel.Keyed, req channel.Request, at time.Time, _ string) channel.Request {
	date := httpDate(at)
	req.Header.Set("Date", date)
	req.Header.Set("Authorization", cmccCredentials(ch.Settings.Text("app_id"), ch.Secrets.Current("password"), date))
	agentOf(ch.Channel, req.Header)
	return req
}

// cmccPush is a push: messages, what became of ours, and what became of those that were taken back. Prefixes of namespaces do not count.
type cmccPush struct {
	XMLName  xml.Name
	Messages []omaInbound  `xml:"inboundMessage"`
	Infos    []omaDelivery `xml:"deliveryInfo"`
	Links    []struct {
		To string `xml:"href,attr"`
	} `xml:"link"`
	To    string `xml:"address"`
	ID    string `xml:"messageId"`
	State string `xml:"status"`
}

var errDTD = errors.New("a document type is not allowed")

// readXML reads a document without a DTD.
func readXML(body []byte, v any) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.Directive:
			return errDTD
		case xml.StartElement:
			return d.DecodeElement(v, &t)
		}
	}
}

func (cmcc) parse(ch channel.Keyed, in channel.Inbound) (channel.Parsed, error) {
	var p cmccPush
	if err := readXML(in.Body, &p); err != nil {
		return channel.Parsed{}, fault.New(fault.Invalid, "unreadable", "the body is not a push of China Mobile: %w", err)
	}
	r := reader{out: channel.Parsed{Reply: channel.Reply{Status: 204}}}
	link := ""
	if len(p.Links) > 0 {
		link = p.Links[0].To
	}
	switch {
	case len(p.Messages) > maxParts:
		return channel.Parsed{}, fault.New(fault.Invalid, "unreadable", "a push of China Mobile has one message, this one has %d", len(p.Messages))
	case len(p.Messages) > 0:
		for _, m := range p.Messages {
			r.message(ch, m, quoted(string(in.Body)))
		}
	case len(p.Infos) > 0:
		for _, d := range p.Infos {
			r.delivery(d, link)
		}
	case p.State != "":
		r.taken(p.To, p.ID, p.State, link)
	default:
		r.out.Ignore("event", p.XMLName.Local)
	}
	return r.out, nil
}

// taken is what became of a message that we wanted back.
func (r *reader) taken(to, id, state, link string) {
	id = cmp.Or(id, last(link))
	peer, _ := who(to, "")
	switch {
	case id == "" || peer == "":
		r.out.Ignore("no_message_id", state)
	case state == "Revoked" || state == "RevokeFailed":
		r.revoked(id+":"+to+":"+state, peer, id, state == "Revoked", event.Time{})
	default:
		r.out.Ignore("status", state)
	}
}
