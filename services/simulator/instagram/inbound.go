package instagram

import (
	"cmp"
	"strings"
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
	return p.talk().Inbound(a, &act, at)
}

// talk is how Instagram tells of conversations.
func (p *Provider) talk() graph.Talk {
	return graph.Talk{
		Name: "Instagram", Object: "instagram", MID: mids, Source: "IGME-SOURCE-LINK", Inbox: inbox, FromInbox: "Hello from Meta's inbox", Unsends: true,
		CDN: p.cdn(), App: func(c *account.Config) string { return ownOf(c).app }, Next: func() int64 { return p.ids.Add(1) }, Own: content,
	}
}

// content is a message as only Instagram has it.
func content(s *graph.Scene, kind string) (obj, error) {
	switch kind {
	case "sticker":
		return obj{"attachments": []obj{{"type": "like_heart"}}}, nil
	case "unsupported":
		return obj{"is_unsupported": true}, nil
	case "share":
		return s.Attached("ig_post", obj{"ig_post_media_id": s.Number(), "title": "A jacket", "url": "https://www.instagram.example/p/" + s.Number()}), nil
	case "story", "story_mention", "story_reply":
		picture, err := media.Of(s.Account, &account.Action{Kind: "image", Media: s.Act.Media})
		if err != nil {
			return nil, err
		}
		from := s.Link(picture)
		if kind == "story_reply" {
			return obj{"text": cmp.Or(s.Act.Text, "Love it"), "reply_to": obj{"story": obj{"id": s.Number(), "url": from}}}, nil
		}
		return s.Attached(map[string]string{"story": "ig_story", "story_mention": kind}[kind], obj{"url": from}), nil
	}
	return nil, s.Unheard(kind)
}

// commented is the webhook of what a person writes below a post of the account, or of a mention.
func (p *Provider) commented(a *account.Account, act *account.Action, at time.Time) (webhook.Post, string, error) {
	c := a.Config()
	if !graph.Digits(act.Post) {
		return webhook.Post{}, "", fault.At("/post", "bad_format", "want the digits of a post's id")
	}
	id := cmp.Or(act.ID, "18"+p.number())
	who := graph.Scoped(c, graph.InComments, act.From)
	field := "comments"
	var v obj
	switch cmp.Or(act.Kind, "text") {
	case "text":
		name := cmp.Or(act.Username, strings.ToLower(strings.Join(strings.Fields(act.Name), ".")), "simulated."+who[max(0, len(who)-4):])
		v = obj{"id": id, "text": cmp.Or(act.Text, "Hello"), "from": obj{"id": who, "username": name}, "media": obj{"id": act.Post, "media_product_type": "FEED"}}
		if act.ReplyTo != "" {
			v["parent_id"] = act.ReplyTo
		}
		if r := act.Referral; r != nil {
			v["media"] = obj{"id": act.Post, "media_product_type": "AD", "ad_id": r.SourceID, "ad_title": r.Headline}
		}
		p.comments.Add(a, id, graph.Comment{From: act.From, Post: act.Post, At: at})
		a.People.Change(who+" "+act.Post, func(w *account.Person) { w.LastIn = id })
	case "mention":
		field, v = "mentions", obj{"media_id": act.Post, "comment_id": id}
	default:
		return webhook.Post{}, "", fault.At("/kind", "not_applicable", "Instagram tells an account nothing of the kind %s below a post", act.Kind)
	}
	return webhook.Post{About: webhook.About{Peer: who}, Make: func() webhook.Call {
		return graph.Hook(a.Config(), "instagram", obj{"id": a.Config().ID, "time": at.Unix(), "changes": []obj{{"field": field, "value": v}}})
	}}, id, nil
}

// status is the webhook of one step of a message: its echo, or that it was seen. The message is nil for a step by hand.
func (p *Provider) status(a *account.Account, m *ledger.Message, s account.Step, said *message) webhook.Post {
	id, to, text, at := m.ID, m.To, m.Text, m.At.Add(s.At)
	return webhook.Post{Key: "status " + id, After: s.After, About: webhook.About{Kind: s.Status, Peer: to, Message: id}, Make: func() webhook.Call {
		c := a.Config()
		item := graph.Item(to, c.ID, at)
		if s.Status == "read" {
			item["read"] = obj{"mid": id}
			return p.talk().Call(c, at, "messaging", item)
		}
		attached := ""
		if said != nil && said.Attachment != nil {
			attached = said.Attachment.Type
		}
		echo := graph.Echo(id, text, attached)
		if o := ownOf(c); o.app != "" {
			echo["app_id"] = o.app
		}
		item = graph.Item(c.ID, to, at)
		item["message"] = echo
		return p.talk().Call(c, at, "messaging", item)
	}}
}

// Receipt is a receipt sent by hand.
func (p *Provider) Receipt(a *account.Account, id, status string, _ int) (webhook.Post, error) {
	if status != "sent" && status != "read" {
		return webhook.Post{}, fault.At("/status", "bad_value", "want sent (the echo) or read: Instagram tells nothing else")
	}
	m, ok := p.Ledger.Message(a, id)
	if !ok {
		return webhook.Post{}, fault.At("/id", "bad_value", "want the id of a message that was taken")
	}
	m.At = p.Now()
	return p.status(a, &m, account.Step{Status: status}, nil), nil
}
