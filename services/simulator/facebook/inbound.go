package facebook

import (
	"cmp"
	"time"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/graph"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// Inbound is the webhook of something that a person did, and the id of the message in it. With a post it is a comment.
func (p *Provider) Inbound(a *account.Account, act account.Action) (webhook.Post, string, error) {
	at, err := act.Time(p.Now())
	if err != nil {
		return webhook.Post{}, "", err
	}
	if act.Post != "" {
		return p.commented(a, &act, at)
	}
	who := graph.Scoped(a.Config(), graph.InMessages, act.From)
	s := scene{p: p, a: a, act: &act, at: at, who: who, known: a.People.Known(who)}
	a.People.Change(who, func(w *account.Person) { w.Seen, w.Name = true, cmp.Or(act.Name, w.Name) })
	if act.Kind == "block" || act.Kind == "unblock" { // nobody is told; messages just do not arrive any more
		a.People.Change(who, func(w *account.Person) { w.Blocked = act.Kind == "block" })
		return webhook.Post{}, "", nil
	}
	item, id, err := s.item()
	if err != nil {
		return webhook.Post{}, "", err
	}
	if act.Kind != "echo" && act.Kind != "thread_control" {
		a.People.Change(who, func(w *account.Person) {
			if w.Wrote.Before(at) {
				w.Wrote = at
			}
			if item["message"] != nil {
				w.LastIn, w.Blocked = id, false
			}
		})
	}
	list := "messaging"
	if act.Standby {
		list = "standby"
	}
	return webhook.Post{About: webhook.About{Peer: who}, Make: func() webhook.Call { return call(a.Config(), at, list, item) }}, id, nil
}

// call signs a webhook with one item of a conversation, in the list that says who has it.
func call(c *account.Config, at time.Time, list string, item obj) webhook.Call {
	return graph.Hook(c, "page", obj{"id": c.ID, "time": at.UnixMilli(), list: []obj{item}})
}

// scene is who does something in a conversation.
type scene struct {
	p     *Provider
	a     *account.Account
	act   *account.Action
	at    time.Time
	who   string
	known account.Person
}

// base is an item from a person to the Page.
func (s *scene) base() obj {
	return obj{"sender": obj{"id": s.who}, "recipient": obj{"id": s.a.Config().ID}, "timestamp": s.at.UnixMilli()}
}

// target is the message that something is about.
func (s *scene) target(usual ...string) (string, error) {
	id := cmp.Or(append([]string{s.act.Target}, usual...)...)
	if id == "" {
		return "", fault.At("/target", "required", "there is no message yet that it could be about: name one")
	}
	return id, nil
}

// item makes what happened, with the id of the message in it.
func (s *scene) item() (item obj, id string, err error) {
	item = s.base()
	switch kind := cmp.Or(s.act.Kind, "text"); kind {
	case "button", "list":
		c := account.Pick(s.act, s.known)
		id = cmp.Or(s.act.ID, newMID())
		item["postback"] = obj{"mid": id, "title": c.Title, "payload": c.ID}
		return item, id, nil
	case "reaction":
		if id, err = s.target(s.known.LastOut, s.known.LastIn); err != nil {
			return nil, "", err
		}
		did := obj{"mid": id, "action": "react", "emoji": s.act.Emoji(), "reaction": "other"}
		if s.act.Removed {
			did = obj{"mid": id, "action": "unreact"}
		}
		item["reaction"] = did
		return item, id, nil
	case "edit":
		if id, err = s.target(s.known.LastIn); err != nil {
			return nil, "", err
		}
		item["message_edit"] = obj{"mid": id, "text": cmp.Or(s.act.Text, "Hello (edited)"), "num_edit": s.p.ids.Add(1)}
		return item, id, nil
	case "referral":
		item["referral"] = referral(s.act.Referral)
		return item, "", nil
	case "thread_control":
		item["pass_thread_control"] = obj{"previous_owner_app_id": nil, "new_owner_app_id": cmp.Or(s.act.Target, app(s.a.Config())), "metadata": s.act.Text}
		return item, "", nil
	case "echo":
		id = cmp.Or(s.act.ID, newMID())
		item["sender"], item["recipient"] = item["recipient"], item["sender"]
		item["message"] = obj{"mid": id, "is_echo": true, "app_id": 263902037430900, "text": cmp.Or(s.act.Text, "Hello from the inbox of the Page")}
		return item, id, nil
	default:
		id = cmp.Or(s.act.ID, newMID())
		m, err := s.message(kind)
		if err != nil {
			return nil, "", err
		}
		m["mid"] = id
		if s.act.ReplyTo != "" {
			m["reply_to"] = obj{"mid": s.act.ReplyTo}
		}
		if s.act.Referral != nil {
			m["referral"] = referral(s.act.Referral)
		}
		item["message"] = m
		return item, id, nil
	}
}

// message is what a person writes.
func (s *scene) message(kind string) (obj, error) {
	switch kind {
	case "text":
		return obj{"text": cmp.Or(s.act.Text, "Hello")}, nil
	case "quick_reply":
		c := account.Pick(s.act, s.known)
		return obj{"text": c.Title, "quick_reply": obj{"payload": c.ID}}, nil
	case "sticker":
		return obj{"attachments": []obj{{"type": "sticker", "payload": obj{"url": "https://scontent.example/like.png", "sticker_id": 369239263222822}}}}, nil
	case "location":
		l := s.act.Location
		if l == nil {
			l = &account.Location{Latitude: 52.520008, Longitude: 13.404954, Name: "Alexanderplatz"}
		}
		return obj{"attachments": []obj{{"type": "location", "title": l.Name, "payload": obj{"coordinates": obj{"lat": l.Latitude, "long": l.Longitude}}}}}, nil
	case "unsupported":
		return obj{"attachments": []obj{{"type": "appointment_booking", "payload": obj{}}}}, nil
	case "image", "audio", "video", "document":
		f, err := media.Of(s.a, s.act)
		if err != nil {
			return nil, err
		}
		if kind == "document" {
			kind = "file"
		}
		m := obj{"attachments": []obj{{"type": kind, "payload": obj{"url": s.p.cdn().Link(s.a, f, s.p.number())}}}}
		if s.act.Text != "" {
			m["text"] = s.act.Text
		}
		return m, nil
	}
	return nil, fault.At("/kind", "not_applicable", "Messenger tells a Page nothing of the kind %s", kind)
}

func referral(r *account.Referral) obj {
	if r == nil {
		r = &account.Referral{}
	}
	out := obj{"ref": cmp.Or(r.Code, "spring"), "source": cmp.Or(r.Source, "SHORTLINK"), "type": "OPEN_THREAD"}
	if r.SourceID != "" {
		out["ad_id"] = r.SourceID
	}
	if r.Headline != "" {
		out["ads_context_data"] = obj{"ad_title": r.Headline}
	}
	return out
}

// status is the webhook of one step of a message: its echo, a delivery, or a read watermark. The message is nil for a step by hand.
func (p *Provider) status(a *account.Account, m *ledger.Message, s account.Step, said *message) webhook.Post {
	id, to, ref, text, at := m.ID, m.To, m.ClientRef, m.Text, m.At.Add(s.At)
	return webhook.Post{Key: "status " + id, After: s.After, About: webhook.About{Kind: s.Status, Peer: to, Message: id}, Make: func() webhook.Call {
		c := a.Config()
		item := obj{"sender": obj{"id": to}, "recipient": obj{"id": c.ID}, "timestamp": at.UnixMilli()}
		switch s.Status {
		case "delivered":
			item["delivery"] = obj{"mids": []string{id}, "watermark": at.UnixMilli()}
		case "read":
			item["read"] = obj{"watermark": at.UnixMilli()}
		default:
			echo := obj{"mid": id, "is_echo": true, "app_id": app(c), "text": text}
			if ref != "" {
				echo["metadata"] = ref
			}
			if said != nil && said.Attachment != nil {
				delete(echo, "text")
				echo["attachments"] = []obj{{"type": said.Attachment.Type, "payload": obj{}}}
			}
			item["sender"], item["recipient"] = item["recipient"], item["sender"]
			item["message"] = echo
		}
		return call(c, at, "messaging", item)
	}}
}

// Receipt is a receipt sent by hand. The message need not be one that was taken here, but then nobody knows to whom it went.
func (p *Provider) Receipt(a *account.Account, id, status string, _ int) (webhook.Post, error) {
	if status != "sent" && status != "delivered" && status != "read" {
		return webhook.Post{}, fault.At("/status", "bad_value", "want sent (the echo), delivered or read: Messenger tells nothing else")
	}
	m, ok := p.Ledger.Message(a, id)
	if !ok {
		return webhook.Post{}, fault.At("/id", "bad_value", "want the id of a message that was taken")
	}
	m.At = p.Now()
	return p.status(a, &m, account.Step{Status: status}, nil), nil
}
