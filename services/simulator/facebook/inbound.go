package facebook

import (
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/graph"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
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
	return p.talk().Inbound(a, &act, at)
}

// talk is how Messenger tells of conversations.
func (p *Provider) talk() graph.Talk {
	return graph.Talk{
		Name: "Messenger", Object: "page", MID: mids, Source: "SHORTLINK", Inbox: inbox, FromInbox: "Hello from the inbox of the Page",
		CDN: p.cdn(), App: app, Next: func() int64 { return p.ids.Add(1) }, Own: content,
	}
}

// content is a message as only Messenger has it.
func content(s *graph.Scene, kind string) (obj, error) {
	switch kind {
	case "sticker":
		return obj{"attachments": []obj{{"type": "sticker", "payload": obj{"url": "https://scontent.example/like.png", "sticker_id": 369239263222822}}}}, nil
	case "location":
		l := s.Act.Location
		if l == nil {
			l = &account.Location{Latitude: 52.520008, Longitude: 13.404954, Name: "Alexanderplatz"}
		}
		return obj{"attachments": []obj{{"type": "location", "title": l.Name, "payload": obj{"coordinates": obj{"lat": l.Latitude, "long": l.Longitude}}}}}, nil
	case "unsupported":
		return obj{"attachments": []obj{{"type": "appointment_booking", "payload": obj{}}}}, nil
	}
	return nil, s.Unheard(kind)
}

// status is the webhook of one step of a message: its echo, a delivery, or a read watermark. The message is nil for a step by hand.
func (p *Provider) status(a *account.Account, m *ledger.Message, s account.Step, said *message) webhook.Post {
	id, to, ref, text, at := m.ID, m.To, m.ClientRef, m.Text, m.At.Add(s.At)
	return webhook.Post{Key: "status " + id, After: s.After, About: webhook.About{Kind: s.Status, Peer: to, Message: id}, Make: func() webhook.Call {
		c := a.Config()
		item := graph.Item(to, c.ID, at)
		switch s.Status {
		case "delivered":
			item["delivery"] = obj{"mids": []string{id}, "watermark": at.UnixMilli()}
		case "read":
			item["read"] = obj{"watermark": at.UnixMilli()}
		default:
			attached := ""
			if said != nil && said.Attachment != nil {
				attached = said.Attachment.Type
			}
			echo := graph.Echo(id, text, attached)
			if echo["app_id"] = app(c); ref != "" {
				echo["metadata"] = ref
			}
			item = graph.Item(c.ID, to, at)
			item["message"] = echo
		}
		return p.talk().Call(c, at, "messaging", item)
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
