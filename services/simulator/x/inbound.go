package x

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// Inbound is the webhook of something that a person did, and the id of the message in it.
func (p *Provider) Inbound(a *account.Account, act account.Action) (webhook.Post, string, error) {
	at, err := act.Time(p.Now())
	if err != nil {
		return webhook.Post{}, "", err
	}
	from, me := idOf(act.From), a.Config().ID
	chat, target := from, obj{"recipient_id": me}
	if act.Group != "" {
		chat = "group:" + idOf(act.Group)
		target = obj{"conversation_id": strings.TrimPrefix(chat, "group:")}
	}
	a.People.Change(from, func(w *account.Person) { w.Seen, w.Name = true, cmp.Or(act.Name, w.Name) })
	when := strconv.FormatInt(at.UnixMilli(), 10)
	post := func(kind string, payload obj) webhook.Post {
		return webhook.Post{About: webhook.About{Peer: chat}, Make: func() webhook.Call { return p.call(a, kind, payload) }}
	}
	switch act.Kind {
	case "typing":
		return post("dm.indicate_typing", obj{"direct_message_indicate_typing_events": []obj{{"created_timestamp": when, "sender_id": from, "target": target}}}), "", nil
	case "block", "unblock":
		return webhook.Post{}, "", fault.At("/kind", "not_applicable", "X does not tell who has blocked an account; refuse messages to them by the script")
	case "unsupported":
		id := p.nextID()
		a.People.Change(chat, func(w *account.Person) { w.Wrote, w.LastIn = at, id })
		return post("chat.received", obj{"id": id, "sender_id": from, "conversation_id": from + ":" + me, "encoded_event": account.Hex(40), "created_at_msec": when}), id, nil
	}
	data, err := p.said(a, &act)
	if err != nil {
		return webhook.Post{}, "", err
	}
	id := cmp.Or(act.ID, p.nextID())
	a.People.Change(chat, func(w *account.Person) { w.Wrote, w.LastIn, w.Blocked = at, id, false })
	m := obj{"type": "message_create", "id": id, "created_timestamp": when, "message_create": obj{"target": target, "sender_id": from, "message_data": data}}
	if act.Kind == "referral" {
		m["initiated_via"] = obj{"tweet_id": "1700000000000000001"}
	}
	users := obj{from: obj{"data": obj{"id": from, "name": nameOf(a.People.Known(from), from), "username": "sim_" + from[max(0, len(from)-8):]}}}
	return post("dm.received", obj{"direct_message_events": []obj{m}, "users": users}), id, nil
}

// idOf is a person's or group's number. Other names for them, a phone number even, stand for a number that is made of them.
func idOf(name string) string {
	if bare := account.Bare(name); someID.MatchString(bare) {
		return bare
	}
	h := sha256.Sum256([]byte(name))
	return strconv.FormatUint(1e18+binary.BigEndian.Uint64(h[:8])%1e18, 10)
}

// escaped is a text as X writes it.
var escaped = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// said is the data of a message.
func (p *Provider) said(a *account.Account, act *account.Action) (obj, error) {
	text := escaped.Replace(act.Text)
	switch act.Kind {
	case "text", "referral":
		return obj{"text": cmp.Or(text, "Hello"), "entities": obj{}}, nil
	case "button", "quick_reply", "list": // choices are a list of numbers, and answered by a text
		return obj{"text": cmp.Or(text, "1"), "entities": obj{}}, nil
	case "image", "video":
		f, err := media.Of(a, act)
		if err != nil {
			return nil, err
		}
		id := p.nextID()
		p.Files.Put(id, f)
		at := base(a) + "/ton/" + id
		short := "https://t.co/" + account.Hex(5)
		m := obj{"id_str": id, "url": short, "media_url_https": at, "type": "photo"}
		if act.Kind == "video" {
			m["type"], m["video_info"] = "video", obj{"variants": []obj{{"bitrate": 2_176_000, "content_type": "video/mp4", "url": at}}}
		}
		return obj{"text": strings.TrimSpace(text + " " + short), "attachment": obj{"type": "media", "media": m}}, nil
	case "location":
		l := act.Location
		if l == nil {
			l = &account.Location{Latitude: 37.7764, Longitude: -122.4166}
		}
		return obj{"text": text, "attachment": obj{"type": "location", "location": obj{"type": "shared_coordinate",
			"shared_coordinate": obj{"coordinates": obj{"type": "Point", "coordinates": []float64{l.Longitude, l.Latitude}}}}}}, nil
	}
	return nil, fault.At("/kind", "not_applicable", "X has nothing of the kind %s", act.Kind)
}

// base is where the account's files are: at the address that its channel has for the API.
func base(a *account.Account) string { at, _ := a.Config().Own.(string); return at }

// told schedules what is told about a message that was accepted: that it was read.
func (p *Provider) told(a *account.Account, m *ledger.Message) {
	for _, s := range a.Script().Receipts.Plan() {
		if s.Status == "read" && !strings.HasPrefix(m.To, "group:") {
			post := p.readBy(a, m.To, m.ID)
			post.After = s.After
			_ = p.Send(a, post) // a queue that is full is counted there
		}
	}
}

func (p *Provider) readBy(a *account.Account, who, id string) webhook.Post {
	return webhook.Post{Key: "read " + who, About: webhook.About{Kind: "read", Peer: who, Message: id}, Make: func() webhook.Call {
		return p.call(a, "dm.read", obj{"direct_message_mark_read_events": []obj{{
			"created_timestamp": strconv.FormatInt(p.Now().UnixMilli(), 10), "sender_id": who, "target": obj{"recipient_id": a.Config().ID}, "last_read_event_id": id,
		}}})
	}}
}

// call signs a webhook of the X Activity API.
func (p *Provider) call(a *account.Account, kind string, payload obj) webhook.Call {
	c := a.Config()
	body := webhook.JSON(obj{"data": obj{"event_uuid": "-" + p.nextID(), "filter": obj{"user_id": c.ID}, "event_type": kind, "payload": payload}})
	mac := hmac.New(sha256.New, []byte(c.Secrets["consumer_secret"]))
	mac.Write(body)
	return webhook.Call{URL: c.WebhookURL, Body: body, Header: http.Header{
		"Content-Type": {"application/json"}, "X-Twitter-Webhooks-Signature": {"sha256=" + base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	}}
}
