package line

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// Inbound is the webhook of something that a person did, and the id of the message in it.
func (p *Provider) Inbound(a *account.Account, act account.Action) (webhook.Post, string, error) {
	at, err := act.Time(p.Now())
	if err != nil {
		return webhook.Post{}, "", err
	}
	s := scene{p: p, a: a, act: &act, at: at, user: idOf("U", act.From)}
	s.chat, s.source = s.user, obj{"type": "user", "userId": s.user}
	if act.Group != "" {
		s.chat = idOf("C", act.Group)
		s.source = obj{"type": "group", "groupId": s.chat, "userId": s.user}
	}
	s.known = a.People.Known(s.chat)
	s.introduce()
	e, id, err := s.event()
	if err != nil {
		return webhook.Post{}, "", err
	}
	return webhook.Post{About: webhook.About{Peer: s.chat}, Make: func() webhook.Call { return s.call(e) }}, id, nil
}

var someID = regexp.MustCompile(`^[UC][0-9a-f]{32}$`)

// idOf is a person's or group's id. Other names for them, a phone number even, stand for an id that is made of them.
func idOf(letter, name string) string {
	if someID.MatchString(name) && strings.HasPrefix(name, letter) {
		return name
	}
	h := sha256.Sum256([]byte(account.Bare(name)))
	return letter + hex.EncodeToString(h[:16])
}

// introduce lets the account ask for the profile of whoever does something, and of the group it happens in.
func (s *scene) introduce() {
	called := func(w *account.Person) { w.Seen, w.Name = true, cmp.Or(s.act.Name, w.Name) }
	if s.act.Group == "" {
		s.a.People.Change(s.user, called)
		return
	}
	s.a.People.Change(member(s.chat, s.user), called)
	s.a.People.Change(s.chat, func(w *account.Person) { w.Seen = true })
}

// member is the key of somebody of a group: LINE tells of members who are no friends of the account, too.
func member(group, user string) string { return group + " " + user }

// scene is who does something, and where.
type scene struct {
	p          *Provider
	a          *account.Account
	act        *account.Action
	at         time.Time
	user, chat string
	source     obj
	known      account.Person
}

// event makes what happened, with the id of the message in it.
func (s *scene) event() (obj, string, error) {
	switch s.act.Kind {
	case "block", "unblock":
		s.a.People.Change(s.chat, func(w *account.Person) { w.Blocked = s.act.Kind == "block" })
		if s.act.Kind == "block" {
			return s.base("unfollow", false), "", nil
		}
		e := s.base("follow", true)
		e["follow"] = obj{"isUnblocked": true}
		return e, "", nil
	case "delete":
		target := cmp.Or(s.act.Target, s.known.LastIn)
		if target == "" {
			return nil, "", fault.At("/target", "required", "there is no message yet that it could be about: name one")
		}
		e := s.base("unsend", false)
		e["unsend"] = obj{"messageId": target}
		return e, target, nil
	case "edit":
		target := cmp.Or(s.act.Target, s.known.LastIn)
		switch {
		case s.act.Group == "":
			return nil, "", fault.At("/kind", "not_applicable", "LINE tells an account of edits in groups only: set group")
		case target == "":
			return nil, "", fault.At("/target", "required", "there is no message yet that it could be about: name one")
		}
		e := s.base("messageEdited", true)
		e["message"] = obj{"type": "text", "id": target, "text": cmp.Or(s.act.Text, "Hello (edited)"), "quoteToken": account.Hex(24)}
		return e, target, nil
	case "button", "list":
		c := account.Pick(s.act, s.known)
		e := s.base("postback", true)
		e["postback"] = obj{"data": c.ID}
		s.a.People.Change(s.chat, func(w *account.Person) { w.Wrote = s.at })
		return e, e["webhookEventId"].(string), nil
	}
	m, err := s.message()
	if err != nil {
		return nil, "", err
	}
	id := m["id"].(string)
	s.a.People.Change(s.chat, func(w *account.Person) { w.Wrote, w.LastIn, w.Blocked = s.at, id, false })
	e := s.base("message", true)
	e["message"] = m
	return e, id, nil
}

// base is what all events have. The token to reply with is good once.
func (s *scene) base(kind string, token bool) obj {
	e := obj{
		"type": kind, "webhookEventId": ulid.Make().String(), "deliveryContext": obj{"isRedelivery": false},
		"timestamp": s.at.UnixMilli(), "source": s.source, "mode": "active",
	}
	if token {
		t := account.Hex(16)
		s.p.tokens.Add(s.a.Config().ID+" "+t, replyToken{chat: s.chat, until: s.p.Now().Add(replyTokenLife)})
		e["replyToken"] = t
	}
	return e
}

func (s *scene) message() (obj, error) {
	m := obj{"id": cmp.Or(s.act.ID, fmt.Sprint(s.p.nextID()))}
	m["markAsReadToken"] = account.Hex(24)
	switch s.act.Kind {
	case "text", "quick_reply", "image", "video", "sticker": // the kinds that can be quoted
		m["quoteToken"] = account.Hex(24)
	}
	if s.act.ReplyTo != "" {
		m["quotedMessageId"] = s.act.ReplyTo
	}
	switch s.act.Kind {
	case "text", "quick_reply":
		m["type"], m["text"] = "text", cmp.Or(s.act.Text, "Hello")
		if s.act.Kind == "quick_reply" { // LINE sends the text that goes with it
			m["text"] = account.Pick(s.act, s.known).Title
		}
	case "image", "video", "audio", "document":
		return m, s.attach(m)
	case "sticker":
		m["type"], m["packageId"], m["stickerId"], m["stickerResourceType"], m["keywords"] = "sticker", "11537", "52002738", "STATIC", []string{"thanks", "bow"}
	case "location":
		at := s.act.Location
		if at == nil {
			at = &account.Location{Latitude: 35.6591, Longitude: 139.7037, Name: "Shop", Address: "Tokyo"}
		}
		m["type"], m["latitude"], m["longitude"] = "location", at.Latitude, at.Longitude
		m["title"], m["address"] = at.Name, at.Address
	case "unsupported":
		m["type"] = "hologram"
	default:
		return nil, fault.At("/kind", "not_applicable", "LINE has nothing of the kind %s", s.act.Kind)
	}
	return m, nil
}

// attach keeps a file under the message's id, by which it is fetched.
func (s *scene) attach(m obj) error {
	f, err := media.Of(s.a, s.act)
	if err != nil {
		return err
	}
	s.p.Files.Put(m["id"].(string), f)
	m["contentProvider"] = obj{"type": "line"}
	switch m["type"] = s.act.Kind; s.act.Kind {
	case "video", "audio":
		m["duration"] = 4200
	case "document":
		m["type"], m["fileName"], m["fileSize"] = "file", cmp.Or(f.Name, "file"), len(f.Data)
		delete(m, "contentProvider")
	}
	return nil
}

// call signs a webhook with one event.
func (s *scene) call(e obj) webhook.Call {
	c := s.a.Config()
	body := webhook.JSON(obj{"destination": c.ID, "events": []obj{e}})
	return webhook.Call{URL: c.WebhookURL, Body: body, Header: signed(c, body)}
}

func signed(c *account.Config, body []byte) http.Header {
	mac := hmac.New(sha256.New, []byte(c.Secrets["channel_secret"]))
	mac.Write(body)
	return http.Header{
		"Content-Type": {"application/json; charset=utf-8"}, "User-Agent": {"LineBotWebhook/2.0"},
		"X-Line-Signature": {base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	}
}
